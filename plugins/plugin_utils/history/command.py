# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What ansible-precheck report does with the files that it is given."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..errors import PrecheckError
from ..report.document import Document
from ..report.files import as_json, replace_page, write_atomically, written_to
from ..text import one_line
from .found import PassedOver, Reports
from .merge import merged
from .observed import observe
from .summary import History, summarize

HistoryAndPassedOver = tuple[History, Sequence[PassedOver]]


def read_history(paths: Sequence[str]) -> HistoryAndPassedOver:
    """Return the history in these files and directories, and what of them is no report.

    Names the latter on stderr. Raises PrecheckError if there is no report.
    """
    reports = Reports(paths)
    observed = [observe(path, document) for path, document in reports]
    for one in reports.passed_over:
        print(one_line(f"{one.path}: passed over: {one.reason}"), file=sys.stderr)
    if not observed:
        raise PrecheckError(f"Precheck has found no report in {', '.join(paths)}")
    return summarize(observed), reports.passed_over


def write_page(target: str, history: History) -> None:
    """Write the page for a history. Raises PrecheckError."""
    from .page import page  # it loads more of Jinja2

    replace_page(target, page(history))
    print(written_to("page", target), file=sys.stderr)


def merge_into(target: str, paths: Sequence[str]) -> None:
    """Write one report of those in these files and directories. Raises PrecheckError.

    Without one of them the new report might say that all is ready, so all must be read.
    """
    reports = Reports(paths)
    documents: list[Document] = [document for _path, document in reports]
    if reports.passed_over:
        first = reports.passed_over[0]
        raise PrecheckError(f"Precheck has merged no reports: {first.path}: {first.reason}")
    if not documents:
        raise PrecheckError(f"Precheck has found no report in {', '.join(paths)}")
    write_atomically(target, as_json(merged(documents)))
    print(written_to("report", target), file=sys.stderr)
