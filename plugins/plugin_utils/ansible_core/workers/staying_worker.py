# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A worker of ansible-core that stays: when it has run a task on a host, it takes the next host.

What differs about that between releases of ansible-core is here.
"""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.executor.process.worker import WorkerProcess
from ansible.inventory.host import Host
from ansible.playbook.task import Task
from ansible.plugins import loader as plugin_loader
from ansible.plugins.strategy import StrategyBase
from ansible.utils.display import Display

from .handout import Handout, Note, Step
from .rounds import Job

Variables = dict[str, Any]

_ISOLATION = "WORKER_SESSION_ISOLATION"  # a setting, since 2.21


class StayingWorker(WorkerProcess):
    """Runs the task of ``job`` on those of ``hosts`` of which it takes the numbers.

    ansible-core's ``run`` prepares the process and calls ``_run`` in it, which runs the task on a
    host and sends the result. So only ``_run`` differs: it does that for host after host, each time
    with fresh copies of what it changes. ``variables`` are those of the first host.
    """

    def __init__(
        self, job: Job, hosts: Sequence[Host], handout: Handout, slot: int, variables: Variables
    ) -> None:
        strategy = job.run.strategy
        arguments = {
            "final_q": strategy._final_q,
            "task_vars": variables,
            "host": hosts[0],
            "task": job.task,
            "play_context": job.play_context,
            "loader": job.run.loader,
            "variable_manager": job.run.variable_manager,
            "shared_loader_obj": _loaders(),
            "worker_id": slot,
            "cliargs": context.CLIARGS,
            "stacktrace_dir": getattr(job.run.manager, "stacktrace_dir", None),
        }
        super().__init__(**{name: arguments[name] for name in _PARAMETERS})
        self._job, self._hosts, self._handout, self._slot = job, hosts, handout, slot
        self._is_isolated = _is_isolated(variables)

    def _run(self) -> None:
        if hasattr(display := Display(), "set_queue"):  # since 2.14 workers print by the queue
            display.set_queue(self._final_q)  # until 2.18 nothing has done so yet
        for number in self._handout.take():
            self._note(number, Step.TAKES)
            host = self._hosts[number]
            try:
                self._prepare_for(host)
                fits = _is_isolated(self._task_vars) == self._is_isolated
            except Exception:  # the control process tries again, and says what is wrong
                fits = False
            self._note(number, Step.BEGINS if fits else Step.GIVES_BACK)
            if fits:
                self._run_on(host)

    def _note(self, number: int, step: Step) -> None:
        self._handout.note(Note(self._slot, number, step))

    def _prepare_for(self, host: Host) -> None:
        task: Any = self._job.task
        self._host, self._task_vars = host, self._job.variables(host)
        self._task = task.copy(exclude_parent=True, exclude_tasks=True)
        self._task._parent = task._parent
        self._play_context = self._job.play_context.copy()

    def _run_on(self, host: Host) -> None:
        if isinstance(sys.stdout, io.StringIO):  # since 2.19, for what plugins print by mistake
            sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
        # ansible-core empties them before it sends the result. Other hosts may refer to this one.
        own = host.vars, host.groups
        try:
            with _task_context(self._task, self._task_vars, host):
                super()._run()
        finally:
            host.vars, host.groups = own


_TASK_CONTEXT: Any = None  # until 2.18
if find_spec("ansible._internal"):
    _TASK_CONTEXT = attrgetter("TaskContext")(import_module("ansible._internal._task"))
_PARAMETERS = list(inspect.signature(WorkerProcess).parameters)
_KNOWN = {
    *("final_q", "task_vars", "host", "task", "play_context", "loader", "variable_manager"),
    "shared_loader_obj",
    "worker_id",  # since 2.15
    "cliargs",  # since 2.19
    "stacktrace_dir",  # since 2.22
}


def is_possible(strategy: StrategyBase) -> bool:
    """Return whether this release of ansible-core has what staying workers need."""
    return (
        hasattr(WorkerProcess, "_run")
        and hasattr(strategy, "_queued_task_cache")
        and _KNOWN.issuperset(_PARAMETERS)
    )


def _loaders() -> Any:
    try:
        return plugin_loader.get_plugin_loader_namespace()  # since 2.19
    except AttributeError:
        return plugin_loader


def _task_context(task: Task, variables: Variables, host: Host) -> AbstractContextManager[Any]:
    task_context: AbstractContextManager[Any] = nullcontext()
    if hasattr(_TASK_CONTEXT, "create"):  # since 2.21
        task_context = _TASK_CONTEXT.create(task=task, task_vars=variables, host_name=host.name)
    elif _TASK_CONTEXT:
        task_context = _TASK_CONTEXT(task)
    return task_context


def _is_isolated(variables: Variables) -> bool:
    """Return whether the worker for a host with these variables has a session of its own."""
    if not hasattr(C, _ISOLATION):
        return False
    return bool(C.config.get_config_value(_ISOLATION, variables=variables))
