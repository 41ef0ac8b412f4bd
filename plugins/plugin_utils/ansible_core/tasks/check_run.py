# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From rules and hosts to verdicts: ansible-core runs the tasks of the play that checks hosts."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from ansible.executor.play_iterator import PlayIterator
from ansible.inventory.host import Host
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import action_loader
from ansible.plugins.strategy import StrategyBase
from ansible.utils.unsafe_proxy import wrap_var

from ... import compat, templates
from ...checks import facts, kinds, task
from ...checks.context import HostVariables
from ...checks.event import CHECKS, as_event
from ...checks.facts import Facts, subsets_of
from ...checks.host import ANSWERS, FINGERPRINT, without_facts
from ...checks.results import result_of, verdict_if_lost, verdict_of, with_message
from ...errors import TemplateError
from ...policy.model import Check, RuleAndHost
from ...verdict import NOT_READY, READY, Verdict, all_ready, labelled, unverified, worst
from ..patches.events import results_are_events
from ..plays.detours import Detour, detours_of
from ..plays.targets import HostsByRule, rules_by_host
from ..run import PlayRun
from ..workers import lending
from ..workers.pool import outcomes
from ..workers.rounds import Job, Outcomes
from ..workers.signals import nothing_left_behind
from . import time_limit
from .check_play import ACTION, RESULT, CheckPlay, Step
from .facts import facts_of, remember_facts, taken_facts, without_known_facts
from .fingerprints import Fingerprints
from .progress import HostProgress
from .tally import tallied
from .variables import TaskVariables

Verdicts = dict[RuleAndHost, Verdict]


def check_hosts(run: PlayRun, hosts_by_rule: HostsByRule, quietly: bool = False) -> Verdicts:
    """Check for each rule its hosts, in parallel up to the number of forks; return the verdicts.

    If ``quietly``, the task does not fail for a host that is not ready.

    The checks run as tasks of a small play of their own. They are queued here and not by the
    strategy's ``run``, so that tags, --start-at-task, --step and the order of a strategy have no
    say.
    """
    hosts_by_rule = [
        (rule, hosts) for rule, hosts in hosts_by_rule if hosts and kinds.host_checks(rule)
    ]
    if not hosts_by_rule:
        return {}
    hosts = [host for host, _rules in rules_by_host(hosts_by_rule)]
    asking = [(rule, hosts) for rule, hosts in hosts_by_rule if kinds.needs_host(rule)]
    detours = detours_of(run) if asking else ()
    with lending.lent_to(run, hosts), nothing_left_behind():
        verdicts = CheckRun(run, hosts_by_rule, quietly).verdicts()
        for detour in detours:
            on_detour = CheckRun(run, asking, quietly, detour).verdicts()
            for rule_and_host, verdict in on_detour.items():
                if verdict.state != READY:
                    both = (verdicts[rule_and_host], _on_detour(verdict, detour))
                    verdicts[rule_and_host] = worst(both)
    return verdicts


def _on_detour(verdict: Verdict, detour: Detour) -> Verdict:
    """Return ``verdict`` with reasons that say that it is on another machine, and which task's."""
    reasons = (f"with {detour} ({detour.location}): {reason}" for reason in verdict.reasons)
    return Verdict(verdict.state, tuple(reasons), verdict.checks)


def labelled_part(
    check: Check, verdict: Verdict, variables: dict[str, Any], run: PlayRun
) -> Verdict:
    """Return a verdict that the action did not reach, as a part of the verdict on its rule."""

    def render(template: str) -> str:
        try:
            return templates.rendered(template, variables, run.loader)
        except TemplateError:
            return template

    return labelled(check.label, with_message(check, verdict, render))


