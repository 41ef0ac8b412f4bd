# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guard: checks the hosts of a play before it runs, and ends the run if one is not ready."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.playbook.play import Play
from ansible.plugins.loader import strategy_loader
from ansible.plugins.strategy import StrategyBase
from ansible.utils.display import Display

from ..ansible_core.output import print_error_at_the_end
from ..ansible_core.patches import wrap_run
from ..ansible_core.play import audit_task, location_of, only_checks_are_wanted
from ..ansible_core.run import PlayRun, id_of
from ..ansible_core.stop import (
    code_of_finished_play,
    code_of_stopped_play,
    fail_on_unchecked_hosts,
    stop,
)
from ..errors import GuardError, PrecheckError, text_for_report
from ..policy.matching import describe
from ..policy.model import WARN
from ..report.record import CoveredPlay, Waiver
from ..report.terminal import Failure, closing_block, waiver_warning, warning_block
from ..text import one_line
from ..verdict import READY
from .messages import render_messages, undecided
from .plan import RulePlan
from .state import PlayId, RunState
from .survey import Survey, of_checks, survey

display = Display()

_states: WeakKeyDictionary[TaskQueueManager, RunState] = WeakKeyDictionary()
_begun: set[PlayId] = set()


def install(strategy_name: str) -> None:
    """Put the guard on the strategy plugin of this name, unless it is on already."""
    strategy = strategy_loader.get(strategy_name, class_only=True)
    if strategy is not None:  # otherwise ansible-core ends the run with a message of its own
        wrap_run(strategy, guard)


def has_begun(play: Play) -> bool:
    """Return whether the guard has seen the play."""
    return id_of(play) in _begun


def guard(strategy: StrategyBase, iterator: PlayIterator, proceed: Callable[[], int]) -> int:
    """Run a batch of a play by ``proceed``, once every host that a rule covers is ready.

    Returns what ``proceed`` returns, or the code by which PlaybookExecutor ends the run. Raises
    AnsibleError if it could not be decided whether the play may run.
    """
    try:
        run = PlayRun(strategy, iterator)
        state = _states.setdefault(run.manager, RunState())
        if state.stopped:  # a release of ansible-core may count failed hosts in another way
            raise PrecheckError(
                f"Precheck stopped the run, so nothing of the play {run.play_name!r} was run."
            )
        _begun.add(run.play_id)
        if _is_stopped(run, state):
            state.stopped = True
            return code_of_stopped_play(run)
        if run.play_id in state.audits or only_checks_are_wanted(run):
            return code_of_finished_play(run)
    except AnsibleError:
        raise
    except Exception as ex:
        consequence = (
            f"Precheck could not check the play{location_of(iterator)}, so nothing of it was run"
        )
        raise GuardError(consequence, ex) from None
    return proceed()


def _is_stopped(run: PlayRun, state: RunState) -> bool:
    """Return whether the play must not run. In any case, write the report if one is wanted."""
    execute = enforce
    if task := audit_task(run.play):
        from .audit import audit  # few runs are audits

        execute = functools.partial(audit, task)
    try:
        return execute(run, state)
    except Exception as ex:
        state.record.error = one_line(text_for_report(ex))
        state.record_has_news = True
        if run.play_id in state.record.plays:
            state.record.plays[run.play_id].stopped = True
        raise
    finally:
        if state.record_has_news:
            from ..report.files import write_report  # few runs keep a report

            state.record_has_news = False
            write_report(state.record, run.extra_vars, run.groups_of)


def enforce(run: PlayRun, state: RunState) -> bool:
    """Execute the plan for a play or a batch of it; return whether the play must not run."""
    first_batch = run.play_id not in state.begun
    state.begun.add(run.play_id)
    known = survey(run, state, state.rules_in_force(run), first_batch)
    if known.idle_reason:
        display.vv(f"Precheck: play {run.play_name} has no task to run, so it is not guarded")
        return False
    if first_batch:
        display.vv(describe(known.identity, known.coverages))
    if not known.coverages:
        return False

    rules = [rule for rule, _selector in known.coverages]
    covered = state.record.covered_play(run.play_id, known.identity, rules)
    _fail_if_refused(known.plans)
    if first_batch:
        state.record_has_news = True
        _waive(state, known)
    failures = _check(run, state, covered, known)
    state.remember(run.play_id, known.identity, known.plans, of_checks(run, known.plans))
    covered.hosts.update(_checked_hosts(state, known))
    if warnings := [failure for failure in failures if failure.rule.severity == WARN]:
        block = warning_block(known.identity, warnings)
        display.display(block, color=C.COLOR_WARN, stderr=True)
    if errors := [failure for failure in failures if failure.rule.severity != WARN]:
        covered.stopped = True
        stop(run)
        print_error_at_the_end(run, closing_block(known.identity, errors))
        return True
    fail_on_unchecked_hosts(run, known.unchecked)
    return False


def _fail_if_refused(plans: Sequence[RulePlan]) -> None:
    for plan in plans:
        for host, reason in plan.refused.items():
            raise PrecheckError(
                f"Precheck cannot tell whether {plan.rule.location} applies to {host}, so nothing"
                f" was run: in its when, {reason}"
            )


def _waive(state: RunState, known: Survey) -> None:
    """Warn about the rules that are not enforced on the play."""
    waived = [plan for plan in known.plans if plan.waived]
    if waived:
        hosts = {host for plan in waived for host in plan.waived}
        rules = [plan.rule for plan in waived]
        waiver = Waiver(known.identity, rules, len(hosts), known.opt_out_reason)
        state.record.waivers.append(waiver)
        display.warning(waiver_warning(waiver))


def _check(run: PlayRun, state: RunState, covered: CoveredPlay, known: Survey) -> list[Failure]:
    """Check the hosts of each rule; return what is not ready."""
    plans = [plan for plan in known.plans if plan.applies_to or plan.undecided]
    if not plans:
        return []
    # Not at the top: runs in which no rule covers a play are spared the time.
    from ..ansible_core.tasks import check_hosts, check_once

    verdicts = check_hosts(run, [(plan.rule, run.hosts_named(plan.check)) for plan in plans])
    for plan in plans:
        for name, reason in plan.undecided.items():
            verdicts[plan.rule.name, name] = undecided(reason)
    state.record.verdicts.update(verdicts)
    state.record_has_news = True
    failures = []
    for plan in plans:
        rule = plan.rule
        of_play = check_once(run, rule) if plan.once_for else None
        if of_play:
            covered.checks.append((rule, of_play))
        of_hosts = {name: verdicts[rule.name, name] for name in (*plan.check, *plan.undecided)}
        bad = {name: verdict for name, verdict in of_hosts.items() if verdict.state != READY}
        bad_play = of_play if of_play and of_play.state != READY else None
        if bad or bad_play:
            names = sorted(bad) or sorted(plan.applies_to)
            rendered = render_messages(run, rule, names)
            state.record.messages.setdefault(rule.name, []).extend(rendered.messages)
            state.record.remedies.setdefault(rule.name, []).append(rendered.remedy)
            hosts = len(plan.applies_to) + len(plan.undecided)
            failures.append(Failure(rule, bad, bad_play, hosts, rendered.messages, rendered.remedy))
    return failures


def _checked_hosts(state: RunState, known: Survey) -> set[str]:
    """Return the hosts that the rules apply to, whether they were checked now or before."""
    names: set[str] = set()
    for plan in known.plans:
        if plan.is_enforced:
            names.update(plan.applies_to)
            names.update(state.were_checked(plan.rule, known.hosts))
    return names
