# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is known about a host while its checks run, and the verdict when they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...checks import kinds
from ...checks.host import Answers
from ...policy.model import Rule
from ...verdict import READY, Verdict, unverified, worst


@dataclass
class HostProgress:
    """What is known about a host so far.

    ``answers`` are those of its shell, by rule. ``lost`` is the verdict on all rules that need the
    host once it does not answer any more. ``parts`` are the verdicts of its tasks, by rule.
    """

    answers: Mapping[str, Answers] | None = None
    lost: Verdict | None = None
    parts: dict[str, list[Verdict]] = field(default_factory=dict)

    def add(self, rule: Rule, part: Verdict) -> None:
        """Take the verdict of one of the tasks of ``rule``."""
        self.parts.setdefault(rule.name, []).append(part)

    def lose(self, rule: Rule, verdict: Verdict) -> None:
        """Remember why a task gave no result: only if ``rule`` needs the host, the host is lost."""
        if kinds.needs_host(rule):
            self.lost = verdict
        else:
            self.parts[rule.name] = [verdict]

    def verdict(self, rule: Rule, tasks: int, ready: Verdict) -> Verdict:
        """Return the verdict on ``rule``, which is ``ready`` if all its ``tasks`` say so."""
        if self.lost and kinds.needs_host(rule):
            return self.lost
        parts = self.parts.get(rule.name, [])
        if len(parts) != tasks:
            parts = [*parts, unverified("a check gave no result")]
        verdict = worst(parts)
        return ready if verdict.state == READY else verdict
