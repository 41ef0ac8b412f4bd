# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Patches of what runs a playbook: before each of its plays, and at its end.

- ``before_each_play``: PlaybookExecutor counts the hosts that fail in a play, to end its loop over
  batches. What must not count has to fail before, and nothing says that a play is about to begin.
  So InventoryManager gets another ``remove_restriction``, which is the first call of each play.
- ``at_the_end``: ``v2_playbook_on_stats`` is the last event of a playbook, and callbacks print the
  recap then. To print after it, TaskQueueManager gets another ``send_callback``. A program that
  runs plays by itself may not send that event. So TaskQueueManager gets another ``cleanup``, too.
- ``add_hosts_to_retry``: PlaybookExecutor writes the failed hosts to the retry file, and ends its
  loop over batches by their number. So it gets another ``_generate_retry_inventory``, for the rest
  of the process.
"""

from __future__ import annotations

import functools
import os
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from ansible.executor.playbook_executor import PlaybookExecutor
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.manager import InventoryManager


def before_each_play(inventory: InventoryManager, act: Callable[[], None]) -> None:
    """Call ``act`` before PlaybookExecutor begins a play, and counts the hosts that failed."""
    remove_restriction: Callable[[], None] = inventory.remove_restriction

    def act_and_remove_restriction() -> None:
        act()
        remove_restriction()

    inventory.remove_restriction = act_and_remove_restriction  # type: ignore[method-assign]


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
