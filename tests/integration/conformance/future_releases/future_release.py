# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A callback that repeats one run of ansible-playbook on simulated future releases of ansible-core.

When ansible-core is loaded completely and no play has begun, the callback forks for each future
release. The child changes ansible-core and continues the run. The parent waits for it and records
how it ended. So ansible-playbook starts only once.

FUTURE_RELEASES names a file that lists what each future release lacks or changes. The callback
replaces the list with the outcomes. CALLBACKS_NEED_MORE makes the whole run one on a future release
in which the constructor of callbacks requires another argument.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import signal
import sys
import traceback
from pathlib import Path

from ansible import constants as C
from ansible import release
from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.process.worker import WorkerProcess
from ansible.executor.task_queue_manager import FinalQueue, TaskQueueManager
from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import strategy_loader
from ansible.plugins.strategy import StrategyBase

SECONDS = 30  # the timeout of the run on one future release; it takes much less


def for_the_guard(depth=2):
    """Return whether Precheck is the caller."""
    return (
        sys._getframe(depth)
        .f_globals.get("__name__", "")
        .startswith("ansible_collections.precheck.")
    )


class Removed:
    """An attribute that no longer exists for Precheck. ansible-core still has it, as if renamed."""

    def __init__(self, name, was):
        self.name, self.was = name, was

    def __get__(self, instance, owner=None):
        if not for_the_guard():
            if hasattr(self.was, "__set__"):
                return self.was.__get__(instance, owner)
            if instance is not None and self.name in vars(instance):
                return vars(instance)[self.name]
            if not isinstance(self.was, Missing):
                return (
                    self.was.__get__(instance, owner) if hasattr(self.was, "__get__") else self.was
                )
        raise AttributeError(f"{owner.__name__!r} has no attribute {self.name!r}")

    def __set__(self, instance, value):
        if hasattr(self.was, "__set__"):
            self.was.__set__(instance, value)
        else:
            vars(instance)[self.name] = value


class Missing:
    """Stands for an attribute that only instances have."""


def remove(location):
    """Remove for Precheck the attribute at ``location``: "module:name" or "module:class.name"."""
    module, _colon, path = location.partition(":")
    owner = importlib.import_module(module)
    *parts, name = path.split(".")
    if parts:
        owner = getattr(owner, parts[0])
        was = inspect.getattr_static(owner, name, Missing())
        setattr(owner, name, Removed(name, was))
    else:
        # The name in the module's type takes precedence, also in "from module import name".
        names = {name: Removed(name, Missing())}
        owner.__class__ = type("module", (type(owner),), names)


def results_of_another_kind():
    wrap("_process_pending_results", lambda results: [object() for _result in results])


def results_are_lost():
    wrap("_process_pending_results", lambda results: [])


def wrap(name, change):
    was = getattr(StrategyBase, name)

    def wrapped(self, *args, **kwargs):
        results = was(self, *args, **kwargs)
        return change(results) if for_the_guard() else results

    setattr(StrategyBase, name, wrapped)


def other_parameters():
    def queue_task(self, *, work):
        raise NotImplementedError

    StrategyBase._queue_task = queue_task
    workers_need_more()


def workers_need_more():
    was = WorkerProcess.__init__

    def init(self, *, work=None, **kwargs):
        was(self, **kwargs)

    WorkerProcess.__init__ = init


def no_exit_code_ends_a_run():
    TaskQueueManager.RUN_FAILED_BREAK_PLAY = 0


def hosts_that_failed_end_no_run():
    was = PlayIterator.mark_host_failed
    PlayIterator.mark_host_failed = lambda self, host: None if for_the_guard() else was(self, host)


def classes_are_made_anew():
    """The class that the loader returns is not the one that it instantiates."""
    was = strategy_loader.get

    def get(name, *args, **kwargs):
        plugin_class = was(name, *args, **kwargs)
        return (
            type("StrategyModule", (plugin_class,), {"run": plugin_class.run})
            if kwargs.get("class_only") and plugin_class
            else plugin_class
        )

    strategy_loader.get = get


def no_block_comes_before_the_play():
    was = PlayIterator.__init__

    def init(self, *args, **kwargs):
        was(self, *args, **kwargs)
        preparing = self._blocks.pop(0).get_tasks()
        self.all_tasks = self.all_tasks[len(preparing) :]

    PlayIterator.__init__ = init


def no_play_is_announced():
    was = TaskQueueManager.send_callback

    def send_callback(self, name, *args, **kwargs):
        if name != "v2_playbook_on_play_start":
            was(self, name, *args, **kwargs)

    TaskQueueManager.send_callback = send_callback


def strategies_from_outside_are_refused():
    was = strategy_loader.get

    def get(name, *args, **kwargs):
        if "." in name and not name.startswith(("ansible.builtin.", "ansible.legacy.")):
            raise AnsibleError(
                f"Strategy {name} is not included in ansible-core, and is not supported any more."
            )
        return was(name, *args, **kwargs)

    strategy_loader.get = get


def a_newer_release():
    release.__version__ = "2.99.1"


def nothing():
    pass


def renew_the_queue():
    """Keep the results of one future release from the next: they share the queue."""
    was = TaskQueueManager.run

    def run(self, play):
        self._final_q = FinalQueue()
        return was(self, play)

    TaskQueueManager.run = run


def callbacks_need_more():
    was = CallbackBase.__init__

    def init(self, *args, **kwargs):
        if type(self).__module__.startswith("ansible_collections.precheck."):
            raise TypeError("an argument is missing")
        was(self, *args, **kwargs)

    CallbackBase.__init__ = init


if "CALLBACKS_NEED_MORE" in os.environ:  # before any callback is made
    callbacks_need_more()


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "future_release"

    def v2_playbook_on_start(self, playbook):
        file = Path(os.environ["FUTURE_RELEASES"])
        outcomes = {}
        for release_name in json.loads(file.read_text()):
            sys.stdout.flush()
            sys.stderr.flush()
            process = os.fork()
            if not process:
                self.begin(release_name)
                return
            _process, status = os.waitpid(process, 0)
            ran = [str(path.relative_to(Path.cwd())) for path in sorted(Path.cwd().glob("*/ran*"))]
            for path in ran:
                os.unlink(path)
            outcomes[release_name] = {
                "rc": os.waitstatus_to_exitcode(status),
                "output": Path("output").read_text(),
                "ran": ran,
            }
            file.write_text(json.dumps(outcomes))
        os._exit(0)

    def begin(self, release_name):
        output = os.open("output", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.makedirs(C.DEFAULT_LOCAL_TMP, exist_ok=True)  # the previous run removed it
        renew_the_queue()
        signal.alarm(SECONDS)
        changed = False
        try:
            for part in release_name.split(" and "):
                remove(part) if ":" in part else globals()[part.replace(" ", "_")]()
            changed = True
        finally:
            if not changed:  # the run must not go on with ansible-core as it is
                traceback.print_exc()
                os._exit(99)
