# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of Precheck. The plugin documentation of the callback describes them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible import constants as C
from ansible import context
from ansible.parsing.splitter import parse_kv
from ansible.plugins.loader import callback_loader

from . import compat
from .errors import OptionError
from .text import Texts, one_line

CALLBACK = "precheck.guard.enforce"
STRATEGIES = tuple(f"precheck.guard.{name}" for name in ("linear", "free", "host_pinned", "debug"))
# What enables callbacks in the section defaults of ansible.cfg since 2.11, and what did until 2.14.
KEY, OLD_KEY = "callbacks_enabled", "callback_whitelist"
# What is to enable one here, and on the releases that may follow this one.
KEYS = (KEY,) if compat.HAS_CALLBACKS_ENABLED else (KEY, OLD_KEY)
POLICY_VARIABLE = "precheck_policy"
WAIVE_VARIABLE = "precheck_waive"
REASON_VARIABLE = "precheck_reason"
CONFIRM_VARIABLE = "precheck_confirm"
LONGEST_TIMEOUT = 86400
MOST_FORKS = 10000
MOST_REPORTS = 1000000
METRICS_SUFFIX = ".prom"


ValueAndOrigin = tuple[Any, str]


def option(name: str, extra_vars: Mapping[str, Any]) -> ValueAndOrigin:
    """Return the value of an option, and where it was set.

    ``extra_vars`` are those of the command line. Raises OptionError.
    """
    return _value_and_origin(name, _plugin(), extra_vars)


def _plugin() -> str:
    """Return the name by which ansible-core knows the options: that of the callback's module."""
    # Loading the class makes its options known, even if only a strategy is on.
    module: str = callback_loader.get(CALLBACK, class_only=True).__module__
    return module


def _value_and_origin(name: str, plugin: str, variables: Mapping[str, Any]) -> ValueAndOrigin:
    try:
        value, origin = C.config.get_config_value_and_origin(
            name, plugin_type="callback", plugin_name=plugin, variables=dict(variables)
        )
    except Exception as ex:  # of several types, if the value is of a wrong type
        raise OptionError(f"the option {name} has a value that cannot be used: {ex}") from None
    return value, origin


def keys_in_config() -> set[str]:
    """Return the keys that a section of ansible.cfg has for the options."""
    return {entry["key"] for entry in _entries("ini")}


def variables() -> set[str]:
    """Return the variables of the environment that set options."""
    return {entry["name"] for entry in _entries("env")}


def _entries(source: str) -> list[dict[str, str]]:
    options = C.config.get_configuration_definitions("callback", _plugin())
    return [entry for option in options.values() for entry in option.get(source) or ()]


class PolicyPaths(NamedTuple):
    """The ``paths`` of policy files, and what named them.

    If that is the environment or the command line, ``replaced`` are the paths of the files that
    would be in force otherwise.
    """

    paths: list[str]
    origin: str
    replaced: Texts = ()

    @property
    def is_replacement(self) -> bool:
        """Whether the environment or the command line named the files."""
        return self.origin.startswith(("env:", "var:"))


def policy_paths(extra_vars: Mapping[str, Any]) -> PolicyPaths:
    """Return the paths of the policy files that the option names, and where it was set.

    Raises OptionError.
    """
    # ansible-core takes null for a variable that is not set, and an empty list for a value.
    if POLICY_VARIABLE in extra_vars and not _names_paths(extra_vars[POLICY_VARIABLE]):
        raise OptionError(
            f"the variable {POLICY_VARIABLE} names no policy file: expected the path of a file, or"
            " a list of paths"
        )
    paths, origin = option("policy", extra_vars)
    return PolicyPaths(_strings(paths), origin)


def configured_policy_paths() -> PolicyPaths:
    """Return the paths of the policy files that ansible.cfg names. Raises OptionError."""
    # ansible-core passes over ansible.cfg if the environment has a value, so it is told of an
    # option that has no variable there.
    plugin = _plugin()
    policy = C.config.get_configuration_definition("policy", "callback", plugin)
    only_configured = {"policy": {key: policy[key] for key in ("type", "ini")}}
    name = f"{plugin}.configured"
    C.config.initialize_plugin_configuration_definitions("callback", name, only_configured)
    paths, origin = _value_and_origin("policy", name, {})
    return PolicyPaths(_strings(paths), origin)


def _strings(paths: Any) -> list[str]:
    # Since 2.19 each is of a class that not every function accepts.
    return [str(path) for path in paths or [] if path]


