# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pictures of the documents show what the guard prints today."""

from __future__ import annotations

import pytest

from pictures.draw import DOCS, drawings

pytestmark = pytest.mark.one_release


def test_the_drawings_are_up_to_date(tmp_path):
    """Otherwise draw them again: python3 tests/pictures/draw.py."""
    for name, drawing in drawings(tmp_path).items():
        assert (DOCS / name).read_text() == drawing, name


def test_the_pictures_of_the_pages_are_there():
    """They are not compared: fonts and times differ from machine to machine."""
    for page in ("audit", "history"):
        for scheme in ("light", "dark"):
            assert (DOCS / f"{page}-{scheme}.png").read_bytes().startswith(b"\x89PNG")
