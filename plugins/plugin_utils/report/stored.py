# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads the document of a report from its file, or finds out why it is none."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ..errors import PrecheckError
from ..policy import model
from ..verdict import NOT_READY, READY, STATES
from .document import FORMAT, TIME, Document
from .record import AUDIT, ERROR, RUN


def load(path: str) -> Document:
    """Return the document of the report at ``path``. Raises PrecheckError with the reason only."""
    if not os.path.isfile(path):
        exists = os.path.exists(path)
        raise PrecheckError("it is not a file" if exists else "there is no such file")
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except OSError as ex:
        raise PrecheckError(ex.strerror or "it cannot be read") from None
    except (ValueError, RecursionError):
        raise PrecheckError("it is not JSON") from None
    if not isinstance(document, dict) or not {"format", "precheck", "verdicts"} <= document.keys():
        raise PrecheckError("it is not a report of Precheck")
    if document["format"] != FORMAT:
        other = f"{document['format']!r:.20}"
        raise PrecheckError(f"it is of format {other}, and this Precheck knows {FORMAT}")
    if not _fits({**_OPTIONAL, **document}, SHAPE):
        raise PrecheckError("it is a report of Precheck, but a damaged one")
    return document


def _is_time(value: Any) -> bool:
    try:
        time.strptime(value, TIME)
    except (TypeError, ValueError):
        return False
    return True


_LOCATION = {"name": str, "path": str, "line": int}
_CHECK = {"check": str, "verdict": STATES, "reasons": [str]}
# What a value is: of a type, one of several values, a list of such, a mapping with these keys, or
# what a function is true of.
SHAPE: dict[str, Any] = {
    "format": int,
    "precheck": str,
    "ansible_core": str,
    "python": str,
    "kind": (RUN, AUDIT),
    "command": [str],
    "user": str,
    "controller": str,
    "started": _is_time,
    "finished": _is_time,
    "policies": [str],
    "result": (READY, NOT_READY, ERROR),
    "error": str,
    "plays": [
        {
            **_LOCATION,
            "rules": [str],
            "hosts": int,
            "stopped": bool,
            "left_out": [str],
            "checks": [{"rule": str, **_CHECK}],
        }
    ],
    "rules": [
        {
            **_LOCATION,
            "severity": (model.ERROR, model.EXCLUDE, model.WARN),
            "waiver": (model.ALLOWED, model.REASON, model.FORBIDDEN),
            "message": str,
            "remedy": str,
        }
    ],
    "not_audited": [str],
    "verdicts": [
        {
            "host": str,
            "rule": str,
            "groups": [str],
            "verdict": STATES,
            "before": _LOCATION,
            "checks": [_CHECK],
        }
    ],
    "waivers": [
        {
            "play": str,
            "path": str,
            "line": int,
            "rules": [str],
            "hosts": int,
            "opt_out_reason": str,
            "reason": str,
            "user": str,
        }
    ],
    "not_judged": [{"rule": str, "hosts": [str], "prepared_by": _LOCATION}],
    "limit": str,
    "selected_rules": [str],
    "changes": {
        "since": str,
        "newly_not_ready": [{"host": str, "rule": str, "reasons": [str]}],
        "newly_ready": [{"host": str, "rule": str}],
        "new_hosts": [str],
        "gone_hosts": [str],
    },
}

# What is right where a key is missing that a document need not have.
_OPTIONAL: Document = {
    "limit": "",
    "selected_rules": [],
    "changes": {
        "since": "",
        "newly_not_ready": [],
        "newly_ready": [],
        "new_hosts": [],
        "gone_hosts": [],
    },
}


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, type):
        return isinstance(value, shape)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            key in value and _fits(value[key], one) for key, one in shape.items()
        )
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(one, shape[0]) for one in value)
    if isinstance(shape, tuple):
        return value in shape
    is_fitting: bool = shape(value)
    return is_fitting
