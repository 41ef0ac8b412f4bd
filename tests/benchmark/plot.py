# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Draws the time that ways of checking take, over the number of hosts."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from measure import middle
from tables import Results

WAYS = {"classic pair": "o", "one raw task": "s", "guard, 1 check": "D"}


def draw(results: Results, path: Path) -> None:
    """Write an SVG of the local hosts to ``path``."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for way, marker in WAYS.items():
        points = sorted(
            (sitting.hosts, middle(samples[way], "wall"))
            for sitting, samples in results.items()
            if sitting.kind == "local" and way in samples
        )
        axes.plot(*zip(*points, strict=True), marker=marker, label=way)
    axes.set(xscale="log", yscale="log", xlabel="local hosts", ylabel="seconds, whole run")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ScalarFormatter())
    axes.grid(alpha=0.3)
    axes.legend()
    # Text as text, and nothing that differs between two drawings of the same.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "precheck"}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
