# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which machine a play would reach under the name of a host, and in which way."""

from __future__ import annotations

import functools
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.plugins.loader import become_loader, connection_loader

from ... import templates
from ...errors import PrecheckError
from ..run import PlayRun

# Variables that no plugin names, and that decide what runs a command.
_SHELL = ("ansible_shell_type", "ansible_shell_executable")


def machine_of(run: PlayRun, variables: dict[str, Any], becomes: bool) -> dict[str, Any]:
    """Return what decides on which machine the checks of a rule run, and as whom.

    As in TaskExecutor: the variable takes precedence over the keyword, and the options of the
    connection plugin take their values from the variables that it names. All that comes from the
    configuration and the command line stays the same during a run.
    """

    def value(name: str, default: Any = None) -> Any:
        return templates.value_of(variables.get(name, default), variables, run.loader)

    connection = str(value("ansible_connection", run.play.connection))
    # PlayContext makes ssh or paramiko of it, by what the control node has.
    connection = "ssh" if connection == "smart" else connection
    names = [*_variables_of("connection", connection), *_SHELL]
    if becomes:
        method = value("ansible_become_method", context.CLIARGS.get("become_method"))
        names += ["ansible_become_method", *_variables_of("become", str(method or "sudo"))]
    return {
        "connection": connection,
        "local": connection.rpartition(".")[2] == "local",
        "port": run.play.port,
        "remote_user": run.play.remote_user,
        "variables": {name: value(name) for name in names if name in variables},
    }


@functools.cache
def _variables_of(plugin_type: str, name: str) -> frozenset[str]:
    """Return the variables from which a plugin takes its options. Raises PrecheckError."""
    loader = {"connection": connection_loader, "become": become_loader}[plugin_type]
    plugin = loader.get(name, class_only=True)
    # The configuration knows it by the name that its loader gives it, as TaskExecutor expects.
    if not (load_name := getattr(plugin, "_load_name", "")):
        raise PrecheckError(f"there is no {plugin_type} plugin {name}")
    return frozenset(C.config.get_plugin_vars(plugin_type, load_name))
