# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds out what is known about a play, and has it planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible.playbook.play import Play

from ..ansible_core.plays import tags
from ..ansible_core.plays.identity import with_roles
from ..ansible_core.plays.includes import FoundRole
from ..ansible_core.plays.play import has_work, tasks_to_run, why_idle
from ..ansible_core.plays.targets import Targets, target_hosts, unmet_conditions
from ..ansible_core.run import Fingerprint, PlayRun
from ..policy.conditions import may_depend_on_earlier_tasks, may_depend_on_facts, with_templates
from ..policy.matching import Coverage, PlayIdentity, covering
from ..policy.model import Rule, RuleAndHost
from ..policy.opt_out import OptOut, fail_if_unknown
from .plan import Reasons, RulePlan, Situation, plan
from .state import RunState

RuleAndReasons = tuple[Rule, Reasons]


@dataclass(frozen=True)
class Survey:
    """A play, or a batch of it, and what happens before it.

    ``hosts`` are all of the play or the batch. ``idle_reason`` says why the play has no task to
    run; it is empty if it has. ``plans`` are in the order of ``coverages``. ``unchecked`` are the
    hosts that an enforced rule has nothing known about, and that the play is not to do anything on.
    ``unseen`` are, by rule, the hosts on which it would be waived if the play did something on them
    after all. ``first_time`` is whether the rules were not looked at before for this play.
    """

    identity: PlayIdentity
    coverages: Sequence[Coverage]
    hosts: Sequence[str]
    idle_reason: str
    targets: Targets
    opt_out: OptOut
    plans: Sequence[RulePlan]
    unchecked: Sequence[str]
    unseen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first_time: bool = True


def survey(
    run: PlayRun,
    state: RunState,
    rules: Sequence[Rule],
    first_batch: bool = True,
    facts_to_come: bool = False,
) -> Survey:
    """Return what happens before the play.

    ``rules`` are all in force. At the first batch, all hosts of the play count; at each later one
    those of the batch. With ``facts_to_come``, earlier plays may gather facts, so conditions on
    facts cannot be known yet. Raises PrecheckError if options or tags name a rule that does not
    exist, or that cannot be waived so.
    """
    identity = state.identity_of(run)
    opt_out = opt_out_of(run.play, run.extra_vars, rules)
    coverages = [
        coverage for coverage in covering(identity, rules) if not tags.is_left_out(run, coverage[0])
    ]
    hosts = run.hosts_of_play() if first_batch else run.hosts_of_batch()
    names = [host.name for host in hosts]
    tasks = tasks_to_run(run)
    idle_reason = "" if has_work(tasks) else why_idle(run)

    # First as if the play did something on all hosts: what is settled needs no look at conditions.
    situations = [
        Situation(
            rule,
            targets=names,
            opt_out=opt_out,
            settled=settled,
            first_batch=first_batch,
        )
        for rule, settled in _settled(run, state, coverages, names)
    ]
    if idle_reason:
        targets = Targets([], dict.fromkeys(names, idle_reason), {})
    elif any(situation.concerned() for situation in situations):
        targets = target_hosts(run, hosts, facts_to_come)
    else:
        targets = Targets(hosts, {}, {})

    target_names = [host.name for host in targets.hosts]
    unseen = {
        situation.rule.name: sorted(set(situation.concerned()).difference(target_names))
        for situation in situations
        if situation.is_waived
    }
    required = {name for situation in situations for name in situation.must_be_checked()}
    situations = [
        replace(situation, targets=target_names, doubts=targets.doubts) for situation in situations
    ]
    decided = _with_conditions(run, situations, targets, facts_to_come)
    return Survey(
        identity=identity,
        coverages=coverages,
        hosts=names,
        idle_reason=idle_reason,
        targets=targets,
        opt_out=opt_out,
        plans=[plan(situation) for situation in decided],
        unchecked=sorted(required.difference(target_names)),
        unseen=unseen,
        first_time=first_batch,
    )


def opt_out_of(play: Play, extra_vars: Mapping[str, Any], rules: Sequence[Rule]) -> OptOut:
    """Return how the play opts out of rules. ``rules`` are all in force.

    Raises PrecheckError if options or tags name a rule that does not exist, or that cannot be
    waived so.
    """
    opt_out = tags.opt_out_of(play, extra_vars)
    opt_out.fail_if_refused(rules)
    fail_if_unknown(tags.rules_in_tags(play), rules)
    return opt_out


