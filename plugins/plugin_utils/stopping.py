# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a run ends before its play begins. Internals of ansible-core."""

from __future__ import annotations

import contextlib
import fcntl
import multiprocessing
import os
import signal
import stat
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from glob import glob
from types import FrameType
from typing import Any, TextIO

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.host import Host
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.strategy import StrategyBase
from ansible.utils.display import Display
from ansible.utils.path import cleanup_tmp_file

from . import compat
from .plays import preparation

display = Display()


def stop(tqm: TaskQueueManager, iterator: PlayIterator, batch: list[Host]) -> None:
    """Make PlaybookExecutor.run end the run after this batch.

    RUN_FAILED_BREAK_PLAY ends its loop over plays. The loop over batches ends only when as many hosts have newly
    failed or become unreachable as the batch has: so each host of the batch is counted once, and one that failed in
    an earlier play by the list in which it is not yet.
    """
    for host in batch:
        if iterator.is_failed(host):
            tqm._unreachable_hosts[host.name] = True
        else:
            iterator.mark_host_failed(host)


def tell_at_the_end(tqm: TaskQueueManager, text: str, stdout: bool = False) -> None:
    """Print ``text`` after the last callback has had its say, so that no recap pushes it out of sight: to stderr, so that
    stdout stays what the stdout callback makes it, or to ``stdout`` where it is what the run is for.
    """
    send_callback = tqm.send_callback

    def send_and_tell(method_name: str, *args: Any, **kwargs: Any) -> None:
        send_callback(method_name, *args, **kwargs)
        if method_name == "v2_playbook_on_stats":
            tqm.send_callback = send_callback  # there may be another playbook, with a recap of its own
            # Display leaves it to the end of the run, which would be after this when both go to one file.
            with contextlib.suppress(OSError):  # a full disk, say: the reason must come out all the same
                sys.stdout.flush()
                _let_it_be_read(sys.stdout)
            display.display(text, **({} if stdout else {"color": C.COLOR_ERROR, "stderr": True}))

    tqm.send_callback = send_and_tell


def _let_it_be_read(stream: TextIO) -> None:
    """Wait until a pipe is empty, but not for long. ansible-pull reads its command's stdout and stderr by ten bytes in turns,
    and would put what comes next between the pieces of what is in the pipe.
    """
    number = stream.fileno()
    for _attempt in range(200 if stat.S_ISFIFO(os.fstat(number).st_mode) else 0):
        if not int.from_bytes(fcntl.ioctl(number, termios.FIONREAD, bytes(4)), sys.byteorder):
            break
        time.sleep(0.01)


def _may_hold(conditions: Iterable[str | bool], variables: dict[str, Any], loader: DataLoader) -> bool:
    try:
        return all(compat.holds(condition, variables, loader) for condition in conditions)
    except compat.TemplateError:
        return True


def refuse(strategy: StrategyBase, iterator: PlayIterator, unasked: set[str]) -> None:
    """End the run with an error when the play goes on to do something on a host that was left unasked.

    It would when a condition turns out otherwise after all, or when ``meta: clear_host_errors`` brings a host back that
    was unreachable in an earlier play.
    """
    if not unasked:
        return
    preparing = {task._uuid for task in preparation(iterator)}
    imported_when = iterator._play._included_conditional
    queue_task: Callable[..., None] = strategy._queue_task

    def queue_unless_unasked(host: Host, task: Task, task_vars: dict[str, Any], play_context: PlayContext) -> None:
        refused = host.name in unasked and task._uuid not in preparing
        # While the import's condition does not hold, each task is queued, and then skipped by its own condition.
        if refused and _may_hold(imported_when or (), task_vars, strategy._loader):
            raise AnsibleError(
                f"Precheck stopped the run before the task '{task.get_name()}' ({task.get_path()}) on {host.name}: the host"
                " was not checked, as the play was not to do anything on it."
            )
        queue_task(host, task, task_vars, play_context)

    strategy._queue_task = queue_unless_unasked  # type: ignore[method-assign] # of this instance, for this batch


@contextlib.contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Let SIGINT and SIGTERM, while hosts are asked, end the workers and all that these have started (ssh, say), and at SIGTERM
    take away the temporary files, before they do what they did.

    ansible-core ends at SIGTERM without that, and tells its workers of a signal since 2.19 only.
    """
    if threading.current_thread() is not threading.main_thread():  # Python lets no other handle signals
        yield
        return
    main = os.getpid()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # A signal that is ignored stays ignored. One whose handler is not Python's (None) could not be put back.
    before = {number: handler for number, handler in handlers.items() if handler not in (signal.SIG_IGN, None)}

    def end(number: int, frame: FrameType | None) -> None:
        is_worker = os.getpid() != main  # it begins with the handlers of this process, and before 2.19 it keeps them
        signal.signal(number, signal.SIG_DFL if is_worker else before[signal.Signals(number)])
        if not is_worker:
            _end_workers()
            if number == signal.SIGTERM:
                cleanup_tmp_file(C.DEFAULT_LOCAL_TMP)
        os.kill(os.getpid(), number)

    try:
        for number in before:
            signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_workers() -> None:
    workers = multiprocessing.active_children()
    families = _families()
    processes = [worker.pid for worker in workers if worker.pid]
    for process in processes:  # grows by the children of each
        processes += families.get(process, ())
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGTERM)
    for worker in workers:
        worker.join(1)


def _families() -> dict[int, list[int]]:
    """Return the ids of processes by that of their parent. Systems other than Linux do not tell them here."""
    families: dict[int, list[int]] = {}
    for path in glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            parent = file.read().rpartition(")")[2].split()[1]  # what comes before is a name, of any characters
            families.setdefault(int(parent), []).append(int(path.split("/")[2]))
    return families
