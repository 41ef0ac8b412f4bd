# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How texts become pictures: colours, full lines, marks that XML has a meaning for, flow charts."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from pictures.flow import flow
from pictures.svg import COLORS
from pictures.terminal import COLUMNS, terminal


def rows(picture: str) -> list[list[tuple[str, str]]]:
    """Return the class and the text of each part of each line."""
    lines = ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    return [[(part.get("class") or "", part.text or "") for part in line] for line in lines]


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("plain", [[("ink", "plain")]]),
        ("one\n\ntwo\n", [[("ink", "one")], [("ink", "two")]]),
        ("\x1b[0;32mok\x1b[0m: h1", [[("c32", "ok"), ("ink", ": h1")]]),
        ("\x1b[1;35mtwo\nlines\x1b[0m", [[("c35", "two")], [("c35", "lines")]]),
        ("\x1b[38mno such colour", [[("ink", "no such colour")]]),
        ("<a> & 'b'", [[("ink", "<a> & 'b'")]]),
        ("x" * COLUMNS, [[("ink", "x" * COLUMNS)]]),
        ("x" * COLUMNS + "yz", [[("ink", "x" * COLUMNS)], [("ink", "yz")]]),
        (
            "x" * (COLUMNS - 1) + "\x1b[31myz",
            [[("ink", "x" * (COLUMNS - 1)), ("c31", "y")], [("c31", "z")]],
        ),
        ("x" * COLUMNS + "\x1b[31my", [[("ink", "x" * COLUMNS)], [("c31", "y")]]),
    ],
)
def test_what_a_terminal_shows(output, expected):
    assert rows(terminal("A title", output)) == expected


def test_a_flow_chart_has_its_steps_and_answers():
    picture = flow("A & B", "# a comment\nBegin.\nReady? | no | It ends. | yes\nIt runs.\n")
    tree = ElementTree.fromstring(picture)
    name = "{http://www.w3.org/2000/svg}"
    assert tree.findtext(f"{name}title") == "A & B"
    texts = [line.text for line in tree.iter(f"{name}text")]
    assert sorted(map(str, texts)) == ["Begin.", "It ends.", "It runs.", "Ready?", "no", "yes"]


def test_a_picture_has_each_colour_in_light_and_in_dark():
    light, _, dark = terminal("A title", "text").partition("prefers-color-scheme: dark")
    for name, (in_light, in_dark) in COLORS.items():
        assert re.search(rf"\.{name} {{ fill: {in_light} }}", light)
        assert re.search(rf"\.{name} {{ fill: {in_dark} }}", dark)
