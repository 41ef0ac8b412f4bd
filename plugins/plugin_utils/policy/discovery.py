# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which policy files are in force, and the rules of all of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.parsing.dataloader import DataLoader

from ..errors import OptionError, PolicyError, Problem, SettingsError
from ..options import PolicyPaths, configured_policy_paths, keys_in_config, policy_paths
from .extending import read
from .misspelt import BESIDE_CONFIG, misspelt, policy_not_read
from .model import BUILT_IN, FORBIDDEN, Rule, Rules
from .reader import Syntaxes


def find(extra_vars: Mapping[str, Any]) -> PolicyPaths:
    """Return the paths of the policy files in force, and their origin.

    ``extra_vars`` are those of the command line. Raises PolicyError.
    """
    try:
        named = policy_paths(extra_vars)
        if named.paths and named.is_replacement:
            return PolicyPaths(named.paths, named.origin, tuple(_configured().paths))
        return _configured()
    except OptionError as ex:
        raise PolicyError([Problem(str(ex))]) from None


def _configured() -> PolicyPaths:
    """Return what ansible.cfg, or its place, says. Raises OptionError and SettingsError."""
    configured = configured_policy_paths()
    if C.CONFIG_FILE:
        problems = [*misspelt(C.CONFIG_FILE, keys_in_config())]
        problems += [] if configured.paths else policy_not_read(C.CONFIG_FILE)
        if problems:
            raise SettingsError(problems)
    if configured.paths:
        return configured
    if C.CONFIG_FILE:
        beside = os.path.join(os.path.dirname(C.CONFIG_FILE), BESIDE_CONFIG)
        if os.path.lexists(beside):
            return PolicyPaths([beside], "beside ansible.cfg")
    return PolicyPaths([BUILT_IN], "built in")


def rules_in_force(policy: PolicyPaths, loader: DataLoader, syntaxes: Syntaxes) -> Rules:
    """Return the rules of ``policy``, and those that it cannot take away from the one it replaces.

    These are the rules that nobody can waive. Raises PolicyError with what is wrong with any of the
    files.
    """
    rules = read_all(policy.paths, loader, syntaxes)
    by_name = {rule.name: rule for rule in (*rules, *kept_rules(policy, loader, syntaxes))}
    return tuple(by_name.values())


def kept_rules(policy: PolicyPaths, loader: DataLoader, syntaxes: Syntaxes) -> Rules:
    """Return the rules that ``policy`` cannot take away from the one it replaces.

    Raises PolicyError.
    """
    replaced = read_all(policy.replaced, loader, syntaxes)
    return tuple(rule for rule in replaced if rule.waiver == FORBIDDEN)


def read_all(paths: Sequence[str], loader: DataLoader, syntaxes: Syntaxes) -> Rules:
    """Return the rules of the policy files at ``paths`` together.

    Raises PolicyError with what is wrong with any of the files.
    """
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        try:
            rules_of_file = read(path, loader, loader.get_basedir(), syntaxes)
        except PolicyError as ex:
            problems += ex.problems
            continue
        for rule in rules_of_file:
            other = rules.get(rule.name)
            # Two files may extend the same one.
            if other and (other.path, other.line) != (rule.path, rule.line):
                location = f"{other.path}:{other.line}"
                text = f"rule {rule.name}: there is a rule of this name at {location}"
                problems.append(Problem(text, path, rule.line))
            rules.setdefault(rule.name, rule)
    if problems:
        raise PolicyError(problems)
    return tuple(rules.values())
