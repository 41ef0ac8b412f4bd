# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where tasks of a play go to other machines than that of their host, as it is written there."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible import constants as C
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader

from ...templates import is_template
from ...text import one_line
from ..run import PlayRun
from .play import has_work, tasks_to_run

# How connection plugins name the options that say which machine they connect to.
_ADDRESS = ("host", "remote_addr", "port")


Setting = tuple[str, object]
Settings = tuple[Setting, ...]  # sorted by name


@dataclass(frozen=True)
class Detour:
    """What sends a task elsewhere: keywords of a task, and variables that go with it.

    ``location`` is where such a task is written. It does not make two detours different.
    """

    keywords: Settings
    variables: Settings
    location: str = field(compare=False)

    def __str__(self) -> str:
        settings = [*self.keywords, *self.variables]
        return one_line(", ".join(f"{name}: {value}" for name, value in settings))


def detours_of(run: PlayRun) -> Sequence[Detour]:
    """Return the detours of the play's tasks, without two that lead to the same machine.

    Only what is literal is known before the play. A task that runs on the control node changes
    nothing on the host, like one that is delegated there.
    """
    detours: dict[Detour, None] = {}
    for task in tasks_to_run(run):
        if has_work([task]) and not task.delegate_to and (detour := _detour(run, task)):
            detours.setdefault(detour)
    return list(detours)


def _detour(run: PlayRun, task: Task) -> Detour | None:
    keywords = {
        name: getattr(task, name)
        for name in ("connection", "port")
        if getattr(task, name) != getattr(run.play, name)
    }
    variables = task.get_vars()
    if task._role:
        variables = {**task._role.get_role_params(), **variables}
    connection = variables.get("ansible_connection", task.connection)
    if str(connection).rpartition(".")[2] == "local":
        return None
    names = {"ansible_connection", *_address_variables(str(connection))}
    variables = {name: value for name, value in variables.items() if name in names}
    # A template may lead anywhere, whatever is literal beside it.
    if any(is_template(str(value)) for value in (*keywords.values(), *variables.values())):
        return None
    if not keywords and not variables:
        return None
    return Detour(_sorted(keywords), _sorted(variables), task.get_path())


def _sorted(settings: dict[str, Any]) -> Settings:
    return tuple(sorted(settings.items()))


@functools.cache
def _address_variables(connection: str) -> frozenset[str]:
    """Return the variables that say which machine the connection plugin of this name reaches."""
    connection = "ssh" if connection == "smart" else connection
    plugin = connection_loader.get(connection, class_only=True)
    load_name = getattr(plugin, "_load_name", "")
    options = C.config.get_configuration_definitions("connection", load_name) if load_name else {}
    return frozenset(
        variable["name"]
        for option in _ADDRESS
        for variable in options.get(option, {}).get("vars", ())
        if variable["name"] != "inventory_hostname"
    )
