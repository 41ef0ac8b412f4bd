# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""On which hosts a play would do something, and to which of them a rule applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible import constants as C
from ansible.inventory.host import Host
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task

from ... import compat, templates
from ...errors import TemplateError
from ...policy.conditions import (
    depends_on,
    hint_at_facts,
    may_depend_on_earlier_tasks,
    may_depend_on_facts,
    mentions_any,
)
from ...policy.model import Rule, RuleAndHost
from ..run import CHANGING_HOSTS, PlayRun
from . import own_variables
from .left_out import names_left_out
from .play import (
    leading_meta_tasks,
    meta_action,
    names_that_tasks_set,
    preparation,
    results_of_tasks,
    variables_of_tasks,
)

HostsByRule = Sequence[tuple[Rule, Sequence[Host]]]
HostAndRules = tuple[Host, list[Rule]]


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

    These are the hosts that did not fail before and are not left out, for which the ``when`` of an
    import_playbook holds, and that none of the meta tasks at the head of the play ends. With
    ``facts_to_come``, conditions on facts cannot be known yet, as an earlier play may gather them.
    """
    return _TargetFinder(run, hosts, facts_to_come).targets()


class _TargetFinder:
    def __init__(self, run: PlayRun, hosts: Sequence[Host], facts_to_come: bool) -> None:
        self.run, self.facts_to_come = run, facts_to_come
        self.leading = leading_meta_tasks(run)
        self.of_tasks: set[str] = set()
        self.results: set[str] = set()
        self.doubts: dict[str, str] = {}
        self.left_out = self._out_already()
        self.remaining = [host for host in hosts if host.name not in self.left_out]
        self.ended: list[str] = []  # of the batch, by the tasks so far
        self.current_batch = {host.name for host in run.hosts_of_batch()}
        self.names_set = names_that_tasks_set(run) if self.leading else frozenset()

    def targets(self) -> Targets:
        imported_when = self.run.play._included_conditional or []
        if imported_when:
            self.of_tasks = variables_of_tasks(self.run)
            self.results = results_of_tasks(self.run)
        not_imported = [
            host for host in self.remaining if self._holds(imported_when, host) is False
        ]
        self._leave_out(not_imported, _describe_import(imported_when))
        for batch in self._batches() if self.leading else ():
            self._run_leading_tasks(batch)
        remaining = {host.name for host in self.remaining}
        doubts = {name: doubt for name, doubt in self.doubts.items() if name in remaining}
        return Targets(self.remaining, self.left_out, doubts)

    def _batches(self) -> Sequence[list[str]]:
        """Return the names of the remaining hosts, in the batches in which the play has them."""
        batches: dict[str, list[str]] = {}
        for host in self.remaining:
            first = next(iter(self.run.batches.get(host.name, ())), "")
            batches.setdefault(first, []).append(host.name)
        return list(batches.values())

    def _run_leading_tasks(self, names: list[str]) -> None:
        """Leave out the hosts that the meta tasks at the head of the play end in a batch."""
        self.ended = []
        for task in self.leading:
            batch = [host for host in self.remaining if host.name in names]
            self._leave_out(self._ended_by(task, batch), _describe_meta(task))

    def _out_already(self) -> dict[str, str]:
        left_out = dict.fromkeys(self.run.failed_hosts(), "it failed in an earlier play")
        left_out |= dict.fromkeys(names_left_out(self.run), "it was left out earlier in the run")
        # clear_host_errors brings the unreachable hosts back at once.
        if not any(meta_action(task) == "clear_host_errors" for task in self.leading):
            unreachable = self.run.unreachable_hosts()
            left_out |= dict.fromkeys(unreachable, "it was unreachable in an earlier play")
        return left_out

    def _leave_out(self, hosts: Iterable[Host], reason: str) -> None:
        self.left_out.update((host.name, reason) for host in hosts)
        self.remaining = [host for host in self.remaining if host.name not in self.left_out]

    def _ended_by(self, task: Task, batch: Sequence[Host]) -> Sequence[Host]:
        """Return the hosts of ``batch`` that a meta task at the head of the play ends."""
        action, play = meta_action(task), self.run.play
        if action == "end_host":
            return [host for host in batch if self._ends(task, host, keep_count=True)]
        if action == "end_play" or (action == "end_batch" and not play.serial):
            # linear evaluates the condition for the first host only (StrategyBase._execute_meta);
            # under other strategies each host ends by itself.
            one_decides = self.run.is_linear and play.order != "shuffle"
            deciding = batch[:1] if one_decides else batch
            if batch and all(self._ends(task, host) for host in deciding):
                later = self.remaining[self.remaining.index(batch[-1]) + 1 :]
                ends_later_ones = hasattr(self.run.iterator, "end_play")  # since 2.12
                return [*batch, *later] if action == "end_play" and ends_later_ones else batch
        return []

    def _ends(self, task: Task, host: Host, keep_count: bool = False) -> bool:
        # --start-at-task skips the tasks before it.
        if compat.did_start_at_task(self.run.iterator, host.name):
            return False
        ends = self._holds(task.when, host, task) is True
        # A host that end_host ends is no host of the play any more for the next one's condition.
        if ends and keep_count:
            self.ended.append(host.name)
        return ends

    def _holds(self, conditions: list[Any], host: Host, task: Task | None = None) -> bool | None:
        """Return whether all ``conditions`` hold; None, with a doubt, if it cannot be known yet."""
        if not conditions:
            return True
        described = _describe_meta(task) if task else _describe_import(conditions)
        if doubt := self._doubt(conditions, host, is_of_task=task is not None):
            self.doubts[host.name] = f"{described}: {doubt}"
            return None
        variables = self.run.variables(host, task, self.ended)
        known = conditions if task else self._without_variables_of_tasks(conditions, variables)
        try:
            if not all(
                templates.holds(condition, variables, self.run.loader) for condition in known
            ):
                return False
        except TemplateError as ex:
            self.doubts[host.name] = f"{described}: {ex}"
            return None
        if len(known) < len(conditions):
            self.doubts[host.name] = f"{described}: may depend on variables of single tasks"
            return None
        return True

    def _without_variables_of_tasks(
        self, imported_when: list[Any], variables: Mapping[str, Any]
    ) -> list[Any]:
        """Return the conditions of an import that are the same for all tasks.

        Each task has them, and evaluates them with its own variables, for each item of its loop.
        A task that is skipped registers a result as well.
        """
        names = self.of_tasks | (self.results - variables.keys())
        return [
            condition for condition in imported_when if not depends_on(condition, names, variables)
        ]

    def _doubt(self, conditions: list[Any], host: Host, is_of_task: bool) -> str:
        """Return why it cannot be known yet whether ``conditions`` hold; empty if it can."""
        facts_may_change = self.facts_to_come or (is_of_task and self._gathers_facts())
        if facts_may_change and may_depend_on_facts(conditions):
            return "may depend on facts"
        if self.run.is_later and may_depend_on_earlier_tasks(conditions, self.run.names_set_before):
            return "may depend on what earlier plays do"
        if not is_of_task:
            return ""
        # Only linear runs one meta task on all hosts before it runs the next.
        if not self.run.is_linear and mentions_any(CHANGING_HOSTS, conditions):
            return "depends on which hosts have ended by then"
        if host.name not in self.current_batch and may_depend_on_earlier_tasks(
            conditions, self.names_set
        ):
            return "may depend on what earlier batches do"
        return ""

    def _gathers_facts(self) -> bool:
        gather_facts = self.run.play.gather_facts
        if gather_facts is None:
            gather_facts = C.DEFAULT_GATHERING != "explicit"
        return bool(preparation(self.run.iterator)) and gather_facts


def _describe_meta(task: Task) -> str:
    """Return how a meta task decides what becomes of a host."""
    when = " and ".join(map(str, task.when))
    return f"{meta_action(task)} at {task.get_path()}" + (f", when {when}" if when else "")


def _describe_import(conditions: Iterable[Any]) -> str:
    return f"imported only when {' and '.join(map(str, conditions))}"


@dataclass(frozen=True)
class UnmetCondition:
    """The condition that keeps a rule from a host, and the ``error`` if it cannot be evaluated."""

    text: str
    error: str = ""


def unmet_conditions(run: PlayRun, hosts_by_rule: HostsByRule) -> dict[RuleAndHost, UnmetCondition]:
    """Return what in the ``when`` of rules keeps them from hosts; nothing if a rule applies."""
    unmet: dict[RuleAndHost, UnmetCondition] = {}
    with_conditions = [(rule, hosts) for rule, hosts in hosts_by_rule if rule.when]
    of_play = own_variables.of_play(run) if with_conditions else {}
    for host, rules in rules_by_host(with_conditions):
        of_host = unmet_with(run.variables(host) | of_play, rules, run.loader)
        unmet.update(((rule, host.name), condition) for rule, condition in of_host.items())
    return unmet


def unmet_with(
    variables: dict[str, Any], rules: Iterable[Rule], loader: DataLoader
) -> dict[str, UnmetCondition]:
    """Return by rule what in its ``when`` keeps it from a host with these variables."""
    unmet: dict[str, UnmetCondition] = {}
    # Each condition is compiled and evaluated once for a host, if rules do not differ in it.
    evaluated: dict[str | bool, str | None] = {}
    for rule in rules:
        own = rule.scope.variables
        for condition in rule.when:
            if depends_on(condition, own.keys(), variables):
                error = _evaluate(condition, variables | own, loader)
            else:
                if condition not in evaluated:
                    evaluated[condition] = _evaluate(condition, variables, loader)
                error = evaluated[condition]
            if error is not None:
                unmet[rule.name] = UnmetCondition(rule.shown(condition), error)
                break
    return unmet


def rules_by_host(hosts_by_rule: HostsByRule) -> list[HostAndRules]:
    """Return each host with its rules, as its variables are worked out once for all of them."""
    result: dict[str, HostAndRules] = {}
    for rule, hosts in hosts_by_rule:
        for host in hosts:
            result.setdefault(host.name, (host, []))[1].append(rule)
    return list(result.values())


def _evaluate(condition: str | bool, variables: dict[str, Any], loader: DataLoader) -> str | None:
    """Return why a condition cannot be evaluated, empty if it does not hold, or None if it does."""
    try:
        met = templates.holds(condition, variables, loader)
    except TemplateError as ex:
        return hint_at_facts(condition, str(ex), gathered=False, in_when=True)
    return None if met else ""
