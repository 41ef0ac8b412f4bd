# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All that Precheck patches in ansible-core, and why. Each function installs one patch.

- ``wrap_run``: a callback sees a play begin, but cannot end it. So the strategy class that the play
  names gets another ``run``, for the rest of the process: classes are shared by all plays.
- ``before_each_task``: no event says that a play goes on to a host that was to be left
  alone. So the strategy instance, which serves one batch, gets another ``_queue_task``, for that
  batch.
- ``before_each_step``: nor does an event say to which task the hosts of a batch have come under
  linear, before the first of them begins it. So a strategy instance that is linear gets another
  ``_get_next_task_lockstep``, for that batch.
- ``at_the_end``: ``v2_playbook_on_stats`` is the last event of a playbook, and callbacks print the
  recap then. To print after it, TaskQueueManager gets another ``send_callback``. A program that
  runs plays by itself may not send that event. So TaskQueueManager gets another ``cleanup``, too.
- ``add_hosts_to_retry``: PlaybookExecutor writes the failed hosts to the retry file, and ends its
  loop over batches by their number. So it gets another ``_generate_retry_inventory``, for the rest
  of the process.
- ``before_each_play``: PlaybookExecutor counts the hosts that fail in a play, to end its loop over
  batches. What must not count has to fail before, and nothing says that a play is about to begin.
  So InventoryManager gets another ``remove_restriction``, which is the first call of each play.
- ``results_are_events``: callbacks are to get the verdict and the remedy, whatever the module of a
  check returned, and not its facts. Since 2.19 the default callback prints the error of each failed
  host with the lines around its origin, which is the policy. So TaskQueueManager gets another
  ``send_callback`` during the checks.
- ``only_news``: hosts that do not answer are checked again every few seconds. Callbacks are not to
  hear of each attempt. So TaskQueueManager gets another ``send_callback`` meanwhile.
- ``results_are_counted``: the default callback prints lines for each host, which scroll away what
  matters. So this one callback gets other methods during the checks.
- ``facts_go_to``: facts that a check's task returns are no facts of the play, and must not get
  into a fact cache; those that rules ask for are theirs alone. So VariableManager gets another
  ``set_host_facts`` during the checks.
- ``stopped_time_is_free``: until 2.18 ``Ctrl-Z`` also stops the workers, and the time limits of
  their tasks run on. So TaskExecutor gets another ``signal.alarm`` during the checks.
- ``without_warnings``: what ansible-core warns about when a play begins, it must not warn about
  when the guard looks ahead. So Display gets another ``warning`` and ``deprecated`` meanwhile.
- ``clock_stands_at``: a case of a policy's test has a time of its own. So ``now`` and ``strftime``
  of templates get another clock meanwhile.
- ``before_each_callback``: ansible-core sends the events of a host in order. If workers take hosts
  by themselves, their results may come before the control process knows that they took them. So
  TaskQueueManager gets another ``send_callback`` while they work.
- ``replace_run``: ``ansible-precheck explain`` runs no play. It gives strategy classes another
  ``run``, in a process that ends afterwards.

One more is in ``cli.commands.explain``, which has to load before ansible-core can find this
collection: the TaskQueueManager that PlaybookExecutor makes.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import os
import signal
import sys
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FrameType, SimpleNamespace
from typing import Any, Optional

from ansible.executor import task_executor
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.playbook_executor import PlaybookExecutor
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.host import Host
from ansible.inventory.manager import InventoryManager
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase
from ansible.plugins.strategy import StrategyBase
from ansible.plugins.strategy.linear import StrategyModule as LinearStrategy
from ansible.utils.display import Display
from ansible.vars.manager import VariableManager

from .. import compat

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


def at_the_end(manager: TaskQueueManager, act: Callable[[], None]) -> None:
    """Call ``act`` once: after the last callback has had the last event of the playbook.

    Without that event, call it after ``manager`` has cleaned up, and without that, when ``manager``
    or Python ends. ``act`` must not refer to ``manager``.
    """
    process = os.getpid()

    def act_in_this_process() -> None:
        if os.getpid() == process:  # workers have a copy of everything
            act()

    act_once = weakref.finalize(manager, act_in_this_process)
    send_callback = manager.send_callback
    cleanup: Callable[[], None] = manager.cleanup

    def send_callback_and_act(method_name: str, *args: Any, **kwargs: Any) -> None:
        send_callback(method_name, *args, **kwargs)
        if method_name == "v2_playbook_on_stats":
            act_once()

    def clean_up_and_act() -> None:
        try:
            cleanup()
        finally:
            act_once()

    manager.send_callback = send_callback_and_act
    manager.cleanup = clean_up_and_act  # type: ignore[method-assign]


