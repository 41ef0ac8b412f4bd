# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decides whether hosts can be left out of a play, or the run has to end. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from ..policy.model import EXCLUDE, Rule
from ..report.lines import are
from ..report.terminal import Failure
from ..text import count_of

HostsOfRules = Mapping[str, Set[str]]  # by the name of the rule


@dataclass(frozen=True)
class PlayOfHosts:
    """The play that hosts would be left out of.

    ``targets`` are the hosts that it would do something on. ``batches`` are those of ansible-core
    from now on. Of ``max_fail_percentage`` there is none if it is None.
    """

    targets: Sequence[str]
    batches: Sequence[Sequence[str]]
    any_errors_fatal: bool = False
    max_fail_percentage: float | None = None

    def why_not_without(self, names: set[str]) -> str:
        """Return why the play cannot go on without these hosts; empty if it can."""
        if self.any_errors_fatal:
            return "The play has any_errors_fatal, so it leaves no host out."
        if self.max_fail_percentage is not None and any(
            len(names.intersection(batch)) / len(batch) > self.max_fail_percentage / 100
            for batch in self.batches
            if batch
        ):
            most = f"{self.max_fail_percentage:g}"
            return f"The play has max_fail_percentage {most}, and more hosts would be left out."
        if names.issuperset(self.targets):
            return "No host of the play would be left."
        return ""


@dataclass(frozen=True)
class Decision:
    """The failures that end the run, if there are any; or those because of which hosts go."""

    stopping: Sequence[Failure] = ()
    leaving: Sequence[Failure] = ()

    @property
    def names(self) -> set[str]:
        """The hosts that are left out."""
        return {name for failure in self.leaving for name in failure.verdicts}


def decide(
    failures: Sequence[Failure],
    play: PlayOfHosts,
    hosts_of_rules: HostsOfRules,
    earlier: Sequence[Failure] = (),
) -> Decision:
    """Return what becomes of a play with these failures, none of which only warns.

    ``hosts_of_rules`` are those of the play that rules with a minimum apply to. ``earlier`` are the
    failures of such rules that left hosts of the play out before.
    """
    decision = Decision(leaving=[one for one in failures if one.rule.severity == EXCLUDE])
    why_not = play.why_not_without(decision.names) if decision.leaving else ""
    out = decision.names.union(*(failure.verdicts for failure in earlier))

    def with_note(failure: Failure) -> Failure:
        if failure.rule.severity != EXCLUDE:
            return failure
        note = shortfall(failure.rule, hosts_of_rules.get(failure.rule.name, frozenset()), out)
        return replace(failure, note=note or why_not)

    now = [with_note(failure) for failure in failures]
    rules = {failure.rule.name for failure in failures}
    before = [with_note(failure) for failure in earlier if failure.rule.name not in rules]
    before = [failure for failure in before if failure.note]
    if before or any(one.note or one.rule.severity != EXCLUDE for one in now):
        return Decision(stopping=[*now, *before])
    return decision


def shortfall(rule: Rule, hosts: Set[str], out: Set[str]) -> str:
    """Return that too few of the ``hosts`` are left without those that are ``out``.

    It is empty if there are as many as ``rule`` requires.
    """
    ready = len(hosts - out)
    if not rule.minimum or rule.minimum.is_met(ready, len(hosts)):
        return ""
    count = f"{ready} of {count_of(len(hosts), 'host')} {are(ready)} ready"
    return f"{count}, and the rule requires at least {rule.minimum}."