class CheckRun:
    """The checks of hosts before a play, step by step, each step on all hosts of its rule."""

    def __init__(
        self,
        run: PlayRun,
        hosts_by_rule: HostsByRule,
        quietly: bool = False,
        detour: Detour | None = None,
        variables: type[TaskVariables] = TaskVariables,
    ) -> None:
        self.run, self.hosts_by_rule = run, hosts_by_rule
        rules = [rule for rule, _hosts in hosts_by_rule]
        self.on_detour = bool(detour)
        check_play = CheckPlay(run, rules, time_limit.of_host(run.extra_vars), quietly, detour)
        self.play, self.steps = check_play.play, check_play.steps
        self.gathering = check_play.gathering
        hosts = rules_by_host(hosts_by_rule)
        self.progress = {host.name: HostProgress() for host, _rules in hosts}
        # An audit remembers no verdicts, and one on a detour is a part of another.
        fingerprints = None if quietly or detour else Fingerprints(run, rules)
        self.variables = variables(run, self.play, hosts_by_rule, self.progress, fingerprints)
        tasks = [*self.steps, *filter(None, [self.gathering])]
        self.step_of_task = {step.task._uuid: step for step in tasks}
        self.play_context = PlayContext(
            self.play, run.manager.passwords, run.manager._connection_lockfile.fileno()
        )
        self.iterator = PlayIterator(
            inventory=run.inventory,
            play=self.play,
            play_context=self.play_context,
            variable_manager=run.variable_manager,
            all_vars={},
        )
        StrategyBase._set_hosts_cache(run.strategy, self.play)
        action_loader.get(ACTION, class_only=True)  # once here, and not in each worker

    def verdicts(self) -> Verdicts:
        """Run all steps; return the verdict on each rule and host."""
        events = results_are_events(
            self.run.manager, self._event, private=(CHECKS, ANSWERS, FINGERPRINT)
        )
        with events, tallied(self.run):
            return self._verdicts()

    def _verdicts(self) -> Verdicts:
        tasks = Counter(step.rule.name for step in self.steps)
        hosts_of = {rule.name: hosts for rule, hosts in self.hosts_by_rule}
        if self.gathering:
            self._gather_facts(self.gathering)
        for step in self.steps:
            hosts = hosts_of[step.rule.name]
            if kinds.needs_host(step.rule):
                hosts = [host for host in hosts if not self.progress[host.name].lost]
            if hosts:
                self._run_step(step, hosts)
        verdicts = {}
        for rule, hosts in self.hosts_by_rule:
            ready = all_ready(check.label for check in kinds.host_checks(rule))
            for host in hosts:
                verdict = self.progress[host.name].verdict(rule, tasks[rule.name], ready)
                verdicts[rule.name, host.name] = verdict
        return verdicts

    def _gather_facts(self, step: Step) -> None:
        """Gather the facts that rules ask for, and are not known yet."""
        hosts_by_rule = [(rule, hosts) for rule, hosts in self.hosts_by_rule if rule.facts]
        names = {host.name for _rule, hosts in hosts_by_rule for host in hosts}
        # Those of another machine are nobody else's.
        hosts = (
            self.run.hosts_named(sorted(names))
            if self.on_detour
            else without_known_facts(self.run, hosts_by_rule)
        )
        gathered = {host.name: Facts(trouble="the task gave no result") for host in hosts}
        with taken_facts(self.run) as taken:
            for name, outcome in self._outcomes(step, hosts) if hosts else ():
                gathered[name] = self._facts_in(step, name, outcome, taken)
        if not self.on_detour:
            subsets = subsets_of(rule for rule, _hosts in hosts_by_rule)
            remember_facts(self.run, gathered, subsets)
        self.variables.facts = {
            name: gathered.get(name) or facts_of(self.run, name) for name in names
        }

    def _facts_in(
        self,
        step: Step,
        name: str,
        outcome: Verdict | Mapping[str, Any],
        taken: Mapping[str, Mapping[str, Any]],
    ) -> Facts:
        if isinstance(outcome, Verdict):
            self.progress[name].lost = outcome
            return Facts(trouble="; ".join(outcome.reasons))
        if outcome.get("unreachable"):
            lost = verdict_if_lost(outcome, str(step.limit), bool(step.task.no_log))
            self.progress[name].lost = lost
        verdict = self._part(step, facts.gathering(()), name, outcome)
        if verdict.state == READY:
            return Facts(taken[name]) if taken.get(name) else Facts(trouble="there are none")
        return Facts(trouble="; ".join(verdict.reasons))

    def _run_step(self, step: Step, hosts: Sequence[Host]) -> None:
        """Run the step's task on ``hosts``, and take its results."""
        if step.check and step.check.scope and step.check.scope.facts:
            known = self.variables.facts
            for host in hosts:
                if known[host.name].trouble:
                    verdict = without_facts(step.check, known[host.name])
                    self.progress[host.name].add(step.rule, labelled(step.check.label, verdict))
            hosts = [host for host in hosts if not known[host.name].trouble]
        for name, outcome in self._outcomes(step, hosts) if hosts else ():
            if isinstance(outcome, Verdict):
                self.progress[name].lose(step.rule, outcome)
            elif step.check is None:
                self._take_action_result(step, name, outcome)
            else:
                self._take_task_result(step, step.check, name, outcome)

    def _outcomes(self, step: Step, hosts: Sequence[Host]) -> Outcomes:
        """Run the step's task on ``hosts``; yield what comes of it."""
        task_start = "v2_playbook_on_task_start"
        self.run.manager.send_callback(task_start, step.task, is_conditional=False)
        variables = functools.partial(self.variables.of_task, step)
        if stand_in := self.run.stand_in:
            for host in hosts:
                yield host.name, stand_in.result(host, step.check, variables(host))
            return
        job = Job(self.run, self.iterator, self.play_context, step.task, variables)
        with closing(outcomes(job, hosts)) as outcomes_of_hosts:
            yield from outcomes_of_hosts

    def _take_action_result(self, step: Step, name: str, result: Mapping[str, Any]) -> None:
        progress = self.progress[name]
        if lost := verdict_if_lost(result, str(step.limit), bool(step.task.no_log)):
            progress.lose(step.rule, lost)
            return
        if (fingerprint := result.get(FINGERPRINT)) is not None:
            self.run.fingerprints[step.rule.name, name] = fingerprint
        verdict = verdict_of(result)
        progress.add(step.rule, step.ready if verdict.state == READY else verdict)
        if kinds.asks_node(step.rule):
            progress.answers = progress.answers or result.get(ANSWERS, {})

    def _take_task_result(
        self, step: Step, check: Check, name: str, result: Mapping[str, Any]
    ) -> None:
        progress = self.progress[name]
        lost = verdict_if_lost(result, str(step.limit), bool(step.task.no_log))
        if lost and result.get("unreachable") and not step.task.delegate_to:
            progress.lost = lost
        progress.add(step.rule, self._part(step, check, name, result))

    def _part(self, step: Step, check: Check, name: str, result: Mapping[str, Any]) -> Verdict:
        """Return the verdict on a check that is a task, as a part of the verdict on its rule."""
        verdict = verdict_if_lost(result, str(step.limit), bool(step.task.no_log))
        verdict = verdict or task.judge(check, check.spec, result)
        if step is self.gathering and verdict.state == NOT_READY:
            verdict = unverified("; ".join(verdict.reasons))
        variables = {}
        if verdict.state == NOT_READY:
            variables = self.variables.of_message(name, check) | {RESULT: wrap_var(dict(result))}
        return labelled_part(check, verdict, variables, self.run)

    def _event(self, task_result: Any) -> dict[str, Any]:
        """Return what callbacks get in place of what the module of a check returned."""
        name, result = compat.host_and_result(task_result)
        step = self.step_of_task[compat.task_of(task_result)._uuid]
        if step.check:
            part = self._part(step, step.check, name, result)
            checks = [step.check]
        elif "verdict" in result:
            return {}  # the action has seen to it
        else:
            lost = verdict_if_lost(result, str(step.limit), bool(step.task.no_log))
            part, checks = lost or verdict_of(result), list(kinds.action_checks(step.rule))[:1]
        variables = {}
        if part.state == NOT_READY:
            variables = self.variables.of_message(name)
        directories = self.variables.directories
        host = HostVariables(variables, self.run.loader, directories, {}, False, literal=False)
        event = as_event(result_of(checks, [part]), self.variables.texts(step.rule, name), host)
        return {
            key: value for key, value in event.items() if key not in (CHECKS, "changed", "failed")
        }
