# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what is wrong with policies to SARIF 2.1.0, a format for code review tools. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ..errors import Problem, ProblemId
from ..report.document import VERSION

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

RULES: Mapping[ProblemId, str] = {
    "invalid-policy": "A policy, or what names it, is as Precheck can use it.",
    "unknown-name": "Filters, tests and variables of Precheck that a policy names exist.",
    "pipe-always-succeeds": "A command in a pipe can fail if nothing comes out of the pipe.",
}


def as_sarif(problems: Iterable[Problem], directory: str) -> dict[str, Any]:
    """Return the problems as a SARIF log. Its paths are relative to ``directory``."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in RULES.items()]
    driver = {"name": "ansible-precheck", "version": VERSION, "rules": rules}
    results = [_result(problem, directory) for problem in problems]
    run = {"tool": {"driver": driver}, "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(problem: Problem, directory: str) -> dict[str, Any]:
    return {
        "ruleId": problem.id,
        "ruleIndex": list(RULES).index(problem.id),
        "level": "warning" if problem.is_warning else "error",
        "message": {"text": _message(problem.text)},
        "locations": [_location(problem, directory)] if problem.path else [],
    }


def _message(text: str) -> str:
    """Return a message in which braces stand for themselves: single ones are placeholders."""
    return text.replace("{", "{{").replace("}", "}}")


def _location(problem: Problem, directory: str) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(problem.path, directory)},
            "region": {"startLine": problem.line or 1},  # code review tools need one
        }
    }


def _uri(path: str, directory: str) -> str:
    """Return the address of a file: relative if it is in ``directory``, or below it."""
    path = os.path.abspath(os.path.join(directory, path))
    relative = os.path.relpath(path, directory)
    if relative.split(os.sep)[0] == os.pardir:
        return f"file://{quote(path)}"
    return quote(relative)
