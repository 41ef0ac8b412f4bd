# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From rules and hosts to verdicts: ansible-core runs the tasks of the play that checks hosts."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from ansible.executor.play_iterator import PlayIterator
from ansible.inventory.host import Host
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import action_loader
from ansible.plugins.strategy import StrategyBase

from .. import compat
from ..checks import facts, kinds, task
from ..checks.context import HostVariables
from ..checks.event import CHECKS, RuleTexts, as_event
from ..checks.facts import NONE, Facts, subsets_of
from ..checks.host import (
    ANSWERS,
    FINGERPRINT,
    REQUEST,
    Answers,
    CheckRequest,
    without_facts,
)
from ..checks.path import known_digests
from ..checks.results import result_of, verdict_if_lost, verdict_of, with_message
from ..errors import TemplateError
from ..policy.model import Check, Rule, RuleAndHost
from ..text import is_plain_name
from ..verdict import NOT_READY, READY, Verdict, all_ready, labelled, unverified, worst
from . import own_variables, time_limit, workers
from .check_play import ACTION, CheckPlay, Step
from .detours import Detour, detours_of
from .facts import facts_of, remember_facts, taken_facts, without_known_facts
from .fingerprints import Fingerprints
from .identity import directories_of
from .patches import results_are_events
from .pool import outcomes
from .rounds import Job, Outcomes
from .run import PlayRun
from .signals import nothing_left_behind
from .tally import tallied
from .targets import HostsByRule

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
    hosts = list({host.name: host for _rule, hosts in hosts_by_rule for host in hosts}.values())
    asking = [(rule, hosts) for rule, hosts in hosts_by_rule if kinds.needs_host(rule)]
    detours = detours_of(run) if asking else ()
    with workers.lent_to(run, hosts), nothing_left_behind():
        verdicts = CheckRun(run, hosts_by_rule, hosts, quietly).verdicts()
        for detour in detours:
            on_detour = CheckRun(run, asking, hosts, quietly, detour).verdicts()
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
            return compat.rendered(template, variables, run.loader)
        except TemplateError:
            return template

    return labelled(check.label, with_message(check, verdict, render))


@dataclass
class HostProgress:
    """What is known about a host so far.

    ``answers`` are those of its shell, by rule. ``lost`` is the verdict on all rules that need the
    host once it does not answer any more. ``parts`` are the verdicts of its tasks, by rule.
    """

    answers: Mapping[str, Answers] | None = None
    lost: Verdict | None = None
    parts: dict[str, list[Verdict]] = field(default_factory=dict)