_hosts_to_retry: weakref.WeakKeyDictionary[TaskQueueManager | None, frozenset[str]] = (
    weakref.WeakKeyDictionary()
)


def add_hosts_to_retry(manager: TaskQueueManager, names: Iterable[str]) -> None:
    """Add the hosts of these names to the retry file of the run of ``manager``, if there is one."""
    _hosts_to_retry[manager] = _hosts_to_retry.get(manager, frozenset()).union(names)
    generate: Callable[..., bool] = PlaybookExecutor._generate_retry_inventory
    if hasattr(generate, "complete"):
        return

    @functools.wraps(generate)
    def generate_complete(self: PlaybookExecutor, path: str, names: Iterable[str]) -> bool:
        more = _hosts_to_retry.get(self._tqm, frozenset())
        return generate(self, path, sorted(more.union(names)))

    generate_complete.complete = True  # type: ignore[attr-defined] # functions take any attribute
    PlaybookExecutor._generate_retry_inventory = generate_complete  # type: ignore[method-assign]


def before_each_play(inventory: InventoryManager, act: Callable[[], None]) -> None:
    """Call ``act`` before PlaybookExecutor begins a play, and counts the hosts that failed."""
    remove_restriction: Callable[[], None] = inventory.remove_restriction

    def act_and_remove_restriction() -> None:
        act()
        remove_restriction()

    inventory.remove_restriction = act_and_remove_restriction  # type: ignore[method-assign]


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Drop warnings. Those that come again later are then printed."""
    display: Any = Display()
    for name in ("warning", "deprecated"):
        setattr(display, name, lambda *args, **kwargs: None)
    try:
        yield
    finally:
        for name in ("warning", "deprecated"):
            delattr(display, name)


@contextlib.contextmanager
def clock_stands_at(moment: datetime.datetime) -> Iterator[None]:
    """Let templates find it to be this moment, which is in a time zone."""

    class Stopped(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return moment.astimezone(tz) if tz else moment.astimezone().replace(tzinfo=None)

        @classmethod
        def utcnow(cls) -> Any:  # until 2.15
            return cls.now(datetime.timezone.utc).replace(tzinfo=None)

    def by(convert: Callable[[float], time.struct_time]) -> Callable[..., time.struct_time]:
        return lambda seconds=None: convert(moment.timestamp() if seconds is None else seconds)

    dates = SimpleNamespace(**{**vars(datetime), "datetime": Stopped})
    clock = {"time": moment.timestamp, "localtime": by(time.localtime), "gmtime": by(time.gmtime)}
    # ansible-core has a module of its own for the plugins in a file.
    filters: dict[str, Any] = compat.filter_function("strftime").__globals__
    changes = [(filters, "time", SimpleNamespace(**{**vars(time), **clock}))]
    modules = [vars(sys.modules[name]) for name in _WITH_NOW & {*sys.modules}]
    changes += [(names, "datetime", dates) for names in modules if "datetime" in names]
    before = [(names, name, names[name]) for names, name, _value in changes]
    for names, name, value in changes:
        names[name] = value
    try:
        yield
    finally:
        for names, name, value in before:
            names[name] = value


# Where ``now`` is: until 2.18, and since 2.19.
_WITH_NOW = {"ansible.template", "ansible._internal._templating._jinja_plugins"}


@contextlib.contextmanager
def facts_go_to(
    manager: VariableManager, take: Callable[[str, Mapping[str, Any]], None]
) -> Iterator[None]:
    """Give ``take`` the facts that tasks return, with the names of their hosts."""
    before: Callable[..., None] = manager.set_host_facts
    manager.set_host_facts = take  # type: ignore[method-assign]
    try:
        yield
    finally:
        manager.set_host_facts = before  # type: ignore[method-assign]


@contextlib.contextmanager
def stopped_time_is_free() -> Iterator[None]:
    """Let time limits of tasks not count the time for which their workers are stopped.

    Since 2.19 workers have process groups of their own, and what stops this one leaves them alone.
    """
    if not hasattr(task_executor, "task_timeout"):  # since 2.19
        yield
        return
    others = {name: value for name, value in vars(signal).items() if name != "alarm"}
    task_executor.signal = SimpleNamespace(alarm=_alarm, **others)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        task_executor.signal = signal  # type: ignore[attr-defined]


def _alarm(seconds: int) -> None:
    """Do as signal.alarm, in steps of a second. All that a process misses while stopped are one."""
    signal.alarm(0)
    handler = signal.getsignal(signal.SIGALRM)
    if not seconds or not callable(handler):
        return
    steps_left = seconds

    def step(number: int, frame: FrameType | None) -> None:
        nonlocal steps_left
        steps_left -= 1
        if steps_left <= 0:
            signal.alarm(0)
            handler(number, frame)

    signal.signal(signal.SIGALRM, step)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)


@contextlib.contextmanager
def results_are_events(
    manager: TaskQueueManager,
    event_of: Callable[[Any], Mapping[str, Any]],
    private: Sequence[str],
) -> Iterator[None]:
    """Let callbacks see results with what ``event_of`` makes of them.

    They are without errors that are printed, without facts, and without the ``private`` keys.
    """
    send_callback = manager.send_callback

    def send_events(method_name: str, *args: Any, **kwargs: Any) -> None:
        if method_name.startswith("v2_runner_") and method_name != "v2_runner_on_start":
            compat.drop_from_result(args[0], ("exception", "ansible_facts"))
            if method_name in _ENDS:
                args = (compat.with_keys(args[0], event_of(args[0]), private), *args[1:])
        send_callback(method_name, *args, **kwargs)

    manager.send_callback = send_events
    try:
        yield
    finally:
        manager.send_callback = send_callback


@contextlib.contextmanager
def only_news(manager: TaskQueueManager, is_news: Callable[[Any], bool]) -> Iterator[None]:
    """Let callbacks hear of a task on a host only if its result ``is_news``."""
    send_callback = manager.send_callback
    tasks: list[Callable[[], None]] = []  # at most one, which callbacks have not heard of
    starts: dict[str, Callable[[], None]] = {}  # the beginning of the task, by host

    def send_news(method_name: str, *args: Any, **kwargs: Any) -> None:
        send = functools.partial(send_callback, method_name, *args, **kwargs)
        if method_name == "v2_playbook_on_task_start":
            tasks[:] = [send]
        elif method_name == "v2_runner_on_start":
            starts[args[0].name] = send
        elif method_name not in (*_ENDS, *_ITEMS) or is_news(args[0]):
            name = compat.host_and_result(args[0])[0] if method_name in _ENDS else ""
            start = starts.pop(name, None)
            for one in (*tasks, *filter(None, [start])):
                one()
            tasks.clear()
            send()

    manager.send_callback = send_news
    try:
        yield
    finally:
        manager.send_callback = send_callback


_ENDS = (
    "v2_runner_on_ok",
    "v2_runner_on_failed",
    "v2_runner_on_skipped",
    "v2_runner_on_unreachable",
)
_ITEMS = ("v2_runner_item_on_ok", "v2_runner_item_on_failed", "v2_runner_item_on_skipped")


@contextlib.contextmanager
def results_are_counted(
    callback: CallbackBase, count: Callable[[Any], None], begin: Callable[[], None]
) -> Iterator[None]:
    """Call ``count`` with the result of each host, and ``begin`` before a task, for ``callback``.

    It goes on to get the tasks, and gets no results.
    """
    start_task: Callable[..., None] = callback.v2_playbook_on_task_start

    def begin_and_start_task(*args: Any, **kwargs: Any) -> None:
        begin()
        start_task(*args, **kwargs)

    methods: dict[str, Callable[..., None]] = {
        **dict.fromkeys(_ENDS, lambda result, **_options: count(result)),
        **dict.fromkeys(_ITEMS, lambda result: None),
        "v2_playbook_on_task_start": begin_and_start_task,
    }
    for name, method in methods.items():
        setattr(callback, name, method)
    try:
        yield
    finally:
        for name in methods:
            delattr(callback, name)


@contextlib.contextmanager
def before_each_callback(manager: TaskQueueManager, act: Callable[[], None]) -> Iterator[None]:
    """Call ``act`` before callbacks get an event, unless that says that a task starts on a host."""
    send_callback = manager.send_callback

    def act_and_send_callback(method_name: str, *args: Any, **kwargs: Any) -> None:
        if method_name != "v2_runner_on_start":
            act()
        send_callback(method_name, *args, **kwargs)

    manager.send_callback = act_and_send_callback
    try:
        yield
    finally:
        manager.send_callback = send_callback
