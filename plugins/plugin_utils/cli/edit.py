# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows what is to be changed in an ansible.cfg, asks, and writes it."""

from __future__ import annotations

import contextlib
import difflib
import os
import stat
import sys
from collections.abc import Callable
from typing import Optional

from ansible import constants as C
from ansible.utils.display import Display

from ..errors import PrecheckError
from ..ini import lines_of
from ..report.files import write_atomically

display = Display()

NAME = "ansible.cfg"


# From a text to another one. None stands for no file.
Change = Callable[[Optional[str]], Optional[str]]


def edit(directory: str, change: Change, yes: bool) -> bool:
    """Change the ansible.cfg of a directory; return whether it is as wanted now.

    ``yes`` answers the question. Raises PrecheckError.
    """
    if not os.path.isdir(directory):
        raise PrecheckError(f"there is no directory {directory}")
    # A link stays a link.
    path = os.path.realpath(os.path.join(directory, NAME))
    before = _text(path)
    after = _changed(path, before, change)
    if before == after:
        display.display(f"{path}: nothing is to be changed", screen_only=True)
        return True
    if before is None and C.CONFIG_FILE and os.getcwd() == os.path.realpath(directory):
        text = f"ansible-core will read {path} in the place of {C.CONFIG_FILE}"
        display.warning(text)
    for line in _diff(path, before, after):
        display.display(line, color=_COLORS.get(line[0]), screen_only=True)
    if not (yes or _agreed()):
        display.display("Nothing was changed.", screen_only=True)
        return False
    _write(path, after)
    return True


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as ex:
        raise PrecheckError(f"{path}: {ex.strerror}") from None
    except ValueError:
        raise PrecheckError(f"{path} is not text in UTF-8") from None


def _changed(path: str, before: str | None, change: Change) -> str | None:
    try:
        return change(before)
    except PrecheckError as ex:
        raise PrecheckError(f"{path}: {ex}") from None


_COLORS = {"-": C.COLOR_DIFF_REMOVE, "+": C.COLOR_DIFF_ADD, "@": C.COLOR_DIFF_LINES}


def _diff(path: str, before: str | None, after: str | None) -> list[str]:
    old, new = (path if text is not None else os.devnull for text in (before, after))
    lines = []
    for line in difflib.unified_diff(lines_of(before or ""), lines_of(after or ""), old, new, n=2):
        lines.append(line.rstrip("\r\n"))
        if not line.endswith("\n"):
            lines.append("\\ No newline at end of file")
    return lines


def _agreed() -> bool:
    if not sys.stdin.isatty():
        display.display("There is no terminal to ask on: --yes makes the change.", screen_only=True)
        return False
    with contextlib.suppress(EOFError):
        return input("Make this change? [y/N] ").strip().lower() in ("y", "yes")
    return False


def _write(path: str, text: str | None) -> None:
    if text is None:
        try:
            os.unlink(path)
        except OSError as ex:
            raise PrecheckError(f"{path}: {ex.strerror}") from None
        return
    try:
        old = os.stat(path)
    except OSError:
        write_atomically(path, text, 0o644)
        return
    write_atomically(path, text, stat.S_IMODE(old.st_mode))
    with contextlib.suppress(OSError):  # only root may give it back to another owner
        os.chown(path, old.st_uid, old.st_gid)
