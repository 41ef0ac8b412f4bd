# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the options say: which policy files are in force, with the rules of all of them, and where the report goes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import callback_loader

from .policy import Rule
from .policy_file import PolicyError, Problem, read

CALLBACK = "precheck.guard.enforce"  # its manual page has the options, for both doors
BUILT_IN = os.path.join(os.path.dirname(__file__), "built_in.yml")
BESIDE_CONFIG = "precheck.yml"


def option(name: str, extra_vars: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the value of an option of Precheck, and where it was set. ``extra_vars`` are those of the command line.

    Raises PolicyError.
    """
    # The loader makes the options known, also if only a strategy is on. It knows the plugin by a longer name.
    plugin = callback_loader.get(CALLBACK, class_only=True)._load_name
    try:
        value, origin = C.config.get_config_value_and_origin(
            name, plugin_type="callback", plugin_name=plugin, variables=dict(extra_vars)
        )
    except Exception as ex:  # of several kinds, where the value is of a wrong type
        raise PolicyError([Problem(f"the option {name} has a value that cannot be used: {ex}")]) from ex
    return value, origin


def find(extra_vars: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return the paths of the policy files in force, and what named them. Raises PolicyError."""
    paths, origin = option("policy", extra_vars)
    named = [str(path) for path in paths or [] if path]  # since 2.19, of a class that is not taken everywhere
    if named:
        return named, origin
    if C.CONFIG_FILE:
        beside = os.path.join(os.path.dirname(C.CONFIG_FILE), BESIDE_CONFIG)
        if os.path.lexists(beside):
            return [beside], "beside ansible.cfg"
    return [BUILT_IN], "built in"


def report_path(extra_vars: Mapping[str, Any], seconds: float) -> str:
    """Return the path of the report of a run that began at this time; empty where none is asked for. Raises PolicyError."""
    path, _origin = option("report", extra_vars)
    return time.strftime(str(path), time.gmtime(seconds)) if path else ""


def load(extra_vars: Mapping[str, Any], loader: DataLoader) -> tuple[tuple[Rule, ...], str]:
    """Return the rules in force, and a line that tells where they are from. Raises PolicyError, which tells what is
    wrong with any of the files.
    """
    paths, origin = find(extra_vars)
    return read_all(paths, loader), f"Precheck: policy {', '.join(paths)} ({origin})"


def read_all(paths: Sequence[str], loader: DataLoader) -> tuple[Rule, ...]:
    """Return the rules of the policy files at ``paths`` together. Raises PolicyError."""
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        try:
            found = read(path, loader, loader.get_basedir())
        except PolicyError as ex:
            problems += ex.problems
            continue
        for rule in found:
            if rule.name in rules:
                other = rules[rule.name]
                text = f"rule {rule.name}: there is a rule of this name at {other.path}:{other.line}"
                problems.append(Problem(text, path, rule.line))
            rules.setdefault(rule.name, rule)
    if problems:
        raise PolicyError(problems)
    return tuple(rules.values())
