#!/usr/bin/env python3
# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure what the guard costs against what it replaces: the tables of docs/performance.md.

It measures whole processes of ansible-playbook, the one on the PATH. It runs the ways of checking
in turns, so that a machine that is slow for a while is slow for all. The SSH hosts require root and
sshd, and the plot requires matplotlib.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from measure import Sitting, samples_of
from tables import Results, ratios, table
from ways import write_project

from support.nodes import why_not

RAW, PAIR, GUARD = "one raw task", "classic pair", "guard, 1 check"
UNCOVERED = ("not covered, no guard", "not covered, guard on")
SITTINGS = [
    Sitting("local", 1, (RAW, PAIR, GUARD, *UNCOVERED), rounds=15),
    Sitting("local", 50, (RAW, GUARD), once=(PAIR,)),
    Sitting("local", 200, (RAW, GUARD, "guard, 10 checks"), once=(PAIR,)),
    Sitting("local", 1000, ("nothing", RAW, GUARD, "guard, 10 checks", "audit, 5 rules")),
    Sitting("local", 5000, (GUARD,), once=(RAW,)),
    Sitting("ssh", 50, (RAW, GUARD), once=(PAIR,)),
    Sitting("slow", 200, (RAW, "guard, 1 check, 50 forks"), forks=5),
]


def machine() -> str:
    """Describe the releases and the machine that were measured."""
    version = subprocess.run(
        ["ansible-playbook", "--version"], capture_output=True, text=True, check=True
    ).stdout
    core = re.search(r"core ([\d.]+\w*)", version)
    python = re.search(r"python version = (\S+)", version)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"ansible-core {core[1] if core else '?'}, Python {python[1] if python else '?'},"
        f" {platform.system()} {platform.release()}, {len(os.sched_getaffinity(0))} cores,"
        f" {memory:.0f} GiB of memory."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, help="how often to measure each way")
    parser.add_argument("--most", type=int, default=5000, help="the largest number of hosts")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the time over hosts")
    options = parser.parse_args()
    if options.plot:
        from plot import draw  # before the measurement, in case that matplotlib is missing
    reason = why_not()
    if reason:
        print(reason, file=sys.stderr)
    results: Results = {}
    directory = Path(tempfile.mkdtemp(prefix="precheck-benchmark-"))
    try:
        write_project(directory)
        for sitting in SITTINGS:
            if sitting.hosts <= options.most and not (reason and sitting.kind != "local"):
                rounds = options.rounds or sitting.rounds
                results[sitting] = samples_of(replace(sitting, rounds=rounds), directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)  # sockets disappear as their connections end
    tables = (table(*one) for one in results.items())
    print("\n".join([machine(), "", *tables, ratios(results)]))
    if options.plot:
        draw(results, options.plot)


if __name__ == "__main__":
    main()