def survey_of_role(
    run: PlayRun, state: RunState, rules: Sequence[Rule], role: FoundRole, names: Sequence[str]
) -> Survey:
    """Return what happens before the first task of ``role`` on the hosts of these names.

    The play got to the role by a name that only the run could compute. The rules are those that
    cover the play because of it.
    """
    before = state.identity_of(run)
    identity = with_roles(before, run.play, [role])
    known = {rule.name for rule, _selector in covering(before, rules)}
    coverages = [
        (rule, selector) for rule, selector in covering(identity, rules) if rule.name not in known
    ]
    opt_out = tags.opt_out_of(run.play, run.extra_vars)
    situations = [
        Situation(
            rule,
            targets=names,
            opt_out=opt_out,
            settled=settled,
            first_batch=(run.play_id, rule.name) not in state.computed,
        )
        for rule, settled in _settled(run, state, coverages, names)
    ]
    targets = Targets(run.hosts_named(names), {}, {})
    decided = _with_conditions(run, situations, targets, facts_to_come=False)
    return Survey(
        identity=identity,
        coverages=coverages,
        hosts=names,
        idle_reason="",
        targets=targets,
        opt_out=opt_out,
        plans=[plan(situation) for situation in decided],
        unchecked=[],
    )


def _settled(
    run: PlayRun, state: RunState, coverages: Sequence[Coverage], names: Sequence[str]
) -> list[RuleAndReasons]:
    """Return for each rule why there is nothing left to find out about hosts."""
    if not coverages:
        return []
    from ..ansible_core.tasks.fingerprints import (
        fingerprints,  # in many runs no rule covers a play
    )

    rules = [rule for rule, _selector in coverages]
    known = fingerprints(
        run, [(rule, run.hosts_named(state.were_checked(rule, names))) for rule in rules]
    )
    return [(rule, state.settled(run.play_id, rule, names, known)) for rule in rules]


def of_checks(run: PlayRun, plans: Sequence[RulePlan]) -> dict[RuleAndHost, Fingerprint]:
    """Return the fingerprints of the checks that ``plans`` for a play want."""
    from ..ansible_core.tasks.fingerprints import fingerprints  # as in _settled

    return fingerprints(run, [(plan.rule, run.hosts_named(plan.check)) for plan in plans])


def _with_conditions(
    run: PlayRun, situations: Sequence[Situation], targets: Targets, facts_to_come: bool
) -> list[Situation]:
    """Return the situations with what is known about the ``when`` of their rules."""
    open_rules = {
        situation.rule.name: what
        for situation in situations
        if (what := _what_may_change(run, situation.rule, facts_to_come))
    }
    hosts = {host.name: host for host in targets.hosts}
    to_decide = [
        (situation.rule, [hosts[name] for name in situation.hosts_to_decide()])
        for situation in situations
        if situation.rule.name not in open_rules
    ]
    unmet = unmet_conditions(run, to_decide)
    result = []
    for situation in situations:
        rule = situation.rule.name
        if rule in open_rules:
            result.append(_with_doubt(situation, open_rules[rule]))
            continue
        of_rule = {name: condition for (owner, name), condition in unmet.items() if owner == rule}
        result.append(
            replace(
                situation,
                unmet={
                    name: condition.text
                    for name, condition in of_rule.items()
                    if not condition.error
                },
                errors={
                    name: f"{condition.text}: {condition.error}"
                    for name, condition in of_rule.items()
                    if condition.error
                },
            )
        )
    return result


def _what_may_change(run: PlayRun, rule: Rule, facts_to_come: bool) -> str:
    """Return what may change whether the ``when`` of ``rule`` holds; empty if nothing may."""
    when = with_templates(rule.when, rule.variables)
    if run.is_later:
        may_change = may_depend_on_earlier_tasks(when, run.names_set_before)
        return "earlier plays" if may_change else ""
    return "facts" if facts_to_come and may_depend_on_facts(when) else ""


def _with_doubt(situation: Situation, what: str) -> Situation:
    when = " and ".join(map(situation.rule.shown, situation.rule.when))
    doubt = f"the rule's when may depend on {what}: {when}"
    return replace(
        situation, doubts={**dict.fromkeys(situation.targets, doubt), **situation.doubts}
    )
