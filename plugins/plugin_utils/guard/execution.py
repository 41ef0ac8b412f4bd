# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Executes the plans for a play: waives, checks, remembers, warns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ansible import constants as C
from ansible.utils.display import Display

from ..ansible_core.output import print_errors_at_the_end
from ..ansible_core.plays.later import LaterPlay
from ..ansible_core.run import Fingerprint, PlayRun
from ..ansible_core.stop import stop
from ..errors import PrecheckError
from ..policy.matching import PlayIdentity
from ..policy.model import WARN, Rule, RuleAndHost
from ..report.record import CoveredPlay, NotJudged, Waiver
from ..report.terminal import (
    ClosingBlock,
    Failure,
    closing_block,
    not_judged_line,
    passed_line,
    waiting_line,
    waiver_warning,
    warning_block,
)
from ..verdict import NOT_READY, READY, UNVERIFIED
from .ahead import Ahead, look_ahead
from .confirm import RefusedConfirmation, ask_about_play, ask_about_run
from .leaving import decide_on, leave
from .messages import Messages, Unready, render_messages, undecided, unready
from .plan import RulePlan
from .state import PlayId, RunState
from .survey import Survey, of_checks

display = Display()

NamesByRule = Mapping[str, Iterable[str]]


def is_stopped(
    run: PlayRun, state: RunState, rules: Sequence[Rule], known: Survey, is_first_batch: bool
) -> bool:
    """Check what is to be checked before the play; return whether that ends the run."""
    errors = _confirm(run, state, rules, known) if is_first_batch else []
    if not errors:
        failures = execute(run, state, known) if known.coverages else []
        decision = decide_on(run, state, known, failures)
        errors = list(decision.stopping)
        at_the_end = leave(run, state, known, decision) if decision.leaving else None
        if known.coverages:
            state.record.plays[run.play_id].stopped = bool(errors)
        if is_first_batch:
            errors += _check_ahead(run, state, rules, known)
        if at_the_end:
            print_closing_block(run, at_the_end)
    if errors:
        context = state.stop_context(run)
        stop(run, needed_later=context.checked)
        print_closing_block(run, closing_block(known.identity, errors, context))
    return bool(errors)


def execute(run: PlayRun, state: RunState, known: Survey) -> list[Failure]:
    """Execute the plans; return what is not ready, unless the rule only warns.

    Raises PrecheckError.
    """
    failures = find_failures(run, state, known)
    if warnings := [failure for failure in failures if failure.rule.severity == WARN]:
        block = warning_block(known.identity, warnings)
        display.display(block, color=C.COLOR_WARN, stderr=True)
    return [failure for failure in failures if failure.rule.severity != WARN]


def find_failures(run: PlayRun, state: RunState, known: Survey) -> list[Failure]:
    """Execute the plans; return what is not ready, whether it ends the run or not.

    Raises PrecheckError if the run cannot go on with a host, as it cannot be told whether a rule
    applies to it.
    """
    rules = [rule for rule, _selector in known.coverages]
    covered = state.record.covered_play(run.play_id, known.identity, rules)
    _fail_if_refused(known.plans)
    state.record_has_news |= known.first_time
    waive(state, run.play_id, known, {plan.rule.name: plan.waived for plan in known.plans})
    _say_what_is_not_judged(state, known)
    # Most was confirmed before the run. Roles and hosts may have come since.
    if unconfirmed := _unconfirmed(run, state, ask_about_play(run, state, known)):
        return unconfirmed
    failures = _check(run, state, covered, known)
    state.remember(run.play_id, known.identity, known.plans, of_checks(run, known.plans))
    covered.hosts.update(_checked_hosts(state, known))
    return failures


def _confirm(run: PlayRun, state: RunState, rules: Sequence[Rule], known: Survey) -> list[Failure]:
    """Have the run confirmed, as far as it can be seen; return what ends it."""
    return _unconfirmed(run, state, ask_about_run(run, state, rules, known))


