# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The registry of check kinds. A new kind is a module as ``kind.Kind`` has it, and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from ..policy.model import CONFIRM, Check, KindName, Rule
from . import command, condition, confirmation, path, task
from .kind import Kind

KINDS: Mapping[KindName, Kind] = {
    "path": path,
    "command": command,
    "that": condition,
    "task": task,
    CONFIRM: confirmation,
}

# Those that a task of a user can have. A policy has the others: it cannot have tasks of its own,
# and only the guard asks the operator.
OF_ACTION: Mapping[KindName, Kind] = {
    name: kind for name, kind in KINDS.items() if kind.MEANS in ("shell", "variables")
}


def action_checks(rule: Rule) -> list[Check]:
    """Return the checks for hosts that the action runs, all in one task."""
    return [check for check in rule.host_checks if check.kind in OF_ACTION]


def asks_node(rule: Rule) -> bool:
    """Return whether the action has to ask the host itself, and not only its variables."""
    return any(KINDS[check.kind].MEANS != "variables" for check in action_checks(rule))


def needs_host(rule: Rule) -> bool:
    """Return whether the checks for hosts need a connection to the host, be it for its facts."""
    return bool(rule.facts) or any(
        KINDS[check.kind].MEANS != "variables" for check in rule.host_checks
    )


def task_checks(rule: Rule) -> list[Check]:
    """Return the checks for hosts that are tasks of their own."""
    return [check for check in rule.host_checks if check.kind not in OF_ACTION]


def host_checks(rule: Rule) -> list[Check]:
    """Return the checks for hosts in the order in which they run: tasks come last."""
    return [*action_checks(rule), *task_checks(rule)]
