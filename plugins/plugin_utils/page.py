# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One file of HTML out of the document of a report, for a browser. Pure: the template page.html.j2 has all that is shown.

Texts of the document come from nodes. They are escaped, stripped of what cannot be printed, and never templated; none of
them is put into the style or the script, of which the page's content security policy has the digests.
"""

from __future__ import annotations

import os
import re
import shlex
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .policy import WARN
from .report import printable
from .verdict import NOT_READY, READY, UNVERIFIED

TEMPLATE = "page.html.j2"
WARNING = "warning"  # instead of NOT_READY or UNVERIFIED where the rule only warns
NOT_ASKED = "not_asked"
RANKS = (NOT_READY, UNVERIFIED, WARNING, READY, NOT_ASKED)  # from the worst
SHOWN = 100  # characters of reasons that a cell of the matrix shows before it is opened


@dataclass(frozen=True)
class Cell:
    """What a host is to a rule. ``state`` is one of RANKS; ``is_new`` says that it was ready in the other report."""

    state: str
    reasons: Sequence[str] = ()
    is_new: bool = False

    @property
    def beginning(self) -> str:
        """The first reason, or as much of it as is shown of a cell whose reasons are ``long``."""
        text = self.reasons[0]
        return text if len(text) <= SHOWN else text[:SHOWN].rstrip() + "…"

    @property
    def is_long(self) -> bool:
        return len(self.reasons) > 2 or sum(map(len, self.reasons)) > SHOWN


@dataclass(frozen=True)
class Row:
    """A host, with a cell for each rule. ``groups`` are places in the page's list of groups."""

    host: str
    is_new: bool
    groups: Sequence[int]
    cells: Sequence[Cell]

    @property
    def states(self) -> list[str]:
        """What the host has, from the worst: READY and NOT_ASKED only if it has nothing else."""
        found = sorted({cell.state for cell in self.cells}, key=RANKS.index)
        return [state for state in found if state not in (READY, NOT_ASKED)] or found[:1]


READY_CELL, NOT_ASKED_CELL = Cell(READY), Cell(NOT_ASKED)  # one for all: there may be thousands


def page(report: Mapping[str, Any]) -> str:
    """Return the page for the document ``report``, to be written as UTF-8."""
    groups = sorted({group for verdict in report["verdicts"] for group in verdict["groups"]})
    warning = {rule["name"] for rule in report["rules"] if rule["severity"] == WARN}
    rows = _rows(report, groups, warning)
    counts = {rule["name"]: Counter(row.cells[number].state for row in rows) for number, rule in enumerate(report["rules"])}
    environment = Environment(
        autoescape=True,
        finalize=_shown,
        loader=FileSystemLoader(os.path.dirname(__file__)),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["digest"] = _digest
    return environment.get_template(TEMPLATE).render(
        report=report,
        command=shlex.join(report["command"]),
        changes=report.get("changes"),
        groups=groups,
        rows=rows,
        warning=warning,
        counts=counts,
        total=Counter(row.states[0] for row in rows),
        states=[state for state in RANKS if any(state in row.states for row in rows)],
    )


def _rows(report: Mapping[str, Any], groups: Sequence[str], warning: set[str]) -> list[Row]:
    """Return the hosts: those with problems first, then by name with numbers in their order. ``warning`` are the rules
    that only warn.
    """
    changes = report.get("changes") or {"newly_not_ready": [], "new_hosts": []}
    newly = {(change["host"], change["rule"]) for change in changes["newly_not_ready"]}
    new_hosts = set(changes["new_hosts"])
    places = {group: place for place, group in enumerate(groups)}
    cells: dict[str, dict[str, Cell]] = {}
    groups_of: dict[str, list[int]] = {}
    for verdict in report["verdicts"]:
        host, rule = verdict["host"], verdict["rule"]
        groups_of[host] = sorted(places[group] for group in verdict["groups"])
        found = cells.setdefault(host, {})
        if verdict["verdict"] == READY:
            found[rule] = READY_CELL
        else:
            state = WARNING if rule in warning else verdict["verdict"]
            reasons = [reason for check in verdict["checks"] if check["verdict"] != READY for reason in check["reasons"]]
            found[rule] = Cell(state, reasons or ["no reason was given"], (host, rule) in newly)
    rows = [
        Row(host, host in new_hosts, groups_of[host], [found.get(rule["name"], NOT_ASKED_CELL) for rule in report["rules"]])
        for host, found in cells.items()
    ]
    return sorted(rows, key=lambda row: (RANKS.index(row.states[0]), _in_order_of_numbers(row.host)))


def _in_order_of_numbers(name: str) -> str:
    return re.sub("[0-9]+", lambda match: match[0].zfill(20), name)


def _shown(value: Any) -> Any:
    """Return what the page shows for a value of the template: text without control characters and marks of direction."""
    return "\n".join(printable(value)) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _digest(source: str) -> str:
    return "sha256-" + b64encode(sha256(source.encode()).digest()).decode()