def _unconfirmed(
    run: PlayRun, state: RunState, refused: Sequence[RefusedConfirmation]
) -> list[Failure]:
    """Take over what was not confirmed."""
    failures = []
    for wanted, verdict in refused:
        rule = wanted.rule
        covered = state.record.covered_play(wanted.play_id, wanted.identity, [rule])
        covered.checks.append((rule, verdict))
        covered.stopped = True
        state.record_has_news = True
        texts = _render(run, state, rule, unready({}, wanted.hosts))
        needed_for = wanted.identity if wanted.play_id != run.play_id else None
        failures.append(
            Failure(rule, {}, verdict, wanted.hosts, texts.messages, texts.remedy, needed_for)
        )
    return failures


def _check_ahead(
    run: PlayRun, state: RunState, rules: Sequence[Rule], known: Survey
) -> list[Failure]:
    """Check the hosts of later plays that nothing on the way prepares; return what is not ready.

    What is unverified is kept quiet: it may be otherwise by then, and is checked again.
    """
    failures = []
    unverified: dict[RuleAndHost, Fingerprint] = {}
    for ahead in look_ahead(run, state, rules, known):
        if ahead.run:
            failures += _check_later(ahead, ahead.run, state, known.identity, unverified)
    state.forget(unverified)
    return failures


def _check_later(
    ahead: Ahead,
    later: LaterPlay,
    state: RunState,
    now: PlayIdentity,
    unverified: dict[RuleAndHost, Fingerprint],
) -> list[Failure]:
    """Check what can be checked for a later play before the play ``now``.

    Adds to ``unverified`` the hosts that are, and returns what is not ready.
    """
    from ..ansible_core.tasks.check_run import check_hosts  # as in _check

    plans = ahead.plans
    verdicts = check_hosts(later, [(plan.rule, later.hosts_named(plan.check)) for plan in plans])
    marks = ahead.fingerprints
    state.remember_ahead(now, {key: marks[key] for key in verdicts})
    verified = {key: one for key, one in verdicts.items() if one.state != UNVERIFIED}
    unverified.update({key: marks[key] for key in verdicts if key not in verified})
    if not verified:
        return []
    names = {name for name, _host in verified}
    rules = [plan.rule for plan in plans if plan.rule.name in names]
    covered = state.record.covered_play(ahead.play_id, ahead.identity, rules)
    covered.hosts.update(host for _rule, host in verified)
    state.record.add_verdicts(verified, now)
    state.record_has_news = True
    failures = []
    for plan in plans:
        of_rule = {
            host: verdict
            for (rule, host), verdict in verified.items()
            if rule == plan.rule.name and verdict.state == NOT_READY
        }
        if of_rule:
            texts = _render(later, state, plan.rule, unready(of_rule))
            failures.append(
                Failure(
                    plan.rule,
                    of_rule,
                    None,
                    plan.check,
                    texts.messages,
                    texts.remedy,
                    ahead.identity,
                )
            )
    covered.stopped = bool(failures)
    return failures


def _render(run: PlayRun, state: RunState, rule: Rule, hosts: Unready) -> Messages:
    """Return what ``rule`` says about hosts, which the report says too."""
    rendered = render_messages(run, rule, hosts, state.record.started)
    state.record.messages.setdefault(rule.name, []).extend(rendered.messages)
    state.record.remedies.setdefault(rule.name, []).append(rendered.remedy)
    return rendered


def print_closing_block(run: PlayRun, block: ClosingBlock) -> None:
    """Print ``block`` after the recap. The command to type stands out."""
    command = block.command.rstrip("\n")
    otherwise = f"\n{block.otherwise}" if block.otherwise else ""
    parts = ((block.why, C.COLOR_ERROR), (command, C.COLOR_OK), (otherwise, C.COLOR_ERROR))
    print_errors_at_the_end(run, [(text, color) for text, color in parts if text])


def _fail_if_refused(plans: Sequence[RulePlan]) -> None:
    for plan in plans:
        for host, reason in plan.refused.items():
            raise PrecheckError(
                f"Precheck cannot tell whether {plan.rule.location} applies to {host}, so nothing"
                f" was run: in its when, {reason}"
            )


