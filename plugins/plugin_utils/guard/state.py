# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the guard knows about a run of ansible-playbook so far."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ansible.utils.display import Display

from ..ansible_core.plays.identity import identify, identify_without_hosts
from ..ansible_core.plays.later import unguarded_before
from ..ansible_core.plays.purpose import is_dry_run
from ..ansible_core.plays.tags import only_checks_are_wanted
from ..ansible_core.run import Fingerprint, PlayRun
from ..checks.kinds import KINDS
from ..policy import discovery
from ..policy.matching import PlayIdentity, selects
from ..policy.model import BATCH, RUN, Rule, RuleAndHost, Rules
from ..report.record import Record
from .plan import Reasons, RulePlan

if TYPE_CHECKING:
    from ..report.terminal import StopContext
    from .way import PlayOnTheWay

display = Display()

PlayId = str
PlayAndRule = tuple[PlayId, str]  # the id of a play, and the name of a rule


@dataclass
class PastPlay:
    """A play that had tasks to run, on these ``hosts``, in so many ``batches`` so far."""

    identity: PlayIdentity
    hosts: set[str] = field(default_factory=set)
    batches: int = 0


@dataclass
class RunState:
    """What is known about one run.

    ``begun`` are the plays whose first batch has begun. ``checked`` has the play before which a
    host was checked for a rule, by the fingerprint of that check; ``decided`` the rules and hosts
    of a play with nothing left to find out there, as they were checked, or the rule does not apply
    or has no checks for hosts. ``applies_to`` are the hosts of a play that a rule with a minimum
    applies to. ``computed`` are the plays and rules that cover them only because of
    a role whose name the play computed. ``audits`` are the plays that were audits. ``waived`` are
    the rules and hosts of a play of which a warning has said that they are waived. ``ran`` are the
    plays that had tasks to run on some host, and were not stopped. ``foreseen`` are later plays, as
    far as they are known, and ``seen_ahead`` the rules and hosts of such a play about which has
    been found out ahead what could be. ``confirmed`` are the rules and hosts that the operator has
    confirmed. ``stopped`` is whether the guard has ended the run.
    ``record`` is for the report, which has to be written again if ``record_has_news``.
    ``identities`` are what selectors are compared with, as far as it was found out.

    A guarded class that calls its guarded parent, as with both the strategy and the callback on,
    finds all of this done.
    """

    begun: set[PlayId] = field(default_factory=set)
    checked: dict[RuleAndHost, dict[Fingerprint, PlayIdentity]] = field(default_factory=dict)
    decided: dict[PlayId, set[RuleAndHost]] = field(default_factory=dict)
    applies_to: dict[PlayAndRule, set[str]] = field(default_factory=dict)
    computed: set[PlayAndRule] = field(default_factory=set)
    audits: set[PlayId] = field(default_factory=set)
    waived: dict[PlayId, set[RuleAndHost]] = field(default_factory=dict)
    ran: dict[PlayId, PastPlay] = field(default_factory=dict)
    foreseen: dict[PlayId, PlayOnTheWay] = field(default_factory=dict)
    seen_ahead: dict[PlayId, set[RuleAndHost]] = field(default_factory=dict)
    confirmed: set[RuleAndHost] = field(default_factory=set)
    stopped: bool = False
    record: Record = field(default_factory=Record)
    record_has_news: bool = False
    identities: dict[PlayId, PlayIdentity] = field(default_factory=dict)
    _rules: Rules | None = None

    def rules_in_force(self, run: PlayRun) -> Rules:
        """Return the rules in force, which are read at the first play. Raises PolicyError."""
        if self._rules is None:
            policy = discovery.find(run.extra_vars)
            self._rules = discovery.rules_in_force(policy, run.loader, KINDS)
            line = f"Precheck: policy {', '.join(policy.paths)} ({policy.origin})"
            kept = [
                rule.location
                for rule in discovery.kept_rules(policy, run.loader, KINDS)
                if rule.path not in policy.paths
            ]
            if kept:
                line += f", and of the configured policy {', '.join(kept)}"
            if policy.is_replacement:
                display.display(line, stderr=True)
            else:
                display.v(line)
        return self._rules

    def identity_of(self, run: PlayRun) -> PlayIdentity:
        """Return what selectors are compared with, found out once for all batches of a play.

        It is found out again when a play that was looked at ahead begins: a name may be a template.
        """
        if run.is_later:
            return self.foreseen[run.play_id].identity
        if run.play_id not in self.identities:
            self.identities[run.play_id] = identify(run)
        return self.identities[run.play_id]

    def stop_context(self, run: PlayRun, role: str = "") -> StopContext:
        """Return what the closing block says about the run, which is stopped before ``role``."""
        from ..report.terminal import StopContext  # few runs are stopped

        before = self.identity_of(run)
        earlier = [play.identity for play_id, play in self.ran.items() if play_id != run.play_id]
        earlier += [identify_without_hosts(play) for play in unguarded_before(run)]
        here = self.ran.get(run.play_id)
        return StopContext(
            ran=earlier,
            checked=self.record.hosts_checked_before(before),
            batches_ran=here.batches if here else 0,
            batches=len(run.serialized_batches()),
            is_dry_run=is_dry_run(),
            role=role,
            only_checks=only_checks_are_wanted(run),
        )

    def remember_run(self, run: PlayRun, identity: PlayIdentity, names: Iterable[str]) -> None:
        """Remember that a batch of a play runs now, which does something on the hosts ``names``."""
        play = self.ran.setdefault(run.play_id, PastPlay(identity))
        play.hosts.update(names)
        play.batches += 1

    def would_be_prepared(self, rule: Rule, names: Iterable[str]) -> dict[str, PlayIdentity]:
        """Return which hosts would be ready but for the dry run, and the play that prepares them.

        It is one that the rule names, and has run on them. In other runs there are none.
        """
        preparing = [
            play
            for play in self.ran.values()
            if any(selects(selector, play.identity) for selector in rule.prepared_by or ())
        ]
        names = names if is_dry_run() else ()
        return {name: play.identity for name in names for play in preparing if name in play.hosts}

    def were_checked(self, rule: Rule, names: Iterable[str]) -> list[str]:
        """Return which hosts were checked for a rule, before whatever play."""
        if rule.check_every != RUN:
            return []
        return [name for name in names if (rule.name, name) in self.checked]

    def settled(
        self,
        play_id: PlayId,
        rule: Rule,
        names: Iterable[str],
        fingerprints: Mapping[RuleAndHost, Fingerprint],
    ) -> Reasons:
        """Return why there is nothing left to find out about hosts for a rule.

        ``fingerprints`` has those of the hosts that were checked.
        """
        decided = self.decided.get(play_id, set())
        prepared = self.would_be_prepared(rule, names)
        reasons = {name: f"would be prepared by {play}" for name, play in prepared.items()}
        if rule.check_every == BATCH:
            return reasons
        for name in names:
            key = rule.name, name
            if key in decided:
                reasons[name] = "decided already, before an earlier batch"
            elif play := self.checked.get(key, {}).get(fingerprints.get(key, "")):
                reasons[name] = f"checked already, before {play}"
        return reasons

    def remember_ahead(
        self, now: PlayIdentity, fingerprints: Mapping[RuleAndHost, Fingerprint]
    ) -> None:
        """Take over which hosts of a later play were checked before the play ``now``."""
        for key, fingerprint in fingerprints.items():
            if fingerprint:
                self.checked.setdefault(key, {}).setdefault(fingerprint, now)

    def forget(self, fingerprints: Mapping[RuleAndHost, Fingerprint]) -> None:
        """Let hosts be checked again."""
        for key, fingerprint in fingerprints.items():
            self.checked.get(key, {}).pop(fingerprint, None)

    def remember(
        self,
        play_id: PlayId,
        identity: PlayIdentity,
        plans: Iterable[RulePlan],
        fingerprints: Mapping[RuleAndHost, Fingerprint],
    ) -> None:
        """Take over what is settled once ``plans`` for a play are executed.

        ``fingerprints`` has those of the hosts that were checked.
        """
        decided = self.decided.setdefault(play_id, set())
        for plan in plans:
            if plan.is_enforced:
                names = {*plan.left_out, *plan.once_for, *plan.check, *plan.undecided}
                decided.update((plan.rule.name, name) for name in names)
            for name in plan.check:
                key = plan.rule.name, name
                if fingerprint := fingerprints.get(key):
                    self.checked.setdefault(key, {}).setdefault(fingerprint, identity)
