# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lends ansible-core's workers to the checks, as many as the hosts need."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.host import Host
from ansible.plugins.strategy import StrategyBase

from ... import options
from ..patches.clocks import stopped_time_is_free
from ..patches.traces import facts_go_to
from ..run import PlayRun


@contextmanager
def lent_to(run: PlayRun, hosts: Sequence[Host]) -> Iterator[None]:
    """Let the strategy work on ``hosts``, whatever batch it is at, and put all back as it was.

    A batch restricts the inventory and sizes the workers. Failed hosts of the checks are no failed
    hosts of the run, the variables that their tasks register are none of the play, and the custom
    statistics that a module returns are none of the run.
    """
    manager, inventory, strategy = run.manager, run.inventory, run.strategy
    restriction, workers = inventory._restriction, len(manager._workers)
    failed, unreachable = dict(manager._failed_hosts), dict(manager._unreachable_hosts)
    custom_stats = copy.deepcopy(manager._stats.custom)
    unreachable_before = dict(manager._stats.dark)
    caches = strategy._hosts_cache, strategy._hosts_cache_all
    variables = run.variable_manager._nonpersistent_fact_cache
    before = {host.name: dict(variables[host.name]) for host in hosts if host.name in variables}
    forks = options.forks(run.extra_vars) or manager._forks
    inventory.restrict_to_hosts(hosts)
    _set_workers(strategy, min(forks, len(hosts)))
    try:
        with facts_go_to(run.variable_manager, _drop), stopped_time_is_free():
            yield
        # Not after an error: ansible-core ends the workers that it finds at work.
        _set_workers(strategy, workers)
    finally:
        _count_as_ignored(manager, unreachable_before)
        inventory._restriction = restriction
        manager._failed_hosts, manager._unreachable_hosts = failed, unreachable
        manager._stats.custom = custom_stats
        strategy._hosts_cache, strategy._hosts_cache_all = caches
        for host in hosts:
            variables.pop(host.name, None)
        variables.update(before)


def _count_as_ignored(manager: TaskQueueManager, before: Mapping[str, int]) -> None:
    """Count hosts as later releases do for which a task ignored that they were unreachable.

    Until 2.13 they are unreachable and skipped in the recap.
    """
    stats = manager._stats
    for name in set(stats.dark).difference(manager._unreachable_hosts):
        for _time in range(stats.dark[name] - before.get(name, 0)):
            for which in ("dark", "skipped"):
                stats.decrement(which, name)
            for which in ("ok", "ignored"):
                stats.increment(which, name)


def _drop(_host: str, _facts: Mapping[str, Any]) -> None:
    pass


def _set_workers(strategy: StrategyBase, number: int) -> None:
    strategy._tqm._initialize_processes(number)
    strategy._workers = strategy._tqm._workers  # until 2.18 it is another list now
    strategy._cur_worker = 0
