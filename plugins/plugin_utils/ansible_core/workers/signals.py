# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a signal that ends the run leaves behind while hosts are checked: nothing."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from glob import glob
from types import FrameType

from ansible import constants as C
from ansible.utils.path import cleanup_tmp_file


@contextlib.contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Let SIGINT and SIGTERM end the workers, and all that these have started (ssh, say).

    SIGTERM also removes the temporary files. Then the signals do what they did. ansible-core ends
    at SIGTERM without that, and passes signals on to its workers since 2.19 only.
    """
    # Python lets no other thread handle signals.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    main = os.getpid()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # A signal that is ignored stays ignored. A handler that is not Python's (None) cannot be put
    # back.
    replaced = {
        number: handler
        for number, handler in handlers.items()
        if handler not in (signal.SIG_IGN, None)
    }

    def end(number: int, frame: FrameType | None) -> None:
        # A worker begins with the handlers of this process, and until 2.18 it keeps them.
        is_worker = os.getpid() != main
        signal.signal(number, signal.SIG_DFL if is_worker else replaced[signal.Signals(number)])
        if not is_worker:
            _end_workers()
            if number == signal.SIGTERM:
                cleanup_tmp_file(C.DEFAULT_LOCAL_TMP)
        os.kill(os.getpid(), number)

    try:
        for number in replaced:
            signal.signal(number, end)
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def handlers_stay() -> Iterator[None]:
    """Put the handlers of this process back if a worker is started meanwhile.

    From 2.19.0 to 2.19.3 the start of each worker replaces them by one for this worker only.
    """
    is_main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if is_main else ()
    handlers = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if handler is not None:
                signal.signal(number, handler)


def _end_workers() -> None:
    workers = multiprocessing.active_children()
    children = _children_by_process()
    processes = [worker.pid for worker in workers if worker.pid]
    for process in processes:  # grows by the children of each
        processes += children.get(process, ())
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGTERM)
    for worker in workers:
        worker.join(1)


def _children_by_process() -> dict[int, list[int]]:
    """Return the ids of the children of each process. Only Linux has /proc."""
    children: dict[int, list[int]] = {}
    for path in glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            # What comes before the last parenthesis is a name, of any characters.
            parent = file.read().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(path.split("/")[2]))
    return children
