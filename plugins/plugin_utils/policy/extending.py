# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a policy file, and those that it extends, to the rules of all of them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.parsing.dataloader import DataLoader

from ..errors import PolicyError, PrecheckError, Problem
from ..text import Texts
from .loader import read_file
from .model import BUILT_IN, FORBIDDEN, Rule, Rules
from .reader import Base, PolicyFile, Syntaxes
from .values import BUILT_IN_NAME, is_name_in_collection


def read(path: str, loader: DataLoader, base: str, syntaxes: Syntaxes) -> Rules:
    """Return the rules of the policy file at ``path``, with those of the files that it extends.

    The parameters are as in ``read_file``. Raises PolicyError with what is wrong with any of them.
    """
    return tuple(_Reading(loader, base, syntaxes).policy(path, ()).rules.values())


@dataclass(frozen=True)
class _Policy:
    """The rules of a file and of what it extends, by name, and the variables of both.

    With ``has_vaulted_variables``, a vaulted file gives some of them.
    """

    rules: Mapping[str, Rule]
    variables: Mapping[str, Any]
    has_vaulted_variables: bool


class _Reading:
    def __init__(self, loader: DataLoader, base: str, syntaxes: Syntaxes) -> None:
        self._loader, self._base, self._syntaxes = loader, base, syntaxes
        self._read: dict[str, _Policy] = {}

    def policy(self, path: str, chain: Texts) -> _Policy:
        """Return what is in a file. ``chain`` are the files that extend it, the last one first."""
        if path not in self._read:
            file = read_file(path, self._loader, self._base, self._syntaxes)
            self._read[path] = self._extended(file, (path, *chain))
        return self._read[path]

    def _extended(self, file: PolicyFile, chain: Texts) -> _Policy:
        problems: list[Problem] = []
        inherited: list[_Policy] = []
        for base in file.extends:
            try:
                inherited.append(self.policy(_path_of(base, file, chain), chain))
            except PolicyError as ex:
                problems += ex.problems
        problems += _conflicts(inherited, file)
        if problems:
            raise PolicyError(problems)
        own = {rule.name: rule for rule in file.rules}
        rules: dict[str, Rule] = {}
        variables: dict[str, Any] = {}
        are_vaulted = file.is_vaulted and bool(file.variables)
        for policy in inherited:
            variables.update(policy.variables)
            # The rules of another file do not get the variables of this one's other bases.
            for rule in policy.rules.values():
                rules[rule.name] = rule.with_variables(
                    {**rule.variables, **file.variables}, rule.has_vaulted_variables or are_vaulted
                )
        variables.update(file.variables)
        are_vaulted |= any(policy.has_vaulted_variables for policy in inherited)
        for name, rule in own.items():
            rules[name] = rule.with_variables(variables, are_vaulted)
        return _Policy(rules, variables, are_vaulted)


def _path_of(base: Base, file: PolicyFile, chain: Sequence[str]) -> str:
    """Return the path of the file that ``file`` extends. Raises PolicyError."""
    if base.name == BUILT_IN_NAME:
        return BUILT_IN
    try:
        if is_name_in_collection(base.name):
            path = _path_in_collection(base.name)
        else:
            path = os.path.abspath(os.path.join(os.path.dirname(file.path), base.name))
        if not os.path.exists(path):
            raise PrecheckError(f"there is no file {path}")
        real_paths = list(map(os.path.realpath, chain))
        if os.path.realpath(path) in real_paths:
            circle = chain[: real_paths.index(os.path.realpath(path)) + 1]
            raise PrecheckError(
                f"policies extend each other in a circle: {', '.join([*reversed(circle), path])}"
            )
    except PrecheckError as ex:
        raise PolicyError([Problem(f"extends: {ex}", file.path, base.line)]) from None
    return path


def _path_in_collection(name: str) -> str:
    """Return the path of a policy in a collection. Raises PrecheckError."""
    collection, _dot, policy = name.rpartition(".")
    try:
        # ansible-core finds it, wherever it looks for collections.
        package = importlib.import_module(f"ansible_collections.{collection}")
    except Exception:
        raise PrecheckError(f"there is no collection {collection} where Ansible looks") from None
    return os.path.join(next(iter(package.__path__)), "policies", f"{policy}.yml")


def _conflicts(inherited: Iterable[_Policy], file: PolicyFile) -> list[Problem]:
    """Return what is wrong with names of rules that come from several files."""
    problems = []
    own = {rule.name: rule for rule in file.rules}
    first: dict[str, Rule] = {}
    for rule in (rule for policy in inherited for rule in policy.rules.values()):
        name, other = rule.name, first.setdefault(rule.name, rule)
        if name in own and rule.waiver == FORBIDDEN:
            text = f"rule {name}: it cannot replace {rule.location}, whose waiver is forbidden"
            problems.append(Problem(text, file.path, own[name].line))
        elif name not in own and (other.path, other.line) != (rule.path, rule.line):
            text = f"extends: both {other.location} and {rule.location} have this name"
            problems.append(Problem(text, file.path, file.extends[0].line))
    return problems
