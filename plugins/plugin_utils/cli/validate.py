# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From policy files to all that is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible.parsing.dataloader import DataLoader

from ..checks.kinds import KINDS
from ..errors import PolicyError, Problem
from ..policy import discovery
from .lint import lint


@dataclass(frozen=True)
class Validation:
    """The ``problems`` of policy ``files`` that are taken together."""

    files: Sequence[str]
    problems: Sequence[Problem]

    def as_data(self) -> list[dict[str, Any]]:
        return [
            {
                "path": problem.path or None,
                "line": problem.line or None,
                "message": problem.text,
                "severity": "warning" if problem.is_warning else "error",
            }
            for problem in self.problems
        ]

    @property
    def has_errors(self) -> bool:
        return any(not problem.is_warning for problem in self.problems)


def validate(names: Sequence[str], loader: DataLoader, each: bool = False) -> Validation:
    """Return what is wrong with the policy files of these names.

    Without names, they are those that a run in this directory would use. They are taken together,
    unless each is a policy of its own.
    """
    files = [os.path.abspath(name) for name in names]
    if files:
        policies = [[file] for file in files] if each else [files]
        found = [_problems(policy, loader) for policy in policies]
        return Validation(files, [problem for problems in found for problem in problems])
    try:
        policy = discovery.find({})
        files = policy.paths
        return Validation(files, lint(discovery.rules_in_force(policy, loader, KINDS)))
    except PolicyError as ex:
        return Validation(files, ex.problems)


def _problems(files: Sequence[str], loader: DataLoader) -> Sequence[Problem]:
    """Return what is wrong with a policy that consists of ``files``."""
    try:
        return lint(discovery.read_all(files, loader, KINDS))
    except PolicyError as ex:
        return ex.problems
