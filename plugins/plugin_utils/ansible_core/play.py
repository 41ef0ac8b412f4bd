# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a play is known by, and what it would do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any, Literal

from ansible import constants as C
from ansible import context
from ansible.executor.play_iterator import PlayIterator
from ansible.playbook.block import Block
from ansible.playbook.loop_control import LoopControl
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.loader import strategy_loader
from ansible.utils.fqcn import add_internal_fqcns

from .. import compat
from ..errors import TemplateError
from ..options import CALLBACK, WAIVE_VARIABLE, reason_to_waive, waived_rules
from ..policy.matching import PlayIdentity
from ..policy.model import Rule
from ..policy.opt_out import OptOut, Ways
from .includes import FoundRole, included_roles
from .run import PlayRun

EntryPoint = Literal["callback", "strategy"]
EntryPoints = Sequence[EntryPoint]

TAG = "precheck"
OPT_OUT_TAG = "no_precheck"
AUDIT = "precheck.guard.audit"
DOCTOR = "precheck.guard.doctor"

_VALIDATE = add_internal_fqcns(("validate_argument_spec",))
_PREPARING = (*_VALIDATE, *add_internal_fqcns(("gather_facts",)))
_SET_VARIABLES = add_internal_fqcns(("set_fact", "add_host"))
_SET_GROUPS = add_internal_fqcns(("add_host", "group_by"))


def location_of(iterator: PlayIterator) -> str:
    """Return where a play is, for an error of which the play itself may be the cause."""
    try:
        return f" at {compat.path_of(iterator._play) or iterator._play.get_name()}"
    except Exception:
        return ""


def identify(run: PlayRun) -> PlayIdentity:
    """Return what selectors are compared with.

    Roles count however they come in, and whatever tags are selected: listed, imported, included by
    literal names through any depth of files and roles, or as a dependency.
    """
    play = run.play
    if play.only_tags == {"all"} and not play.skip_tags:
        tasks = compat.tasks_of_iterator(run.iterator)
    else:
        tasks = [task for block in play.compile() for task in compat.tasks_of(block)]
    return _identity(play, tasks, play.handlers)


def identify_without_hosts(play: Play) -> PlayIdentity:
    """Do the same for a play that ansible-core does not run, as it has no hosts."""
    tasks = [task for block in play.compile() for task in compat.tasks_of(block)]
    return _identity(play, tasks, [*play.compile_roles_handlers(), *play.handlers])


def _identity(play: Play, tasks: list[Task], handlers: list[Block]) -> PlayIdentity:
    tasks = [*tasks, *(task for block in handlers for task in compat.tasks_of(block))]
    roles = {FoundRole.of(role) for role in play.roles} | included_roles(play, tasks)
    line = compat.path_of(play).rpartition(":")[2]
    path, *other_paths = files_of(play)
    identity = PlayIdentity(
        name=play.get_name(),
        path=path,
        line=int(line or 0),
        tags=_tags_of(play),
        other_paths=frozenset(other_paths),
    )
    return with_roles(identity, play, roles)


def with_roles(identity: PlayIdentity, play: Play, roles: Iterable[FoundRole]) -> PlayIdentity:
    """Return what selectors are compared with if ``play`` has these roles too."""
    bases = [play.get_loader().get_basedir(), os.path.dirname(identity.path)]
    directories = (path for role in roles for path in _directories(role, bases))
    return replace(
        identity,
        roles=identity.roles.union(role.name for role in roles),
        role_directories=identity.role_directories.union(directories),
    )


def _directories(role: FoundRole, bases: Iterable[str]) -> list[str]:
    """Return the paths of a role's directory, given the directories of the play's playbooks.

    ansible-core resolves links in it. The path by which it found the directory may be of a link.
    """
    if not role.directory:
        return []
    found_in = [*(C.DEFAULT_ROLES_PATH or [])]
    found_in += [directory for base in bases for directory in (os.path.join(base, "roles"), base)]
    candidates = [os.path.join(directory, role.name) for directory in found_in]
    same = [path for path in candidates if os.path.realpath(path) == role.directory]
    return [role.directory, *same]


def _tags_of(play: Play) -> frozenset[str]:
    """Return the tags of the play, rendered.

    Until 2.18 ansible-core renders those that tasks have of it, and not its own. A template that
    cannot be rendered ends the run when ansible-core selects the tasks, which is earlier.
    """
    tags = play.tags
    if any(compat.is_template(str(tag)) for tag in tags):
        variables = play.get_variable_manager().get_vars(play=play)
        with contextlib.suppress(TemplateError):
            tags = compat.value_of(tags, variables, play.get_loader())
    lists = [tag if isinstance(tag, list) else [tag] for tag in tags]
    return frozenset(str(tag) for tags in lists for tag in tags)


def files_of(play: Play) -> list[str]:
    """Return the file that the play is written in; an empty path if it is in none.

    Until 2.18 ansible-core does not know the file of a play in JSON. It is then every file with
    such a play that was read.
    """
    if path := compat.path_of(play).rpartition(":")[0]:
        return [path]
    files, source = play.get_loader()._FILE_CACHE.items(), compat.as_loaded(play.get_ds())
    return [
        os.path.abspath(path)
        for path, data in files
        if isinstance(data, list) and source in map(compat.as_loaded, data)
    ] or [""]


