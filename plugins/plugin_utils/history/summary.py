# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What many reports say together about hosts, waivers and runs. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from ..policy.model import WARN, RuleAndHost
from ..report.record import AUDIT, ERROR, RUN
from ..text import Texts
from ..verdict import READY, State
from .observed import Observed

Stretches = Mapping[RuleAndHost, Sequence[Observed]]


@dataclass(frozen=True)
class Unready:
    """A host that is not ready, or unverified, for a rule, in all ``reports`` since ``since``.

    ``state`` and ``reasons`` are of the last report that has it, of ``last_checked``. It
    ``is_old`` if a later audit does not have it.
    """

    rule: str
    host: str
    only_warns: bool
    state: State
    reasons: Texts
    since: str
    reports: int
    last_checked: str
    is_old: bool


class WaiverKey(NamedTuple):
    """Who waived a rule, how and why."""

    rule: str
    user: str
    opt_out_reason: str
    reason: str


@dataclass(frozen=True)
class Waived:
    """How often somebody waived a rule in the same way: in how many reports, and on which plays."""

    by: WaiverKey
    times: int
    plays: Sequence[str]
    first: str
    last: str


@dataclass(frozen=True)
class Week:
    """How many runs a week had, and how many of them were stopped, or ended with an error."""

    name: str
    runs: int
    stopped: int
    errors: int
    by_rule: Mapping[str, int]


@dataclass(frozen=True)
class History:
    """What became of hosts, waivers and runs in ``reports``, which are in the order of time.

    ``hosts`` says by rule how many hosts it was checked on.
    """

    reports: Sequence[Observed]
    hosts: Mapping[str, int]
    unready: Sequence[Unready]
    waivers: Sequence[Waived]
    weeks: Sequence[Week]


def summarize(observed: Iterable[Observed]) -> History:
    reports = sorted(observed, key=lambda one: (one.started, one.finished, one.path))
    stretches = _stretches(reports)
    return History(
        reports,
        Counter(rule for rule, _host in stretches),
        _unready(reports, stretches),
        _waivers(reports),
        _weeks(reports),
    )


def _stretches(reports: Sequence[Observed]) -> Stretches:
    """Return the reports, up to the last, in which a host was not ready in a row; none if it is."""
    stretches: dict[RuleAndHost, list[Observed]] = {}
    for report in reports:
        for rule, states in report.states.items():
            for host, state in states.items():
                if state == READY:
                    stretches[rule, host] = []
                else:
                    stretches.setdefault((rule, host), []).append(report)
        gone = set(report.gone)
        for key in [key for key in stretches if key[1] in gone]:
            del stretches[key]
    return stretches


def _unready(reports: Sequence[Observed], stretches: Stretches) -> list[Unready]:
    last_audit = max((one.started for one in reports if one.kind == AUDIT), default="")
    found = []
    for (rule, host), stretch in stretches.items():
        if not stretch:
            continue
        last = stretch[-1]
        found.append(
            Unready(
                rule,
                host,
                last.severities.get(rule) == WARN,
                last.states[rule][host],
                last.reasons[rule, host],
                stretch[0].started,
                len(stretch),
                last.started,
                last.started < last_audit,
            )
        )
    return sorted(found, key=lambda one: (one.rule, one.since, one.host))


def _waivers(reports: Sequence[Observed]) -> list[Waived]:
    # The plays on which a rule was waived, by who did it and the report.
    found: dict[WaiverKey, dict[str, list[str]]] = {}
    for report in reports:
        for waiver in report.waivers:
            for rule in waiver["rules"]:
                key = WaiverKey(rule, waiver["user"], waiver["opt_out_reason"], waiver["reason"])
                by_path = found.setdefault(key, {})
                by_path.setdefault(report.path, []).append(waiver["play"])
    started = {report.path: report.started for report in reports}
    waived = []
    for key, by_path in found.items():
        times = [started[path] for path in by_path]
        plays = dict.fromkeys(play for names in by_path.values() for play in names)
        waived.append(Waived(key, len(times), list(plays), times[0], times[-1]))
    return sorted(waived, key=lambda one: (one.by.rule, -one.times, one.by))


def _weeks(reports: Sequence[Observed]) -> list[Week]:
    weeks: dict[str, list[Observed]] = {}
    for report in reports:
        if report.kind == RUN:
            weeks.setdefault(_week_of(report.started), []).append(report)
    return [
        Week(
            name,
            len(runs),
            sum(run.is_stopped for run in runs),
            sum(run.result == ERROR for run in runs),
            Counter(rule for run in runs for rule in run.stopped_by),
        )
        for name, runs in weeks.items()
    ]


def _week_of(moment: str) -> str:
    year, week, _day = date.fromisoformat(moment[:10]).isocalendar()
    return f"{year}-W{week:02}"
