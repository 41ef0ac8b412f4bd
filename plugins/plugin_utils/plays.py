# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a play would do, and on which hosts. Internals of ansible-core."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.host import Host
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.playbook.role.include import RoleInclude
from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task import Task
from ansible.plugins.strategy import StrategyBase
from ansible.plugins.strategy.linear import StrategyModule as LinearStrategy
from ansible.utils.fqcn import add_internal_fqcns

from . import compat
from .matching import PlayIdentity, may_depend_on_facts
from .policy import Rule

Wanted = Sequence[tuple[Rule, Sequence[Host]]]

TAG = "precheck"
OPT_OUT_TAG = "no_precheck"
AUDIT = "precheck.guard.audit"

# ansible-core puts it at the head of roles, tagged always. It does nothing on a host.
_VALIDATE = add_internal_fqcns(("validate_argument_spec",))
_PREPARING = (*_VALIDATE, *add_internal_fqcns(("gather_facts",)))


def preparation(iterator: PlayIterator) -> list[Task]:
    """Return the tasks by which ansible-core prepares the hosts of the play. PlayIterator has them in a block of their own
    before those of the play.
    """
    tasks: list[Task] = iterator._blocks[0].get_tasks()
    if any(task.action not in _PREPARING for task in tasks):
        raise RuntimeError("ansible-core has no block of its own before those of the play")
    return tasks


def tasks_to_run(iterator: PlayIterator, tqm: TaskQueueManager) -> list[Task]:
    """Return the tasks of the play that the options leave to run, in order, without those that ansible-core adds."""
    play = iterator._play
    if context.CLIARGS.get("start_at_task") is not None and not tqm._start_at_done:
        return []  # the task to start at comes in a later play: TaskQueueManager sets this before it runs a strategy
    if play.only_tags == {TAG}:  # judge the play that is to be run afterwards, not what this selection leaves of it
        everything = [task for block in play.compile() for task in block.get_tasks()]
        variables = tqm._variable_manager.get_vars(play=play)
        tasks = [task for task in everything if task.evaluate_tags({"all"}, play.skip_tags, all_vars=variables)]
    else:
        tasks = iterator.all_tasks[len(preparation(iterator)) :]
    return [task for task in tasks if not task.implicit and task.action not in _VALIDATE]


def audit_of(play: Play) -> Task | None:
    """Return the task that makes an audit of the play. It must be the only one: nothing is to go unguarded beside it."""
    if play.roles or len(play.tasks) != 1 or play.pre_tasks or play.post_tasks or play.handlers:
        return None
    tasks = play.tasks[0].get_tasks()
    return tasks[0] if len(tasks) == 1 and isinstance(tasks[0], Task) and tasks[0].resolved_action == AUDIT else None


def is_ad_hoc() -> bool:
    """Return whether this is a run of the command ansible, which has one play and no playbook."""
    return "module_name" in context.CLIARGS


def do_something(tasks: Iterable[Task]) -> bool:
    """Return whether any of ``tasks`` is for hosts. A play without such a task is not guarded."""
    return any(task.action not in C._ACTION_META for task in tasks)


def why_idle(play: Play, tqm: TaskQueueManager) -> str:
    """Return why the play has no task to run."""
    if context.CLIARGS.get("start_at_task") is not None and not tqm._start_at_done:
        return "it comes before the task of --start-at-task"
    return "the tags leave no task to run" if play.only_tags - {"all", TAG} or play.skip_tags else "it has no task to run"


def identify(iterator: PlayIterator) -> PlayIdentity:
    """Return what the play is known by. Roles count however they come in, and whatever tags are selected: listed, imported,
    included by a literal name, or as a dependency.
    """
    play = iterator._play
    line = play.get_path().rpartition(":")[2]
    if play.only_tags == {"all"} and not play.skip_tags:
        tasks = list(iterator.all_tasks)
    else:
        tasks = [task for block in play.compile() for task in block.get_tasks()]
    tasks += [task for block in play.handlers for task in block.get_tasks()]
    roles = {role.get_name() for role in play.roles}
    roles.update(task._role.get_name() for task in tasks if task._role)
    roles.update(_role_of(task, play) for task in tasks if isinstance(task, IncludeRole))
    files = files_of(play)
    return PlayIdentity(
        name=play.get_name(),
        path=files[0],
        line=int(line or 0),
        roles=frozenset(roles),
        tags=frozenset(map(str, play.tags)),
        others=frozenset(files[1:]),
    )