class CheckRun:
    """The checks of hosts before a play, step by step, each step on all hosts of its rule."""

    def __init__(
        self,
        run: PlayRun,
        hosts_by_rule: HostsByRule,
        hosts: Sequence[Host],
        quietly: bool,
        detour: Detour | None = None,
    ) -> None:
        self.run, self.hosts_by_rule = run, hosts_by_rule
        rules = [rule for rule, _hosts in hosts_by_rule]
        self.directories = directories_of(run)
        self.of_play = own_variables.of_play(run)
        # An audit remembers no verdicts, and one on a detour is a part of another.
        self.fingerprints = None if quietly or detour else Fingerprints(run, rules)
        self.digests = known_digests((check for rule in rules for check in rule.checks), run.loader)
        self.checks_by_rule = {
            rule.name: checks for rule in rules if (checks := kinds.action_checks(rule))
        }
        self.asking = {rule.name for rule in rules if kinds.asks_node(rule)}
        self.names_by_rule = {
            rule.name: {host.name for host in hosts} for rule, hosts in hosts_by_rule
        }
        self.progress = {host.name: HostProgress() for host in hosts}
        self.in_inventory = set(run.names_in_inventory())
        self.ready = {
            rule.name: all_ready(check.label for check in kinds.host_checks(rule)) for rule in rules
        }
        self.facts: dict[str, Facts] = {}
        self.on_detour = bool(detour)
        check_play = CheckPlay(run, rules, time_limit.of_host(run.extra_vars), quietly, detour)
        self.play, self.steps = check_play.play, check_play.steps
        self.gathering = check_play.gathering
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
        hosts_of = {rule.name: hosts for rule, hosts in self.hosts_by_rule}
        if self.gathering:
            self._gather_facts(self.gathering)
        for step in self.steps:
            hosts = hosts_of[step.rule.name]
            if kinds.needs_host(step.rule):
                hosts = [host for host in hosts if not self.progress[host.name].lost]
            if hosts:
                self._run_step(step, hosts)
        return {
            (rule.name, host.name): self._verdict(rule, host)
            for rule, hosts in self.hosts_by_rule
            for host in hosts
        }

    def _verdict(self, rule: Rule, host: Host) -> Verdict:
        progress = self.progress[host.name]
        if progress.lost and kinds.needs_host(rule):
            return progress.lost
        parts = progress.parts.get(rule.name, [])
        if len(parts) != sum(step.rule is rule for step in self.steps):
            parts = [*parts, unverified("a check gave no result")]
        verdict = worst(parts)
        return self.ready[rule.name] if verdict.state == READY else verdict

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
        self.facts = {name: gathered.get(name) or facts_of(self.run, name) for name in names}

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
            for host in hosts:
                if self.facts[host.name].trouble:
                    verdict = without_facts(step.check, self.facts[host.name])
                    part = labelled(step.check.label, verdict)
                    self.progress[host.name].parts.setdefault(step.rule.name, []).append(part)
            hosts = [host for host in hosts if not self.facts[host.name].trouble]
        for name, outcome in self._outcomes(step, hosts) if hosts else ():
            if isinstance(outcome, Verdict):
                self._lose(step, name, outcome)
            elif step.check is None:
                self._take_action_result(step, name, outcome)
            else:
                self._take_task_result(step, step.check, name, outcome)

    def _outcomes(self, step: Step, hosts: Sequence[Host]) -> Outcomes:
        """Run the step's task on ``hosts``; yield what comes of it."""
        task_start = "v2_playbook_on_task_start"
        self.run.manager.send_callback(task_start, step.task, is_conditional=False)
        variables = functools.partial(self._task_variables, step)
        if stand_in := self.run.stand_in:
            for host in hosts:
                yield host.name, stand_in.result(host, step.check, variables(host))
            return
        job = Job(self.run, self.iterator, self.play_context, step.task, variables)
        with closing(outcomes(job, hosts)) as outcomes_of_hosts:
            yield from outcomes_of_hosts

    def _task_variables(self, step: Step, host: Host) -> dict[str, Any]:
        strategy = self.run.strategy
        variables = self.run.variables(host, step.task)
        StrategyBase.add_tqm_variables(strategy, variables, play=self.play)
        variables |= self.of_play
        if step.check is None:
            fingerprint = None
            if self.fingerprints:
                fingerprint = self.fingerprints.of(step.rule, variables)
            connection = self._needless_connection(step, variables)
            variables[REQUEST] = self._request(step.rule, host.name, connection, fingerprint)
            if connection:
                variables["ansible_connection"] = "local"
        else:
            own = self.own_of(step.check, host.name, variables)
            variables |= {name: own[name] for name in own.keys() - step.task.get_vars().keys()}
        # The variable takes precedence over the keyword.
        variables["ansible_become"] = bool(step.task.become)
        return variables

    def own_of(self, check: Check, name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return what ``check`` has beside the ``variables`` of the host of this name."""
        if not check.scope:
            return {}
        known = self.facts.get(name, NONE).variables(check.scope, variables)
        return {**known, **self.of_play, **check.scope.variables}

    def _needless_connection(self, step: Step, variables: dict[str, Any]) -> str:
        """Return the connection of a host that has to be replaced for the step; empty if none has.

        ansible-core makes the connection before the action runs, and there may be no such plugin.
        Those that are always there connect only when they are used.
        """
        connection: str = variables.get("ansible_connection") or step.task.connection
        try:
            name = compat.value_of(connection, variables, self.run.loader)
        except TemplateError:
            name = ""
        if kinds.asks_node(step.rule) or name in ("ssh", "local", "smart"):
            return ""
        return connection

    def _lose(self, step: Step, name: str, verdict: Verdict) -> None:
        """Remember why a step gave no result: only if it needs the host, the host is lost."""
        if kinds.needs_host(step.rule):
            self.progress[name].lost = verdict
        else:
            self.progress[name].parts[step.rule.name] = [verdict]

    def _take_action_result(self, step: Step, name: str, result: Mapping[str, Any]) -> None:
        progress = self.progress[name]
        if lost := verdict_if_lost(result, str(step.limit), bool(step.task.no_log)):
            self._lose(step, name, lost)
            return
        if (fingerprint := result.get(FINGERPRINT)) is not None:
            self.run.fingerprints[step.rule.name, name] = fingerprint
        verdict = verdict_of(result)
        parts = progress.parts.setdefault(step.rule.name, [])
        parts.append(step.ready if verdict.state == READY else verdict)
        if kinds.asks_node(step.rule):
            progress.answers = progress.answers or result.get(ANSWERS, {})

    def _take_task_result(
        self, step: Step, check: Check, name: str, result: Mapping[str, Any]
    ) -> None:
        progress = self.progress[name]
        lost = verdict_if_lost(result, str(step.limit), bool(step.task.no_log))
        if lost and result.get("unreachable") and not step.task.delegate_to:
            progress.lost = lost
        part = self._part(step, check, name, result)
        progress.parts.setdefault(step.rule.name, []).append(part)

    def _part(self, step: Step, check: Check, name: str, result: Mapping[str, Any]) -> Verdict:
        """Return the verdict on a check that is a task, as a part of the verdict on its rule."""
        verdict = verdict_if_lost(result, str(step.limit), bool(step.task.no_log))
        verdict = verdict or task.judge(check, check.spec, result)
        if step is self.gathering and verdict.state == NOT_READY:
            verdict = unverified("; ".join(verdict.reasons))
        variables = {}
        if verdict.state == NOT_READY:
            variables = self._variables_of(name)
            variables |= self.own_of(check, name, variables)
        return labelled_part(check, verdict, variables, self.run)

    def _variables_of(self, name: str) -> dict[str, Any]:
        """Return the variables for messages about the host of this name."""
        [host] = self.run.hosts_named([name])
        return self.run.variables(host)

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
            variables = self._variables_of(name)
        host = HostVariables(variables, self.run.loader, self.directories, {}, False, literal=False)
        event = as_event(result_of(checks, [part]), self._texts(step.rule, name), host)
        return {
            key: value for key, value in event.items() if key not in (CHECKS, "changed", "failed")
        }

    def _request(
        self, rule: Rule, name: str, connection: str, fingerprint: str | None
    ) -> CheckRequest:
        """Return what the action is to find out: when it first asks a host, for all its rules."""
        answers = self.progress[name].answers
        checks = {rule.name: self.checks_by_rule[rule.name]}
        of_rule: Answers | None = answers.get(rule.name) if answers else None
        if not kinds.asks_node(rule):
            of_rule = ()
        elif answers is None:
            checks = {
                other: checks
                for other, checks in self.checks_by_rule.items()
                if other in self.asking and name in self.names_by_rule[other]
            }
        texts = self._texts(rule, name)
        return CheckRequest(
            rule.name,
            checks,
            self.directories,
            self.digests,
            texts,
            of_rule,
            connection,
            fingerprint,
            ahead=self.run.is_later,
            facts=self.facts.get(name, NONE),
            reconnects=name in self.run.reconnecting,
        )

    def _texts(self, rule: Rule, name: str) -> RuleTexts:
        own = self._own_variables(rule, name)
        return RuleTexts(rule.name, name, rule.message, rule.remedy, own)

    def _own_variables(self, rule: Rule, name: str) -> dict[str, Any]:
        """Return the variables of messages and remedies for one host."""
        variables: dict[str, Any] = {
            "precheck_hosts": [name],
            "precheck_unverified_hosts": [],
            **rule.scope.variables,
            **self.of_play,
            **self.facts.get(name, NONE).variables(rule.scope, {}),
        }
        if is_plain_name(name) and name in self.in_inventory:
            variables["precheck_limit"] = f"{name} {self.run.inventory_options}".strip()
        return variables
