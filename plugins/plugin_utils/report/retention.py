# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removes old reports, and never anything else."""

from __future__ import annotations

import calendar
import contextlib
import os
import re
import stat
import time

from ..errors import PrecheckError
from .document import TIME

# The lines with which a report begins as it is written, and that with its time.
_FIRST_LINES = re.compile(rb'\{\n "format": \d+,\n "precheck": "[^"\n]*",\n')
_STARTED = re.compile(rb'^ "started": "([0-9TZ:-]+)",$', re.MULTILINE)
HEAD = 1 << 18  # bytes; a command line may be that long


def remove_old_reports(pattern: str, path: str, keep: int) -> None:
    """Keep the report at ``path`` and the newest others, ``keep`` in all, and remove the rest.

    They are files in the same directory, named by ``pattern`` after the times at which their runs
    started. Raises PrecheckError with the path of one that cannot be removed.
    """
    path = os.path.abspath(path)
    directory = os.path.dirname(path)
    others = []
    for name in os.listdir(directory):
        file = os.path.join(directory, name)
        started = _started(file)
        if file != path and started is not None and _named(pattern, started) == file:
            others.append((started, file))
    others.sort(reverse=True)
    for _when, file in others[keep - 1 :]:
        try:
            # Another run may do the same.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file)
        except OSError as ex:
            raise PrecheckError(f"{file}: {ex.strerror}") from None


def _named(pattern: str, started: int) -> str:
    return os.path.abspath(time.strftime(pattern, time.gmtime(started)))


def _started(path: str) -> int | None:
    """Return when the run of a report started, in seconds since 1970; None if it is no report."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except OSError:
        return None
    found = _STARTED.search(head) if _FIRST_LINES.match(head) else None
    if not found:
        return None
    try:
        return calendar.timegm(time.strptime(found[1].decode(), TIME))
    except ValueError:
        return None
