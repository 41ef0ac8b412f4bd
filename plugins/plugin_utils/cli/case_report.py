# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the results of test files to text, JSON and the XML of JUnit. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple
from xml.etree import ElementTree

from ..errors import PrecheckError
from ..text import count_of, one_line, printable_lines
from .policy_tests import CaseResult, FileResult

Level = Literal["passed", "failed", "doubt"]


class Line(NamedTuple):
    """A line to print, and what it says."""

    level: Level
    text: str


def as_text(results: Sequence[FileResult]) -> Iterator[Line]:
    for result in results:
        path = os.path.relpath(result.path)
        for problem in result.problems:
            yield Line("failed", str(problem))
        for one in result.cases:
            state: Level = "failed" if one.differs else "passed"
            text = one_line(f"{path}:{one.case.line}: {state.upper()} {one.case.name}")
            yield Line(state, text)
            for line in one.differs:
                yield Line("failed", "    " + "\n    ".join(printable_lines(line)))
        for line in _not_reached(result):
            yield Line("doubt", line)
    cases = [one for result in results for one in result.cases]
    failed = sum(bool(one.differs) for one in cases)
    unusable = sum(bool(result.problems) for result in results)
    summary = f"{count_of(len(cases), 'case')}, {failed} failed"
    if unusable:
        summary += f"; {count_of(unusable, 'file')} cannot be used"
    yield Line("failed" if failed or unusable else "passed", summary)


def _not_reached(result: FileResult) -> Iterator[str]:
    for rule in result.rules:
        yield f"{rule.path}:{rule.line}: no case reaches the rule {rule.name}"
    for rule, check in result.checks:
        location = f"{rule.path}:{check.line}"
        yield f"{location}: no case reaches the check {one_line(check.label)} of {rule.name}"


def as_data(results: Sequence[FileResult]) -> list[dict[str, Any]]:
    return [
        {
            "path": result.path,
            "problems": [
                {"path": one.path, "line": one.line or None, "message": one.text}
                for one in result.problems
            ],
            "cases": [
                {
                    "name": one.case.name,
                    "line": one.case.line,
                    "passed": not one.differs,
                    "differences": list(one.differs),
                    "seconds": round(one.seconds, 6),
                }
                for one in result.cases
            ],
            "rules_not_reached": [rule.name for rule in result.rules],
            "checks_not_reached": [
                {"rule": rule.name, "check": check.label, "line": check.line}
                for rule, check in result.checks
            ],
        }
        for result in results
    ]


def write_junit(results: Sequence[FileResult], path: str) -> None:
    """Write the results for programs that read the XML of JUnit. Raises PrecheckError."""
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{as_junit(results)}\n")
    except OSError as ex:
        raise PrecheckError(f"{path} cannot be written: {ex.strerror}") from None


def as_junit(results: Sequence[FileResult]) -> str:
    root = ElementTree.Element("testsuites")
    for result in results:
        failures = sum(bool(one.differs) for one in result.cases)
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=result.path,
            tests=str(len(result.cases) or len(result.problems)),
            failures=str(failures),
            errors=str(len(result.problems)),
            time=f"{sum(one.seconds for one in result.cases):.6f}",
        )
        for problem in result.problems:
            case = ElementTree.SubElement(suite, "testcase", name=_xml(str(problem)))
            ElementTree.SubElement(case, "error", message=_xml(problem.text))
        for one in result.cases:
            _add(suite, result, one)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def _add(suite: ElementTree.Element, result: FileResult, one: CaseResult) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=_xml(one.case.name),
        classname=os.path.basename(result.path),
        file=result.path,
        line=str(one.case.line),
        time=f"{one.seconds:.6f}",
    )
    if one.differs:
        failure = ElementTree.SubElement(case, "failure", message=_xml(one.differs[0]))
        failure.text = "\n".join(map(_xml, one.differs))


def _xml(text: str) -> str:
    # XML has no place for control characters.
    return "\n".join(printable_lines(text))
