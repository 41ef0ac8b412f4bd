# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between the releases of ansible-core that Precheck supports."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible import constants as C
from ansible.executor.play_iterator import PlayIterator
from ansible.inventory.host import Host
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import module_loader

from .templates import is_template

if TYPE_CHECKING:
    from ansible.executor.task_queue_manager import TaskQueueManager
    from ansible.plugins.strategy import StrategyBase


def decrypted_content(loader: DataLoader, path: str) -> tuple[bytes, bool]:
    """Return the content of a file, and whether it had to be decrypted. Raises AnsibleError."""
    content, may_be_shown = loader._get_file_contents(path)  # until 2.18 there is no public method
    return content, not may_be_shown


def load_yaml(loader: DataLoader, path: str) -> Any:
    """Return the data in the file at ``path``, with trusted templates. Raises AnsibleError."""
    # Since 2.19 templates are used only if whoever loads them vouches for them.
    takes_trust = "trusted_as_template" in inspect.signature(loader.load_from_file).parameters
    trust: dict[str, Any] = {"trusted_as_template": True} if takes_trust else {}
    return loader.load_from_file(path, **trust)


def action_of(task: Task) -> str:
    """Return the full name of a task's action; empty if it is a template, or there is none.

    From 2.19.0 to 2.19.3 a task only knows it when it runs. Later releases warn if one asks a task
    whose action is a template.
    """
    if is_template(task.action):
        return ""
    found: Any = module_loader.find_plugin_with_context(
        task.action, collection_list=task.collections
    )
    if hasattr(found, "resolved_fqcn"):  # since 2.12
        return found.resolved_fqcn or ""
    name = (found.plugin_resolved_name or "").rpartition(".")[2]
    return f"{found.plugin_resolved_collection}.{name}" if found.plugin_resolved_collection else ""


def tasks_of(block: Block) -> list[Task]:
    """Return the tasks of a block, and of the blocks in it."""
    if hasattr(block, "get_tasks"):  # since 2.14
        tasks: list[Task] = block.get_tasks()
        return tasks
    items = [*block.block, *block.rescue, *block.always]
    lists = [tasks_of(item) if isinstance(item, Block) else [item] for item in items]
    return [task for tasks in lists for task in tasks]


def tasks_of_iterator(iterator: PlayIterator) -> list[Task]:
    """Return the tasks that ``iterator`` goes through."""
    if hasattr(iterator, "all_tasks"):  # since 2.14
        return list(iterator.all_tasks)
    return [task for block in iterator._blocks for task in tasks_of(block)]


def did_start_at_task(iterator: PlayIterator, name: str) -> bool:
    """Return whether the host of this name begins at the task of --start-at-task."""
    states = _host_states(iterator)
    return name in states and bool(states[name].did_start_at_task)


def clear_host_errors(iterator: PlayIterator, host: Host) -> None:
    """Let ``host`` not count as failed, as ``meta: clear_host_errors`` does."""
    if hasattr(iterator, "clear_host_errors"):  # since 2.14
        iterator.clear_host_errors(host)
    else:
        state = _host_states(iterator)[host.name]
        state.fail_state = type(state.fail_state)(0)  # a number, or a flag since 2.12


def _host_states(iterator: PlayIterator) -> dict[str, Any]:
    # Until 2.13 they have no public name.
    states: dict[str, Any] = (
        iterator.host_states if hasattr(iterator, "host_states") else iterator._host_states
    )
    return states


def path_of(play: Play) -> str:
    """Return the file and the line at which a play is written; empty if they are not known."""
    if hasattr(play, "get_path"):  # since 2.12
        path: str = play.get_path()
        return path
    source: Any = play.get_ds()
    is_known = hasattr(source, "_data_source") and hasattr(source, "_line_number")
    return f"{source._data_source}:{source._line_number}" if is_known else ""


def as_loaded(play: Any) -> Any:
    """Return a play that is written in a file as it is when ansible-core has loaded it.

    It changes what it reads. Two plays that are the same afterwards were so before, or the hosts of
    one are the name of the other.
    """
    if not isinstance(play, dict):
        return play
    loaded = {**play, "remote_user": play["user"]} if "user" in play else dict(play)
    loaded.pop("user", None)
    hosts = play.get("hosts")
    # Until 2.11 it gives this name to a play without one.
    if play.get("name") == (",".join(map(str, hosts)) if isinstance(hosts, list) else hosts):
        loaded.pop("name", None)
    return loaded


def is_implicit(task: Task) -> bool:
    """Return whether ansible-core has put the task into the play."""
    if hasattr(task, "implicit"):  # since 2.11
        return bool(task.implicit)
    # It puts no others there, and one that is written there does no more than these.
    is_meta = task.action in C._ACTION_META
    return is_meta and task.args.get("_raw_params") == "flush_handlers"


def is_keyword_of_tasks(key: str) -> bool:
    """Return whether tasks have a keyword ``key``."""
    keywords: Any = getattr(Task, "fattributes", None)  # since 2.14
    return key in (keywords or getattr(Task, "_valid_attrs"))  # noqa: B009 - it has none since


