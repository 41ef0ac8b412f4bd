# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decides whether hosts can be left out of a play, or the run has to end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..policy.model import EXCLUDE
from ..report.terminal import Failure


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


def decide(failures: Iterable[Failure], play: PlayOfHosts) -> Decision:
    """Return what becomes of a play with these failures, none of which only warns."""
    failures = list(failures)
    leaving = [failure for failure in failures if failure.rule.severity == EXCLUDE]
    decision = Decision(leaving=leaving)
    why_not = play.why_not_without(decision.names) if leaving else ""
    if why_not or len(leaving) < len(failures):
        return Decision(
            stopping=[
                replace(failure, note=why_not) if failure in leaving else failure
                for failure in failures
            ]
        )
    return decision
