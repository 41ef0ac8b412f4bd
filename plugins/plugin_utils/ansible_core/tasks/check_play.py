# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The play that checks hosts: a task for each rule, and one for each check that is a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.utils.unsafe_proxy import wrap_var

from ... import compat
from ...checks import facts, kinds, task
from ...policy.model import WARN, Check, Rule
from ...verdict import Verdict, all_ready
from ..plays.detours import Detour
from ..plays.tags import TAG
from ..run import PlayRun
from . import time_limit
from .time_limit import TimeLimit

ACTION = "precheck.guard.check"
# The name by which the conditions of a task, and the message of its check, know what it returned.
RESULT = "precheck_result"

TaskData = dict[str, Any]  # a task as in a playbook
PlannedTask = tuple[Rule, Optional[Check], TaskData]  # without a check, it is the action's task


@dataclass
class Step:
    """A task to run on the hosts of ``rule``: the action's, or that of ``check``.

    ``ready`` is the verdict if all checks of the task pass. ``limit`` is the time that a host has.
    """

    rule: Rule
    task: Task
    check: Check | None
    ready: Verdict
    limit: TimeLimit


class CheckPlay:
    """The play that checks hosts for ``rules``, in order, before the play of ``run``.

    A host has the time of ``limit`` for checks without a timeout of their own. If ``quietly``, the
    tasks do not fail for a host that is not ready. For a play that comes ``later``, they do not for
    one that is unverified. With a ``detour``, the tasks go where it leads.
    ``play`` is for ansible-core, ``steps`` are its tasks. The first of them, which is not in the
    list, gathers facts, if a rule asks for some.
    """

    def __init__(
        self,
        run: PlayRun,
        rules: Sequence[Rule],
        limit: TimeLimit,
        quietly: bool,
        detour: Detour | None = None,
    ) -> None:
        self._run, self._rules, self._limit, self._quietly = run, rules, limit, quietly
        self._detour = detour
        checks = [check for rule in rules for check in kinds.action_checks(rule)]
        # One command asks all, so it may take what its checks may take together.
        self._action_limit = self._limit.extended_for(checks)
        self._action_becomes = any(check.become for check in checks)
        asking = [rule for rule in rules if rule.facts]
        planned = [self._gathering_task(asking)] if asking else []
        planned += self._planned_tasks()
        self.play = self._load([data for _rule, _check, data in planned])
        tasks = self.play.tasks[0].block if planned else []
        steps = [
            self._step(rule, check, task) for (rule, check, _data), task in zip(planned, tasks)
        ]
        self.gathering = steps.pop(0) if asking else None
        self.steps = steps

    def _gathering_task(self, rules: Sequence[Rule]) -> PlannedTask:
        """Return the task that gathers the facts for ``rules``."""
        first, check = rules[0], facts.gathering(rules)
        data: TaskData = {
            "name": wrap_var(f"Precheck {facts.LABEL}{self._purpose}"),
            "tags": [TAG, *(wrap_var(f"{TAG}:{rule.name}") for rule in rules)],
            "check_mode": False,
            "debugger": "never",
            "become": False,
            "timeout": time_limit.of_check(check, self._limit).seconds,
        }
        if self._run.is_later or any(rule.severity == WARN for rule in rules):
            data |= {"ignore_errors": True, "ignore_unreachable": True}
        data = self._taken(task.probe(check) | data)
        return first, check, _with_origin(data, first, first.line)

    @property
    def _purpose(self) -> str:
        return f" (for {self._run.play_name})" if self._run.is_later else ""

    def _planned_tasks(self) -> list[PlannedTask]:
        """Return the tasks of all rules.

        Each sets itself what the command line or ansible.cfg would set otherwise: check mode,
        become, debugger, time limit.
        """
        planned: list[PlannedTask] = []
        for rule in self._rules:
            # The name of a rule is only text, also if it has braces in it.
            tags = [TAG, wrap_var(f"{TAG}:{rule.name}")]
            common: TaskData = {"tags": tags, "check_mode": False, "debugger": "never"}
            if rule.severity == WARN:
                common |= {"ignore_errors": True, "ignore_unreachable": True}
            if self._run.is_later:
                common |= {"ignore_unreachable": True}
            if kinds.action_checks(rule):
                data = _with_origin(self._taken(self._action_task(rule) | common), rule, rule.line)
                planned.append((rule, None, data))
            for check in kinds.task_checks(rule):
                own = {
                    "name": self._task_name(rule, f": {check.label}"),
                    "become": check.become,
                    "timeout": time_limit.of_check(check, self._limit).seconds,
                    "register": RESULT,
                }
                data = self._taken(task.probe(check) | own | common)
                data = _with_origin(data, rule, check.line)
                planned.append((rule, check, data))
        return planned

    def _taken(self, data: TaskData) -> TaskData:
        """Return the task ``data``, taken where the detour leads."""
        if not self._detour:
            return data
        variables = {**data.get("vars", {}), **dict(self._detour.variables)}
        name = wrap_var(f"{data['name']} ({self._detour})")
        return data | dict(self._detour.keywords) | {"name": name, "vars": variables}

    def _action_task(self, rule: Rule) -> TaskData:
        data: TaskData = {
            "name": self._task_name(rule),
            ACTION: {},
            "become": self._action_becomes,
            "timeout": self._action_limit.seconds,
        }
        return data | {"failed_when": False} if self._quietly else data

    def _task_name(self, rule: Rule, check: str = "") -> str:
        """Return the name of a task. It is only text, also if the policy has braces in it."""
        # Until 2.18 names are templated otherwise.
        name: str = wrap_var(f"Precheck {rule.name}{check}{self._purpose}")
        return name

    def _step(self, rule: Rule, check: Check | None, task: Task) -> Step:
        checks = [check] if check else kinds.action_checks(rule)
        limit = time_limit.of_check(check, self._limit) if check else self._action_limit
        return Step(rule, task, check, all_ready(check.label for check in checks), limit)

    def _load(self, tasks: list[TaskData]) -> Play:
        """Return a play with these tasks.

        Of the covered play it has the hosts, and the keywords that decide how they are reached. The
        variables of its tasks are those of the covered play.
        """
        covered = self._run.play
        data = {
            "name": covered.get_name(),
            "hosts": "all",
            "gather_facts": False,
            "become": False,
            "tasks": tasks,
        }
        play: Play = Play.load(
            data, variable_manager=self._run.variable_manager, loader=self._run.loader
        )
        for keyword in ("hosts", "connection", "port", "remote_user"):
            setattr(play, keyword, getattr(covered, keyword))
        return play


def _with_origin(data: TaskData, rule: Rule, line: int) -> TaskData:
    """Return ``data`` with its place in the policy, without the line if that is built in."""
    # Since 2.19 an error shows the lines around its origin if that has a line. The operator did not
    # write those of the built-in policy.
    return compat.with_origin(data, rule.path, 0 if rule.is_built_in else line)
