# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between the releases of ansible-core that the guard supports, and nothing else."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible.utils.display import Display


class TemplateError(Exception):
    """An expression or a template has no value. The message says why, without the value of any variable."""


def holds(condition: str | bool, variables: dict[str, Any], loader: DataLoader) -> bool:
    """Return whether a ``condition`` of a ``when`` holds, as a task with these ``variables`` would find.

    Raises TemplateError where the task would fail on it (an undefined variable, say).
    """
    task: Any = Task()  # what it has differs between releases
    task.set_loader(loader)
    try:
        with _quietly():
            if hasattr(task, "_resolve_conditional"):  # since 2.19
                return bool(task._resolve_conditional([condition], variables))
            task.when = [condition]
            return bool(task.evaluate_conditional(Templar(loader=loader, variables=variables), variables))
    except Exception as ex:  # filters and tests raise what they like
        raise TemplateError(_why(ex)) from ex


def rendered(template: str, variables: dict[str, Any], loader: DataLoader) -> str:
    """Return the text that ``template`` makes of these ``variables``. Raises TemplateError."""
    value = value_of(template, variables, loader)
    return value if isinstance(value, str) else str(value)


def value_of(template: Any, variables: dict[str, Any], loader: DataLoader) -> Any:
    """Return what ``template``, or a list or mapping with templates, makes of these ``variables``. Raises TemplateError."""
    try:
        with _quietly():
            return Templar(loader=loader, variables=variables).template(template)
    except Exception as ex:
        raise TemplateError(_why(ex)) from ex


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep Python from printing what goes wrong while it drops generators at the end of an endless recursion."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda unraisable: None
    try:
        yield
    finally:
        sys.unraisablehook = hook


def _why(ex: Exception) -> str:
    """Return what may be told of an error: which name is undefined. Other errors can hold values of variables."""
    text = str(ex)
    if found := re.search(r"'[^'\n]{1,80}' is undefined|has no attribute '[^'\n]{1,80}'|[Rr]ecursive loop detected", text):
        return found[0]
    if found := re.search(
        r"(?:No|Could not load|Could not find) (?:filter|test) (?:named )?'[^'\n]{1,80}'|template error[^.]*", text
    ):
        return found[0]
    Display().vvv(f"Precheck: {text}")
    return "it fails (-vvv shows how)"


def load_yaml(loader: DataLoader, path: str) -> Any:
    """Return what the file at ``path`` holds, with templates that are trusted. Raises AnsibleError."""
    # 2.19 and later refuse templates that the one who loads them does not vouch for.
    takes_trust = "trusted_as_template" in inspect.signature(loader.load_from_file).parameters
    trust: dict[str, Any] = {"trusted_as_template": True} if takes_trust else {}
    return loader.load_from_file(path, **trust)


def host_and_result(task_result: Any) -> tuple[str, Mapping[str, Any]]:
    """Return the host's name and the result of what a strategy's ``_process_pending_results`` hands out."""
    if hasattr(task_result, "utr"):  # since 2.21
        return task_result.host.name, task_result.utr.as_result_dict()
    if hasattr(task_result, "_return_data"):  # 2.19 and 2.20
        return task_result.host.name, task_result._return_data
    return task_result._host.name, task_result._result


def with_origin(data: dict[str, Any], path: str, line: int = 0) -> dict[str, Any]:
    """Return ``data`` with the place that error messages about it are to name (since 2.19 they name one)."""
    try:
        from ansible._internal._datatag._tags import Origin  # a release may have none
    except ImportError:
        return data
    return Origin(path=path, line_num=line or None).tag(data) if path else data
