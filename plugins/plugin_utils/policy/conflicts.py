# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which keys of a rule do not go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .conditions import names_facts, with_templates
from .model import CONFIRM, ERROR, EXCLUDE, Rule
from .schema import Finding


def conflicts(rule: Rule, variables: Mapping[str, Any]) -> Iterator[Finding]:
    """Give what is wrong with keys of ``rule``, given others, each with its path in the rule.

    ``variables`` are those of the policy file.
    """
    if rule.facts:
        yield from _with_facts(rule, variables)
    if rule.confirmations and rule.severity != ERROR:
        yield (
            ("severity",),
            f"severity: expected {ERROR}, as no answer to confirm would matter otherwise",
        )
    if rule.severity == EXCLUDE:
        yield from _with_exclusion(rule)
    elif rule.minimum:
        yield (
            ("minimum",),
            "minimum: it is for rules that leave hosts out, with severity: exclude",
        )
    if rule.wait and not rule.host_checks:
        yield ("wait",), "wait: all checks of the rule run once for the play, and none of hosts"


def _with_facts(rule: Rule, variables: Mapping[str, Any]) -> Iterator[Finding]:
    if not rule.host_checks:
        yield (
            ("facts",),
            "facts: all checks of the rule run once for the play, and there are no facts of it",
        )
    if names_facts(with_templates(rule.when, variables)):
        yield (
            ("when",),
            "when: it is evaluated before facts are gathered for the rule: make it a check",
        )


def _with_exclusion(rule: Rule) -> Iterator[Finding]:
    for number, check in enumerate(rule.checks):
        if check.once and check.kind != CONFIRM:
            yield (
                ("checks", number, "once"),
                "once: such a check says nothing of a host, and severity: exclude leaves out"
                " hosts: make it a rule of its own",
            )
