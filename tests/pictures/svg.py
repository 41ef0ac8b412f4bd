# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The frame of a picture as SVG, in light or dark colours as the reader's system prefers."""

from __future__ import annotations

from html import escape

LINE, MARGIN = 20, 16  # the height of a line of text, and the space around, in pixels

# For each class: the colour in light, and in dark.
COLORS = {
    "paper": ("#f6f8fa", "#0d1117"),
    "box": ("#ffffff", "#161b22"),
    "aside": ("#fff1e5", "#3d2a12"),
    "ink": ("#1f2328", "#e6edf3"),
    "line": ("#59636e", "#9198a1"),
    "c31": ("#cf222e", "#ff7b72"),
    "c32": ("#116329", "#56d364"),
    "c33": ("#7d4e00", "#e3b341"),
    "c34": ("#0550ae", "#79c0ff"),
    "c35": ("#8250df", "#d2a8ff"),
    "c36": ("#1b7c83", "#76e3ea"),
}


def svg(width: float, height: float, title: str, body: str) -> str:
    """Return a picture of this size, in pixels. ``body`` has elements of these classes."""
    light, dark = (
        " ".join(f".{name} {{ fill: {colors[dark]} }}" for name, colors in COLORS.items())
        + f" .edge, .frame {{ stroke: {COLORS['line'][dark]} }}"
        for dark in (0, 1)
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}"\
 height="{height:g}" role="img">
<title>{escape(title)}</title>
<style>
text {{ white-space: pre }}
.edge {{ fill: none; stroke-width: 1.5 }}
{light}
@media (prefers-color-scheme: dark) {{ {dark} }}
</style>
<rect class="paper" width="100%" height="100%" rx="8"/>
{body}
</svg>
"""
