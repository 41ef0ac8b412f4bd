# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Test files of policies."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from support.commands import REPOSITORY, Run, run_command
from support.project import PRECHECK

Case = dict[str, Any]


def case(**keys: Any) -> Case:
    """Return a case with these keys, and the usual ones. Those that are None are left out."""
    usual = {"name": "a case", "play": {"name": "a play"}, "hosts": {"h1": None}}
    return {key: value for key, value in {**usual, **keys}.items() if value is not None}


def cases_file(*cases: Any) -> str:
    """Return a test file. The first case is at line 2, and each of the others a line below."""
    return "cases:\n" + "".join(f"- {json.dumps(one)}\n" for one in cases)


def run_test(directory: Path, *arguments: str) -> Run:
    """Run ansible-precheck test in a directory without an ansible.cfg."""
    return run_command(
        [sys.executable, PRECHECK, "test", *arguments],
        directory,
        ANSIBLE_COLLECTIONS_PATH=str(REPOSITORY / "collections"),
        ANSIBLE_NOCOLOR="1",
    )


def results_of(
    directory: Path, policies_and_cases: Mapping[str, tuple[str, Sequence[Case]]]
) -> dict[str, Any]:
    """Return what the command prints of these policies and their cases, by their names."""
    names = {}
    for number, (name, (policy, cases)) in enumerate(policies_and_cases.items()):
        (directory / f"{number}.yml").write_text(policy)
        (directory / f"{number}.test.yml").write_text(cases_file(*cases))
        names[f"{directory}/{number}.test.yml"] = name
    run = run_test(directory, "--format", "json", *names)
    return {names[one["path"]]: one for one in json.loads(run.stdout)}
