# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The document that a report is. docs/report.schema.json describes it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..policy.matching import PlayIdentity
from ..policy.model import Rule
from ..text import one_line
from ..verdict import READY, Verdict
from .record import CoveredPlay, NotJudged, Record, Waiver

FORMAT = 1
VERSION = "0.1.0"
TIME = "%Y-%m-%dT%H:%M:%SZ"  # for strftime, in UTC

Document = dict[str, Any]


def build_document(
    record: Record, about: Mapping[str, Any], groups: Mapping[str, Sequence[str]], now: float
) -> Document:
    """Return the document of ``record`` at the time ``now``, in seconds since 1970.

    ``about`` has what the document says about the surroundings of the run: ansible_core, python,
    command, user, controller, limit, policies. ``groups`` are those of each host.
    """
    document = {
        "format": FORMAT,
        "precheck": VERSION,
        "ansible_core": about["ansible_core"],
        "python": about["python"],
        "kind": record.kind,
        "command": about["command"],
        "user": about["user"],
        "controller": about["controller"],
        "started": _time(record.started),
        "finished": _time(now),
        "policies": about["policies"],
        "result": record.result,
        "error": record.error,
        "plays": [_play(play) for play in record.plays.values()],
        "rules": [_rule(rule, record) for rule in record.rules.values()],
        "not_audited": [rule.name for rule in record.not_audited],
        "verdicts": _verdicts(record, groups),
        "waivers": [_waiver(waiver, about["user"]) for waiver in record.waivers],
        "not_judged": [_not_judged(one) for one in record.not_judged],
    }
    if about["limit"]:
        document["limit"] = about["limit"]
    if record.selected_rules:
        document["selected_rules"] = list(record.selected_rules)
    if record.changes is not None:
        document["changes"] = record.changes
    return document


def _play(play: CoveredPlay) -> Document:
    return {
        **_location(play.identity),
        "rules": [rule.name for rule in play.rules],
        "hosts": len(play.hosts),
        "stopped": play.stopped,
        "left_out": sorted(play.left_out),
        "checks": [
            {"rule": rule.name, **check}
            for rule, verdict in play.checks
            for check in _checks(verdict)
        ],
    }


def _rule(rule: Rule, record: Record) -> Document:
    return {
        **rule_head(rule),
        "message": "\n".join(dict.fromkeys(record.messages.get(rule.name, ()))),
        "remedy": "\n".join(dict.fromkeys(record.remedies.get(rule.name, ()))),
    }


def rule_head(rule: Rule) -> Document:
    """Return what every document says about a rule: where it is written, how strict it is."""
    return {
        "name": rule.name,
        "path": rule.path,
        "line": rule.line,
        "severity": rule.severity,
        "waiver": rule.waiver,
    }


def _verdicts(record: Record, groups: Mapping[str, Sequence[str]]) -> list[Document]:
    """Return the verdicts by rule, in the order of the rules, and within a rule by host."""
    by_rule: dict[str, dict[str, Verdict]] = {rule: {} for rule in record.rules}
    for (rule, host), verdict in record.verdicts.items():
        by_rule[rule][host] = verdict
    return [
        {
            "host": host,
            "rule": rule,
            "groups": groups.get(host, []),
            "verdict": by_host[host].state,
            "before": _location(record.reached_before[rule, host]),
            "checks": _checks(by_host[host]),
        }
        for rule, by_host in by_rule.items()
        for host in sorted(by_host)
    ]


def _waiver(waiver: Waiver, user: str) -> Document:
    return {
        **_location(waiver.play, "play"),
        "rules": [rule.name for rule in waiver.rules],
        "hosts": waiver.hosts,
        "opt_out_reason": waiver.opt_out_reason,
        "reason": waiver.reason,
        "user": user,
    }


def _not_judged(one: NotJudged) -> Document:
    prepared_by = _location(one.prepared_by)
    return {"rule": one.rule.name, "hosts": list(one.hosts), "prepared_by": prepared_by}


def _location(play: PlayIdentity, name: str = "name") -> Document:
    return {name: play.name, "path": play.path, "line": play.line}


def _checks(verdict: Verdict) -> list[Document]:
    return [
        {"check": label, "verdict": part.state, "reasons": list(map(one_line, part.reasons))}
        for label, part in verdict.checks or [("", verdict)]
    ]


def _time(seconds: float) -> str:
    return time.strftime(TIME, time.gmtime(seconds))


def changes(
    verdicts: Iterable[Mapping[str, Any]], earlier: Mapping[str, Any], inventory: Iterable[str]
) -> Document:
    """Return how these verdicts of a document differ from the document ``earlier``.

    ``inventory`` has the names of all hosts that exist: a host that was only not checked is not
    gone.
    """
    before = {
        (verdict["rule"], verdict["host"]): verdict["verdict"] for verdict in earlier["verdicts"]
    }
    known = {host for _rule, host in before}
    new, worse, better = set(), [], []
    for verdict in verdicts:
        rule, host = verdict["rule"], verdict["host"]
        was_ready = before.get((rule, host), READY) == READY
        is_ready = verdict["verdict"] == READY
        if host not in known:
            new.add(host)
        if was_ready and not is_ready:
            worse.append({"host": host, "rule": rule, "reasons": reasons_in(verdict)})
        elif is_ready and not was_ready:
            better.append({"host": host, "rule": rule})
    return {
        "since": earlier["started"],
        "newly_not_ready": worse,
        "newly_ready": better,
        "new_hosts": sorted(new),
        "gone_hosts": sorted(known.difference(inventory)),
    }


def reasons_in(verdict: Mapping[str, Any]) -> list[str]:
    """Return the reasons of all checks of a verdict of a document."""
    return [reason for check in verdict["checks"] for reason in check["reasons"]]
