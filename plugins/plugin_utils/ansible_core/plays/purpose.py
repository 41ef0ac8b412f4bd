# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a play, or a run, is for: to be guarded, or to check by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Literal

from ansible import constants as C
from ansible import context
from ansible.executor.play_iterator import PlayIterator
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.loader import strategy_loader

from ... import compat
from ...options import CALLBACK

EntryPoint = Literal["callback", "strategy"]
EntryPoints = Sequence[EntryPoint]

AUDIT = "precheck.guard.audit"
DOCTOR = "precheck.guard.doctor"


def audit_task(play: Play) -> Task | None:
    """Return the task that makes the play an audit."""
    return _only_task(play, AUDIT)


def is_doctor(play: Play) -> bool:
    """Return whether the play only says whether the guard is in force."""
    return _only_task(play, DOCTOR) is not None


def _only_task(play: Play, action: str) -> Task | None:
    """Return the task with this action, if it is the only one: nothing may go unguarded beside."""
    if play.roles or len(play.tasks) != 1 or play.pre_tasks or play.post_tasks or play.handlers:
        return None
    tasks = compat.tasks_of(play.tasks[0])
    is_it = len(tasks) == 1 and isinstance(tasks[0], Task) and compat.action_of(tasks[0]) == action
    return tasks[0] if is_it else None


def is_guarded(play: Play) -> bool:
    """Return whether the guard is on for ``play``."""
    return bool(guards_of(play.strategy))


def guards_of(strategy_name: str) -> EntryPoints:
    """Return by which entry points the guard is on for plays with the strategy of this name."""
    strategy = strategy_loader.get(strategy_name, class_only=True)
    found: list[EntryPoint] = ["callback"] if CALLBACK in getattr(C, compat.CALLBACKS) else []
    return (*found, "strategy") if getattr(strategy, "is_guarded", False) else tuple(found)


def is_ad_hoc() -> bool:
    """Return whether this is a run of the command ansible, which has one play and no playbook."""
    return "module_name" in context.CLIARGS


def is_dry_run() -> bool:
    """Return whether the run has --check."""
    return bool(context.CLIARGS.get("check"))


def show_builtin_strategy_name(iterator: PlayIterator) -> None:
    """Let the play name the built-in strategy that its guarded one extends.

    Callbacks and ansible-core know strategies by name: under free, for one, the default callback
    prints task lines later. So the name must not show that the strategy is guarded.
    """
    with contextlib.suppress(AttributeError):
        iterator._play.strategy = iterator._play.strategy.rpartition(".")[2]
