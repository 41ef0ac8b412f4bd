# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A callback that writes each event of a run to the file that EVENTS names.

An event has a name, the hosts that it is about, and its content.
"""

from __future__ import annotations

import functools
import json
import os

from ansible.plugins.callback import CallbackBase

# Times and numbers of async jobs differ from run to run. Tracebacks and arguments add nothing.
LEFT_OUT = {"start", "end", "delta", "ansible_job_id", "results_file", "exception", "invocation"}


def steady(value):
    """Return the part of a value in a result that is the same in each run."""
    if isinstance(value, dict):
        return {
            str(key): steady(one)
            for key, one in value.items()
            if key not in LEFT_OUT and not str(key).startswith("_ansible_")
        }
    if isinstance(value, (list, tuple)):
        return [steady(one) for one in value]
    return value if isinstance(value, (int, float, type(None))) else str(value)


def described(argument):  # noqa: PLR0911 - one for each kind of argument
    """Return the hosts that an argument of an event is about, and its content."""
    if hasattr(argument, "_result"):
        status = {
            word: getattr(argument, f"is_{word}")()
            for word in ("changed", "failed", "skipped", "unreachable")
        }
        return [argument._host.name], [
            argument.task_name,
            {word: bool(is_so) for word, is_so in status.items()},
            steady(argument._result),
        ]
    if hasattr(argument, "summarize"):
        return [], [
            {host: argument.summarize(host) for host in sorted(argument.processed)},
            steady(argument.custom),
        ]
    if hasattr(argument, "strategy"):
        # When a play starts, its strategy has the name in the configuration.
        return [], [argument.get_name(), argument.strategy.rpartition(".")[2]]
    if hasattr(argument, "_hosts"):  # an included file
        return sorted(host.name for host in argument._hosts), [
            os.path.basename(str(argument._filename)),
            steady(argument._args),
        ]
    if hasattr(argument, "_entries"):
        return [], [os.path.basename(argument._file_name)]
    if hasattr(argument, "action"):
        return [], [argument.get_name()]
    if hasattr(argument, "get_vars"):
        return [argument.name], []
    return [], [steady(argument)]


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "events"

    wants_implicit_tasks = True

    def write(self, event, *args, **kwargs):
        hosts, contents = [], []
        for argument in (*args, *(kwargs[key] for key in sorted(kwargs))):
            names, content = described(argument)
            hosts += names
            contents += content
        with open(os.environ["EVENTS"], "a", encoding="utf-8") as log:
            log.write(json.dumps([event, hosts, contents]) + "\n")


# How often a job is polled is a matter of chance.
for name in [
    name
    for name in vars(CallbackBase)
    if name.startswith("v2_") and name not in ("v2_on_any", "v2_runner_on_async_poll")
]:
    setattr(CallbackModule, name, functools.partialmethod(CallbackModule.write, name))