def _names_paths(value: Any) -> bool:
    paths = value if isinstance(value, list) else [value]
    return bool(paths) and all(isinstance(path, str) and path.strip() for path in paths)


def waived_rules(extra_vars: Mapping[str, Any]) -> list[str]:
    """Return the names of the rules that the run opts out of by a variable. Raises OptionError."""
    value = _extra_var(WAIVE_VARIABLE, extra_vars)
    value = [] if value is None else value
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise OptionError(
            f"the variable {WAIVE_VARIABLE} has a wrong value: expected the name of a rule, or a"
            " list of names"
        )
    return [str(name.strip()) for name in names if name.strip()]


def reason_to_waive(extra_vars: Mapping[str, Any]) -> str:
    """Return why the operator opts out, on one line; empty if nothing says so.

    Raises OptionError.
    """
    value = _extra_var(REASON_VARIABLE, extra_vars)
    if not isinstance(value, (str, type(None))):
        raise OptionError(f"the variable {REASON_VARIABLE} has a wrong value: expected text")
    return one_line(value or "")


def confirmed_number(extra_vars: Mapping[str, Any]) -> str | None:
    """Return what the command line says of how many hosts the run concerns; None if nothing.

    What is no number of hosts is returned as well, and is wrong for any number.
    """
    value = extra_vars.get(CONFIRM_VARIABLE)
    return None if value is None else str(value)


def _extra_var(name: str, extra_vars: Mapping[str, Any]) -> Any:
    """Return the value of an extra variable; with its spaces, if it comes as NAME=VALUE."""
    value = extra_vars.get(name)
    # A program that runs plays may have put them into a collection of any kind.
    for argument in reversed([*(context.CLIARGS.get("extra_vars") or ())]):
        if str(argument).startswith(f"{name}="):
            # ansible-core takes what follows a space for something else.
            parts = parse_kv(argument)
            if parts.get(name) == value and set(parts) == {name, "_raw_params"}:
                return f"{value} {parts['_raw_params']}"
    return value


def timeout(extra_vars: Mapping[str, Any]) -> int:
    """Return the seconds that a host has for its checks; 0 if nothing says so.

    Raises OptionError.
    """
    return _number("timeout", LONGEST_TIMEOUT, "whole seconds", extra_vars)


def forks(extra_vars: Mapping[str, Any]) -> int:
    """Return how many hosts are checked at once; 0 if nothing says so. Raises OptionError."""
    return _number("forks", MOST_FORKS, "a whole number", extra_vars)


def _number(name: str, most: int, what: str, extra_vars: Mapping[str, Any]) -> int:
    value, origin = option(name, extra_vars)
    if value is None:
        return 0
    if not 1 <= value <= most:
        raise _wrong(name, origin, f"expected {what} from 1 to {most}, not {value}")
    return int(value)


def _wrong(name: str, origin: str, expected: str) -> OptionError:
    return OptionError(f"the option {name} ({origin}) has a wrong value: {expected}")


def report_path(extra_vars: Mapping[str, Any], started: float) -> str:
    """Return the path of the report of a run that ``started`` at this time, in seconds since 1970.

    It is empty if no report is wanted. Raises OptionError.
    """
    pattern = report_pattern(extra_vars)
    return time.strftime(pattern, time.gmtime(started)) if pattern else ""


def report_pattern(extra_vars: Mapping[str, Any]) -> str:
    """Return the strftime format of the paths of reports; empty if none is wanted.

    Raises OptionError.
    """
    pattern, _origin = option("report", extra_vars)
    return str(pattern) if pattern else ""


def report_keep(extra_vars: Mapping[str, Any]) -> int:
    """Return how many reports to keep; 0 if all of them. Raises OptionError."""
    return _number("report_keep", MOST_REPORTS, "a whole number", extra_vars)


def metrics_path(extra_vars: Mapping[str, Any]) -> str:
    """Return the path of the metrics; empty if none are wanted. Raises OptionError."""
    path, origin = option("metrics", extra_vars)
    if path and not str(path).endswith(METRICS_SUFFIX):  # node_exporter passes over the file
        expected = f"expected a name that ends in {METRICS_SUFFIX}, not {path}"
        raise _wrong("metrics", origin, expected)
    return str(path or "")


def sets_stats(extra_vars: Mapping[str, Any]) -> bool:
    """Return whether runs are to set a custom statistic. Raises OptionError."""
    wanted, _origin = option("set_stats", extra_vars)
    return bool(wanted)
