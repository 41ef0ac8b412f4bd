# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which rules can apply to hosts, as data and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..policy.model import Check, Rule
from ..report.document import rule_head
from .explanation import check_head, selector_data
from .layout import Line, first_names, labelled, traits, with_become, wrapped


@dataclass(frozen=True)
class CheckOfHost:
    """What a check requires of a host.

    ``text`` says it in words, with the values of variables where they are known; it is empty if the
    policy is vaulted. ``unsure`` says why a value is not known yet.
    """

    check: Check
    text: str = ""
    unsure: str = ""

    def __str__(self) -> str:
        has_name = self.check.name or not self.text
        text = self.check.label if has_name else self.text
        text = with_become(self.check, text)
        if self.text and has_name:
            text += f": {self.text}"
        return f"{text} ({self.unsure})" if self.unsure else text


@dataclass(frozen=True)
class RuleOfHost:
    """Whether a rule can apply to a host.

    ``applies`` is None if that cannot be known yet. ``reason`` says why it does not, or why that is
    not known. ``checks`` are those of a rule that can apply.
    """

    rule: Rule
    applies: bool | None
    reason: str = ""
    checks: Sequence[CheckOfHost] = ()


@dataclass(frozen=True)
class Listing:
    """The rules of hosts, by their names; the policy ``files`` in force, and what named these."""

    files: Sequence[str]
    origin: str
    hosts: Mapping[str, Sequence[RuleOfHost]]


def as_data(listing: Listing) -> dict[str, Any]:
    """Return the listing for programs.

    The keys are ``policy`` (``files``, ``origin``) and ``hosts``. A host has ``name`` and
    ``rules``. A rule has ``name``, ``path``, ``line``, ``severity``, ``waiver``, ``plays`` (a list
    of selectors, as ``explain`` has them), ``when``, ``applies`` (null if it is not known yet),
    ``reason`` and ``checks``. A check has ``kind``, ``label``, ``become``, ``once``, ``text`` and
    ``unsure``.
    """
    return {
        "policy": {"files": list(listing.files), "origin": listing.origin},
        "hosts": [
            {"name": name, "rules": list(map(_rule_data, rules))}
            for name, rules in listing.hosts.items()
        ],
    }


def _rule_data(of_host: RuleOfHost) -> dict[str, Any]:
    rule = of_host.rule
    return {
        **rule_head(rule),
        "plays": list(map(selector_data, rule.plays)),
        "when": list(map(rule.shown, rule.when)),
        "applies": of_host.applies,
        "reason": of_host.reason,
        "checks": [
            {**check_head(one.check), "text": one.text, "unsure": one.unsure}
            for one in of_host.checks
        ],
    }


def as_text(listing: Listing) -> Iterator[Line]:
    """Return the listing for people: hosts of which the same is to be said come together."""
    yield "", f"Policy {', '.join(listing.files)} ({listing.origin})"
    names_by_lines: dict[Sequence[Line], list[str]] = {}
    for name, rules in listing.hosts.items():
        lines = tuple(line for rule in rules for line in _rule_text(rule))
        names_by_lines.setdefault(lines, []).append(name)
    for of_hosts, names in names_by_lines.items():
        yield "", ""
        yield from wrapped("play", "", first_names(names))
        yield from of_hosts


def _rule_text(of_host: RuleOfHost) -> Iterator[Line]:
    rule = of_host.rule
    heading = ", ".join([f"rule {rule.name} ({rule.path}:{rule.line})", *traits(rule)])
    yield from wrapped("rule", "  ", heading)
    if of_host.applies is False:
        yield from labelled("left out", [of_host.reason])
        return
    yield from labelled("plays", map(str, rule.plays))
    if of_host.applies:
        yield from labelled("when", map(rule.shown, rule.when))
    else:
        yield from labelled("unsure", [of_host.reason])
    checks = of_host.checks
    yield from labelled("for", [str(one) for one in checks if not one.check.once])
    yield from labelled("once", [str(one) for one in checks if one.check.once])
