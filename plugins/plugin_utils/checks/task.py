# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The check kind ``task``: a task of the policy succeeds on the host. It is a task of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible import constants as C
from ansible.playbook.task import Task
from ansible.utils.fqcn import add_internal_fqcns

from .. import compat
from ..policy import values
from ..policy.model import Check
from ..policy.reader import Source
from ..policy.values import ValueType
from ..verdict import HIDDEN, Verdict, not_ready, ready, unverified
from .kind import Means

if TYPE_CHECKING:
    from .context import HostContext, HostVariables

MEANS: Means = "task"

KEYS: Mapping[str, ValueType] = {"task": values.mapping, "once": values.flag}

# The keywords that it may have beside its module. The others would reach beyond the check
# (register, notify, tags), switch its failure off (ignore_errors), or have their place elsewhere in
# the policy (name, when, timeout, become).
KEYWORDS = frozenset(
    "args become_exe become_flags become_method become_user changed_when collections connection"
    " delay delegate_to environment failed_when loop loop_control module_defaults no_log port"
    " remote_user retries until vars".split()
)

# These change what the run goes on with, or the strategy runs them and not the host.
_NOT_CHECKS = add_internal_fqcns(
    "add_host async_status group_by import_playbook import_role import_tasks include include_role"
    " include_tasks include_vars meta pause set_fact set_stats".split()
)

TaskSpec = Mapping[str, Any]  # the task as in a playbook


def parse(entry: Mapping[str, Any], source: Source) -> TaskSpec:
    task: TaskSpec = entry["task"]
    for key in task:
        is_keyword = compat.is_keyword_of_tasks(key) and key not in KEYWORDS
        if key in ("action", "local_action") or is_keyword:
            source.report(("task", key), f"task: the keyword {key} cannot be used in a check")
            return task
    for key in ("changed_when", "failed_when", "until"):
        try:
            values.conditions(task.get(key, True))
        except (TypeError, ValueError) as ex:
            source.report(("task", key), f"task: {key}: {ex}")
    modules = [key for key in task if key not in KEYWORDS]
    if len(modules) != 1:
        number = f"found {' and '.join(modules)}" if modules else "found none"
        source.report(("task",), f"task: expected one module, {number}")
    elif modules[0] in _NOT_CHECKS:
        source.report(("task", modules[0]), f"task: {modules[0]} cannot be used in a check")
    else:
        try:
            Task.load(dict(task), loader=source.loader)
        except Exception as ex:  # not only AnsibleError, if the values are of odd types
            lines = str(ex).strip().splitlines() or [type(ex).__name__]
            source.report(("task", modules[0]), f"task: {lines[0]}")
    return task


def label(spec: TaskSpec) -> str:
    return next((key for key in spec if key not in KEYWORDS), "")


def probe(check: Check, host: HostVariables | None = None) -> dict[str, Any]:
    """Return the task that ansible-core runs on the host."""
    return dict(check.spec)


def judge(
    check: Check, task: TaskSpec, result: Mapping[str, Any], host: HostContext | None = None
) -> Verdict:
    """Return the verdict by the task's ``result``: ready if it did not fail."""
    if not result:
        return unverified("the task gave no result")
    if result.get("skipped"):
        return unverified("the task was skipped")
    if not result.get("failed"):
        return ready()
    message = str(result.get("msg") or "the task failed")
    if task.get("no_log", C.DEFAULT_NO_LOG):
        message = f"the task failed ({HIDDEN})"
    # On a node without Python, a module cannot find out anything.
    return unverified(message) if "module_stderr" in result else not_ready(message)
