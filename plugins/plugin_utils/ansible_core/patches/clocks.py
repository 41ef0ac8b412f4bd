# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Patches of time: limits of tasks, and the clock of templates.

- ``stopped_time_is_free``: until 2.18 ``Ctrl-Z`` also stops the workers, and the time limits of
  their tasks run on. So TaskExecutor gets another ``signal.alarm`` during the checks.
- ``clock_stands_at``: a case of a policy's test has a time of its own. So ``now`` and ``strftime``
  of templates get another clock meanwhile.
"""

from __future__ import annotations

import contextlib
import datetime
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType, SimpleNamespace
from typing import Any

from ansible.executor import task_executor

from ... import templates


@contextlib.contextmanager
def stopped_time_is_free() -> Iterator[None]:
    """Let time limits of tasks not count the time for which their workers are stopped.

    Since 2.19 workers have process groups of their own, and what stops this one leaves them alone.
    """
    if not hasattr(task_executor, "task_timeout"):  # since 2.19
        yield
        return
    others = {name: value for name, value in vars(signal).items() if name != "alarm"}
    task_executor.signal = SimpleNamespace(alarm=_alarm, **others)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        task_executor.signal = signal  # type: ignore[attr-defined]


def _alarm(seconds: int) -> None:
    """Do as signal.alarm, in steps of a second. All that a process misses while stopped are one."""
    signal.alarm(0)
    handler = signal.getsignal(signal.SIGALRM)
    if not seconds or not callable(handler):
        return
    steps_left = seconds

    def step(number: int, frame: FrameType | None) -> None:
        nonlocal steps_left
        steps_left -= 1
        if steps_left <= 0:
            signal.alarm(0)
            handler(number, frame)

    signal.signal(signal.SIGALRM, step)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)


# Where ``now`` is: until 2.18, and since 2.19.
_WITH_NOW = {"ansible.template", "ansible._internal._templating._jinja_plugins"}


@contextlib.contextmanager
def clock_stands_at(moment: datetime.datetime) -> Iterator[None]:
    """Let templates find it to be this moment, which is in a time zone."""

    class Stopped(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return moment.astimezone(tz) if tz else moment.astimezone().replace(tzinfo=None)

        @classmethod
        def utcnow(cls) -> Any:  # until 2.15
            return cls.now(datetime.timezone.utc).replace(tzinfo=None)

    def by(convert: Callable[[float], time.struct_time]) -> Callable[..., time.struct_time]:
        return lambda seconds=None: convert(moment.timestamp() if seconds is None else seconds)

    dates = SimpleNamespace(**{**vars(datetime), "datetime": Stopped})
    clock = {"time": moment.timestamp, "localtime": by(time.localtime), "gmtime": by(time.gmtime)}
    # ansible-core has a module of its own for the plugins in a file.
    filters: dict[str, Any] = templates.filter_function("strftime").__globals__
    changes = [(filters, "time", SimpleNamespace(**{**vars(time), **clock}))]
    modules = [vars(sys.modules[name]) for name in _WITH_NOW & {*sys.modules}]
    changes += [(names, "datetime", dates) for names in modules if "datetime" in names]
    before = [(names, name, names[name]) for names, name, _value in changes]
    for names, name, value in changes:
        names[name] = value
    try:
        yield
    finally:
        for names, name, value in before:
            names[name] = value
