# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A page of HTML for a browser, made of the document of a report. The template is beside it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..policy.model import WARN, RuleAndHost
from ..text import natural
from ..verdict import NOT_READY, READY, UNVERIFIED
from .document import Document
from .template import render

TEMPLATE = "report.html.j2"
SHOWN = 100  # characters of reasons that a cell of the matrix shows before it is opened

CellState = Literal["not_ready", "unverified", "warning", "ready", "not_checked"]
WARNING: CellState = "warning"  # instead of NOT_READY or UNVERIFIED if the rule only warns
NOT_CHECKED: CellState = "not_checked"
RANKS: Sequence[CellState] = (NOT_READY, UNVERIFIED, WARNING, READY, NOT_CHECKED)  # worst first


@dataclass(frozen=True)
class Cell:
    """What a rule found on a host. ``is_new`` says that the host was ready in the other report."""

    state: CellState
    reasons: Sequence[str] = ()
    is_new: bool = False

    @property
    def beginning(self) -> str:
        """The first reason, or as much of it as is shown while the rest ``is_long``."""
        text = self.reasons[0]
        return text if len(text) <= SHOWN else text[:SHOWN].rstrip() + "…"

    @property
    def is_long(self) -> bool:
        return len(self.reasons) > 2 or sum(map(len, self.reasons)) > SHOWN


@dataclass(frozen=True)
class Row:
    """A host, with a cell for each rule. ``groups`` are indexes into the page's list of groups."""

    host: str
    is_new: bool
    groups: Sequence[int]
    cells: Sequence[Cell]

    @property
    def states(self) -> list[CellState]:
        """The states of the cells, worst first: READY and NOT_CHECKED only if there is no other."""
        states = sorted({cell.state for cell in self.cells}, key=RANKS.index)
        return [state for state in states if state not in (READY, NOT_CHECKED)] or states[:1]


# One for all: there may be thousands.
READY_CELL, NOT_CHECKED_CELL = Cell(READY), Cell(NOT_CHECKED)


def page(report: Document) -> str:
    """Return the page for the document ``report``, to be written as UTF-8."""
    groups = sorted({group for verdict in report["verdicts"] for group in verdict["groups"]})
    warning = {rule["name"] for rule in report["rules"] if rule["severity"] == WARN}
    rows = _rows(report, groups, warning)
    return render(
        TEMPLATE,
        report=report,
        command=shlex.join(report["command"]),
        changes=report.get("changes"),
        groups=groups,
        rows=rows,
        warning=warning,
        counts={
            rule["name"]: Counter(row.cells[number].state for row in rows)
            for number, rule in enumerate(report["rules"])
        },
        total=Counter(row.states[0] for row in rows),
        ranks=[state for state in RANKS if state != NOT_CHECKED],
        states=[state for state in RANKS if any(state in row.states for row in rows)],
    )


def _rows(report: Document, groups: Sequence[str], warning: set[str]) -> list[Row]:
    """Return the hosts: those with problems first, then by name with numbers in their order.

    ``warning`` has the names of the rules that only warn.
    """
    changes = report.get("changes") or {"newly_not_ready": [], "new_hosts": []}
    newly = {(change["rule"], change["host"]) for change in changes["newly_not_ready"]}
    new_hosts = set(changes["new_hosts"])
    indexes = {group: index for index, group in enumerate(groups)}
    cells: dict[str, dict[str, Cell]] = {}
    groups_of: dict[str, list[int]] = {}
    for verdict in report["verdicts"]:
        host, rule = verdict["host"], verdict["rule"]
        groups_of[host] = sorted(indexes[group] for group in verdict["groups"])
        cells.setdefault(host, {})[rule] = _cell(verdict, rule in warning, newly)
    rules = [rule["name"] for rule in report["rules"]]
    rows = [
        Row(
            host=host,
            is_new=host in new_hosts,
            groups=groups_of[host],
            cells=[by_rule.get(rule, NOT_CHECKED_CELL) for rule in rules],
        )
        for host, by_rule in cells.items()
    ]
    return sorted(rows, key=_rank_and_name)


def _cell(verdict: Mapping[str, Any], only_warns: bool, newly: set[RuleAndHost]) -> Cell:
    if verdict["verdict"] == READY:
        return READY_CELL
    reasons = [
        reason
        for check in verdict["checks"]
        if check["verdict"] != READY
        for reason in check["reasons"]
    ]
    state = WARNING if only_warns else verdict["verdict"]
    is_new = (verdict["rule"], verdict["host"]) in newly
    return Cell(state, reasons or ["no reason was given"], is_new)


def _rank_and_name(row: Row) -> tuple[int, str]:
    return RANKS.index(row.states[0]), natural(row.host)