def _say_what_is_not_judged(state: RunState, known: Survey) -> None:
    """Say which hosts a dry run leaves out, as an earlier play would have prepared them."""
    if not known.first_time:
        return
    for rule, _selector in known.coverages:
        hosts: dict[PlayIdentity, list[str]] = {}
        for name, play in state.would_be_prepared(rule, known.hosts).items():
            hosts.setdefault(play, []).append(name)
        for play, names in hosts.items():
            state.record.not_judged.append(NotJudged(rule, play, sorted(names)))
            display.display(
                not_judged_line(rule, play, len(names)), color=C.COLOR_WARN, stderr=True
            )


def waive(state: RunState, play_id: PlayId, known: Survey, waived: NamesByRule) -> None:
    """Warn about the rules that are not enforced on hosts of the play, once for each host.

    ``waived`` has the names of these hosts by the names of rules.
    """
    seen = state.waived.setdefault(play_id, set())
    new = {(rule, name) for rule, names in waived.items() for name in names} - seen
    if not new:
        return
    seen |= new
    named = {rule for rule, _name in new}
    rules = [rule for rule, _selector in known.coverages if rule.name in named]
    opt_out = known.opt_out
    for way in dict.fromkeys(map(opt_out.way, rules)):
        waived_so = [rule for rule in rules if opt_out.way(rule) == way]
        names = {rule.name for rule in waived_so}
        hosts = {host for rule_name, host in new if rule_name in names}
        waiver = Waiver(known.identity, waived_so, len(hosts), way, opt_out.reason)
        state.record.waivers.append(waiver)
        display.warning(waiver_warning(waiver))
    state.record_has_news = True


def _check(run: PlayRun, state: RunState, covered: CoveredPlay, known: Survey) -> list[Failure]:
    """Check the hosts of each rule; return what is not ready."""
    plans = [plan for plan in known.plans if plan.applies_to or plan.undecided]
    if not plans:
        return []
    # Not at the top: runs in which no rule covers a play are spared the time.
    from ..ansible_core.tasks.check_run import check_hosts
    from ..ansible_core.tasks.once import check_once

    hosts_by_rule = [(plan.rule, run.hosts_named(plan.check)) for plan in plans]
    if any(plan.rule.wait for plan in plans) and not run.stand_in:
        from ..ansible_core.tasks.waiting import check_until_answered  # few rules wait

        verdicts = check_until_answered(run, hosts_by_rule, _say_who_is_waited_for)
    else:
        verdicts = check_hosts(run, hosts_by_rule)
    for plan in plans:
        for name, reason in plan.undecided.items():
            verdicts[plan.rule.name, name] = undecided(reason)
    state.record.add_verdicts(verdicts, known.identity)
    state.record_has_news = True
    failures = []
    for plan in plans:
        rule = plan.rule
        once_for = plan.once_for
        of_play = check_once(run, rule, once_for, state.confirmed) if once_for else None
        if of_play:
            covered.checks.append((rule, of_play))
            if of_play.state == READY:  # no task shows that it was checked
                line = passed_line(known.identity, rule)
                display.display(line, color=C.COLOR_OK, stderr=True)
        of_hosts = {name: verdicts[rule.name, name] for name in (*plan.check, *plan.undecided)}
        bad = {name: verdict for name, verdict in of_hosts.items() if verdict.state != READY}
        bad_play = of_play if of_play and of_play.state != READY else None
        if bad or bad_play:
            hosts = [*plan.applies_to, *plan.undecided]
            of_rule = unready(bad, hosts if bad_play and bad_play.state == NOT_READY else ())
            rendered = _render(run, state, rule, of_rule)
            failures.append(Failure(rule, bad, bad_play, hosts, rendered.messages, rendered.remedy))
    return failures


def _say_who_is_waited_for(names: Collection[str], seconds: int) -> None:
    display.display(waiting_line(names, seconds), color=C.COLOR_WARN, stderr=True)


def _checked_hosts(state: RunState, known: Survey) -> set[str]:
    """Return the hosts that the rules apply to, whether they were checked now or before."""
    names: set[str] = set()
    for plan in known.plans:
        if plan.is_enforced:
            names.update(plan.applies_to)
            names.update(state.were_checked(plan.rule, known.hosts))
    return names
