# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decides whom the plays on the way to a later one may still prepare for a rule. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..policy.conditions import may_depend_on_facts, mentions_any, with_templates
from ..policy.matching import PlayIdentity, covering, selects
from ..policy.model import ERROR, Rule
from .plan import Reasons


@dataclass(frozen=True)
class PlayOnTheWay:
    """A play that runs before the one that needs the hosts.

    ``has_work`` is whether it has a task to run. ``hosts`` are those that it has; None if that
    cannot be known yet. ``sets`` are the names of the variables that its tasks set, and ``waived``
    those of the rules that it opts out of.
    """

    identity: PlayIdentity
    has_work: bool
    hosts: Sequence[str] | None
    sets: frozenset[str] = frozenset()
    waived: frozenset[str] = frozenset()

    def may_prepare(self, rule: Rule) -> bool:
        """Return whether the play may make hosts ready for ``rule``.

        One that opts out of the rule may: it need not find them ready.
        """
        is_covered = rule.name not in self.waived and covering(self.identity, [rule])
        if is_covered or not self.has_work:
            return False
        if rule.prepared_by is None:
            return True
        return any(selects(selector, self.identity) for selector in rule.prepared_by)

    def may_prepare_any(self, rule: Rule) -> bool:
        """Return whether these hosts may be any, as of a play that the rule does not name."""
        return self.may_prepare(rule) and (rule.prepared_by is None or self.hosts is None)


class Way:
    """The plays from now on, up to one that ``rule`` may cover."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._by_host: dict[str, str] = {}  # the play that may prepare a host
        self.closed_by = ""  # the play after which nothing can be known

    @property
    def is_open(self) -> bool:
        return not self.closed_by

    def add(self, play: PlayOnTheWay | None) -> None:
        """Put ``play`` on the way. It is None if nothing can be known about it yet."""
        if not self.is_open:
            return
        if play is None:
            self.closed_by = "" if self.rule.prepared_by == () else "an earlier play"
        elif play.may_prepare_any(self.rule):
            self.closed_by = str(play.identity)
        elif play.may_prepare(self.rule):
            for name in play.hosts or ():
                self._by_host.setdefault(name, str(play.identity))

    def waiting(self, names: Iterable[str]) -> Reasons:
        """Return which hosts of a later play wait for that play, and why."""
        reasons = {}
        for name in names:
            if play := self.closed_by or self._by_host.get(name):
                reasons[name] = f"for {play}, which may prepare hosts"
        return reasons


def may_turn_out_otherwise(rule: Rule, names_set: frozenset[str]) -> bool:
    """Return whether plays that set these variables may change what the checks of ``rule`` ask."""
    specs = [check.spec for check in rule.host_checks]
    conditions = [check.spec for check in rule.host_checks if check.kind == "that"]
    return mentions_any(names_set, with_templates(specs, rule.variables)) or may_depend_on_facts(
        with_templates(conditions, rule.variables)
    )


def can_be_checked_ahead(rule: Rule) -> bool:
    """Return whether ``rule`` has something to find out about hosts that can end a run."""
    # Facts may be others by the time of its play.
    return rule.severity == ERROR and bool(rule.host_checks) and not rule.facts
