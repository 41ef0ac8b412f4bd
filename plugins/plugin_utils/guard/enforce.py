# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guard: checks the hosts of a play before it runs, and ends the run if one is not ready.

A run in which no rule covers a play is spared the time to load what checks, waits and reports: this
module imports ``execution`` only when there is something for it to do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from weakref import WeakKeyDictionary

from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.playbook import Playbook
from ansible.playbook.play import Play
from ansible.plugins.loader import strategy_loader
from ansible.plugins.strategy import StrategyBase
from ansible.utils.display import Display

from .. import compat
from ..ansible_core.patches.strategies import wrap_run
from ..ansible_core.plays.identity import location_of
from ..ansible_core.plays.later import begin_playbook, is_last
from ..ansible_core.plays.left_out import Remainder, names_left_out
from ..ansible_core.plays.purpose import audit_task, is_doctor
from ..ansible_core.plays.tags import only_checks_are_wanted
from ..ansible_core.run import PlayRun, id_of
from ..ansible_core.stop import StoppedDuringPlay, code_of_stopped_play
from ..errors import GuardError, PrecheckError, why_too_old
from ..policy.matching import describe
from .state import PlayId, RunState
from .survey import survey
from .watch import watch_for_roles, watch_hosts

display = Display()

_states: WeakKeyDictionary[TaskQueueManager, RunState] = WeakKeyDictionary()
_begun: set[PlayId] = set()


def install(strategy_name: str, playbook: Playbook | None) -> None:
    """Put the guard on the strategy plugin of this name, unless it is on already.

    ``playbook`` is the one that runs, if there is one.
    """
    begin_playbook(playbook)
    strategy = strategy_loader.get(strategy_name, class_only=True)
    if strategy is not None:  # otherwise ansible-core ends the run with a message of its own
        wrap_run(strategy, guard)


def has_begun(play: Play) -> bool:
    """Return whether the guard has seen the play."""
    return id_of(play) in _begun


def has_begun_any() -> bool:
    """Return whether the guard has seen any play of the run."""
    return bool(_begun)


def guard(strategy: StrategyBase, iterator: PlayIterator, proceed: Callable[[], int]) -> int:
    """Run a batch of a play by ``proceed``, once every host that a rule covers is ready.

    Returns what ``proceed`` returns, or the code by which PlaybookExecutor ends the run. Raises
    AnsibleError if it could not be decided whether the play may run.
    """
    try:
        return _guard(strategy, iterator, proceed)
    except PrecheckError:
        compat.clean_up_after_error(strategy)
        raise


def _guard(strategy: StrategyBase, iterator: PlayIterator, proceed: Callable[[], int]) -> int:
    try:
        if reason := why_too_old():
            raise RuntimeError(reason)
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
        remainder = Remainder(run)
        if run.play_id in state.audits or only_checks_are_wanted(run):
            return remainder.code(run.manager.RUN_OK)
    except AnsibleError:
        raise
    except Exception as ex:
        consequence = (
            f"Precheck could not check the play{location_of(iterator)}, so nothing of it was run"
        )
        raise GuardError(consequence, ex) from None
    try:
        return remainder.code(run.manager.RUN_OK if remainder.is_empty else proceed())
    except StoppedDuringPlay:
        state.stopped = True
        return code_of_stopped_play(run)
    except PrecheckError as ex:  # from ``watch``
        from .news import note_error, write_news

        note_error(run, state, ex)
        write_news(run, state, stopped=True)
        raise


def _is_stopped(run: PlayRun, state: RunState) -> bool:
    """Return whether the play must not run. In any case, write the report if one is wanted."""
    decide, stopped = enforce, True
    if task := audit_task(run.play):
        from .audit import audit  # few runs are audits

        decide = functools.partial(audit, task)
    try:
        stopped = decide(run, state)
        return stopped
    except Exception as ex:
        from .news import note_error

        note_error(run, state, ex)
        raise
    finally:
        if state.record_has_news:
            from .news import write_news

            write_news(run, state, stopped)


def enforce(run: PlayRun, state: RunState) -> bool:
    """Do what is to be done before a play or a batch of it; return whether it must not run."""
    first_batch = run.play_id not in state.begun
    state.begun.add(run.play_id)
    rules = state.rules_in_force(run)
    known = survey(run, state, rules, first_batch)
    if known.idle_reason:
        display.vv(f"Precheck: play {run.play_name} has no task to run, so it is not guarded")
        return False
    if first_batch:
        display.vv(describe(known.identity, known.coverages))
    is_covered = bool(known.coverages) and not is_doctor(run.play)
    if is_covered or (first_batch and not is_last(run)):
        from .execution import is_stopped

        if is_stopped(run, state, rules, known, first_batch):
            return True
    if is_covered:
        watch_hosts(run, state, known)
    watch_for_roles(run, state, rules)
    changes_nothing = is_doctor(run.play) or only_checks_are_wanted(run)
    if known.targets.hosts and not changes_nothing:
        left_out = names_left_out(run)
        names = [host.name for host in known.targets.hosts if host.name not in left_out]
        state.remember_run(run, known.identity, names)
    return False
