# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Workers that stay: each takes host after host, up to the number of forks at once.

A worker for each host, ansible-core's way, costs a fork, and the variables of each host are worked
out one after the other.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from multiprocessing import connection
from multiprocessing.process import BaseProcess

from ansible.inventory.host import Host

from ..patches.events import before_each_callback
from .handout import Handout, Step
from .rounds import KILLED, NOT_STARTED, POLL, HostsLeft, Job, Outcomes, Round, TaskPerHost
from .signals import handlers_stay


def outcomes(job: Job, hosts: Sequence[Host]) -> Outcomes:
    """Run the task of ``job``; yield the result for each host, or the verdict if there is none."""
    if _is_possible(job):
        pool = Pool(job, hosts)
        yield from pool.outcomes()
        hosts = pool.again
    yield from TaskPerHost(job, hosts).outcomes()


def _is_possible(job: Job) -> bool:
    try:
        from .staying_worker import is_possible
    except (AttributeError, ImportError):  # a future release lacks something
        return False
    return is_possible(job.run.strategy)


class Pool(Round):
    """A round by workers that stay."""

    def __init__(self, job: Job, hosts: Sequence[Host]) -> None:
        super().__init__(job, hosts)
        self.again: list[Host] = []  # each of them needs a worker of its own
        self._not_taken = set(range(len(hosts)))
        self._taken: set[str] = set()  # names of hosts that still wait
        self._given_back: list[Host] = []
        self._at: dict[int, Host] = {}  # the host that the worker in a slot took last
        self._done: dict[str, Host] = {}  # hosts after which a worker took another one
        self._replacements_left = len(hosts)
        self._lock = threading.Lock()  # events are sent by two threads

    def outcomes(self) -> Outcomes:
        try:
            self._handout = Handout(len(self.hosts))
        except OSError:
            yield from ((host.name, NOT_STARTED) for host in self.hosts)
            return
        try:
            with before_each_callback(self.job.run.manager, self._take_notes):
                yield from super().outcomes()
        finally:
            with self._lock:
                self._handout.close()

    def _begin(self) -> Outcomes:
        job, strategy = self.job, self.strategy
        # What is loaded on the way, all workers begin with.
        self._variables = job.variables(self.hosts[0])
        for host in self.hosts:
            self.waiting.add(host.name)
            strategy._blocked_hosts[host.name] = True
            # As StrategyBase._queue_task does. It is looked up for each result, and removed. The
            # variables are those for a debugger, and for hosts or groups that a task adds.
            strategy._queued_task_cache[host.name, job.task._uuid] = {
                "host": host,
                "task": job.task,
                "task_vars": {},
                "play_context": job.play_context,
            }
        strategy._pending_results += len(self.hosts)
        self._handout.offer()
        slots = range(min(len(strategy._workers), len(self.hosts)))
        self._slots = list(itertools.takewhile(self._start_worker, slots))
        yield from ()

    def _start_worker(self, slot: int) -> bool:
        """Start a worker. Return whether the control node could do so."""
        from .staying_worker import StayingWorker

        workers = self.strategy._workers
        try:
            worker = StayingWorker(self.job, self.hosts, self._handout, slot, self._variables)
            workers[slot] = worker  # first, so that ansible-core ends it if it ends the run
            with handlers_stay():
                worker.start()
        except (EOFError, OSError, AssertionError):  # as in StrategyBase._queue_task
            workers[slot] = None
            return False
        return True

    def _left_by_workers(self) -> HostsLeft:
        # In this order: what a worker that has ended noted is known then.
        alive = list(self._workers_at_work())
        self._take_notes()
        self._handout.offer()
        while self._given_back:
            host = self._given_back.pop()
            self.again.append(host)
            self.forget(host.name)
        for slot in set(self._slots).difference(alive) if self._not_taken else ():
            if self._is_replaced(slot):
                alive.append(slot)
        with self._lock:
            self._taken &= self.waiting
            at_work = {self._at[slot].name for slot in alive if slot in self._at}
            left = dict.fromkeys(self._taken - at_work, KILLED)
            if not alive:
                left |= {self.hosts[number].name: NOT_STARTED for number in self._not_taken}
        return left

    def _give_up(self, left: HostsLeft) -> Outcomes:
        # Until 2.15 a worker sends results from a thread: if it is killed, the last are lost.
        self.again += [self._done[name] for name in left if name in self._done]
        yield from ((name, why) for name, why in left.items() if name not in self._done)

    def _is_replaced(self, slot: int) -> bool:
        """Start another worker in place of one that was killed. Return whether that is done."""
        worker = self.strategy._workers[slot]
        # One that ended by itself found no more hosts.
        if not worker or not worker.exitcode or not self._replacements_left:
            return False
        self._replacements_left -= 1
        self._at.pop(slot, None)
        return self._start_worker(slot)

    def _take_notes(self) -> None:
        """Learn what workers took and began, and send the events about it before any others."""
        with self._lock:
            for slot, number, step in self._handout.notes():
                host = self.hosts[number]
                if step is Step.TAKES:
                    self._not_taken.discard(number)
                    self._taken.add(host.name)
                    if slot in self._at:
                        self._done[self._at[slot].name] = self._at[slot]
                    self._at[slot] = host
                elif step is Step.GIVES_BACK:
                    self._given_back.append(host)
                else:
                    start = "v2_runner_on_start"
                    self.job.run.manager.send_callback(start, host, self.job.task)

    def _pause(self) -> None:
        """Wait until a worker begins with a host or ends, but not for long."""
        ends = [worker.sentinel for worker in self._workers_at_work().values()]
        connection.wait([self._handout.fileno(), *ends], POLL)

    def _workers_at_work(self) -> dict[int, BaseProcess]:
        """Return the workers that are alive, by their slots."""
        workers = enumerate(self.strategy._workers)
        return {slot: worker for slot, worker in workers if worker and worker.is_alive()}
