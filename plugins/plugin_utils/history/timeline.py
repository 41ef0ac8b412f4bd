# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A history as a line of letters for each host and rule, one for each moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..policy.model import WARN, RuleAndHost
from ..text import natural, printable_name
from ..verdict import NOT_READY, READY, UNVERIFIED, State
from .summary import History

LETTERS: Mapping[State, str] = {READY: "r", NOT_READY: "n", UNVERIFIED: "u"}
WARNING, NOT_CHECKED = "w", "."
WORST_FIRST = "nuwr."

# Moments are the first characters of a time, down to the second, the hour, the day or the month.
_LENGTHS = (20, 13, 10, 7)
MOST_COLUMNS = 400
# What headings have of them: down to the minute, the day, the month or the year.
_HEADING_LENGTHS = (16, 10, 7, 4)
MOST_HEADINGS = 12


@dataclass(frozen=True)
class Heading:
    """What is above ``columns`` columns."""

    text: str
    columns: int


@dataclass(frozen=True)
class HostLine:
    """A host, and for each rule the index of its line; of one without a verdict if it has none."""

    name: str
    lines: Sequence[int]


@dataclass(frozen=True)
class Timeline:
    """What reports found. The letters of ``lines`` are the last verdicts in each of ``moments``.

    Many hosts have the same line, so there is only one of each. Hosts with problems come first.
    """

    moments: Sequence[str]
    headings: Sequence[Heading]
    rules: Sequence[str]
    lines: Sequence[str]
    hosts: Sequence[HostLine]


def timeline_of(history: History) -> Timeline:
    times = [report.started for report in history.reports]
    moments = _moments(times)
    length = len(moments[0])
    rules = sorted({rule for report in history.reports for rule in report.states})
    letters = _letters(history, {moment: number for number, moment in enumerate(moments)}, length)
    nothing = bytearray(NOT_CHECKED * len(moments), "ascii")
    hosts = sorted({host for _rule, host in letters}, key=natural)
    of_hosts = {
        host: [str(letters.get((rule, host), nothing), "ascii") for rule in rules] for host in hosts
    }
    lines = list(dict.fromkeys(line for by_rule in of_hosts.values() for line in by_rule))
    indexes = {line: number for number, line in enumerate(lines)}
    return Timeline(
        [_readable(moment) for moment in moments],
        _headings(moments),
        rules,
        lines,
        [
            HostLine(printable_name(host), [indexes[line] for line in by_rule])
            for host, by_rule in sorted(of_hosts.items(), key=lambda item: _rank(item[1]))
        ],
    )


def _moments(times: Sequence[str]) -> list[str]:
    """Return moments for these times, as exact as they can be if they are not to be too many."""
    for length in _LENGTHS:
        moments = sorted({time[:length] for time in times})
        if len(moments) <= MOST_COLUMNS:
            break
    return moments


def _letters(
    history: History, columns: Mapping[str, int], length: int
) -> Mapping[RuleAndHost, bytearray]:
    found: dict[RuleAndHost, bytearray] = {}
    for report in history.reports:
        column = columns[report.started[:length]]
        for rule, states in report.states.items():
            only_warns = report.severities.get(rule) == WARN
            for host, state in states.items():
                letter = WARNING if only_warns and state != READY else LETTERS[state]
                if (rule, host) not in found:
                    found[rule, host] = bytearray(NOT_CHECKED * len(columns), "ascii")
                found[rule, host][column] = ord(letter)
    return found


def _headings(moments: Sequence[str]) -> list[Heading]:
    for length in _HEADING_LENGTHS:
        texts = [moment[:length] for moment in moments]
        if len(set(texts)) <= MOST_HEADINGS:
            break
    return [Heading(_readable(text), len(list(same))) for text, same in groupby(texts)]


def _readable(moment: str) -> str:
    text = f"{moment}:00" if len(moment) == len("2026-11-27T06") else moment
    return text.replace("T", " ").replace("Z", " UTC")


def _rank(lines: Sequence[str]) -> int:
    """Return a number that is the lower the worse the last verdicts of a host are."""
    last = [letters[-1] for line in lines if (letters := line.rstrip(NOT_CHECKED))]
    return min(map(WORST_FIRST.index, last), default=len(WORST_FIRST))
