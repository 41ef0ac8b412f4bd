# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes reports and pages to their files, whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import pwd
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible import context
from ansible.release import __version__
from ansible.utils.display import Display

from ..errors import PolicyError, PrecheckError
from ..options import report_keep, report_path, report_pattern
from ..policy import discovery
from ..policy.model import BUILT_IN
from ..text import one_line
from .document import Document, build_document
from .record import Record
from .redact import with_masked_words, without_secrets
from .retention import remove_old_reports

display = Display()

# Returns the groups of each of these hosts.
GroupsOf = Callable[[Iterable[str]], Mapping[str, Sequence[str]]]


def write_report(record: Record, extra_vars: Mapping[str, Any], groups_of: GroupsOf) -> str:
    """Write the report of what is remembered, if one is wanted. A failure is only a warning.

    Returns a line that says where it is; an empty text if none was written.
    """
    written = ""
    with failure_is_a_warning("write its report"):
        if path := report_path(extra_vars, record.started):
            document = current_document(record, extra_vars, groups_of)
            write_atomically(path, as_json(document))
            written = written_to("report", path)
    with failure_is_a_warning("remove its old reports"):
        if written and (number := report_keep(extra_vars)):
            remove_old_reports(report_pattern(extra_vars), path, number)
    return written


def write_page(path: str, document: Document) -> str:
    """Write the page of a document. A failure is only a warning.

    Returns a line that says where it is; an empty text if none was written.
    """
    with failure_is_a_warning("write its page"):
        from .html import page  # it loads more of Jinja2

        replace_page(path, page(document))
        return written_to("page", path)
    return ""


def replace_page(path: str, text: str) -> None:
    """Write a page. Who may read it is up to its owner. Raises PrecheckError with the path."""
    mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o600
    write_atomically(path, text, mode)


def as_json(document: Document) -> str:
    """Return what the file of a report contains."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def written_to(what: str, path: str) -> str:
    """Return the line that says where a file is."""
    return f"Precheck wrote its {what} to {one_line(os.path.abspath(path))}"


@contextlib.contextmanager
def failure_is_a_warning(what: str) -> Iterator[None]:
    """Warn that a file could not be written, whatever it is, and go on."""
    try:
        yield
    except Exception as ex:  # whatever it is, the verdict stands
        if isinstance(ex, PolicyError):
            reason = "; ".join(map(str, ex.problems))
        else:
            reason = str(ex) or repr(ex)
        display.warning(f"Precheck could not {what}: {reason}")


def current_document(
    record: Record, extra_vars: Mapping[str, Any], groups_of: GroupsOf
) -> Document:
    """Return the document of what is remembered, as of now."""
    try:
        paths = discovery.find(extra_vars).paths
    except PolicyError:
        paths = []
    files = dict.fromkeys([*paths, *(rule.path for rule in record.rules.values())])
    about = {
        "ansible_core": __version__,
        "python": platform.python_version(),
        "command": [os.path.basename(sys.argv[0]), *without_secrets(sys.argv[1:])],
        "user": _user(),
        "controller": platform.node(),
        "limit": str(context.CLIARGS.get("subset") or ""),
        "policies": ["built-in" if path == BUILT_IN else path for path in files],
    }
    hosts = {host for _rule, host in record.verdicts}
    document = build_document(record, about, groups_of(hosts), time.time())
    masked: Document = with_masked_words(document)
    return masked


def _user() -> str:
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def write_atomically(path: str, text: str, mode: int = 0o600) -> None:
    """Put ``text`` into the file at ``path``.

    Whoever reads it finds what was there before, or all of the text. Raises PrecheckError with the
    path.
    """
    path = os.path.abspath(path)
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        # As root it could be /dev/stdout, or a link that leads there.
        raise PrecheckError(f"{path} is not a regular file")
    # The command line may have bytes that are no text. They become escapes, which JSON allows.
    data = text.encode("utf-8", errors="backslashreplace")
    try:
        handle, beside = tempfile.mkstemp(prefix=".precheck-", dir=os.path.dirname(path))
        try:
            with open(handle, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), mode)
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise
    except OSError as ex:
        raise PrecheckError(f"{path}: {ex.strerror}") from None
