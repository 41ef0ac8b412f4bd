# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Watches a play for what nobody could see coming: hosts that it was to leave alone, and roles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ansible.inventory.host import Host
from ansible.playbook.task import Task
from ansible.utils.display import Display

from ..ansible_core.patches.strategies import HostAndTask, before_each_step, before_each_task
from ..ansible_core.plays.includes import FoundRole, role_of
from ..ansible_core.run import PlayRun
from ..ansible_core.stop import RunningHosts, StoppedDuringPlay, before_unexpected_task
from ..errors import PrecheckError
from ..policy.model import WARN, Rule
from .plan import RulePlan
from .state import RunState
from .survey import Survey, survey_of_role

display = Display()


def watch_hosts(run: PlayRun, state: RunState, known: Survey) -> None:
    """End the run before a task on a host that was to be checked, if the play was to do nothing.

    If the rules are waived, warn about it: this host is not in the warning before the play.
    """

    def fail_or_waive(host: Host, task: Task) -> None:
        if host.name in known.unchecked:
            raise PrecheckError(
                f"Precheck stopped the run before the task '{task.get_name()}' ({task.get_path()})"
                f" on {host.name}: the host was not checked, as the play was not to do anything on"
                " it."
            )
        from .execution import waive  # not at the top, as in enforce
        from .news import write_news

        waived = {rule: [host.name] for rule, names in known.unseen.items() if host.name in names}
        waive(state, run.play_id, known, waived)
        write_news(run, state, stopped=False)

    unseen = (name for names in known.unseen.values() for name in names)
    before_unexpected_task(run, [*known.unchecked, *unseen], fail_or_waive)


def watch_for_roles(run: PlayRun, state: RunState, rules: Sequence[Rule]) -> None:
    """Check hosts before the first task of a role that makes another rule cover the play.

    Under linear, all hosts that have come to a task are known, and nothing else is under way: they
    are checked then. Under other strategies the run ends before that task, unless there is nothing
    left to find out about the host.
    """
    of_roles = [rule for rule in rules if any(selector.role for selector in rule.plays)]
    if not of_roles:
        return
    watch = _Watch(run, state, of_roles)
    before_each_step(run.strategy, watch.before_step)
    before_each_task(run.strategy, watch.before_task)


class _Watch:
    def __init__(self, run: PlayRun, state: RunState, rules: Sequence[Rule]) -> None:
        self._run, self._state, self._rules = run, state, rules
        self._known = state.identity_of(run).roles
        self._running = RunningHosts(run)
        self._passed: dict[FoundRole, set[str]] = {}  # names of hosts that may go on, by role

    def before_step(self, hosts_and_tasks: Iterable[HostAndTask]) -> None:
        """Check the hosts that have come to a task of a role, all at once."""
        hosts_by_role: dict[FoundRole, list[str]] = {}
        for host, task in hosts_and_tasks:
            if task and (role := self._new_role(host, task)):
                hosts_by_role.setdefault(role, []).append(host.name)
        for role, names in hosts_by_role.items():
            known = survey_of_role(self._run, self._state, self._rules, role, names)
            self._execute(role, known)

    def before_task(self, host: Host, task: Task, task_vars: dict[str, Any]) -> None:
        """End the run if the task is of such a role and the host was not checked for it."""
        if not (role := self._new_role(host, task)):
            return
        known = survey_of_role(self._run, self._state, self._rules, role, [host.name])
        for plan in known.plans:
            if not (plan.check or plan.once_for):
                continue
            if plan.rule.severity != WARN:
                raise PrecheckError(_cannot_check(plan, role.name, host, task))
            display.warning(
                f"Precheck did not check {plan.rule.name} on {host.name}: the play computes the"
                f" name of the role {role.name}."
            )
        self._passed.setdefault(role, set()).add(host.name)

    def _new_role(self, host: Host, task: Task) -> FoundRole | None:
        """Return the role of the task, if it is not known that ``host`` may run it."""
        role = role_of(task)
        if not role or role.name in self._known or host.name in self._passed.get(role, ()):
            return None
        return role

    def _execute(self, role: FoundRole, known: Survey) -> None:
        from ..report.terminal import closing_block
        from .execution import execute, print_closing_block
        from .news import write_news

        # A host cannot be left out in the middle of a play: other hosts may wait for it.
        errors = execute(self._run, self._state, known) if known.coverages else []
        if known.coverages:
            self._state.record.plays[self._run.play_id].stopped = bool(errors)
        self._state.computed.update(
            (self._run.play_id, rule.name) for rule, _selector in known.coverages
        )
        if errors:
            context = self._state.stop_context(self._run, role.name)
            block = closing_block(known.identity, errors, context)
            print_closing_block(self._run, block)
        write_news(self._run, self._state, stopped=bool(errors))
        if errors:
            self._running.stop()
            raise StoppedDuringPlay
        self._passed.setdefault(role, set()).update(known.hosts)


def _cannot_check(plan: RulePlan, role: str, host: Host, task: Task) -> str:
    return (
        f"Precheck stopped the run before the task '{task.get_name()}' ({task.get_path()}) on"
        f" {host.name}: the play computes the name of the role {role}, and under its strategy the"
        f" host cannot be checked in the middle of the play. Add the play to the plays of"
        f" {plan.rule.location}, by its name or its file: its hosts are then checked before it"
        " begins."
    )
