# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A flow chart."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from html import escape

from pictures.svg import LINE, MARGIN, svg

BOX, GAP, WRAP = 340, 30, 44  # width of a box, space between two, characters in a line of one
ASIDE = MARGIN + BOX + 90  # where the boxes aside begin


def flow(title: str, text: str) -> str:
    """Return a flow chart of a text that has a step a line.

    A question has four parts: "question | answer | where that leads | the other answer".
    """
    steps = [line.split(" | ") for line in text.splitlines() if line[:1] not in ("", "#")]
    top, parts = float(MARGIN), []
    for number, (label, *branch) in enumerate(steps):
        height = max(_height(part) for part in (label, *branch[1:2]))
        parts += _box("box", MARGIN, top, height, label)
        if branch:
            answer, leads_to, _other = branch
            parts += _box("aside", ASIDE, top, height, leads_to)
            parts.append(_arrow(MARGIN + BOX, top + height / 2, ASIDE, top + height / 2))
            parts.append(_label(MARGIN + BOX + 24, top + height / 2 - 8, answer))
        if number < len(steps) - 1:
            middle, bottom = MARGIN + BOX / 2, top + height
            parts.append(_arrow(middle, bottom, middle, bottom + GAP))
            if branch:
                parts.append(_label(middle + 10, bottom + GAP - 10, branch[2]))
        top += height + GAP
    head = (
        '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"'
        ' orient="auto"><path class="line" d="M0 0 8 4 0 8z"/></marker>'
    )
    font = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
    body = "\n".join([f"<defs>{head}</defs>", f'<g font-family="{font}" font-size="14">', *parts])
    return svg(ASIDE + BOX + MARGIN, top - GAP + MARGIN, title, f"{body}\n</g>")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WRAP)


def _height(text: str) -> int:
    return LINE * len(_wrapped(text)) + 20


def _box(kind: str, left: float, top: float, height: float, text: str) -> Iterator[str]:
    yield (
        f'<rect class="{kind} frame" x="{left:g}" y="{top:g}" width="{BOX}" height="{height:g}"'
        ' rx="6"/>'
    )
    lines = _wrapped(text)
    first = top + (height - LINE * len(lines)) / 2 + 15
    for number, line in enumerate(lines):
        yield _label(left + 14, first + LINE * number, line)


def _label(left: float, bottom: float, text: str) -> str:
    return f'<text class="ink" x="{left:g}" y="{bottom:g}">{escape(text)}</text>'


def _arrow(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<path class="edge" marker-end="url(#head)" d="M{x:g} {y:g} {to_x:g} {to_y:g}"/>'
