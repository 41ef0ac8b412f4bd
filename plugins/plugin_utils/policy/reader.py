# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the data of a policy file to its rules, and all that is wrong with it.

``schema`` has the keys and the types of values.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ansible.parsing.dataloader import DataLoader

from ..errors import Problem
from . import schema, values
from .conflicts import conflicts
from .minimum import minimum
from .model import (
    ALLOWED,
    CONFIRM,
    ERROR,
    RUN,
    Check,
    KindName,
    Rule,
    Rules,
    Selector,
    Selectors,
)
from .positions import Lines, YamlPath, line_at
from .schema import Report, Shape
from .values import ValueType
from .variables import problems_of_variable


@dataclass(frozen=True)
class Source:
    """What a check is read from.

    ``directory`` is that of the policy file, empty for other data; ``directories`` are those in
    which the files that a check names are looked for. ``report`` takes problems with values of the
    check.
    """

    loader: DataLoader
    directory: str
    directories: Sequence[str]
    report: Report


class CheckSyntax(Protocol):
    """What a kind of checks must have for its checks to be read. ``checks.kinds`` has them."""

    KEYS: Mapping[str, ValueType]

    def parse(self, entry: Mapping[str, Any], source: Source) -> Any:
        """Return the spec of a check, given its keys. Reports problems with them to ``source``."""

    def label(self, spec: Any) -> str:
        """Return what the check is called in results if the policy gives it no name."""


Syntaxes = Mapping[KindName, CheckSyntax]


@dataclass(frozen=True)
class Base:
    """What stands at ``line`` of a policy file under the key ``extends``."""

    name: str
    line: int


@dataclass(frozen=True)
class PolicyFile:
    """What is in the policy file at ``path``, without what is in those that it ``extends``."""

    path: str
    rules: Rules
    variables: Mapping[str, Any]
    extends: Sequence[Base]
    is_vaulted: bool = False


