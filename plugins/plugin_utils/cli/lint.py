# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a policy that can be read: names that nothing has, and pipes that always pass.

A run would find such a name when it needs it. Filters and tests may come with a role or a playbook,
so a run does not look for them before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
from ansible.plugins.filter.core import FilterModule
from ansible.plugins.test.core import TestModule
from jinja2 import nodes

from ..errors import Problem
from ..policy.model import Check, Rule
from ..templates import FilterOrTest, exists, is_template
from ..text import did_you_mean

_ENVIRONMENT = jinja2.Environment()
KNOWN = {
    "filter": {*_ENVIRONMENT.filters, *FilterModule().filters()},
    "test": {*_ENVIRONMENT.tests, *TestModule().tests()},
}
OF_RULES = frozenset({"precheck_playbook", "precheck_play", "precheck_rule"})
OF_MESSAGES = frozenset({"precheck_hosts", "precheck_unverified_hosts", "precheck_limit"})
OF_TASKS = frozenset({"precheck_result"})
_CONDITIONS_OF_TASKS = ("changed_when", "failed_when", "until")

# What succeeds whatever it reads, also nothing.
_SUCCEEDS = frozenset("cat column cut head nl rev sort tail tee tr uniq wc".split())


@dataclass(frozen=True)
class _Text:
    """A template, or a condition in braces, under ``key`` at ``line``.

    ``known`` are the variables of Precheck that it has.
    """

    line: int
    key: str
    template: str
    known: frozenset[str]


def lint(rules: Iterable[Rule]) -> list[Problem]:
    """Return the problems of rules."""
    return [problem for rule in rules for problem in _problems(rule)]


def _problems(rule: Rule) -> Iterator[Problem]:
    for text in _texts(rule):
        for problem in _names(text.template, text.known):
            where = f"rule {rule.name}: {text.key}"
            yield Problem(f"{where}: {problem}", rule.path, text.line, id="unknown-name")
    for check in rule.checks:
        if check.kind == "command" and isinstance(check.spec, str) and (why := _pipe(check.spec)):
            problem = f"rule {rule.name}: command: {why}"
            yield Problem(problem, rule.path, check.line, True, "pipe-always-succeeds")


def _texts(rule: Rule) -> Iterator[_Text]:
    for name, value in rule.variables.items():
        for template in _templates(value):
            yield _Text(0, f"vars: {name}", template, OF_RULES | OF_MESSAGES | OF_TASKS)
    for condition in rule.when:
        yield _Text(rule.line, "when", _in_braces(condition), OF_RULES)
    for key, template in (("message", rule.message), ("remedy", rule.remedy)):
        yield _Text(rule.line, key, template, OF_RULES | OF_MESSAGES)
    for check in rule.checks:
        known = OF_RULES | OF_TASKS if check.kind == "task" else OF_RULES
        yield _Text(check.line, "message", check.message, known)
        for template in _of_check(check):
            yield _Text(check.line, check.kind, template, known)


def _of_check(check: Check) -> Iterator[str]:
    spec: Any = check.spec
    if check.kind == "that":
        yield from map(_in_braces, spec)
        return
    yield from _templates(spec if isinstance(spec, (str, tuple, Mapping)) else vars(spec))
    for key in _CONDITIONS_OF_TASKS if check.kind == "task" else ():
        conditions = spec.get(key, [])
        yield from map(_in_braces, conditions if isinstance(conditions, list) else [conditions])


def _in_braces(condition: object) -> str:
    return "{{ " + str(condition) + " }}"


def _templates(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if is_template(value) else []
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _templates(item)


def _names(template: str, known: frozenset[str]) -> Iterator[str]:
    """Yield what is wrong with the names in a template."""
    try:
        tree = _ENVIRONMENT.parse(template)
    except jinja2.TemplateError:  # one of a task, say, that ansible-core does not render as one
        return
    kinds: list[tuple[FilterOrTest, type[nodes.Node]]] = [
        ("filter", nodes.Filter),
        ("test", nodes.Test),
    ]
    for kind, node_type in kinds:
        for node in tree.find_all(node_type):
            name = str(getattr(node, "name"))  # noqa: B009 - each of both types has it
            if name not in KNOWN[kind] and not exists(kind, name):
                yield f"there is no {kind} {name}{did_you_mean(name, KNOWN[kind])}"
    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
    for name in sorted(name for name in names - known if name.startswith("precheck_")):
        if name in OF_MESSAGES:
            yield f"only the message and the remedy of a rule have the variable {name}"
        elif name in OF_TASKS:
            yield f"only a task, and the message of its check, have the variable {name}"
        # Others may be the policy's own, or the inventory's.
        elif hint := did_you_mean(name, known):
            yield f"there is no variable {name}{hint}"


def _pipe(command: str) -> str:
    """Return why a command would succeed whatever happens; empty if it need not."""
    # Neither what quotes hold nor || is a pipe.
    plain = re.sub(r"'[^']*'|\"[^\"]*\"|\|\|", "_", command)
    parts = re.split(r"[;&\n]", plain)[-1].split("|")
    words = parts[-1].split()
    if len(parts) < 2 or not words or words[0] not in _SUCCEEDS or "pipefail" in command:
        return ""
    return (
        f"the last command of the pipe, {words[0]}, succeeds also if nothing comes out of the pipe:"
        " end it with grep -q, or test its output"
    )
