# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which roles the tasks of a play include while it runs, as far as names are literal."""

from __future__ import annotations

import contextlib
import copy
import functools
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Union

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.block import Block
from ansible.playbook.handler import Handler
from ansible.playbook.helpers import load_list_of_tasks
from ansible.playbook.play import Play
from ansible.playbook.role import Role
from ansible.playbook.role.include import RoleInclude
from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task import Task
from ansible.playbook.task_include import TaskInclude
from ansible.utils.display import Display

from ...compat import tasks_of
from ...templates import is_template


class FoundRole(NamedTuple):
    """A role's name, with its collection if it has one, and its directory, empty if unknown."""

    name: str
    directory: str

    @classmethod
    def of(cls, role: Role) -> FoundRole:
        return cls(role.get_name(), role._role_path)


def role_of(task: Task) -> FoundRole | None:
    """Return the role that the task is of; None if it is of none."""
    return FoundRole.of(task._role) if task._role else None


def included_roles(play: Play, tasks: Iterable[Task]) -> set[FoundRole]:
    """Return the roles that ``tasks`` are of or lead to, through any depth of files.

    What cannot be loaded now is left out: it may not exist yet.
    """
    with _without_verbose_output():
        return _Walk(play).roles_of(tasks)


@contextlib.contextmanager
def _without_verbose_output() -> Iterator[None]:
    """Keep ansible-core from printing which files it imports, as it imports none."""
    display = Display()
    verbosity, display.verbosity = display.verbosity, 0
    try:
        yield
    finally:
        display.verbosity = verbosity


LoadedAndHandlers = tuple[list[Union[Block, Task]], list[Block]]


class _Walk:
    """Loads what includes would load, as ansible-core loads imports, and leaves no trace of it.

    The play and the loader are other ones: loading a role adds to the play, and a file that is in
    the loader's cache is not read again when its time comes.
    """

    def __init__(self, play: Play) -> None:
        self._play = play
        self._manager = play._variable_manager
        self._loader: DataLoader = copy.copy(play.get_loader())
        self._loader._FILE_CACHE = dict(self._loader._FILE_CACHE)
        self._scratch = Play.load(
            {"hosts": "all", "gather_facts": False},
            variable_manager=self._manager,
            loader=self._loader,
        )
        self._seen: set[object] = set()

    def roles_of(self, tasks: Iterable[Task]) -> set[FoundRole]:
        roles: set[FoundRole] = set()
        remaining = list(tasks)
        while remaining:
            task = remaining.pop()
            if task._role:
                roles.add(FoundRole.of(task._role))
            if isinstance(task, IncludeRole):
                roles.add(self._role_included_by(task))
            if isinstance(task, TaskInclude) and not task.statically_loaded:
                remaining += self._included_by(task)
        return roles

    def _role_included_by(self, task: IncludeRole) -> FoundRole:
        name = str(task._role_name)
        if is_template(name):  # some releases make something of it without the host's variables
            return FoundRole(name, "")
        try:
            role = RoleInclude.load(
                name,
                self._play,
                variable_manager=self._manager,
                loader=self._loader,
                collection_list=task.collections,
            )
        except AnsibleError:  # there is no such role
            return FoundRole(name, "")
        if collection := role._role_collection:
            name = f"{collection}.{name.rpartition('.')[2]}"
        return FoundRole(name, role.get_role_path())

    def _included_by(self, task: TaskInclude) -> list[Task]:
        """Return the tasks that ``task`` includes."""
        target = task._role_name if isinstance(task, IncludeRole) else task.args["_raw_params"]
        arguments = [str(target), *map(str, getattr(task, "_from_files", {}).items())]
        location = os.path.dirname(task.get_path() or "")
        key = (type(task), *arguments, location, task._role and task._role._role_path)
        if key in self._seen or any(map(is_template, arguments)):
            return []
        self._seen.add(key)
        if isinstance(task, IncludeRole):
            load = functools.partial(task.copy().get_block_list, play=self._scratch)
        else:
            load = functools.partial(
                _load_tasks,
                [{"import_tasks": task.args["_raw_params"]}],
                play=self._scratch,
                block=_parents_in_role(task),
                role=task._role,
                use_handlers=isinstance(task, Handler),
            )
        try:
            blocks, handlers = load(variable_manager=self._manager, loader=self._loader)
        # Whatever is wrong, the play may never get there. If it does, the role is seen then.
        except Exception:
            return []
        return [
            task
            for item in (*blocks, *handlers)
            for task in (tasks_of(item) if isinstance(item, Block) else [item])
        ]


def _load_tasks(data: list[dict[str, Any]], **options: Any) -> LoadedAndHandlers:
    return load_list_of_tasks(data, **options), []


def _parents_in_role(task: TaskInclude) -> Block | None:
    """Return the blocks and includes around ``task``, up to the include of its role.

    With that include among them, ansible-core does not find the file of an import.
    """
    block: Block | None = task._parent.copy(exclude_tasks=True) if task._parent else None
    parent = block
    while parent is not None:
        if isinstance(parent._parent, IncludeRole):
            parent._parent = None
        parent = parent._parent
    return block
