# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a policy consists of. Pure: the words of the policy file, read and validated by policy_file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PATH = "path"
COMMAND = "command"
THAT = "that"
TASK = "task"
KINDS = (PATH, COMMAND, THAT, TASK)

ERROR = "error"
WARN = "warn"


@dataclass(frozen=True)
class Selector:
    """One entry of a rule's ``plays``. It matches a play when each of its lists that is not empty matches.

    The lists hold globs. A glob for ``playbook`` is compared with the name of the file that the play is written in, or
    with the path from the right when it has a slash; those for ``play`` with the play's name; those for ``role`` and
    ``tag`` with the names of its roles and tags.
    """

    playbook: tuple[str, ...] = ()
    play: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(f"{key} {' or '.join(globs)}" for key, globs in vars(self).items() if globs)


@dataclass(frozen=True)
class Check:
    """One thing that a host must pass.

    ``value`` is a template of the path (for PATH), a template of the command or a tuple of those of its arguments (for
    COMMAND), a tuple of conditions (for THAT) or the task as in a playbook (for TASK). ``type`` is "file" or
    "directory"; ``mode`` the permissions in octal that the path must not exceed; ``same_as`` the control node's file
    with the same content, an absolute path unless it is a template; empty where nothing is required. ``timeout`` is in
    seconds. ``folder`` is that of the policy file, ``line`` where the check stands in it.
    """

    kind: str
    value: Any
    name: str = ""
    message: str = ""
    timeout: int | None = None
    become: bool = False
    type: str = ""
    mode: str = ""
    owner: str = ""
    group: str = ""
    same_as: str = ""
    once: bool = False
    folder: str = ""
    line: int = 0

    @property
    def label(self) -> str:
        """What the check is called where it is told about."""
        if self.name:
            return self.name
        if self.kind == TASK:
            module: str = next(key for key in self.value if key not in TASK_KEYWORDS)
            return module
        return self.value if isinstance(self.value, str) else " ".join(map(str, self.value))


@dataclass(frozen=True)
class Rule:
    """Which plays it covers, on which hosts (``when``), what they must pass, and what to tell the operator.

    ``message`` and ``remedy`` are templates, empty where there is none. ``path`` and ``line`` are where the rule is
    written.
    """

    name: str
    plays: tuple[Selector, ...]
    checks: tuple[Check, ...]
    when: tuple[str | bool, ...] = ()
    message: str = ""
    remedy: str = ""
    severity: str = ERROR
    mandatory: bool = False
    path: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        return f"rule {self.name} ({self.path}:{self.line})"


# The keywords that a TASK may have beside its module. The others would reach beyond the check (register, notify, tags),
# switch its failure off (ignore_errors), or have their place elsewhere in the policy (name, when, timeout, become).
TASK_KEYWORDS = frozenset(
    "args become_exe become_flags become_method become_user changed_when collections connection delay delegate_to environment"
    " failed_when loop loop_control module_defaults no_log port remote_user retries until vars".split()
)
