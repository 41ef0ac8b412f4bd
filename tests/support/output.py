# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The output of a guarded run: text that ansible-core has wrapped, and the closing block."""

from __future__ import annotations

import re

from support.commands import Run
from support.nodes import Nodes

# The closing block when pgsql.yml is stopped because h1 and h3 are not ready. The name of its
# first play is "Set up PostgreSQL".
CLOSING_BLOCK = """\
PRECHECK stopped the run before play "Set up PostgreSQL" ({directory}/pgsql.yml:1): 2 of 3 hosts\
 are not ready.

Rule pigsty-node: 2 of 3 hosts are not ready.
  h1  not ready: {directory}/h1/etc/pki/ca.crt is missing
  h3  not ready: {directory}/h3/etc/pki/ca.crt is missing

These hosts are not managed by Pigsty.

Nothing was changed: no task of this play ran on any host.

    ./node.yml -l h1,h3

To run it unchecked all the same: tag the play no_precheck:pigsty-node,
or pass -e precheck_waive=pigsty-node
Rule pigsty-node is built in. Rules of your own in precheck.yml beside ansible.cfg replace it.
"""
UNUSABLE_POLICY = "Precheck cannot use its policy, so nothing was run:"
UNUSABLE_SETTINGS = "Precheck cannot use its settings, so nothing was run:"
MISSING_MARKER = r"not ready: /etc/pki/ca\.crt is missing$"


def squeezed(text: str) -> str:
    """Return the text without white space: ansible-core before 2.19 breaks warnings anywhere."""
    return re.sub(r"\s", "", text)


def on_one_line(text: str) -> str:
    """Return the text with single spaces only: ansible-core before 2.19 wraps its errors."""
    return " ".join(text.split())


def assert_stopped_for(run: Run, nodes: Nodes, host: str, reason: str = MISSING_MARKER) -> None:
    """Assert that the guard stopped the run because one node is not ready.

    No task of the play ran on any node. One closing block names the node, the ``reason``, which is
    a regular expression, and the remedy, which is not the rule's for an unverified node.
    """
    assert run.rc == 2, run.output
    assert nodes.having("pki/witness") == ""
    assert run.stderr.count("PRECHECK stopped the run before") == 1
    assert run.stderr.count("Rule pigsty-node:") == 1
    assert re.search(rf"^  {host}  {reason}", run.stderr, re.MULTILINE), run.stderr
    is_verified = not reason.startswith("unverified")
    remedy = re.search(rf"^    \./node\.yml -l {host}( -i .*)?$", run.stderr, re.MULTILINE)
    assert bool(remedy) == is_verified
    assert ("Mend what kept them" in run.stderr) != is_verified
    assert "o task of this play ran on any host." in run.stderr  # No, or Nothing was changed: no


def is_printed(text: str, stream: str) -> bool:
    """Return whether a stream has the text, wherever ansible-core has broken its lines."""
    return squeezed(text) in squeezed(stream)


def assert_refused(run: Run, *texts: str) -> None:
    """Assert that the run ended before any task, with one error that has these texts."""
    assert run.rc == 1, run.output
    assert run.stderr.count("ERROR") == 1, run.output
    assert "TASK" not in run.stdout and "PLAY RECAP" not in run.stdout, run.output
    for text in texts:
        assert is_printed(text, run.stderr), (text, run.stderr)


def reasons(run: Run) -> dict[str, list[str]]:
    """Return what the closing block says of each host, a line for each check.

    A line for one host begins with its name. Those that several hosts share are followed by their
    names.
    """
    by_host: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in run.stderr.splitlines():
        if match := re.match(r"  ([\w-]*)  +(not ready|unverified): (.*)", line):
            lines = by_host.setdefault(match[1], [])
            lines.append(f"{match[2]}: {match[3]}")
        elif match := re.match(r"  (not ready|unverified): (.*)", line):
            lines = [f"{match[1]}: {match[2]}"]
        elif re.match(r" {10}", line) and lines:
            lines.append(line.strip())
        elif match := re.match(r"    ([\w-]+(?:, [\w-]+)*)$", line):
            for name in match[1].split(", ") if lines else ():
                by_host.setdefault(name, []).extend(lines)
            lines = []
        else:
            lines = []
    return by_host