def files_of(play: Play) -> list[str]:
    """Return the file that the play is written in; an empty path where it is in none.

    Before 2.19, ansible-core does not know the file of a play in JSON. It is then every file with such a play that was
    read.
    """
    if path := play.get_path().rpartition(":")[0]:
        return [path]
    read, source = play.get_loader()._FILE_CACHE.items(), play.get_ds()
    return [os.path.abspath(path) for path, data in read if isinstance(data, list) and source in data] or [""]


def _role_of(task: IncludeRole, play: Play) -> str:
    """Return the name of the role that ``task`` includes, with the collection in which a short name is found."""
    name = str(task._role_name)
    manager, loader = play._variable_manager, play._loader
    try:
        found = RoleInclude.load(name, play, variable_manager=manager, loader=loader, collection_list=task.collections)
    except AnsibleError:  # the name is a template, or there is no such role
        return name
    return f"{found._role_collection}.{name.rpartition('.')[2]}" if found._role_collection else name


def folders_of(play: Play, loader: DataLoader) -> list[str]:
    """Return the folders of the playbook and of the file that the play is written in."""
    return list(dict.fromkeys([loader.get_basedir(), os.path.dirname(files_of(play)[0])]))


def variables_of(strategy: StrategyBase, play: Play, host: Host, names: list[str], task: Task | None = None) -> dict[str, Any]:
    """Return the variables that a ``task`` of the play would have on ``host`` before facts are gathered; ``names`` are the
    play's hosts.
    """
    return strategy._variable_manager.get_vars(play=play, host=host, task=task, _hosts=names, _hosts_all=names)


def opted_out(play: Play) -> str:
    """Return how the play opts out of the guard; empty if it does not."""
    if OPT_OUT_TAG in play.tags:
        return f"the play is tagged {OPT_OUT_TAG}"
    return f"--skip-tags {TAG}" if TAG in play.skip_tags else ""


@dataclass
class Reach:
    """The ``hosts`` that a play would do something on. By host name, ``left_out`` says why it would do nothing on one of the
    others, and ``doubts`` why it may turn out to do nothing on one of ``hosts``: a condition that could not be told.
    """

    hosts: list[Host]
    left_out: dict[str, str]
    doubts: dict[str, str]


