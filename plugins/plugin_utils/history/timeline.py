# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A history as a line of letters for each host and rule, one for each moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..policy.model import WARN, RuleAndHost
from ..report.record import AUDIT
from ..text import natural, printable_name
from ..verdict import NOT_READY, READY, UNVERIFIED, State
from .observed import Observed
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
    """A host with the index of its line, and of that for each rule."""

    name: str
    line: int
    by_rule: Sequence[int]


@dataclass(frozen=True)
class Timeline:
    """What reports found, in letters, one for each of ``moments``.

    Many hosts have the same line, so there is only one of each. Hosts with problems come first.
    """

    moments: Sequence[str]
    headings: Sequence[Heading]
    rules: Sequence[str]
    lines: Sequence[str]
    hosts: Sequence[HostLine]

    def last_letter(self, host: HostLine) -> str:
        return self.lines[host.line].rstrip(NOT_CHECKED)[-1]


def timeline_of(history: History) -> Timeline | None:
    """Return the timeline of a history; None if no host was checked."""
    reports = [report for report in history.reports if any(report.states.values())]
    if not reports:
        return None
    moments = _moments([report.started for report in reports])
    drawing = _Drawing(moments)
    for report in reports:
        drawing.add(report)
    rules = sorted({rule for report in reports for rule in report.states})
    nothing = NOT_CHECKED * len(moments)
    numbers: dict[str, int] = {}
    hosts = []
    for host in sorted(drawing.worst, key=natural):
        lines = [drawing.worst[host], *(drawing.by_rule.get((rule, host)) for rule in rules)]
        first, *others = (
            numbers.setdefault(line.decode() if line else nothing, len(numbers)) for line in lines
        )
        hosts.append(HostLine(printable_name(host), first, others))
    timeline = Timeline(
        [_readable(moment) for moment in moments], _headings(moments), rules, list(numbers), hosts
    )
    hosts.sort(key=lambda host: WORST_FIRST.index(timeline.last_letter(host)))
    return timeline


class _Drawing:
    """Lines while reports are added to them, in the order of time."""

    def __init__(self, moments: Sequence[str]) -> None:
        self.by_rule: dict[RuleAndHost, bytearray] = {}
        self.worst: dict[str, bytearray] = {}
        self._columns = {moment: number for number, moment in enumerate(moments)}
        self._length = len(moments[0])
        self._last: dict[str, dict[str, str]] = {}  # the letters of each host by rule

    def add(self, report: Observed) -> None:
        column = self._columns[report.started[: self._length]]
        hosts = {host for states in report.states.values() for host in states}
        if report.kind == AUDIT:
            # It says all about its hosts. A run says only something about the rules of its plays.
            self._last.update({host: {} for host in hosts})
        for rule, states in report.states.items():
            only_warns = report.severities.get(rule) == WARN
            for host, state in states.items():
                letter = WARNING if only_warns and state != READY else LETTERS[state]
                self._put(self.by_rule, (rule, host), column, letter)
                self._last.setdefault(host, {})[rule] = letter
        for host in hosts:
            worst = min(self._last[host].values(), key=WORST_FIRST.index)
            self._put(self.worst, host, column, worst)

    def _put(self, lines: dict[Any, bytearray], key: Any, column: int, letter: str) -> None:
        if key not in lines:
            lines[key] = bytearray(NOT_CHECKED * len(self._columns), "ascii")
        lines[key][column] = ord(letter)


def _moments(times: Sequence[str]) -> list[str]:
    """Return moments for these times, as exact as they can be if they are not to be too many."""
    for length in _LENGTHS:
        moments = sorted({time[:length] for time in times})
        if len(moments) <= MOST_COLUMNS:
            break
    return moments


def _headings(moments: Sequence[str]) -> list[Heading]:
    for length in _HEADING_LENGTHS:
        texts = [moment[:length] for moment in moments]
        if len(set(texts)) <= MOST_HEADINGS:
            break
    return [Heading(_readable(text), len(list(same))) for text, same in groupby(texts)]


def _readable(moment: str) -> str:
    text = f"{moment}:00" if len(moment) == len("2026-11-27T06") else moment
    return text.replace("T", " ").replace("Z", " UTC")
