# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the guard would do before plays, as data and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import PrecheckError
from ..policy.matching import PlayIdentity
from ..policy.model import Check, Rule, Selector
from ..report.document import rule_head
from ..text import count_of, one_line
from .layout import Line, first_names, labelled, traits, with_become, wrapped


@dataclass(frozen=True)
class RuleExplanation:
    """What a rule means for a play that its ``selector`` covers. Hosts are known by their names.

    ``waived`` says how the play opts out of the rule; it is empty if it does not. ``checked`` are
    the hosts that the guard would check, ``once_for`` those for which the checks would run that run
    once for the play. ``left_out`` says why it would not check a host, ``unsure`` why it may turn
    out not to check one of ``checked`` or ``once_for``, and ``errors`` why it would end the run
    with an error because of a host. ``waited`` says why one of ``checked`` was not checked before
    an earlier play.
    """

    rule: Rule
    selector: Selector
    waived: str = ""
    checked: Sequence[str] = ()
    once_for: Sequence[str] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    unsure: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    waited: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AheadExplanation:
    """Which hosts of a later ``play`` the guard would check for ``rule`` before an earlier one."""

    play: PlayIdentity
    rule: Rule
    checked: Sequence[str]


@dataclass(frozen=True)
class PlayExplanation:
    """What the guard would do before a play of ``playbook``.

    ``ahead`` is what it would do then for later plays. ``not_guarded`` says why it would not do
    that; it is empty if it would. ``hosts_may_come`` says of a play without hosts that an earlier
    play may make some. ``guarded_by`` are the entry points by which the guard is on.
    """

    playbook: str
    play: PlayIdentity
    hosts: Sequence[str]
    rules: Sequence[RuleExplanation] = ()
    not_guarded: str = ""
    hosts_may_come: bool = False
    ahead: Sequence[AheadExplanation] = ()
    guarded_by: Sequence[str] = ()

    @property
    def lacks_guard(self) -> bool:
        """Whether a rule covers the play, and the guard is not on for it."""
        return bool(self.rules) and not self.guarded_by


@dataclass
class Explanation:
    """The ``plays`` of a run, the policy ``files`` in force, and what named these files."""

    files: Sequence[str]
    origin: str
    plays: list[PlayExplanation] = field(default_factory=list)

    def require_guard(self) -> None:
        """Raise PrecheckError if a play lacks the guard."""
        lacking = [play for play in self.plays if play.lacks_guard]
        if lacking:
            plays = "; ".join(f"{play.play}: {play.not_guarded}" for play in lacking)
            raise PrecheckError(f"Precheck does not guard all covered plays: {plays}")


def as_data(explanation: Explanation) -> dict[str, Any]:
    """Return the explanation for programs.

    The keys are ``policy`` (``files``, ``origin``) and ``plays``. A play has ``playbook``,
    ``name``, ``path``, ``line``, ``hosts``, ``hosts_may_come``, ``not_guarded`` (empty if it is
    guarded), ``guarded_by``, ``rules`` and ``ahead``: what is checked before it for a later play,
    with ``name``, ``path``, ``line``, ``rule`` and ``checked``. A rule has ``name``, ``path``,
    ``line``, ``severity``, ``waiver``, ``selector`` (lists of globs by key, and a list of such
    selectors under ``not`` if it has any), ``checks`` (``kind``, ``label``, ``become``, ``once``),
    ``waived`` (how the play opts out of it, or empty), the lists of hosts ``checked`` and
    ``once_for``, and the reasons by host ``left_out``, ``unsure``, ``errors`` and ``waited``.
    """
    return {
        "policy": {"files": list(explanation.files), "origin": explanation.origin},
        "plays": [_play_data(play) for play in explanation.plays],
    }


