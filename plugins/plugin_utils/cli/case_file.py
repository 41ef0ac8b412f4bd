# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a test file to its cases, or to all that is wrong with it."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible.parsing.dataloader import DataLoader

from ..checks.script import YES, Answer
from ..errors import PolicyError, Problem
from ..policy import values
from ..policy.document import Document, read_document
from ..policy.model import Rule
from ..policy.positions import YamlPath, line_at
from ..policy.schema import Shape
from ..text import Texts, did_you_mean
from . import case_schema as schema
from .case import (
    PLACES,
    AnswerKind,
    CannedAnswer,
    Case,
    CaseHost,
    CasePlay,
    Found,
    Place,
)
from .case_options import options_of


class CaseFileError(PolicyError):
    """A test file cannot be used."""

    heading = "Test files cannot be used:"


def read_cases(path: str, rules: Sequence[Rule], loader: DataLoader) -> list[Case]:
    """Return the cases in the test file at ``path`` for a policy with ``rules``.

    Raises PolicyError with all that is wrong with the file.
    """
    reader = _Reader(path, read_document(path, loader), rules)
    cases = reader.cases()
    if reader.problems:
        raise CaseFileError(sorted(reader.problems, key=lambda problem: problem.line))
    return cases


class _Reader:
    def __init__(self, path: str, document: Document, rules: Sequence[Rule]) -> None:
        self._path, self._document = path, document
        self._rules = {rule.name: rule for rule in rules}
        self._names: list[str] = []  # of the hosts of a case
        self.problems: list[Problem] = []

    def cases(self) -> list[Case]:
        data = self._document.data
        if not self._fits(data, (), schema.FILE):
            return []
        paths: list[YamlPath] = [("cases", number) for number in range(len(data["cases"]))]
        cases = [self._case(entry, path) for entry, path in zip(data["cases"], paths)]
        lines: dict[str, int] = {}
        for case in filter(None, cases):
            if case.name in lines:
                text = f"there is a case of this name already, at line {lines[case.name]}: "
                self.problems.append(Problem(text + case.name, self._path, case.line))
            lines.setdefault(case.name, case.line)
        return [case for case in cases if case]

    def _case(self, entry: Any, path: YamlPath) -> Case | None:
        before = len(self.problems)
        self._fits(entry, path, schema.CASE)
        if not isinstance(entry, Mapping):
            return None
        # Also if something is wrong with the case itself, so that all comes at once.
        by_name = _mapping(entry.get("hosts"))
        self._names = list(map(str, by_name))
        if play := _mapping(entry.get("play")):
            self._fits(play, (*path, "play"), schema.PLAY)
        hosts = [self._host(name, by_name[name], (*path, "hosts", name)) for name in by_name]
        answers = self._answers(entry, path)
        expected = {
            name: self._expectation(name, value, (*path, "expect", name))
            for name, value in _mapping(entry.get("expect")).items()
        }
        if len(self.problems) > before:
            return None
        return Case(
            name=entry["name"],
            line=line_at(path, self._document.lines),
            play=_play(entry["play"]),
            options=options_of(entry.get("options", "")),
            time=schema.moment(entry["time"]) if "time" in entry else None,
            hosts=hosts,
            files=entry.get("files", {}),
            answers=answers,
            expected=expected,
            stops=entry.get("stops"),
            error=entry.get("error", ""),
        )

    def _host(self, name: str, entry: Any, path: YamlPath) -> CaseHost:
        entry = {} if entry is None else entry
        if not self._fits(entry, path, schema.HOST):
            return CaseHost(name)
        return CaseHost(
            name,
            groups=tuple(schema.texts(entry.get("groups", []))),
            variables=entry.get("vars", {}),
            facts=entry.get("facts"),
            unreachable=entry.get("unreachable", ""),
            answers=self._answers(entry, path),
        )

    def _answers(self, entry: Mapping[str, Any], path: YamlPath) -> list[CannedAnswer]:
        answers = []
        items = entry.get("answers")
        for number, item in enumerate(items if isinstance(items, list) else []):
            below: YamlPath = (*path, "answers", number)
            if not self._fits(item, below, schema.ANSWER):
                continue
            lacking = [
                f"{key} requires {needed}"
                for key, needed in schema.NEEDED.items()
                if key in item and needed not in item
            ]
            for text in lacking:
                self._report(below, f"an answer: {text}")
            if not lacking:
                answers.append(_answer(item))
        return answers

    def _expectation(self, name: str, entry: Any, path: YamlPath) -> Found | None:
        if name not in self._rules:
            text = f"expect: the policy has no rule {name!r}{did_you_mean(name, self._rules)}"
            self._report(path, text)
        if entry == schema.NOT_COVERED or not self._fits(entry, path, schema.EXPECTATION):
            return None
        hosts: dict[Place, Mapping[str, Texts | None]] = {
            place: _reasons(entry[place]) for place in PLACES if place in entry
        }
        for place, names in hosts.items():
            for host in names:
                if host not in self._names:
                    known = did_you_mean(host, self._names)
                    self._report((*path, place), f"{place}: the case has no host {host!r}{known}")
        seen: dict[str, Place] = {}
        for place, names in hosts.items():
            for host in names:
                if seen.setdefault(host, place) != place:
                    self._report((*path, place), f"{host} is under {seen[host]} and {place}")
        return Found(
            hosts=hosts,
            of_play=_reasons(entry["play"]) if "play" in entry else {},
            messages=tuple(schema.texts(entry["message"])) if "message" in entry else None,
            remedy=entry.get("remedy"),
        )

    def _fits(self, entry: Any, path: YamlPath, shape: Shape) -> bool:
        def report(below: YamlPath, text: str) -> None:
            self._report((*path, *below), text)

        return shape.fits(entry, report)

    def _report(self, path: YamlPath, text: str) -> None:
        self.problems.append(Problem(text, self._path, line_at(path, self._document.lines)))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _play(entry: Mapping[str, Any]) -> CasePlay:
    return CasePlay(
        playbook=entry.get("playbook", ""),
        name=entry.get("name", ""),
        roles=tuple(schema.texts(entry.get("roles", []))),
        tags=tuple(schema.texts(entry.get("tags", []))),
        hosts=entry.get("hosts", "all"),
        variables=entry.get("vars", {}),
    )


def _answer(entry: Mapping[str, Any]) -> CannedAnswer:
    kind: AnswerKind
    if "path" in entry:
        kind, stat = "path", dict(entry["stat"])
        if "content" in entry:
            stat["checksum"] = hashlib.sha256(entry["content"].encode()).hexdigest()
        return CannedAnswer(kind, entry["path"], stat)
    if "task" in entry:
        kind = "task"
        return CannedAnswer(kind, entry["task"], entry["result"], entry.get("arguments", {}))
    kind, command = "command", values.command(entry["command"])
    status, lines = entry.get("status", 0), entry.get("output", "").strip().splitlines()
    question = command if isinstance(command, str) else shlex.join(command)
    return CannedAnswer(kind, question, Answer(str(status) if status else YES, *lines[-1:]))


def _reasons(value: Any) -> dict[str, Texts | None]:
    """Return the reasons by what a list or a mapping names."""
    if isinstance(value, Mapping):
        return {
            name: None if reasons is None else tuple(schema.texts(reasons))
            for name, reasons in value.items()
        }
    names: Iterable[str] = schema.texts(value)
    return dict.fromkeys(names)
