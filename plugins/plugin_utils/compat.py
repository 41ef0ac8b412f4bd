# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between the releases of ansible-core that the guard supports, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar


def holds(conditions: list[str | bool], variables: dict[str, Any], loader: DataLoader) -> bool | None:
    """Return whether all ``conditions`` of a ``when`` hold, as a task with these ``variables`` would find.

    Returns None where the task would fail on them (an undefined variable, say).
    """
    task = Task()
    task.set_loader(loader)
    try:
        if hasattr(task, "_resolve_conditional"):  # since 2.19
            return task._resolve_conditional(conditions, variables)
        task.when = conditions
        return task.evaluate_conditional(Templar(loader=loader, variables=variables), variables)
    except AnsibleError:
        return None


def host_and_result(task_result: Any) -> tuple[str, Mapping[str, Any]]:
    """Return the host's name and the result of what a strategy's ``_process_pending_results`` hands out."""
    if hasattr(task_result, "utr"):  # since 2.21
        return task_result.host.name, task_result.utr.as_result_dict()
    if hasattr(task_result, "_return_data"):  # 2.19 and 2.20
        return task_result.host.name, task_result._return_data
    return task_result._host.name, task_result._result


def with_origin(data: dict[str, Any], path: str) -> dict[str, Any]:
    """Return ``data`` with the file that error messages about it are to name (since 2.19 they name one)."""
    try:
        from ansible._internal._datatag._tags import Origin
    except ImportError:
        return data
    return Origin(path=path).tag(data) if path else data
