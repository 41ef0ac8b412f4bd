# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is remembered of a run for its report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..policy.matching import PlayIdentity
from ..policy.model import WARN, Rule, RuleAndHost
from ..verdict import READY, Verdict

if TYPE_CHECKING:
    from .exposition import Samples

RunKind = Literal["run", "audit"]
RUN: RunKind = "run"
AUDIT: RunKind = "audit"

Result = Literal["ready", "not_ready", "error"]
ERROR: Result = "error"  # the run ended before a verdict


RuleAndVerdict = tuple[Rule, Verdict]


@dataclass
class CoveredPlay:
    """A play that a rule covers, or an audit.

    ``hosts`` are the names of the hosts that the rules applied to; ``checks`` are the verdicts on
    the play as a whole, by rule. ``left_out`` are the hosts that are left out from this play on.
    """

    identity: PlayIdentity
    rules: Sequence[Rule]
    hosts: set[str] = field(default_factory=set)
    stopped: bool = False
    checks: list[RuleAndVerdict] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)


@dataclass
class Waiver:
    """Rules that were not enforced on a play with so many ``hosts``, and how the play opted out.

    ``reason`` is the operator's; it is empty if none was given.
    """

    play: PlayIdentity
    rules: Sequence[Rule]
    hosts: int
    opt_out_reason: str
    reason: str = ""


@dataclass
class NotJudged:
    """Hosts that a dry run did not check for ``rule``: ``prepared_by`` would have prepared them."""

    rule: Rule
    prepared_by: PlayIdentity
    hosts: Sequence[str]


@dataclass
class Record:
    """What is remembered of a run.

    ``plays`` are by id; ``reached_before`` has the play before which a verdict was reached;
    ``messages`` and ``remedies`` are by rule, as rendered. ``not_judged`` are the hosts that a dry
    run left out. ``changes`` are those since another report. ``not_audited`` are the rules that an
    audit did not check, as they have no checks of hosts. ``selected_rules`` are the names of those
    that an audit was to check, if it was not for all. ``error`` is the one that ended the run
    before a verdict, if one did. ``counted`` is what the metrics have counted of all this already.
    ``started`` is in seconds since 1970.
    """

    kind: RunKind = RUN
    started: float = field(default_factory=time.time)
    plays: dict[str, CoveredPlay] = field(default_factory=dict)
    verdicts: dict[RuleAndHost, Verdict] = field(default_factory=dict)
    reached_before: dict[RuleAndHost, PlayIdentity] = field(default_factory=dict)
    messages: dict[str, list[str]] = field(default_factory=dict)
    remedies: dict[str, list[str]] = field(default_factory=dict)
    waivers: list[Waiver] = field(default_factory=list)
    not_judged: list[NotJudged] = field(default_factory=list)
    changes: dict[str, Any] | None = None
    not_audited: Sequence[Rule] = ()
    selected_rules: Sequence[str] = ()
    error: str = ""
    counted: Samples = field(default_factory=dict)

    def covered_play(
        self, play_id: str, identity: PlayIdentity, rules: Sequence[Rule]
    ) -> CoveredPlay:
        """Return what is remembered of a play that these rules cover, among others."""
        play = self.plays.setdefault(play_id, CoveredPlay(identity, rules))
        play.rules = list({rule.name: rule for rule in (*play.rules, *rules)}.values())
        return play

    def add_verdicts(self, verdicts: Mapping[RuleAndHost, Verdict], before: PlayIdentity) -> None:
        """Take over verdicts that were reached before a play."""
        self.verdicts.update(verdicts)
        self.reached_before.update(dict.fromkeys(verdicts, before))

    def hosts_checked_before(self, play: PlayIdentity) -> set[str]:
        """Return the names of the hosts with a verdict that was reached before ``play``."""
        return {host for (_rule, host), one in self.reached_before.items() if one == play}

    def add(self, other: Record) -> None:
        """Take over what another record has, instead of what is known about the same."""
        for name in ("plays", "verdicts", "reached_before", "messages", "remedies"):
            getattr(self, name).update(getattr(other, name))
        self.changes, self.not_audited = other.changes, other.not_audited
        self.selected_rules = other.selected_rules

    @property
    def rules(self) -> dict[str, Rule]:
        return {rule.name: rule for play in self.plays.values() for rule in play.rules}

    @property
    def result(self) -> Result:
        if self.error:
            return ERROR
        enforced = {rule.name for rule in self.rules.values() if rule.severity != WARN}
        verdicts = [(name, verdict) for (name, _host), verdict in self.verdicts.items()]
        for play in self.plays.values():
            verdicts += [(rule.name, verdict) for rule, verdict in play.checks]
        all_ready = all(verdict.state == READY for name, verdict in verdicts if name in enforced)
        return "ready" if all_ready else "not_ready"
