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
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from pictures import runs
from pictures.flow import flow
from pictures.terminal import terminal
from support.chromium import Browser

DOCS = Path(__file__).resolve().parents[2] / "docs"
STEPS = Path(__file__).with_name("how-it-works.txt")


class Page(NamedTuple):
    """A page, and how much of it a picture shows."""

    path: Path
    height: int


def drawings(directory: Path) -> dict[str, str]:
    """Return the drawings by the names of their files, made in an empty directory."""
    return {
        "how-it-works.svg": flow("How Precheck works", STEPS.read_text()),
        "stop.svg": terminal("Precheck stops pgsql.yml", runs.stopped(directory)),
    }


def photograph(pages: Mapping[str, Page], profile: Path) -> None:
    """Take a picture of each page in light and one in dark, by their names."""
    browser = Browser(profile)
    for name, page in pages.items():
        for scheme in ("light", "dark"):
            browser.look(1000, page.height, scheme)
            browser.open(page.path)
            browser.screenshot(DOCS / f"{name}-{scheme}.png")
    browser.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directories = [Path(name) / part for part in ("stop", "audit", "history", "profile")]
        for directory in directories:
            directory.mkdir()
        stop, audit, history, profile = directories
        for file, drawing in drawings(stop).items():
            (DOCS / file).write_text(drawing)
        pages = {
            "audit": Page(runs.audited(audit), 1084),
            "history": Page(runs.remembered(history), 900),
        }
        photograph(pages, profile)


if __name__ == "__main__":
    main()
