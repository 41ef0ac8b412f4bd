# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the guard would do before plays, as data and as text. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .matching import PlayIdentity
from .policy import Rule, Selector
from .report import HOSTS_SHOWN, one_line

WIDTH = 80

# What a line of the text is about.
PLAY = "play"
RULE = "rule"
ASKED = "asked"
CHECKS = "for"
ONCE = "once"
LEFT_OUT = "left out"
UNSURE = "unsure"
ERROR = "error"
NOT_GUARDED = "not guarded"


@dataclass(frozen=True)
class RuleExplained:
    """What a rule means for a play that its ``selector`` covers. Hosts are told by their names.

    ``asked`` are the hosts that the guard would ask, ``once_for`` those for which it would evaluate the checks that are made
    once for the play. ``left_out`` says why it would not ask a host, ``unsure`` why it may turn out not to ask one of
    ``asked``, and ``errors`` why it would end the run with an error because of a host.
    """

    rule: Rule
    selector: Selector
    asked: Sequence[str]
    once_for: Sequence[str]
    left_out: Mapping[str, str]
    unsure: Mapping[str, str]
    errors: Mapping[str, str]


@dataclass(frozen=True)
class PlayExplained:
    """What the guard would do before a play of ``playbook``. ``not_guarded`` says why it is not there to do it."""

    playbook: str
    play: PlayIdentity
    hosts: Sequence[str]
    rules: Sequence[RuleExplained] = ()
    not_guarded: str = ""


def as_data(files: Sequence[str], origin: str, plays: Iterable[PlayExplained]) -> dict[str, Any]:
    """Return the explanation for programs. ``files`` are the policy files in force, and ``origin`` says what named them.

    The keys are ``policy`` (``files``, ``origin``) and ``plays``. A play has ``playbook``, ``name``, ``path``, ``line``,
    ``hosts``, ``not_guarded`` (empty if it is guarded) and ``rules``. A rule has ``name``, ``path``, ``line``, ``severity``,
    ``mandatory``, ``selector`` (lists of globs by key), ``checks`` (``kind``, ``label``, ``become``, ``once``), the lists of
    hosts ``asked`` and ``once_for``, and the reasons by host ``left_out``, ``unsure`` and ``errors``.
    """
    return {"policy": {"files": list(files), "origin": origin}, "plays": [_play_data(play) for play in plays]}


def _play_data(told: PlayExplained) -> dict[str, Any]:
    return {
        "playbook": told.playbook,
        "name": told.play.name,
        "path": told.play.path,
        "line": told.play.line,
        "hosts": list(told.hosts),
        "not_guarded": told.not_guarded,
        "rules": [_rule_data(rule) for rule in told.rules],
    }


def _rule_data(told: RuleExplained) -> dict[str, Any]:
    rule = told.rule
    return {
        "name": rule.name,
        "path": rule.path,
        "line": rule.line,
        "severity": rule.severity,
        "mandatory": rule.mandatory,
        "selector": {key: list(globs) for key, globs in vars(told.selector).items() if globs},
        "checks": [
            {"kind": check.kind, "label": check.label, "become": check.become, "once": check.once} for check in rule.checks
        ],
        "asked": list(told.asked),
        "once_for": list(told.once_for),
        "left_out": dict(told.left_out),
        "unsure": dict(told.unsure),
        "errors": dict(told.errors),
    }


def as_text(files: Sequence[str], origin: str, plays: Iterable[PlayExplained]) -> Iterator[tuple[str, str]]:
    """Return the explanation for people: lines, each after what it is about."""
    yield "", f"Policy {', '.join(files)} ({origin})"
    for told in plays:
        name = str(told.play)
        yield "", ""
        yield PLAY, one_line(name[0].upper() + name[1:])
        if told.not_guarded:
            yield from _wrapped(NOT_GUARDED, "  ", f"{NOT_GUARDED}: {told.not_guarded}")
        if not told.hosts:
            yield "", "  no hosts"
        elif not told.rules:
            yield "", "  no rule covers it"
        for rule in told.rules:
            yield from _rule_text(rule, len(told.hosts))


def _rule_text(told: RuleExplained, all_hosts: int) -> Iterator[tuple[str, str]]:
    rule = told.rule
    kind = ["warns only"] * (rule.severity == "warn") + ["mandatory"] * rule.mandatory
    yield from _wrapped(RULE, "  ", ", ".join([f"rule {rule.name}", f"by {told.selector}", *kind]))
    if told.asked:
        yield from _labelled(ASKED, [_names(told.asked)])
        checks = [check for check in rule.checks if not check.once]
        yield from _labelled(CHECKS, [check.label + (" (with become)" if check.become else "") for check in checks])
    if told.once_for:
        count = f"for {len(told.once_for)} host{'' if len(told.once_for) == 1 else 's'}"
        yield from _labelled(ONCE, [f"{check.label} ({count})" for check in rule.checks if check.once])
    for label, reasons in ((LEFT_OUT, told.left_out), (UNSURE, told.unsure), (ERROR, told.errors)):
        hosts: dict[str, list[str]] = {}
        for name, reason in reasons.items():
            hosts.setdefault(reason, []).append(name)
        several = [
            f"{f'all {all_hosts} hosts' if 1 < len(names) == all_hosts else _names(names)}: {reason}"
            for reason, names in hosts.items()
        ]
        yield from _labelled(label, several)


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - HOSTS_SHOWN} more" if len(names) > HOSTS_SHOWN else ""
    return ", ".join(names[:HOSTS_SHOWN]) + more


def _labelled(label: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(texts):
        yield from _wrapped(label, f"    {'' if number else label:8}  ", text)


def _wrapped(about: str, head: str, text: str) -> Iterator[tuple[str, str]]:
    """Return the lines of ``text``, the first after ``head``. Words, such as paths, are left whole."""
    below = " " * (len(head) + 2)
    for line in textwrap.wrap(
        one_line(text), WIDTH, initial_indent=head, subsequent_indent=below, break_long_words=False, break_on_hyphens=False
    ):
        yield about, line
