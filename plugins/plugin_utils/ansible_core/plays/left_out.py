# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Leaves hosts out of the rest of a run, as ansible-core does with those that fail a task."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from ansible.executor.task_queue_manager import TaskQueueManager

from ... import compat
from ..patches.runs import add_hosts_to_retry, before_each_play
from ..run import PlayRun
from .later import is_last

_names: WeakKeyDictionary[TaskQueueManager, set[str]] = WeakKeyDictionary()


def names_left_out(run: PlayRun) -> frozenset[str]:
    """Return the names of the hosts that are left out from some play of the run on."""
    return frozenset(_names.get(run.manager, ()))


def leave_out(run: PlayRun, names: Iterable[str]) -> None:
    """Leave hosts out of the play of ``run``, and of all that come after it.

    For the plays to come, ansible-core finds them among those that failed, even if ``meta:
    clear_host_errors`` took them from there.
    """
    if run.manager not in _names:
        _names[run.manager] = set()
        # What refers to the manager must not keep it.
        before_each_play(run.inventory, _Failing(run.manager))
    _names[run.manager].update(names)
    add_hosts_to_retry(run.manager, _names[run.manager])


class _Failing:
    """Puts the hosts that are left out among those that failed."""

    def __init__(self, manager: TaskQueueManager) -> None:
        self._manager = weakref.ref(manager)

    def __call__(self) -> None:
        if manager := self._manager():
            inventory = manager.get_inventory()
            for name in _names[manager]:
                if inventory.get_host(name):  # it may be gone since
                    manager._failed_hosts[name] = True


class Remainder:
    """A batch of a play without the hosts that are left out: they get no task, nor a handler.

    A host at its end gets no task any more, and ``meta: clear_host_errors`` does not bring it back.
    PlaybookExecutor.run ends the run if as many hosts have newly failed as the batch has. Those
    that are left out count among them with those that fail a task, and so they do for
    max_fail_percentage. Only in a batch that consists of them they must not count: the next one
    goes on, as it does after hosts that failed in an earlier play.
    """

    def __init__(self, run: PlayRun) -> None:
        self._run, self._names = run, names_left_out(run)
        if not self._names:
            return
        manager, iterator = run.manager, run.iterator
        gone = {*run.failed_hosts(), *run.unreachable_hosts()}
        batch = {host.name for host in run.hosts_of_batch()}
        self._is_empty = batch <= gone | self._names
        for host in run.hosts_named(sorted(self._names - gone)):
            if host:  # it may be gone since
                iterator.mark_host_failed(host)  # this also brings it to its end
                compat.clear_host_errors(iterator, host)
        if not self._is_empty:
            manager._failed_hosts.update(dict.fromkeys(batch & self._names - gone, True))

    @property
    def is_empty(self) -> bool:
        """Whether hosts are left out, and no other host is in the batch."""
        return bool(self._names) and self._is_empty

    def code(self, code: int) -> int:
        """Return the code that the strategy returns, if it would be ``code`` otherwise."""
        if not self._names:
            return code
        if is_last(self._run) and self._is_last_batch():  # nothing is counted any more
            _Failing(self._run.manager)()
        return code or self._run.manager.RUN_FAILED_HOSTS

    def _is_last_batch(self) -> bool:
        if self._run.play.order == "shuffle":  # batches are not as ansible-core will have them
            return False
        return self._run.serialized_batches()[-1:] == [self._run.hosts_of_batch()]