def hosts_reached(
    strategy: StrategyBase, iterator: PlayIterator, tasks: list[Task], hosts: list[Host], facts_to_come: bool = False
) -> Reach:
    """Return those of ``hosts`` that the play would do something on: those that are not out already, for which the
    ``when`` of an import_playbook holds, and that none of the meta tasks at the play's head ends. With ``facts_to_come``,
    no condition on facts is told, as facts may be gathered before the play.
    """
    play = iterator._play
    leading = takewhile(lambda task: task.action in C._ACTION_META, tasks)
    actions = [(task, task.args.get("_raw_params")) for task in leading]
    gathers_facts = bool(preparation(iterator)) and (
        C.DEFAULT_GATHERING != "explicit" if play.gather_facts is None else play.gather_facts
    )
    names = [host.name for host in hosts]
    doubts: dict[str, str] = {}

    def holds(conditions: list[Any], host: Host, task: Task | None = None) -> bool | None:
        if not conditions:
            return True
        if (facts_to_come or (task and gathers_facts)) and may_depend_on_facts(conditions):
            doubts[host.name] = f"{_condition(conditions, task)}: may depend on facts"
            return None
        variables = variables_of(strategy, play, host, names, task)
        try:
            return all(compat.holds(condition, variables, strategy._loader) for condition in conditions)
        except compat.TemplateError as ex:
            doubts[host.name] = f"{_condition(conditions, task)}: {ex}"
            return None

    def ends(task: Task, host: Host) -> bool:
        state = iterator.host_states.get(host.name)
        if state and state.did_start_at_task:  # --start-at-task passes over the leading tasks
            return False
        return holds(task.when, host, task) is True

    left_out = dict.fromkeys(iterator.get_failed_hosts(), "it failed in an earlier play")
    if not any(action == "clear_host_errors" for task, action in actions):  # it brings back the unreachable at once
        left_out |= dict.fromkeys(strategy._tqm._unreachable_hosts, "it was unreachable in an earlier play")
    reached = [host for host in hosts if host.name not in left_out]

    def leave_out(some: Iterable[Host], reason: str) -> None:
        nonlocal reached
        left_out.update((host.name, reason) for host in some)
        reached = [host for host in reached if host.name not in left_out]

    imported_when = play._included_conditional or []
    leave_out([host for host in reached if holds(imported_when, host) is False], _condition(imported_when))
    for task, action in actions:
        if action == "end_host":
            leave_out([host for host in reached if ends(task, host)], _condition(task.when, task))
        elif action == "end_play" or (action == "end_batch" and not play.serial):
            # linear asks the first host for all (StrategyBase._execute_meta); elsewhere each host ends by itself.
            one_decides = isinstance(strategy, LinearStrategy) and play.order != "shuffle"
            if all(ends(task, host) for host in (reached[:1] if one_decides else reached)):
                leave_out(reached, _condition(task.when, task))
    return Reach(reached, left_out, {name: doubts[name] for name in (host.name for host in reached) if name in doubts})


def _condition(conditions: Iterable[Any], task: Task | None = None) -> str:
    """Return how a meta ``task``, or the import_playbook, decides by ``conditions`` what becomes of a host."""
    when = " and ".join(map(str, conditions))
    if task is None:
        return f"imported only when {when}"
    return f"{task.args.get('_raw_params')} at {task.get_path()}" + (f", when {when}" if when else "")


def hosts_meeting(strategy: StrategyBase, play: Play, wanted: Wanted) -> Wanted:
    """Return for each rule those of its hosts for which its ``when`` holds.

    Raises AnsibleError that names host, rule and expression when one cannot be evaluated.
    """
    unmet = unmet_conditions(strategy, play, wanted)
    for rule, hosts in wanted:
        for host in hosts:
            condition, error = unmet.get((rule.name, host.name), ("", ""))
            if error:
                raise AnsibleError(
                    f"Precheck cannot tell whether {rule.place} applies to {host.name}, so nothing was run: in its when,"
                    f" {condition}: {error}"
                )
    return [(rule, [host for host in hosts if (rule.name, host.name) not in unmet]) for rule, hosts in wanted]


def unmet_conditions(strategy: StrategyBase, play: Play, wanted: Wanted) -> dict[tuple[str, str], tuple[str, str]]:
    """Return by rule and host name the condition in the ``when`` of a rule that keeps it from a host, and the error where it
    cannot be evaluated; nothing where the rule applies.
    """
    rules_of: dict[str, tuple[Host, list[Rule]]] = {}
    for rule, hosts in wanted:
        for host in hosts if rule.when else ():
            rules_of.setdefault(host.name, (host, []))[1].append(rule)
    names = list(rules_of)
    unmet: dict[tuple[str, str], tuple[str, str]] = {}
    for host, rules in rules_of.values():
        variables = variables_of(strategy, play, host, names)
        told: dict[str | bool, tuple[bool, str]] = {}  # each condition is compiled and evaluated once for a host
        for rule in rules:
            for condition in rule.when:
                if condition not in told:
                    try:
                        told[condition] = (compat.holds(condition, variables, strategy._loader), "")
                    except compat.TemplateError as ex:
                        told[condition] = (False, str(ex))
                is_met, error = told[condition]
                if not is_met:
                    unmet[rule.name, host.name] = (str(condition), error)
                    break
    return unmet
