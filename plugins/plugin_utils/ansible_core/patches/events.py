# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Patches of what callbacks get while hosts are checked.

- ``results_are_events``: callbacks are to get the verdict and the remedy, whatever the module of a
  check returned, and not its facts. Since 2.19 the default callback prints the error of each failed
  host with the lines around its origin, which is the policy. So TaskQueueManager gets another
  ``send_callback`` during the checks.
- ``only_news``: hosts that do not answer are checked again every few seconds. Callbacks are not to
  hear of each attempt. So TaskQueueManager gets another ``send_callback`` meanwhile.
- ``results_are_counted``: the default callback prints lines for each host, which scroll away what
  matters. So this one callback gets other methods during the checks.
- ``before_each_callback``: ansible-core sends the events of a host in order. If workers take hosts
  by themselves, their results may come before the control process knows that they took them. So
  TaskQueueManager gets another ``send_callback`` while they work.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.plugins.callback import CallbackBase

from ... import compat

_ENDS = (
    "v2_runner_on_ok",
    "v2_runner_on_failed",
    "v2_runner_on_skipped",
    "v2_runner_on_unreachable",
)
_ITEMS = ("v2_runner_item_on_ok", "v2_runner_item_on_failed", "v2_runner_item_on_skipped")


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
