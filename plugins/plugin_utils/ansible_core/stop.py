# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a run ends before its play begins, or before a task on a host that was not checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible import constants as C
from ansible.inventory.host import Host
from ansible.playbook.task import Task

from .. import templates
from ..errors import PrecheckError, TemplateError
from .patches.runs import add_hosts_to_retry
from .patches.strategies import before_each_task
from .plays.play import is_validation, preparation
from .plays.purpose import is_ad_hoc
from .run import PlayRun


def stop(run: PlayRun, needed_later: Iterable[str] = ()) -> None:
    """Make PlaybookExecutor.run end the run after this batch.

    ``needed_later`` are the names of hosts that later plays need. They are to be retried, too.

    The code RUN_FAILED_BREAK_PLAY ends its loop over plays. The loop over batches ends only if as
    many hosts have newly failed or become unreachable as the batch has: so each host of the batch
    is counted once, and one that failed in an earlier play by the list in which it is not yet.
    """
    _retry_all_hosts(run, needed_later)
    for host in run.inventory.get_hosts(run.play.hosts):
        if run.iterator.is_failed(host):
            run.manager._unreachable_hosts[host.name] = True
        else:
            run.iterator.mark_host_failed(host)


def _retry_all_hosts(run: PlayRun, needed_later: Iterable[str] = ()) -> None:
    if C.RETRY_FILES_ENABLED:
        names = [host.name for host in run.hosts_of_play()]
        add_hosts_to_retry(run.manager, [*names, *needed_later])


class StoppedDuringPlay(PrecheckError):
    """Leaves the strategy's ``run`` in the middle of a play. No task is under way."""


class RunningHosts:
    """What ``stop`` does before a play, for a play that has begun since."""

    def __init__(self, run: PlayRun) -> None:
        self._run = run
        self._failed_before = set(run.failed_hosts())
        self._unreachable_before = set(run.manager._unreachable_hosts)

    def stop(self) -> None:
        """Count each host of the batch once, as in ``stop``. Some may have failed since."""
        _retry_all_hosts(self._run)
        failed, unreachable = self._run.manager._failed_hosts, self._run.manager._unreachable_hosts
        newly = {*failed, *unreachable} - self._failed_before - self._unreachable_before
        for host in self._run.inventory.get_hosts(self._run.play.hosts):
            if host.name not in newly:
                # Not by the iterator: a host in a block would go on with its rescue.
                which = unreachable if host.name in self._failed_before else failed
                which[host.name] = True


def code_of_stopped_play(run: PlayRun) -> int:
    """Return the code by which the strategy says that the run has to end."""
    manager = run.manager
    # PlaybookExecutor makes one exit status of both codes. The command ansible exits with the code.
    break_play = 0 if is_ad_hoc() else manager.RUN_FAILED_BREAK_PLAY
    return manager.RUN_FAILED_HOSTS | break_play


def before_unexpected_task(
    run: PlayRun, names: Iterable[str], act: Callable[[Host, Task], None]
) -> None:
    """Call ``act`` before the play goes on to a task on one of these hosts.

    It was not to do anything on them. It may if a condition turns out otherwise after all, or if
    ``meta: clear_host_errors`` brings a host back that was unreachable in an earlier play.
    """
    names = frozenset(names)
    if not names:
        return
    preparing = {task._uuid for task in preparation(run.iterator)}
    imported_when = run.play._included_conditional or ()

    def act_if_unexpected(host: Host, task: Task, task_vars: dict[str, Any]) -> None:
        if host.name not in names or task._uuid in preparing or is_validation(task):
            return
        # While the import's condition does not hold, each task is queued, and skipped by that
        # condition.
        if _may_hold(imported_when, task_vars, run):
            act(host, task)

    before_each_task(run.strategy, act_if_unexpected)


def _may_hold(conditions: Iterable[str | bool], variables: dict[str, Any], run: PlayRun) -> bool:
    try:
        return all(templates.holds(condition, variables, run.loader) for condition in conditions)
    except TemplateError:
        return True