class Reader:
    """Makes rules of the data of one file, and collects the ``problems`` in it.

    ``path`` is empty for data from elsewhere.
    """

    def __init__(
        self,
        path: str,
        lines: Lines,
        loader: DataLoader,
        directories: Sequence[str],
        syntaxes: Syntaxes,
    ) -> None:
        self.path, self.lines, self.loader = path, lines, loader
        self.directories, self.syntaxes = directories, syntaxes
        self.is_vaulted = False
        self.problems: list[Problem] = []
        self._check_shape = schema.check_shape({kind: syntaxes[kind].KEYS for kind in syntaxes})
        self._rule = ""  # the beginning of a problem
        self._variables: Mapping[str, Any] = {}

    def policy(self, data: Any) -> PolicyFile:
        nothing = PolicyFile(self.path, (), {}, ())
        if data is None:
            self._report((), "the file is empty: expected the key rules, with a list of rules")
            return nothing
        extends = isinstance(data, Mapping) and "extends" in data
        if not self._fits(data, (), schema.EXTENDING_FILE if extends else schema.FILE):
            return nothing
        self._variables = self._read_variables(data.get("vars", {}))
        rules = self._read_rules(data.get("rules", ()))
        bases = [
            Base(name, self._line(path))
            for name, path in _items(data.get("extends", []), ("extends",))
        ]
        return PolicyFile(self.path, rules, self._variables, bases, self.is_vaulted)

    def _read_rules(self, entries: Sequence[Any]) -> Rules:
        rules: dict[str, Rule] = {}
        for number, entry in enumerate(entries):
            path: YamlPath = ("rules", number)
            name = entry.get("name") if isinstance(entry, Mapping) else None
            has_name = isinstance(name, str) and name.strip() and name.isprintable()
            self._rule = f"rule {name}: " if has_name else f"rule number {number + 1}: "
            rule = self._read_rule(entry, path)
            if rule and rule.name in rules:
                line = rules[rule.name].line
                text = f"there is a rule of this name already, at line {line}"
                self._report((*path, "name"), text)
            elif rule:
                rules[rule.name] = rule
        return tuple(rules.values())

    def _read_variables(self, entries: Mapping[str, Any]) -> Mapping[str, Any]:
        for name, value in entries.items():
            for problem in problems_of_variable(name, value):
                self._report(("vars", name), f"vars: {problem}")
        return entries

    def _read_rule(self, entry: Any, path: YamlPath) -> Rule | None:
        problems = len(self.problems)
        self._fits(entry, path, schema.RULE)
        if not isinstance(entry, Mapping):
            return None
        selectors = self._selectors(entry, path, "plays")
        preparing = self._selectors(entry, path, "prepared_by")
        checks = [
            self.check(item, (*path, "checks", number))
            for number, item in enumerate(_list(entry.get("checks")))
        ]
        if len(self.problems) > problems:
            return None
        rule = Rule(
            name=entry["name"],
            plays=selectors,
            checks=tuple(check for check in checks if check),
            when=values.conditions(entry["when"]) if "when" in entry else (),
            message=entry.get("message", ""),
            remedy=entry.get("remedy", ""),
            severity=entry.get("severity", ERROR),
            minimum=minimum(entry["minimum"]) if "minimum" in entry else None,
            wait=entry.get("wait", 0),
            waiver=entry.get("waiver", ALLOWED),
            prepared_by=preparing if "prepared_by" in entry else None,
            check_every=entry.get("check_every", RUN),
            facts=values.subsets(entry["facts"]) if "facts" in entry else (),
            path=self.path,
            line=self._line(path),
            is_vaulted=self.is_vaulted,
        )
        for below, text in conflicts(rule, self._variables):
            self._report((*path, *below), text)
        return rule.with_variables(self._variables)

    def _selectors(self, rule: Mapping[str, Any], path: YamlPath, key: str) -> Selectors:
        selectors = [
            self._selector(item, (*path, key, number), schema.selector_shape(key))
            for number, item in enumerate(_list(rule.get(key)))
        ]
        return tuple(selector for selector in selectors if selector)

    def _selector(self, entry: Any, path: YamlPath, shape: Shape) -> Selector | None:
        fits = self._fits(entry, path, shape)
        exempt = entry.get("not", []) if isinstance(entry, Mapping) else []
        exemptions = [
            self._exemption(item, below) for item, below in _items(exempt, (*path, "not"))
        ]
        if not fits:
            return None
        return replace(_globs_of(entry), exempt=tuple(one for one in exemptions if one))

    def _exemption(self, entry: Any, path: YamlPath) -> Selector | None:
        return _globs_of(entry) if self._fits(entry, path, schema.EXEMPTION) else None

    def check(self, entry: Any, path: YamlPath) -> Check | None:
        """Return the check that ``entry`` describes; None if its keys or types are wrong."""
        if not self._fits(entry, path, self._check_shape):
            return None
        [kind] = [kind for kind in self.syntaxes if kind in entry]
        syntax = self.syntaxes[kind]
        directory = os.path.dirname(self.path)
        report = self._reporter(path)
        spec = syntax.parse(entry, Source(self.loader, directory, self.directories, report))
        options = {key: entry[key] for key in (*schema.CHECK, "once") if key in entry}
        if kind == CONFIRM:
            options["once"] = True
        line = self._line(path)
        noun = "condition" if kind == "that" else kind
        alias = f"{noun} at line {line}" if self.is_vaulted else ""
        label = entry.get("name") or alias or syntax.label(spec)
        return Check(kind, spec, label, **options, line=line, alias=alias)

    def _fits(self, entry: Any, path: YamlPath, shape: Shape) -> bool:
        return shape.fits(entry, self._reporter(path))

    def _reporter(self, path: YamlPath) -> Report:
        return lambda below, text: self._report((*path, *below), text)

    def _report(self, path: YamlPath, text: str) -> None:
        line = self._line(path) if self.path else 0
        self.problems.append(Problem(self._rule + text, self.path, line))

    def _line(self, path: YamlPath) -> int:
        return line_at(path, self.lines)


def _globs_of(entry: Mapping[str, Any]) -> Selector:
    globs: dict[str, Any] = {key: values.globs(entry[key]) for key in entry if key != "not"}
    return Selector(**globs)


def _items(value: Any, path: YamlPath) -> list[tuple[Any, YamlPath]]:
    """Return what is in a list, or the value itself if it is none, each with its path."""
    if isinstance(value, list):
        return [(item, (*path, number)) for number, item in enumerate(value)]
    return [(value, path)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
