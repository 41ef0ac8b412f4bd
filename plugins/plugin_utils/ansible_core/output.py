# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the guard prints: after the recap, so that nothing pushes its words out of sight."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import sys
import termios
import time
from collections.abc import Sequence
from typing import Optional, TextIO

from ansible import constants as C
from ansible.utils.display import Display

from .patches.runs import at_the_end
from .run import PlayRun

display = Display()

READER_DELAY = 2.0  # seconds that a reader of stdout gets
POLL = 0.01  # seconds


ColoredText = tuple[str, Optional[str]]


def print_errors_at_the_end(run: PlayRun, texts: Sequence[ColoredText]) -> None:
    """Print ``texts`` to stderr, so that stdout stays what the stdout callback makes it.

    If only stdout goes into a file or a pipe, as with ``| tee log``, print them there too: the log
    must say what to do. This is for output that people read, and not for that of other callbacks.
    """

    def print_all() -> None:
        try:
            for text, color in texts:
                _print(text, color=color, stderr=True)
            is_lost = False
        except OSError:  # the disk of stderr is full, say
            is_lost = True
        if is_lost or (_only_stdout_is_kept() and C.DEFAULT_STDOUT_CALLBACK in _FOR_PEOPLE):
            for text, _color in texts:
                display.display(text, screen_only=True)  # a log file has it already

    at_the_end(run.manager, print_all)


_FOR_PEOPLE = ("default", "ansible.builtin.default", "minimal", "ansible.builtin.minimal")


def _only_stdout_is_kept() -> bool:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # a stream is closed, say
        return sys.stderr.isatty() and not sys.stdout.isatty()
    return False


def print_at_the_end(run: PlayRun, text: str) -> None:
    """Print ``text`` to stdout: it is what the run is for."""
    at_the_end(run.manager, lambda: _print(text))


def _print(text: str, color: str | None = None, stderr: bool = False) -> None:
    # Display flushes stdout only at the end of the run: this would come first if both go to one
    # file.
    # The reason must come out all the same if the disk is full or stdout is closed, say.
    with contextlib.suppress(OSError, ValueError):
        if sys.stdout is not None:  # Python has none if it was closed when it began
            sys.stdout.flush()
            _wait_for_the_reader(sys.stdout)
    display.display(text, color=color, stderr=stderr)


def _wait_for_the_reader(stream: TextIO) -> None:
    """Wait until a pipe is empty, but not for long.

    ansible-pull reads stdout and stderr of its command in turns, ten bytes each, and would put what
    comes next between the pieces of what is in the pipe.
    """
    number = stream.fileno()
    if not stat.S_ISFIFO(os.fstat(number).st_mode):
        return
    for _attempt in range(round(READER_DELAY / POLL)):
        unread = fcntl.ioctl(number, termios.FIONREAD, bytes(4))
        if not int.from_bytes(unread, sys.byteorder):
            break
        time.sleep(POLL)