def directories_of(run: PlayRun) -> list[str]:
    """Return the directories of the playbook and of the file that the play is written in."""
    written_in = os.path.dirname(files_of(run.play)[0])
    return list(dict.fromkeys([run.loader.get_basedir(), written_in]))


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
    if _names_only_checks(run.play):
        # The play that is to run afterwards counts, not what this selection leaves of it.
        blocks: list[Block] = run.play.compile()
        return blocks
    preparation(run.iterator)  # makes sure that it has a block of its own
    return run.iterator._blocks[1:]


def _selected(run: PlayRun, tasks: list[Task]) -> list[Task]:
    """Return which of ``tasks`` the options leave to run, without those of ansible-core."""
    play = run.play
    if _names_only_checks(play):
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
    if run.play.skip_tags or not (run.play.only_tags == {"all"} or _names_only_checks(run.play)):
        return "the tags leave no task to run"
    return "it has no task to run"


def opt_out_of(play: Play, extra_vars: Mapping[str, Any]) -> OptOut:
    """Return how the play opts out of rules, by its tags or as the run does.

    ``extra_vars`` are those of the command line. Raises OptionError.
    """
    tags = _tags_of(play)
    of_all = f"--skip-tags {TAG}" if TAG in play.skip_tags else ""
    if OPT_OUT_TAG in tags:
        of_all = f"the play is tagged {OPT_OUT_TAG}"
    by_name = {
        **dict.fromkeys(waived_rules(extra_vars), WAIVE_VARIABLE),
        **_ways(f"--skip-tags {TAG}:", TAG, play.skip_tags),
        **_ways(f"the play is tagged {OPT_OUT_TAG}:", OPT_OUT_TAG, tags),
    }
    return OptOut(of_all, by_name, reason_to_waive(extra_vars))


def rules_in_tags(play: Play) -> Ways:
    """Return which rules --tags names, and how."""
    return _ways(f"--tags {TAG}:", TAG, play.only_tags)


def _ways(way: str, tag: str, tags: Iterable[str]) -> Ways:
    """Return the names of rules in those of ``tags`` that are ``tag``, a colon and a name."""
    names = sorted(one[len(tag) + 1 :] for one in tags if one.startswith(f"{tag}:"))
    return {name: way + name for name in names}


def _names_only_checks(play: Play) -> bool:
    """Return whether --tags names nothing but checks."""
    return all(tag == TAG or tag.startswith(f"{TAG}:") for tag in play.only_tags)


def only_checks_are_wanted(run: PlayRun) -> bool:
    """Return whether nothing of the play runs after the checks, not even tasks tagged always."""
    if not _names_only_checks(run.play):
        return False
    tags = run.play.only_tags
    tasks = compat.tasks_of_iterator(run.iterator)
    return not any(tag in task.tags for task in tasks for tag in tags)


def is_left_out(run: PlayRun, rule: Rule) -> bool:
    """Return whether --tags wants only the checks of other rules, and nothing of the play."""
    names = rules_in_tags(run.play)
    if TAG in run.play.only_tags or rule.name in names:
        return False
    return bool(names) and only_checks_are_wanted(run)


def audit_task(play: Play) -> Task | None:
    """Return the task that makes the play an audit."""
    return _only_task(play, AUDIT)


def is_doctor(play: Play) -> bool:
    """Return whether the play only says whether the guard is in force."""
    return _only_task(play, DOCTOR) is not None


def _only_task(play: Play, action: str) -> Task | None:
    """Return the task with this action, if it is the only one: nothing may go unguarded beside."""
    if play.roles or len(play.tasks) != 1 or play.pre_tasks or play.post_tasks or play.handlers:
        return None
    tasks = compat.tasks_of(play.tasks[0])
    is_it = len(tasks) == 1 and isinstance(tasks[0], Task) and compat.action_of(tasks[0]) == action
    return tasks[0] if is_it else None


def is_guarded(play: Play) -> bool:
    """Return whether the guard is on for ``play``."""
    return bool(guards_of(play.strategy))


def guards_of(strategy_name: str) -> EntryPoints:
    """Return by which entry points the guard is on for plays with the strategy of this name."""
    strategy = strategy_loader.get(strategy_name, class_only=True)
    found: list[EntryPoint] = ["callback"] if CALLBACK in getattr(C, compat.CALLBACKS) else []
    return (*found, "strategy") if getattr(strategy, "is_guarded", False) else tuple(found)


def is_ad_hoc() -> bool:
    """Return whether this is a run of the command ansible, which has one play and no playbook."""
    return "module_name" in context.CLIARGS


def is_dry_run() -> bool:
    """Return whether the run has --check."""
    return bool(context.CLIARGS.get("check"))


def show_builtin_strategy_name(iterator: PlayIterator) -> None:
    """Let the play name the built-in strategy that its guarded one extends.

    Callbacks and ansible-core know strategies by name: under free, for one, the default callback
    prints task lines later. So the name must not show that the strategy is guarded.
    """
    with contextlib.suppress(AttributeError):
        iterator._play.strategy = iterator._play.strategy.rpartition(".")[2]
