# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads the earlier report that an audit is compared with."""

from __future__ import annotations

import contextlib
import os

from ..errors import PrecheckError
from .beginning import started_at
from .document import Document
from .record import AUDIT, ERROR
from .stored import load


def earlier_report(path: str) -> Document | None:
    """Return the document at ``path``.

    If it is a directory, return that of its newest audit of all hosts by all rules, if there is
    one. Raises PrecheckError.
    """
    try:
        return _newest_audit(path) if os.path.isdir(path) else load(path)
    except (PrecheckError, OSError) as ex:
        reason = ex.strerror if isinstance(ex, OSError) else ex
        text = f"Precheck cannot compare with {path}, so nothing was checked: {reason}"
        raise PrecheckError(text) from None


def _newest_audit(directory: str) -> Document | None:
    paths = (os.path.join(directory, name) for name in os.listdir(directory))
    times = ((started_at(path), path) for path in paths)
    for _when, path in sorted((one for one in times if one[0] is not None), reverse=True):
        # After an upgrade, reports may be of another format.
        with contextlib.suppress(PrecheckError):
            document = load(path)
            if _is_of_all(document):
                return document
    return None


def _is_of_all(document: Document) -> bool:
    is_audit = document["kind"] == AUDIT and document["result"] != ERROR
    return is_audit and not (document.get("limit") or document.get("selected_rules"))
