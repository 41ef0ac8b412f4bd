# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads the beginning of a file, to know whether it is a report, and of which time."""

from __future__ import annotations

import calendar
import os
import re
import stat
import time

from .document import TIME

# The lines with which a report begins as it is written, and that with its time.
_FIRST_LINES = re.compile(rb'\{\n "format": \d+,\n "precheck": "[^"\n]*",\n')
_STARTED = re.compile(rb'^ "started": "([0-9TZ:-]+)",$', re.MULTILINE)
HEAD = 1 << 18  # bytes; a command line may be that long


def started_at(path: str) -> int | None:
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