def _play_data(explanation: PlayExplanation) -> dict[str, Any]:
    return {
        "playbook": explanation.playbook,
        "name": explanation.play.name,
        "path": explanation.play.path,
        "line": explanation.play.line,
        "hosts": list(explanation.hosts),
        "hosts_may_come": explanation.hosts_may_come,
        "not_guarded": explanation.not_guarded,
        "guarded_by": list(explanation.guarded_by),
        "rules": [_rule_data(rule) for rule in explanation.rules],
        "ahead": [
            {
                "name": ahead.play.name,
                "path": ahead.play.path,
                "line": ahead.play.line,
                "rule": ahead.rule.name,
                "checked": list(ahead.checked),
            }
            for ahead in explanation.ahead
        ],
    }


def _rule_data(explanation: RuleExplanation) -> dict[str, Any]:
    rule = explanation.rule
    return {
        **rule_head(rule),
        "selector": selector_data(explanation.selector),
        "checks": [check_head(check) for check in rule.checks],
        "waived": explanation.waived,
        "checked": list(explanation.checked),
        "once_for": list(explanation.once_for),
        "left_out": dict(explanation.left_out),
        "unsure": dict(explanation.unsure),
        "errors": dict(explanation.errors),
        "waited": dict(explanation.waited),
    }


def check_head(check: Check) -> dict[str, Any]:
    return {
        "kind": check.kind,
        "label": check.label,
        "become": check.become,
        "once": check.once,
    }


def selector_data(selector: Selector) -> dict[str, Any]:
    data: dict[str, Any] = {key: list(globs) for key, globs in selector.globs.items()}
    exempt = [selector_data(one) for one in selector.exempt]
    return data | {"not": exempt} if exempt else data


def as_text(explanation: Explanation) -> Iterator[Line]:
    """Return the explanation for people: lines, each after what it is about."""
    yield "", f"Policy {', '.join(explanation.files)} ({explanation.origin})"
    for play in explanation.plays:
        name = str(play.play)
        yield "", ""
        yield "play", one_line(name[0].upper() + name[1:])
        if play.not_guarded:
            yield from wrapped("not guarded", "  ", f"not guarded: {play.not_guarded}")
        if play.hosts_may_come:
            yield "", "  no hosts are known yet: an earlier play may make some"
        elif not play.hosts:
            yield "", "  no hosts"
        elif not play.rules:
            yield "", "  no rule covers it"
        for rule in play.rules:
            yield from _rule_text(rule, play)
        for ahead in play.ahead:
            yield from wrapped("rule", "  ", f"rule {ahead.rule.name}, for {ahead.play}")
            yield from labelled("checked", [first_names(ahead.checked)])


def _rule_text(explanation: RuleExplanation, play: PlayExplanation) -> Iterator[Line]:
    rule, hosts_of_play = explanation.rule, len(play.hosts)
    heading = ", ".join([f"rule {rule.name}", f"by {explanation.selector}", *traits(rule)])
    yield from wrapped("rule", "  ", heading)
    if explanation.checked:
        yield from labelled("checked", [first_names(explanation.checked)])
    if explanation.waived and not play.hosts:
        yield from labelled("left out", [f"any host: {explanation.waived}"])
    elif explanation.checked or play.hosts_may_come:
        yield from labelled("for", [with_become(check, check.label) for check in rule.host_checks])
    if explanation.once_for:
        hosts = count_of(len(explanation.once_for), "host")
        labels = [f"{check.label} (for {hosts})" for check in rule.once_checks]
        yield from labelled("once", labels)
    yield from labelled("left out", _by_reason(explanation.left_out, hosts_of_play))
    yield from labelled("waited", _by_reason(explanation.waited, hosts_of_play))
    yield from labelled("unsure", _by_reason(explanation.unsure, hosts_of_play))
    yield from labelled("error", _by_reason(explanation.errors, hosts_of_play))


def _by_reason(reasons: Mapping[str, str], hosts_of_play: int) -> Iterator[str]:
    """Return a text for each reason, with the hosts that have it."""
    hosts: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        hosts.setdefault(reason, []).append(name)
    for reason, names in hosts.items():
        all_hosts = 1 < len(names) == hosts_of_play
        yield f"{f'all {hosts_of_play} hosts' if all_hosts else first_names(names)}: {reason}"
