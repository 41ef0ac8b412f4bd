# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A picture of what a terminal shows."""

from __future__ import annotations

import re
from html import escape

from pictures.svg import COLORS, LINE, MARGIN, svg

COLUMNS, CHARACTER = 120, 8.4  # the width of the terminal, and of a character in pixels
FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def terminal(title: str, output: str) -> str:
    """Return a picture of this output, with its colours, and broken where the line is full."""
    color, rows = "ink", []
    for line in output.rstrip("\n").split("\n"):
        parts, length = [], 0
        for code, text in re.findall(r"\x1b\[(?:[01];)?(\d*)m|([^\x1b]+)", line):
            if not text:
                color = f"c{code}" if f"c{code}" in COLORS else "ink"
                continue
            for piece in _broken(text, length):
                if length == COLUMNS:
                    rows.append(parts)
                    parts, length = [], 0
                parts.append(f'<tspan class="{color}">{escape(piece)}</tspan>')
                length += len(piece)
        rows.append(parts)
    body = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + LINE * number - 5}">{"".join(parts)}</text>'
        for number, parts in enumerate(rows, 1)
        if parts
    )
    return svg(
        round(COLUMNS * CHARACTER + 2 * MARGIN),
        LINE * len(rows) + 2 * MARGIN,
        title,
        f'<g font-family="{FONT}" font-size="14">\n{body}\n</g>',
    )


def _broken(text: str, column: int) -> list[str]:
    """Return the parts of a text that begins at this column, a part for each line."""
    first = COLUMNS - column or COLUMNS
    return [text[:first], *(text[at : at + COLUMNS] for at in range(first, len(text), COLUMNS))]
