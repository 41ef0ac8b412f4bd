# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a play would do: its tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile

from ansible import constants as C
from ansible.executor.play_iterator import PlayIterator
from ansible.playbook.block import Block
from ansible.playbook.loop_control import LoopControl
from ansible.playbook.task import Task
from ansible.utils.fqcn import add_internal_fqcns

from ... import compat
from ..run import PlayRun
from .tags import names_only_checks

_VALIDATE = add_internal_fqcns(("validate_argument_spec",))
_PREPARING = (*_VALIDATE, *add_internal_fqcns(("gather_facts",)))
_SET_VARIABLES = add_internal_fqcns(("set_fact", "add_host"))
_SET_GROUPS = add_internal_fqcns(("add_host", "group_by"))


def preparation(iterator: PlayIterator) -> list[Task]:
    """Return the tasks by which ansible-core prepares the hosts of the play.

    PlayIterator has them in a block of their own before those of the play.
    """
    tasks = compat.tasks_of(iterator._blocks[0])
    if any(task.action not in _PREPARING for task in tasks):
        raise RuntimeError("ansible-core has no block of its own before those of the play")
    return tasks


def tasks_to_run(run: PlayRun) -> list[Task]:
    """Return the tasks of the play that the options leave to run, without those of ansible-core."""
    return _selected(run, [task for block in _blocks(run) for task in compat.tasks_of(block)])


def leading_meta_tasks(run: PlayRun) -> list[Task]:
    """Return the meta tasks that run before the first task that does something on a host.

    Those of a rescue do not: nothing has failed before.
    """
    tasks = [task for block in _blocks(run) for task in _tasks_without_rescue(block)]
    return list(takewhile(lambda task: task.action in C._ACTION_META, _selected(run, tasks)))


def names_that_tasks_set(run: PlayRun) -> frozenset[str]:
    """Return the names of the variables that tasks of the play set, as far as it is written."""
    names: set[str] = set()
    for task in [task for block in _blocks(run) for task in compat.tasks_of(block)]:
        if task.action in _SET_VARIABLES:
            names.update(map(str, task.args))
        if task.action in _SET_GROUPS or meta_action(task) == "refresh_inventory":
            names.update(("groups", "group_names"))
    return frozenset(names)


def meta_action(task: Task) -> str:
    """Return which of the meta actions a task is; empty if it is none."""
    return str(task.args.get("_raw_params", "")) if task.action in C._ACTION_META else ""


def variables_of_tasks(run: PlayRun) -> set[str]:
    """Return the names of the variables that single tasks of the play have, or their loops.

    That of a loop may be a template.
    """
    names: set[str] = set()
    for task in tasks_to_run(run):
        names.update(task.get_vars())
        if task.loop is not None:
            control = task.loop_control or LoopControl()  # until 2.13 there may be none
            names.update({"ansible_loop", "ansible_loop_var", "ansible_index_var"})
            names.update(filter(None, (control.loop_var, control.index_var)))
    return names


def results_of_tasks(run: PlayRun) -> set[str]:
    """Return the names of the variables for which tasks of the play register results."""
    return set().union(*map(compat.registered_names, tasks_to_run(run)))


def _blocks(run: PlayRun) -> list[Block]:
    """Return the blocks of the play that the options leave to run."""
    if not run.start_is_done:
        return []
    if names_only_checks(run.play):
        # The play that is to run afterwards counts, not what this selection leaves of it.
        blocks: list[Block] = run.play.compile()
        return blocks
    preparation(run.iterator)  # makes sure that it has a block of its own
    return run.iterator._blocks[1:]


def _selected(run: PlayRun, tasks: list[Task]) -> list[Task]:
    """Return which of ``tasks`` the options leave to run, without those of ansible-core."""
    play = run.play
    if names_only_checks(play):
        variables = run.variable_manager.get_vars(play=play)
        tasks = [
            task
            for task in tasks
            if task.evaluate_tags({"all"}, play.skip_tags, all_vars=variables)
        ]
    return [task for task in tasks if not compat.is_implicit(task) and not is_validation(task)]


def _tasks_without_rescue(block: Block) -> Iterator[Task]:
    for item in (*block.block, *block.always):
        if isinstance(item, Block):
            yield from _tasks_without_rescue(item)
        else:
            yield item


def is_validation(task: Task) -> bool:
    """Return whether ansible-core added the task to validate the arguments of a role.

    It has the tag always, and does nothing on a host.
    """
    return task.action in _VALIDATE


def has_work(tasks: Iterable[Task]) -> bool:
    """Return whether any of ``tasks`` is for hosts. A play without such a task is not guarded."""
    return any(task.action not in C._ACTION_META for task in tasks)


def why_idle(run: PlayRun) -> str:
    """Return why the play has no task to run."""
    if not run.start_is_done:
        return "it comes before the task of --start-at-task"
    if run.play.skip_tags or not (run.play.only_tags == {"all"} or names_only_checks(run.play)):
        return "the tags leave no task to run"
    return "it has no task to run"
