# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines for a terminal about hosts and their verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..text import count_of, one_line, printable_name
from ..verdict import NOT_READY, READY, UNVERIFIED, State, Verdict

REASON_LENGTH = 400  # characters

STATE_WORDS: Mapping[State, str] = {
    READY: "ready",
    NOT_READY: "not ready",
    UNVERIFIED: "unverified",
}

VerdictsByHost = Mapping[str, Verdict]


def tally(not_ready: int, unverified: int, hosts: int = 0) -> str:
    """Return "1 of 3 hosts is not ready, 1 unverified", or as much of it as there is.

    Without the number of all ``hosts``, it is "1 host is not ready".
    """
    first, word = (not_ready, "not ready") if not_ready else (unverified, "unverified")
    if not first:
        return ""
    subject = f"{first} of {count_of(hosts, 'host')}" if hosts else count_of(first, "host")
    text = f"{subject} {are(first)} {word}"
    return f"{text}, {unverified} unverified" if not_ready and unverified else text


def are(number: int) -> str:
    return "is" if number == 1 else "are"


def table_of(verdicts: VerdictsByHost, names: Sequence[str]) -> list[str]:
    """Return lines for the hosts of these names. Two that look alike when printed stay two."""
    width = max(len(printable_name(name)) for name in names)
    return [
        line
        for name in names
        for line in lines_of(f"  {printable_name(name):{width}}  ", verdicts[name])
    ]


def lines_of(head: str, verdict: Verdict) -> list[str]:
    """Return a line for each reason, the first after ``head`` and the others below it."""
    head += f"{STATE_WORDS[verdict.state]}: "
    first, *others = map(shortened, verdict.reasons or ["no reason was given"])
    return [head + first, *(" " * len(head) + reason for reason in others)]


def shortened(reason: str) -> str:
    # It may hold what a node printed: one line of printable characters, of a length that can be
    # read.
    text = one_line(reason)
    return text if len(text) <= REASON_LENGTH else text[: REASON_LENGTH - 3] + "..."
