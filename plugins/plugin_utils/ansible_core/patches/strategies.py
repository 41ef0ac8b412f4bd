# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Patches of strategies: around a play, and before its steps and tasks.

- ``wrap_run``: a callback sees a play begin, but cannot end it. So the strategy class that the play
  names gets another ``run``, for the rest of the process: classes are shared by all plays.
- ``before_each_task``: no event says that a play goes on to a host that was to be left
  alone. So the strategy instance, which serves one batch, gets another ``_queue_task``, for that
  batch.
- ``before_each_step``: nor does an event say to which task the hosts of a batch have come under
  linear, before the first of them begins it. So a strategy instance that is linear gets another
  ``_get_next_task_lockstep``, for that batch.
- ``replace_run``: ``ansible-precheck explain`` runs no play. It gives strategy classes another
  ``run``, in a process that ends afterwards.

One more patch for it is in ``cli.commands.explain``, which has to load before ansible-core can find
this collection: the TaskQueueManager that PlaybookExecutor makes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Optional

from ansible.executor.play_iterator import PlayIterator
from ansible.inventory.host import Host
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.strategy import StrategyBase
from ansible.plugins.strategy.linear import StrategyModule as LinearStrategy

# Takes the strategy, the iterator, and what runs the play unguarded; returns what that returns.
Guard = Callable[[StrategyBase, PlayIterator, Callable[[], int]], int]
HostAndTask = tuple[Host, Optional[Task]]  # until 2.16 there is no task for a host at its end


def wrap_run(strategy: type[StrategyBase], guard: Guard) -> None:
    """Let ``guard`` run the plays of a strategy class, unless it does already."""
    if hasattr(strategy.run, "guarded"):
        return
    run = strategy.run

    @functools.wraps(run)
    def guarded_run(self: StrategyBase, iterator: PlayIterator, *args: Any, **kwargs: Any) -> int:
        return guard(self, iterator, functools.partial(run, self, iterator, *args, **kwargs))

    guarded_run.guarded = True  # type: ignore[attr-defined] # functions take any attribute
    strategy.run = guarded_run  # type: ignore[method-assign]


def replace_run(
    strategy: type[StrategyBase], run: Callable[[StrategyBase, PlayIterator], int]
) -> None:
    """Let ``run`` run the plays of a strategy class."""

    def other_run(self: StrategyBase, iterator: PlayIterator, play_context: PlayContext) -> int:
        return run(self, iterator)

    strategy.run = other_run  # type: ignore[method-assign, assignment]


def before_each_task(
    strategy: StrategyBase, act: Callable[[Host, Task, dict[str, Any]], None]
) -> None:
    """Call ``act`` with the host, the task and its variables before ``strategy`` queues a task."""
    queue_task: Callable[..., None] = strategy._queue_task

    def act_and_queue_task(
        host: Host, task: Task, task_vars: dict[str, Any], play_context: PlayContext
    ) -> None:
        act(host, task, task_vars)
        queue_task(host, task, task_vars, play_context)

    strategy._queue_task = act_and_queue_task  # type: ignore[method-assign]


def before_each_step(strategy: StrategyBase, act: Callable[[Iterable[HostAndTask]], None]) -> None:
    """Call ``act`` with the hosts and their next tasks before a linear ``strategy`` queues these.

    Nothing is under way then. Other strategies go on to a task host by host.
    """
    if not isinstance(strategy, LinearStrategy):
        return
    next_tasks: Callable[..., Any] = strategy._get_next_task_lockstep

    def next_tasks_after_acting(*args: Any, **kwargs: Any) -> Any:
        hosts_and_tasks = next_tasks(*args, **kwargs)
        if strategy._pending_results == 0:
            act(hosts_and_tasks)
        return hosts_and_tasks

    strategy._get_next_task_lockstep = next_tasks_after_acting  # type: ignore[method-assign]
