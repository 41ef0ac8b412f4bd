# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the file of metrics, which node_exporter reads."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import PrecheckError
from ..options import metrics_path
from ..policy.model import RuleAndHost
from .files import GroupsOf, current_document, failure_is_a_warning, write_atomically, written_to
from .record import AUDIT, Record

if TYPE_CHECKING:
    from .exposition import Samples

PATIENCE = 5.0  # seconds to wait for other runs that write


def write_metrics(
    record: Record,
    extra_vars: Mapping[str, Any],
    groups_of: GroupsOf,
    rules: Collection[str],
    hosts: Collection[str],
) -> str:
    """Write the metrics after what is remembered, if they are wanted. A failure is only a warning.

    ``rules`` and ``hosts`` are the names of the rules in force and of the hosts in the inventory.
    Returns a line that says where they are; an empty text if none were written.
    """
    with failure_is_a_warning("write its metrics"):
        if path := metrics_path(extra_vars):
            from .exposition import render  # few runs keep metrics
            from .metrics import FAMILIES, Audited, after_audit, after_run, counts_of_run

            document = current_document(record, extra_vars, groups_of)
            with _alone_in(os.path.dirname(os.path.abspath(path))):
                earlier = _earlier(path)
                if record.kind == AUDIT:
                    audited = Audited(_pairs(record), set(rules), set(hosts))
                    samples = after_audit(earlier, document, audited)
                else:
                    samples = after_run(earlier, document, record.counted)
                if samples == earlier:  # after an audit that failed
                    return ""
                write_atomically(path, render(samples, FAMILIES), 0o644)
            if record.kind != AUDIT:
                record.counted = counts_of_run(document)
            return written_to("metrics", path)
    return ""


def _pairs(record: Record) -> set[RuleAndHost]:
    """Return each rule with each host of the plays that it covers, or of an audit."""
    return {
        (rule.name, host)
        for play in record.plays.values()
        for rule in play.rules
        for host in play.hosts
    }


def _earlier(path: str) -> Samples:
    """Return the samples in the file; none if there is no file, or another kind of file."""
    from .exposition import parse

    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            return parse(file.read())
    except (FileNotFoundError, ValueError):
        return {}


@contextlib.contextmanager
def _alone_in(directory: str) -> Iterator[None]:
    """Let no other run go on from the same earlier file: the counts of one would be lost.

    Raises PrecheckError if others do not let this one.
    """
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:  # writing says what is wrong
        yield
        return
    try:
        _lock(handle, directory)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, directory: str) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise PrecheckError(f"another process keeps {directory} locked") from None
            time.sleep(0.05)
        except OSError:  # a file system without locks
            return
        else:
            return
