# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removes old reports, and never anything else."""

from __future__ import annotations

import contextlib
import os
import time

from ..errors import PrecheckError
from .beginning import started_at


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
        started = started_at(file)
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