def registered_names(task: Task) -> set[str]:
    """Return the names of the variables for which a task registers results."""
    register = task.register
    if isinstance(register, dict):  # since 2.21
        return set(register)
    return {register} if register else set()


def host_and_result(task_result: Any) -> tuple[str, Mapping[str, Any]]:
    """Return the host's name and the result, given what a strategy's pending results consist of."""
    if hasattr(task_result, "utr"):  # since 2.21
        return task_result.host.name, task_result.utr.as_result_dict()
    if hasattr(task_result, "_return_data"):  # 2.19 and 2.20
        return task_result.host.name, task_result._return_data
    return task_result._host.name, task_result._result


def drop_from_result(task_result: Any, keys: Sequence[str]) -> None:
    """Take keys out of what a strategy's pending result holds, before callbacks see it."""
    if utr := getattr(task_result, "utr", None):  # since 2.21
        for one in (utr, *(utr.loop_results or ())):
            for key in keys:
                setattr(one, key, None)
        return
    data = getattr(task_result, "_return_data", None)  # 2.19 and 2.20
    data = task_result._result if data is None else data
    for one in (data, *(data.get("results") or ())):
        if isinstance(one, dict):
            _name_unexpected_error(one)
            for key in keys:
                one.pop(key, None)


def _name_unexpected_error(result: dict[str, Any]) -> None:
    """Let the message say which error it was. Until 2.13 only the traceback does."""
    message, lines = result.get("msg"), str(result.get("exception", "")).split("\n")
    if message == "Unexpected failure during module execution.":
        error = next(filter(None, reversed(lines)), "")
        result["msg"] = f"{message[:-1]}: {error}"


def with_keys(task_result: Any, keys: Mapping[str, Any], private: Sequence[str]) -> Any:
    """Return a copy of a strategy's pending result in which the result has these ``keys`` too.

    It is without those that are ``private``. They begin with ``_ansible_``, and until 2.20
    callbacks get none of these anyway.
    """
    if utr := getattr(task_result, "utr", None):  # since 2.21
        data = {key: value for key, value in utr.result_data.items() if key not in private}
        data.update((key, value) for key, value in keys.items() if key != "msg")
        utr = copy.copy(utr)  # dataclasses.replace would add an exception
        utr.msg, utr.result_data = keys.get("msg", utr.msg), data
        return dataclasses.replace(task_result, utr=utr)
    result = copy.copy(task_result)
    if hasattr(task_result, "_return_data"):  # 2.19 and 2.20
        result._return_data = {**task_result._return_data, **keys}
    else:
        result._result = {**task_result._result, **keys}
    return result


def task_of(task_result: Any) -> Task:
    """Return the task of a strategy's pending result, or of what callbacks get of it."""
    task: Task = task_result.task if hasattr(task_result, "task") else task_result._task
    return task


HAS_CALLBACKS_ENABLED = hasattr(C, "CALLBACKS_ENABLED")  # since 2.11
CALLBACKS = "CALLBACKS_ENABLED" if HAS_CALLBACKS_ENABLED else "DEFAULT_CALLBACK_WHITELIST"


def clean_up_after_error(strategy: StrategyBase) -> None:
    """Let the thread that takes the results of ``strategy`` end.

    Before 2.11 TaskQueueManager does this only after a play without an error. Otherwise the thread
    may print a traceback, as the queue is closed.
    """
    if not HAS_CALLBACKS_ENABLED:
        strategy.cleanup()


def stdout_callback(manager: TaskQueueManager) -> CallbackBase | None:
    """Return the callback that prints to stdout; None if a program has none."""
    callback = getattr(manager, "_stdout_callback", None)  # until 2.18
    if callback is None and (callbacks := getattr(manager, "_callback_plugins", ())):
        callback = callbacks[0]
    return callback if isinstance(callback, CallbackBase) else None


def masked(text: str) -> str:
    """Return ``text`` as ansible-core prints it: since 2.22, without the secrets that it knows."""
    try:
        secrets = importlib.import_module("ansible.module_utils.secrets")
    except ImportError:
        return text
    without: str = secrets.mask_secrets(text)
    return without


def as_in_file(data: dict[str, Any], path: str) -> dict[str, Any]:
    """Return ``data`` as if ansible-core had read it from the first line of a file."""
    tagged = with_origin(data, path, 1)
    if tagged is not data or not path:
        return tagged
    from ansible.parsing.yaml import objects  # until 2.18

    mapping: Any = objects.AnsibleMapping(data)
    mapping.ansible_pos = (path, 1, 1)
    in_file: dict[str, Any] = mapping
    return in_file


def with_origin(data: dict[str, Any], path: str, line: int = 0) -> dict[str, Any]:
    """Return ``data`` with the location that error messages since 2.19 name."""
    try:
        from ansible._internal._datatag._tags import Origin  # a release may have none
    except ImportError:
        return data
    return Origin(path=path, line_num=line or None).tag(data) if path else data
