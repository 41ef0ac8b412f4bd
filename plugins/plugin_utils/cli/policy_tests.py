# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the test files of policies."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ansible.parsing.dataloader import DataLoader

from ..checks.kinds import KINDS
from ..errors import PolicyError, Problem
from ..policy import discovery
from ..policy.model import BUILT_IN, Check, Rule
from .case import Case
from .case_diff import differences
from .case_file import CaseFileError, read_cases
from .case_run import Labels, run_case

ENDINGS = (".test.yml", ".test.yaml")


RuleAndCheck = tuple[Rule, Check]


@dataclass(frozen=True)
class CaseResult:
    """What ``differs`` in a case from what it expects; nothing if it passes."""

    case: Case
    differs: Sequence[str]
    seconds: float


@dataclass(frozen=True)
class FileResult:
    """What came of a test file, or the ``problems`` for which nothing of it was run.

    ``rules`` are those of the policy that no case has a verdict of, ``checks`` the checks of its
    other rules.
    """

    path: str
    cases: Sequence[CaseResult] = ()
    rules: Sequence[Rule] = ()
    checks: Sequence[RuleAndCheck] = ()
    problems: Sequence[Problem] = ()

    @property
    def has_failed(self) -> bool:
        return bool(self.problems) or any(one.differs for one in self.cases)


def files_to_run(names: Sequence[str]) -> list[str]:
    """Return the paths of the test files of these names, each of a test file or of its policy.

    Without names, they are those of the policy in force. Raises PolicyError.
    """
    if names:
        files = [file for name in names for file in _named(os.path.abspath(name))]
        return list(dict.fromkeys(files))
    policies = discovery.find({}).paths
    files = [file for policy in policies for file in _beside(policy) if os.path.exists(file)]
    if not files:
        if policies == [BUILT_IN]:
            raise CaseFileError([Problem("no policy is configured here: name a test file")])
        text = f"there is no test file beside the policy: expected {_beside(policies[0])[0]}"
        raise CaseFileError([Problem(text, policies[0])])
    return files


def _named(path: str) -> list[str]:
    """Return the test files beside the policy at ``path``; the path itself if there are none."""
    files = [] if path.endswith(ENDINGS) else _beside(path)
    return [file for file in files if os.path.exists(file)] or [path]


def _beside(policy: str) -> list[str]:
    return [os.path.splitext(policy)[0] + ending for ending in ENDINGS]


def run_file(path: str, loader: DataLoader) -> FileResult:
    """Return what comes of the cases in the test file at ``path``."""
    try:
        loader.set_basedir(os.path.dirname(path))
        policy = _policy_of(path)
        rules = discovery.read_all([policy], loader, KINDS)
        cases = read_cases(path, rules, loader)
    except PolicyError as ex:
        return FileResult(path, problems=ex.problems)
    results = []
    checked: Labels = {}
    for case in cases:
        began = time.perf_counter()
        outcome = run_case(case, rules, loader)
        for rule, labels in outcome.checked.items():
            checked.setdefault(rule, set()).update(labels)
        seconds = time.perf_counter() - began
        results.append(CaseResult(case, differences(case, outcome), seconds))
    own = [rule for rule in rules if rule.path == policy]
    return FileResult(
        path,
        results,
        [rule for rule in own if not checked.get(rule.name)],
        [
            (rule, check)
            for rule in own
            for check in rule.checks
            if checked.get(rule.name) and check.label not in checked[rule.name]
        ],
    )


def _policy_of(path: str) -> str:
    """Return the path of the policy that a file tests. Raises PolicyError."""
    ending = next((ending for ending in ENDINGS if path.endswith(ending)), "")
    if not ending:
        text = f"is not a test file, and there is none beside it: expected {_beside(path)[0]}"
        raise CaseFileError([Problem(text, path)])
    stem = path[: -len(ending)]
    policies = [stem + suffix for suffix in (".yml", ".yaml")]
    if found := [policy for policy in policies if os.path.exists(policy)]:
        return found[0]
    raise CaseFileError([Problem(f"there is no policy {policies[0]} beside it", path)])
