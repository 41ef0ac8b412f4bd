#!/usr/bin/env python3
# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure what pages cost a browser, large ones against small ones: numbers of the documents.

    python3 tests/benchmark/pages.py

The seconds are those of CPU time that Chromium needs until all is drawn, the fewest of several
attempts. It needs ansible-core and Chromium.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "collections"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ansible_collections.precheck.guard.plugins.plugin_utils.history import page as of_history
from ansible_collections.precheck.guard.plugins.plugin_utils.history.observed import observe
from ansible_collections.precheck.guard.plugins.plugin_utils.history.summary import summarize
from ansible_collections.precheck.guard.plugins.plugin_utils.report import html

from support.chromium import DRAWN, Browser
from support.report_documents import many

ATTEMPTS = 5
READY = {"verdict": "ready", "checks": [{"check": "", "verdict": "ready", "reasons": []}]}


def audit_page(hosts: int) -> str:
    return html.page(many(hosts))


def history_page(audits: int, hosts: int) -> str:
    """Return the page of daily audits in which problems come and go."""
    return of_history.page(summarize(observe(*one) for one in history(audits, hosts)))


def history(audits: int, hosts: int) -> Iterator[tuple[str, dict[str, Any]]]:
    worst = many(hosts)
    for day in range(audits):
        moment = time.strftime("%Y-%m-%dT06:00:00Z", time.gmtime(1788000000 + 86400 * day))
        verdicts = [
            verdict | READY if (day + number) % 30 < 12 else verdict
            for number, verdict in enumerate(worst["verdicts"])
        ]
        yield f"{day}", worst | {"started": moment, "finished": moment, "verdicts": verdicts}


def seconds(browser: Browser, page: Path, is_drawn: str) -> float:
    def attempt() -> float:
        browser.open(page)
        browser.evaluate(is_drawn)
        return browser.cost()

    return min(attempt() for _attempt in range(ATTEMPTS))


def main() -> None:
    pages = {
        "audit of 1,000 hosts by 5 rules": (audit_page(1000), "0"),
        "audit of 5,000 hosts by 5 rules": (audit_page(5000), "0"),
        "10 audits of 100 hosts": (history_page(10, 100), DRAWN),
        "90 audits of 1,000 hosts": (history_page(90, 1000), DRAWN),
    }
    with tempfile.TemporaryDirectory() as name:
        browser = Browser(Path(name) / "profile")
        browser.look()
        file = Path(name) / "page.html"
        before = 0.0
        for number, (title, (text, is_drawn)) in enumerate(pages.items()):
            file.write_bytes(text.encode())
            cost = seconds(browser, file, is_drawn)
            ratio = f", {cost / before:.1f} times as long" if number % 2 else ""
            print(f"{title}: {file.stat().st_size / 1000:.0f} kB, {cost:.2f} s{ratio}")
            before = cost
        browser.close()


if __name__ == "__main__":
    main()
