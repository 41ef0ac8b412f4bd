#!/usr/bin/env python3
# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Draws the pictures of the documents. It needs ansible-core and Chromium.

    python3 tests/pictures/draw.py

Their texts are those of how-it-works.txt and of real runs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from pictures import runs
from pictures.flow import flow
from pictures.terminal import terminal
from support.chromium import Browser

DOCS = Path(__file__).resolve().parents[2] / "docs"
STEPS = Path(__file__).with_name("how-it-works.txt")


def drawings(directory: Path) -> dict[str, str]:
    """Return the drawings by the names of their files, made in an empty directory."""
    return {
        "how-it-works.svg": flow("How Precheck works", STEPS.read_text()),
        "stop.svg": terminal("Precheck stops pgsql.yml", runs.stopped(directory)),
    }


def photograph(page: Path, profile: Path) -> None:
    """Take a picture of a page in light and one in dark."""
    browser = Browser(profile)
    for scheme in ("light", "dark"):
        browser.look(1000, 1084, scheme)
        browser.open(page)
        browser.screenshot(DOCS / f"audit-{scheme}.png")
    browser.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directories = [Path(name) / part for part in ("stop", "audit", "profile")]
        for directory in directories:
            directory.mkdir()
        stop, audit, profile = directories
        for file, drawing in drawings(stop).items():
            (DOCS / file).write_text(drawing)
        photograph(runs.audited(audit), profile)


if __name__ == "__main__":
    main()
