# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a history to text and JSON. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from ..report.lines import STATE_WORDS, shortened, tally
from ..report.record import AUDIT
from ..text import count_of, one_line, printable_name
from ..verdict import NOT_READY, UNVERIFIED
from .found import PassedOver
from .summary import History, Unready, Waived

Topic = Literal["", "heading", "ready", "not ready"]


class Line(NamedTuple):
    """A line to print, and what it is about."""

    topic: Topic
    text: str


EMPTY = Line("", "")


def as_text(history: History) -> Iterator[Line]:
    yield Line("heading", _heading(history))
    for rule, hosts in sorted(history.hosts.items()):
        yield EMPTY
        yield from _rule(rule, hosts, [one for one in history.unready if one.rule == rule])
    if history.waivers:
        yield from (EMPTY, Line("heading", "Waived:"))
        yield from (Line("", f"  {one_line(_waived(one))}") for one in history.waivers)
    if history.weeks:
        yield from (EMPTY, Line("heading", "Runs by week:"))
    for week in history.weeks:
        errors = f", {week.errors} ended with an error" if week.errors else ""
        rules = ", ".join(f"{rule} {count}" for rule, count in sorted(week.by_rule.items()))
        by_rule = f" (by rule: {rules})" if rules else ""
        runs = f"{count_of(week.runs, 'run')}, {week.stopped} stopped{by_rule}{errors}"
        yield Line("", f"  {week.name}: {one_line(runs)}")


def _heading(history: History) -> str:
    audits = sum(one.kind == AUDIT for one in history.reports)
    runs = len(history.reports) - audits
    kinds = f"{count_of(audits, 'audit')} and {count_of(runs, 'run')}"
    first, last = history.reports[0].started, history.reports[-1].started
    return f"PRECHECK read the reports of {kinds}, from {moment(first)} to {moment(last)}."


def _rule(rule: str, hosts: int, unready: Sequence[Unready]) -> Iterator[Line]:
    heading = f"Rule {one_line(rule)}"
    if not unready:
        subject = "its only host is" if hosts == 1 else f"all {hosts} hosts are"
        yield Line("ready", f"{heading}: {subject} ready.")
        return
    states = Counter(one.state for one in unready)
    warns = " (warns only)" if unready[0].only_warns else ""
    result = tally(states[NOT_READY], states[UNVERIFIED], hosts)
    yield Line("not ready", f"{heading}{warns}: {result}.")
    width = max(len(printable_name(one.host)) for one in unready)
    for one in unready:
        since = f"{STATE_WORDS[one.state]} since {moment(one.since)}"
        in_reports = f"in {count_of(one.reports, 'report')}"
        old = f", last checked {moment(one.last_checked)}" if one.is_old else ""
        reason = shortened("; ".join(one.reasons) or "no reason was given")
        yield Line(
            "", f"  {printable_name(one.host):{width}}  {since}, {in_reports}{old}: {reason}"
        )


def _waived(one: Waived) -> str:
    when = moment(one.first)
    if one.times > 1:
        when = f"{one.times} times, from {when} to {moment(one.last)}"
    reason = f": {one.by.reason}" if one.by.reason else ", without a reason"
    plays = ", ".join(one.plays)
    return f"{one.by.rule} by {one.by.user}, {when}, for {plays} ({one.by.opt_out_reason}){reason}"


def moment(time: str) -> str:
    """Return a time of a report for people: to the minute, in UTC."""
    return f"{time[:10]} {time[11:16]} UTC"


def as_data(history: History, passed_over: Sequence[PassedOver]) -> dict[str, Any]:
    return {
        "reports": [
            {"path": one.path, "kind": one.kind, "started": one.started, "result": one.result}
            for one in history.reports
        ],
        "passed_over": [{"path": one.path, "reason": one.reason} for one in passed_over],
        "rules": [{"rule": rule, "hosts": hosts} for rule, hosts in sorted(history.hosts.items())],
        "unready": [
            {
                "host": one.host,
                "rule": one.rule,
                "only_warns": one.only_warns,
                "verdict": one.state,
                "reasons": list(one.reasons),
                "since": one.since,
                "reports": one.reports,
                "last_checked": one.last_checked,
                "in_last_audit": not one.is_old,
            }
            for one in history.unready
        ],
        "waivers": [
            {
                "rule": one.by.rule,
                "user": one.by.user,
                "opt_out_reason": one.by.opt_out_reason,
                "reason": one.by.reason,
                "times": one.times,
                "plays": list(one.plays),
                "first": one.first,
                "last": one.last,
            }
            for one in history.waivers
        ],
        "weeks": [
            {
                "week": week.name,
                "runs": week.runs,
                "stopped": week.stopped,
                "errors": week.errors,
                "stopped_by_rule": dict(sorted(week.by_rule.items())),
            }
            for week in history.weeks
        ],
    }
