# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A round of checks: a task on hosts, each of which has a result in the end, or is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ansible.executor.play_iterator import PlayIterator
from ansible.inventory.host import Host
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.strategy import StrategyBase

from ... import compat
from ...verdict import Verdict, unverified
from ..run import PlayRun
from .signals import handlers_stay

POLL = 0.01  # seconds between two looks for results
# Looks in vain, at an empty queue, after which workers that have ended will not deliver any more.
QUIET_LOOKS = 200

NOT_STARTED = unverified(
    "the control node could not start its check: is it out of file descriptors, processes, memory"
    " or disk space?"
)
KILLED = unverified(
    "the process on the control node that checked it was killed: is it out of memory?"
)

Result = Mapping[str, Any]
Outcome = tuple[str, Union[Result, Verdict]]  # of the host with this name
Outcomes = Generator[Outcome, None, None]
HostsLeft = dict[str, Verdict]  # the names of hosts that no worker is at any more, and why


@dataclass(frozen=True)
class Job:
    """A task, and what ansible-core needs to run it. ``variables`` returns those of a host."""

    run: PlayRun
    iterator: PlayIterator
    play_context: PlayContext
    task: Task
    variables: Callable[[Host], dict[str, Any]]


class Round:
    """The task of ``job`` on ``hosts``, on the play's strategy instance.

    Another instance would read from the same result queue. The methods are ansible-core's own, as
    those of a strategy from elsewhere may rely on what its ``run`` prepares.

    ansible-core's own way to wait ends with an error that names no host if a worker was killed, and
    it never ends if another worker has taken the place of that one.
    """

    def __init__(self, job: Job, hosts: Sequence[Host]) -> None:
        self.job, self.hosts, self.strategy = job, hosts, job.run.strategy
        self.waiting: set[str] = set()  # names of hosts without an outcome

    def outcomes(self) -> Outcomes:
        """Run the task; yield the result of each host, or the verdict if there is none."""
        strategy, quiet_looks = self.strategy, 0
        left: HostsLeft = {}
        yield from self._begin()
        while self.waiting and strategy._pending_results > 0 and not strategy._tqm._terminated:
            # In this order: what a worker that has ended delivered is in the queue.
            left, left_before = self._left_by_workers(), left
            results = list(self._results())
            yield from results
            left = {name: why for name, why in left.items() if name in self.waiting}
            # While nobody reads what is printed, the queue is not read either: results come after
            # the output of workers.
            is_quiet = left == left_before and not results and strategy._final_q.empty()
            quiet_looks = quiet_looks + 1 if is_quiet else 0
            if quiet_looks == QUIET_LOOKS:
                for name in left:
                    self.forget(name)
                yield from self._give_up(left)
            self._pause()

    def _begin(self) -> Outcomes:
        raise NotImplementedError

    def _left_by_workers(self) -> HostsLeft:
        """Return the hosts that will have no result, unless it is under way, and why."""
        raise NotImplementedError

    def _give_up(self, left: HostsLeft) -> Outcomes:
        """Yield the verdicts on hosts that are no longer waited for."""
        yield from left.items()

    def _pause(self) -> None:
        time.sleep(POLL)

    def _results(self, max_passes: int | None = None) -> Outcomes:
        """Yield the results that have come, and send the callbacks about them."""
        results = StrategyBase._process_pending_results(
            self.strategy, self.job.iterator, max_passes=max_passes
        )
        StrategyBase.update_active_connections(self.strategy, results)
        for name, result in map(compat.host_and_result, results):
            self.waiting.discard(name)
            yield name, result

    def forget(self, name: str) -> None:
        """Wait no longer for the host of this name."""
        self.strategy._pending_results -= 1
        self.strategy._blocked_hosts[name] = False
        self.waiting.discard(name)


class TaskPerHost(Round):
    """ansible-core starts a worker for each host."""

    def _begin(self) -> Outcomes:
        job, strategy = self.job, self.strategy
        passes = max(1, len(strategy._workers) // 10)
        for host in self.hosts:
            variables = job.variables(host)
            self.waiting.add(host.name)
            strategy._blocked_hosts[host.name] = True
            pending = strategy._pending_results
            with handlers_stay():
                StrategyBase._queue_task(strategy, host, job.task, variables, job.play_context)
            if strategy._pending_results == pending:
                # ansible-core does not say that it could not start a worker. It may have closed the
                # worker before, and would fail on it.
                strategy._workers[strategy._cur_worker] = None
                strategy._pending_results += 1
                self.forget(host.name)
                yield host.name, NOT_STARTED
            yield from self._results(max_passes=passes)

    def _left_by_workers(self) -> HostsLeft:
        workers = [worker for worker in self.strategy._workers if worker and worker.is_alive()]
        at_work = {worker._host.name for worker in workers}
        return dict.fromkeys(self.waiting - at_work, KILLED)
