# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the report of a run to its file, whole or not at all, and reads earlier ones."""

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
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.release import __version__
from ansible.utils.display import Display

from . import sources
from .policy_file import PolicyError
from .record import FORMAT, Record, document, without_secrets
from .verdict import NOT_READY, READY, UNVERIFIED

display = Display()


def keep(record: Record, extra_vars: Mapping[str, Any], inventory: InventoryManager) -> None:
    """Write the report of what is remembered, if one is asked for. What goes wrong is no more than a warning."""
    with _warning("report"):
        if path := sources.report_path(extra_vars, record.started):
            replace(path, json.dumps(made(record, extra_vars, inventory), indent=1, ensure_ascii=False) + "\n")


def keep_page(path: str, found: Mapping[str, Any]) -> None:
    """Write the page of a document. What goes wrong is no more than a warning."""
    with _warning("page"):
        from .page import page  # Jinja2 loads more for it

        mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o600  # who may read it, its owner decides
        replace(path, page(found), mode)


@contextlib.contextmanager
def _warning(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as ex:  # whatever it is, the verdict stands
        reason = "; ".join(map(str, ex.problems)) if isinstance(ex, PolicyError) else str(ex) or repr(ex)
        display.warning(f"Precheck could not write its {what}: {reason}")


def made(record: Record, extra_vars: Mapping[str, Any], inventory: InventoryManager) -> dict[str, Any]:
    """Return the document of what is remembered, as of now."""
    try:
        paths, _origin = sources.find(extra_vars)
    except PolicyError:
        paths = []
    about = {
        "ansible_core": __version__,
        "python": platform.python_version(),
        "command": [os.path.basename(sys.argv[0]), *without_secrets(sys.argv[1:])],
        "user": _user(),
        "controller": platform.node(),
        "policies": ["built-in" if path == sources.BUILT_IN else path for path in paths],
    }
    hosts = {name for _rule, name in record.verdicts}
    groups = {
        name: sorted(group.name for group in host.get_groups() if group.name not in ("all", "ungrouped"))
        for name, host in inventory.hosts.items()
        if name in hosts
    }
    return document(record, about, groups, time.time())


def _user() -> str:
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def replace(path: str, text: str, mode: int = 0o600) -> None:
    """Put ``text`` into the file at ``path``. Whoever reads it finds what was there before, or all of the text. Raises
    AnsibleError, which names the file.
    """
    path = os.path.abspath(path)
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise AnsibleError(f"{path} is not a regular file")  # as root it could be /dev/stdout, or a link that leads there
    # The command line may have bytes that are no text. This makes escapes of them that JSON knows.
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
        raise AnsibleError(f"{path}: {ex.strerror}") from None


_VERDICT_KEYS = {"host": str, "rule": str, "verdict": str, "checks": list}


def read(path: str) -> dict[str, Any]:
    """Return the document of the report at ``path``. Raises AnsibleError when it is none."""

    def refuse(why: str) -> AnsibleError:
        return AnsibleError(f"Precheck cannot compare with {path}, so nothing was asked: {why}")

    if not os.path.isfile(path):
        raise refuse("it is not a file" if os.path.exists(path) else "there is no such file")
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as ex:
        raise refuse(ex.strerror or "it cannot be read") from None  # 2.19 and later add what it was from
    except (ValueError, RecursionError):
        raise refuse("it is not JSON") from None
    if not isinstance(found, dict) or not {"format", "precheck", "verdicts"} <= found.keys():
        raise refuse("it is not a report of Precheck")
    if found["format"] != FORMAT:
        raise refuse(f"it is of format {found['format']!r:.20}, and this Precheck knows {FORMAT}")
    verdicts = found["verdicts"]
    whole = isinstance(found.get("started"), str) and isinstance(verdicts, list)
    whole = whole and all(
        isinstance(one, dict)
        and all(isinstance(one.get(key), kind) for key, kind in _VERDICT_KEYS.items())
        and one["verdict"] in (READY, NOT_READY, UNVERIFIED)
        for one in verdicts
    )
    if not whole:
        raise refuse("it is a report of Precheck, but a damaged one")
    return found
