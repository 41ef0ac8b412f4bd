# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of Precheck. The plugin documentation of the callback describes them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible import constants as C
from ansible.plugins.loader import callback_loader

from .errors import OptionError

CALLBACK = "precheck.guard.enforce"
POLICY_VARIABLE = "precheck_policy"
LONGEST_TIMEOUT = 86400


def option(name: str, extra_vars: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the value of an option, and where it was set.

    ``extra_vars`` are those of the command line. Raises OptionError.
    """
    # Loading the class makes its options known, even if only a strategy is on. ansible-core knows
    # the plugin by the name of its module.
    plugin = callback_loader.get(CALLBACK, class_only=True).__module__
    try:
        value, origin = C.config.get_config_value_and_origin(
            name, plugin_type="callback", plugin_name=plugin, variables=dict(extra_vars)
        )
    except Exception as ex:  # of several types, if the value is of a wrong type
        raise OptionError(f"the option {name} has a value that cannot be used: {ex}") from None
    return value, origin


class PolicyPaths(NamedTuple):
    """The ``paths`` of policy files, and what named them."""

    paths: list[str]
    origin: str


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
    # Since 2.19 each is of a class that not every function accepts.
    return PolicyPaths([str(path) for path in paths or [] if path], origin)


def _names_paths(value: Any) -> bool:
    paths = value if isinstance(value, list) else [value]
    return bool(paths) and all(isinstance(path, str) and path.strip() for path in paths)


def timeout(extra_vars: Mapping[str, Any]) -> int:
    """Return the seconds that a host has for its checks; 0 if nothing says so.

    Raises OptionError.
    """
    value, origin = option("timeout", extra_vars)
    if value is None:
        return 0
    if not 1 <= value <= LONGEST_TIMEOUT:
        expected = f"expected whole seconds from 1 to {LONGEST_TIMEOUT}, not {value}"
        raise OptionError(f"the option timeout ({origin}) has a wrong value: {expected}")
    return int(value)


def report_path(extra_vars: Mapping[str, Any], started: float) -> str:
    """Return the path of the report of a run that ``started`` at this time, in seconds since 1970.

    It is empty if no report is wanted. Raises OptionError.
    """
    path, _origin = option("report", extra_vars)
    return time.strftime(str(path), time.gmtime(started)) if path else ""
