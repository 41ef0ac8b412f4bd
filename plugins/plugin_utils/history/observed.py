# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a history keeps of a report: little, as there may be hundreds of large ones. Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..policy.model import ERROR, EXCLUDE, WARN, RuleAndHost
from ..report.document import Document, reasons_in
from ..text import Texts
from ..verdict import READY, STATES, State

StatesByHost = Mapping[str, State]


@dataclass(frozen=True)
class Observed:
    """What a report says.

    ``severities`` and ``states`` are by rule, ``reasons`` are those of hosts that are not ready.
    ``stopped_by`` are the rules for which the run was stopped. ``gone`` are the hosts that were no
    longer in the inventory.
    """

    path: str
    kind: str
    started: str
    finished: str
    result: str
    severities: Mapping[str, str]
    states: Mapping[str, StatesByHost]
    reasons: Mapping[RuleAndHost, Texts]
    waivers: Sequence[Mapping[str, Any]]
    is_stopped: bool
    stopped_by: Sequence[str]
    gone: Sequence[str]


def observe(path: str, document: Document) -> Observed:
    """Return what a history keeps of the document of the report at ``path``."""
    severities = {rule["name"]: rule["severity"] for rule in document["rules"]}
    states: dict[str, dict[str, State]] = {rule: {} for rule in severities}
    reasons = {}
    for verdict in document["verdicts"]:
        # The same names come in each report.
        rule, host = sys.intern(verdict["rule"]), sys.intern(verdict["host"])
        states.setdefault(rule, {})[host] = STATES[STATES.index(verdict["verdict"])]
        if verdict["verdict"] != READY:
            reasons[rule, host] = tuple(reasons_in(verdict))
    is_stopped = any(play["stopped"] for play in document["plays"])
    return Observed(
        path,
        document["kind"],
        document["started"],
        document["finished"],
        document["result"],
        severities,
        states,
        reasons,
        document["waivers"],
        is_stopped,
        _failing(document, severities) if is_stopped else (),
        document.get("changes", {}).get("gone_hosts", ()),
    )


def _failing(document: Document, severities: Mapping[str, str]) -> list[str]:
    """Return the rules for which a run was stopped: a host, or a play as a whole, was not ready.

    Those that only leave hosts out are such rules if there is no other: too few hosts were left.
    """
    verdicts = [*document["verdicts"]]
    for play in document["plays"]:
        verdicts += play["checks"]
    failing = sorted({one["rule"] for one in verdicts if one["verdict"] != READY})
    by_severity: dict[str, list[str]] = {ERROR: [], EXCLUDE: [], WARN: []}
    for rule in failing:
        by_severity[severities.get(rule, ERROR)].append(rule)
    return by_severity[ERROR] or by_severity[EXCLUDE]
