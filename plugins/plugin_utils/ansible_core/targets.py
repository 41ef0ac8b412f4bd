# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""On which hosts a play would do something, and to which of them a rule applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible import constants as C
from ansible.inventory.host import Host
from ansible.playbook.task import Task
from ansible.plugins.strategy.linear import StrategyModule as LinearStrategy

from .. import compat
from ..errors import TemplateError
from ..policy.matching import may_depend_on_facts
from ..policy.model import Rule, RuleAndHost
from .play import leading_meta_tasks, preparation
from .run import PlayRun

HostsByRule = Sequence[tuple[Rule, Sequence[Host]]]


@dataclass
class Targets:
    """The ``hosts`` that a play would do something on.

    By host name, ``left_out`` says why the play would do nothing on one of the others, and
    ``doubts`` why it may do nothing on one of ``hosts`` after all: a condition that cannot be known
    yet.
    """

    hosts: Sequence[Host]
    left_out: Mapping[str, str]
    doubts: Mapping[str, str]


def target_hosts(run: PlayRun, hosts: Sequence[Host], facts_to_come: bool = False) -> Targets:
    """Return which of ``hosts`` the play would do something on.

    These are the hosts that did not fail before, for which the ``when`` of an import_playbook
    holds, and that none of the meta tasks at the head of the play ends. With ``facts_to_come``,
    conditions on facts cannot be known yet, as an earlier play may gather them.
    """
    return _TargetFinder(run, hosts, facts_to_come).targets()


class _TargetFinder:
    def __init__(self, run: PlayRun, hosts: Sequence[Host], facts_to_come: bool) -> None:
        self.run, self.facts_to_come = run, facts_to_come
        self.leading = leading_meta_tasks(run)
        self.names = [host.name for host in hosts]
        self.doubts: dict[str, str] = {}
        self.left_out = self._out_already()
        self.remaining = [host for host in hosts if host.name not in self.left_out]

    def targets(self) -> Targets:
        imported_when = self.run.play._included_conditional or []
        not_imported = [
            host for host in self.remaining if self._holds(imported_when, host) is False
        ]
        self._leave_out(not_imported, _describe_import(imported_when))
        for task in self.leading:
            self._leave_out(self._ended_by(task), _describe_meta(task))
        remaining = {host.name for host in self.remaining}
        doubts = {name: doubt for name, doubt in self.doubts.items() if name in remaining}
        return Targets(self.remaining, self.left_out, doubts)

    def _out_already(self) -> dict[str, str]:
        failed = self.run.iterator.get_failed_hosts()
        left_out = dict.fromkeys(failed, "it failed in an earlier play")
        # clear_host_errors brings the unreachable hosts back at once.
        if not any(_meta_action(task) == "clear_host_errors" for task in self.leading):
            unreachable = self.run.manager._unreachable_hosts
            left_out |= dict.fromkeys(unreachable, "it was unreachable in an earlier play")
        return left_out

    def _leave_out(self, hosts: Iterable[Host], reason: str) -> None:
        self.left_out.update((host.name, reason) for host in hosts)
        self.remaining = [host for host in self.remaining if host.name not in self.left_out]

    def _ended_by(self, task: Task) -> Sequence[Host]:
        """Return the hosts that a meta task at the head of the play ends."""
        action, play = _meta_action(task), self.run.play
        if action == "end_host":
            return [host for host in self.remaining if self._ends(task, host)]
        if action == "end_play" or (action == "end_batch" and not play.serial):
            # linear evaluates the condition for the first host only (StrategyBase._execute_meta);
            # under other strategies each host ends by itself.
            is_linear = isinstance(self.run.strategy, LinearStrategy)
            one_decides = is_linear and play.order != "shuffle"
            deciding = self.remaining[:1] if one_decides else self.remaining
            if all(self._ends(task, host) for host in deciding):
                return self.remaining
        return []

    def _ends(self, task: Task, host: Host) -> bool:
        state = self.run.iterator.host_states.get(host.name)
        if state and state.did_start_at_task:  # --start-at-task skips the tasks before it
            return False
        return self._holds(task.when, host, task) is True

    def _holds(self, conditions: list[Any], host: Host, task: Task | None = None) -> bool | None:
        """Return whether all ``conditions`` hold; None, with a doubt, if it cannot be known yet."""
        if not conditions:
            return True
        described = _describe_meta(task) if task else _describe_import(conditions)
        facts_may_change = self.facts_to_come or (task is not None and self._gathers_facts())
        if facts_may_change and may_depend_on_facts(conditions):
            self.doubts[host.name] = f"{described}: may depend on facts"
            return None
        variables = self.run.variables(host, self.names, task)
        try:
            return all(
                compat.holds(condition, variables, self.run.loader) for condition in conditions
            )
        except TemplateError as ex:
            self.doubts[host.name] = f"{described}: {ex}"
            return None

    def _gathers_facts(self) -> bool:
        gather_facts = self.run.play.gather_facts
        if gather_facts is None:
            gather_facts = C.DEFAULT_GATHERING != "explicit"
        return bool(preparation(self.run.iterator)) and gather_facts


def _meta_action(task: Task) -> Any:
    return task.args.get("_raw_params")


def _describe_meta(task: Task) -> str:
    """Return how a meta task decides what becomes of a host."""
    when = " and ".join(map(str, task.when))
    return f"{_meta_action(task)} at {task.get_path()}" + (f", when {when}" if when else "")


def _describe_import(conditions: Iterable[Any]) -> str:
    return f"imported only when {' and '.join(map(str, conditions))}"


@dataclass(frozen=True)
class UnmetCondition:
    """The condition that keeps a rule from a host, and the ``error`` if it cannot be evaluated."""

    text: str
    error: str = ""


def unmet_conditions(
    run: PlayRun, hosts_by_rule: HostsByRule, names: list[str]
) -> dict[RuleAndHost, UnmetCondition]:
    """Return what in the ``when`` of rules keeps them from hosts; nothing if a rule applies.

    ``names`` are those of the hosts that the play has.
    """
    rules_by_host: dict[str, tuple[Host, list[Rule]]] = {}
    for rule, hosts in hosts_by_rule:
        for host in hosts if rule.when else ():
            rules_by_host.setdefault(host.name, (host, []))[1].append(rule)
    unmet: dict[RuleAndHost, UnmetCondition] = {}
    for host, rules in rules_by_host.values():
        variables = run.variables(host, names)
        # Each condition is compiled and evaluated once for a host.
        evaluated: dict[str | bool, UnmetCondition | None] = {}
        for rule in rules:
            for condition in rule.when:
                if condition not in evaluated:
                    evaluated[condition] = _evaluate(condition, variables, run)
                if reason := evaluated[condition]:
                    unmet[rule.name, host.name] = reason
                    break
    return unmet


def _evaluate(
    condition: str | bool, variables: dict[str, Any], run: PlayRun
) -> UnmetCondition | None:
    try:
        met = compat.holds(condition, variables, run.loader)
    except TemplateError as ex:
        return UnmetCondition(str(condition), str(ex))
    return None if met else UnmetCondition(str(condition))
