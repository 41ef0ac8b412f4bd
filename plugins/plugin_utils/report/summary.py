# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a job of a controller tells the next ones of its workflow, from the document of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..options import sets_stats
from ..policy.model import WARN
from ..text import natural
from ..verdict import NOT_READY, STATES, UNVERIFIED
from .files import GroupsOf, current_document, failure_is_a_warning
from .record import Record

STATISTIC = "precheck_summary"


Summary = dict[str, Any]


def wanted_summary(record: Record, extra_vars: Mapping[str, Any], groups_of: GroupsOf) -> Summary:
    """Return the statistic for what is remembered, if it is wanted; empty otherwise.

    A failure is only a warning.
    """
    with failure_is_a_warning("set its statistic"):
        if sets_stats(extra_vars):
            return summary_of(current_document(record, extra_vars, groups_of))
    return {}


def summary_of(document: Mapping[str, Any]) -> Summary:
    """Return the value of the statistic. docs/controller.md describes its keys."""
    severities = {rule["name"]: rule["severity"] for rule in document["rules"]}
    counts = {
        name: {"severity": severity, **dict.fromkeys(STATES, 0)}
        for name, severity in severities.items()
    }
    hosts: dict[str, set[str]] = {state: set() for state in STATES}
    for one in document["verdicts"]:
        counts[one["rule"]][one["verdict"]] += 1
        if severities[one["rule"]] != WARN:
            hosts[one["verdict"]].add(one["host"])
    return {
        "kind": document["kind"],
        "result": document["result"],
        "not_ready": sorted(hosts[NOT_READY], key=natural),
        "unverified": sorted(hosts[UNVERIFIED] - hosts[NOT_READY], key=natural),
        "rules": counts,
        "waived": sorted({name for waiver in document["waivers"] for name in waiver["rules"]}),
    }
