# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prints on how many hosts a check passed, in place of lines for each."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ansible import constants as C
from ansible.playbook.task import Task
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.utils.display import Display

from ... import compat
from ...text import count_of
from ...verdict import NOT_READY, READY, STATES, UNVERIFIED, State
from ..patches.events import results_are_counted
from ..run import PlayRun

display = Display()

_LABELS: Mapping[State, str] = {READY: "ok", NOT_READY: "not ready", UNVERIFIED: "unverified"}
_COLORS: Mapping[State, str] = {READY: C.COLOR_OK, NOT_READY: C.COLOR_ERROR}


@contextlib.contextmanager
def tallied(run: PlayRun) -> Iterator[None]:
    """Let the default callback print how many hosts are ready, and not one line or more for each.

    The closing block names them by their reasons. With ``-v`` it prints what it prints of any task.
    Other callbacks get each host.
    """
    callback = compat.stdout_callback(run.manager)
    # Those that extend it may be for programs.
    if display.verbosity or not callback or callback.__class__ != DefaultCallback:
        yield
        return
    tally = _Tally(callback)
    with results_are_counted(callback, tally.count, tally.print):
        try:
            yield
        finally:
            tally.print()


class _Tally:
    """Counts the hosts of one task after the other."""

    def __init__(self, callback: DefaultCallback) -> None:
        self._callback = callback
        self._states: Counter[str] = Counter()
        self._task: Task | None = None

    def count(self, task_result: Any) -> None:
        self._task = compat.task_of(task_result)
        _name, result = compat.host_and_result(task_result)
        self._states[str(result.get("verdict"))] += 1

    def print(self) -> None:
        """Print how many hosts the task has had, and forget them."""
        shown = [state for state in STATES if self._states[state] and self._is_shown(state)]
        if shown and self._task:
            # Under free, or without ok hosts, the callback prints the name with the first result.
            # Whatever cannot be printed, as stdout is closed, say, must not end the run.
            with contextlib.suppress(AttributeError, OSError, ValueError):
                if self._callback._last_task_banner != self._task._uuid:
                    self._callback._print_task_banner(self._task)
            with contextlib.suppress(AttributeError, OSError, ValueError):
                for state in shown:
                    text = f"{_LABELS[state]}: {count_of(self._states[state], 'host')}"
                    display.display(text, color=_COLORS.get(state, C.COLOR_UNREACHABLE))
        self._states.clear()

    def _is_shown(self, state: State) -> bool:
        return state != READY or bool(self._callback.get_option("display_ok_hosts"))
