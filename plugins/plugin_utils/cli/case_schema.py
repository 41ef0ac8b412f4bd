# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which keys the mappings in a test file have, and of which types their values are."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from typing import Any

from ..policy import values
from ..policy.schema import IGNORED, Shape
from ..policy.values import ValueType, type_name
from ..text import Texts, did_you_mean
from ..verdict import STATES
from .case import PLACES
from .case_options import options_of

NOT_COVERED = "not covered"


def texts(value: Any) -> list[str]:
    """Return a list of texts, or a text as a list of one."""
    items = value if isinstance(value, list) else [value]
    return [values.text(item) for item in items]


def any_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, not {type_name(value)}")
    return value


def options(value: Any) -> str:
    options_of(values.text(value))
    return str(value)


def moment(value: Any) -> datetime.datetime:
    """Return a time in a time zone: that of this machine if the value has none."""
    try:
        time = (
            value
            if isinstance(value, datetime.datetime)
            else datetime.datetime.fromisoformat(value)
        )
    except (TypeError, ValueError):
        raise ValueError(f"expected a time, as in 2026-01-31 22:30:00, not {value!r}") from None
    return time.astimezone()


def _play(value: Any) -> Any:
    if not values.mapping(value):
        raise ValueError("expected at least the key playbook or name")
    return value


def _files(value: Any) -> Any:
    for name, text in values.mapping(value).items():
        if os.path.isabs(name) or ".." in name.split("/") or not os.path.basename(name):
            raise ValueError(f"expected the path of a file below the directory, not {name!r}")
        any_text(text)
    return value


def _stat(value: Any) -> Any:
    if "exists" not in values.mapping(value):
        raise ValueError("expected what the stat module returns, at least exists: true or false")
    return value


def status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 255:
        raise ValueError(f"expected a number from 0 to 255, not {value!r}")
    return value


def _reasons_of(known: Texts) -> ValueType:
    """Return the type of what names some of ``known``, or anything, perhaps with reasons."""

    def named(value: Any) -> Any:
        entries: Mapping[str, Any] = {}
        if isinstance(value, Mapping):
            entries = values.mapping(value)
        else:
            entries = dict.fromkeys(texts(value) if value != [] else [])
        for name, reasons in entries.items():
            if known and name not in known:
                raise ValueError(
                    f"expected {' or '.join(known)}, not {name!r}{did_you_mean(name, known)}"
                )
            if reasons is not None:
                texts(reasons)
        return value

    return named


_hosts: Callable[[Any], Any] = _reasons_of(())

FILE = Shape("the file", {"cases": values.entries}, required=("cases",), ignored=IGNORED)

CASE = Shape(
    "a case",
    {
        "name": values.name,
        "play": _play,
        "options": options,
        "time": moment,
        "hosts": values.mapping,
        "files": _files,
        "answers": values.entries,
        "expect": values.mapping,
        "stops": values.flag,
        "error": values.text,
    },
    required=("name", "play", "hosts"),
    one_of=("expect", "error"),
    exclusive=True,
    belongs_to={"stops": ("expect",)},
)

PLAY = Shape(
    "play",
    {
        "playbook": values.name,
        "name": values.name,
        "roles": texts,
        "tags": texts,
        "hosts": values.text,
        "vars": values.mapping,
    },
    one_of=("playbook", "name"),
)

HOST = Shape(
    "a host",
    {
        "groups": texts,
        "vars": values.mapping,
        "facts": values.mapping,
        "unreachable": values.text,
        "answers": values.entries,
    },
)

ANSWER = Shape(
    "an answer",
    {
        "path": values.text,
        "command": values.command,
        "task": values.text,
        "stat": _stat,
        "content": any_text,
        "status": status,
        "output": any_text,
        "result": values.mapping,
        "arguments": values.mapping,
    },
    one_of=("path", "command", "task"),
    exclusive=True,
    belongs_to={
        "stat": ("path",),
        "content": ("path",),
        "status": ("command",),
        "output": ("command",),
        "result": ("task",),
        "arguments": ("task",),
    },
)

# What an answer must have beside a key.
NEEDED = {"path": "stat", "task": "result"}

EXPECTATION = Shape(
    f"what is expected of a rule (or {NOT_COVERED})",
    {
        **dict.fromkeys(PLACES, _hosts),
        "play": _reasons_of(STATES),
        "message": texts,
        "remedy": any_text,
    },
)
