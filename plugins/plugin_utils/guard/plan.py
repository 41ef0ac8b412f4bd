# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decides what happens to the hosts of a play for each rule that covers it. Pure.

``enforce`` executes a plan, and ``ansible-precheck explain`` prints it: nobody decides again. Rules
do not influence each other, so each is planned by itself. Hosts are known by their names here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..policy.model import BATCH, WARN, Rule
from ..policy.opt_out import OptOut

Reasons = Mapping[str, str]  # why, by the name of a host


@dataclass(frozen=True)
class Situation:
    """What is known about a rule at a play that it covers.

    ``targets`` are the hosts that the play would do something on. ``opt_out`` says how the play
    opts out of rules. ``settled`` says about hosts why there is nothing left to find out. The
    checks that run once for a play run if ``first_batch``, or before each batch if the rule says
    so. By host, ``unmet`` has the condition in the rule's ``when`` that does not hold, and
    ``errors`` the one that cannot be evaluated, and why. ``doubts`` says about hosts why it cannot
    be known yet whether they are checked.
    """

    rule: Rule
    targets: Sequence[str]
    opt_out: OptOut = field(default_factory=OptOut)
    settled: Reasons = field(default_factory=dict)
    first_batch: bool = True
    unmet: Reasons = field(default_factory=dict)
    errors: Reasons = field(default_factory=dict)
    doubts: Reasons = field(default_factory=dict)

    @property
    def is_waived(self) -> bool:
        return bool(self.opt_out.way(self.rule))

    @property
    def runs_once_checks(self) -> bool:
        is_due = self.first_batch or self.rule.check_every == BATCH
        return is_due and bool(self.rule.once_checks)

    def must_be_checked(self) -> list[str]:
        """Return the targets that the play must not reach unchecked.

        They are those with something left to find out; none if the rule is waived, or only warns.
        """
        if self.is_waived or self.rule.severity == WARN:
            return []
        return [name for name in self.targets if name not in self.settled]

    def concerned(self) -> list[str]:
        """Return the targets that the rule may have to do with now.

        They are those that are not settled, and all if checks run once for the play.
        """
        if self.runs_once_checks:
            return list(self.targets)
        return [name for name in self.targets if name not in self.settled]

    def hosts_to_decide(self) -> list[str]:
        """Return the hosts for which the rule's ``when`` decides: none if it is waived."""
        return [] if self.is_waived else self.concerned()


@dataclass(frozen=True)
class RulePlan:
    """What happens for a rule before the play.

    ``is_enforced`` says that the play does not opt out of the rule. ``check`` are the hosts to
    check. ``once_for`` are the hosts for which the checks run that run once for the play; there are
    none if it is empty. ``waived`` are the hosts that the rule is not enforced on, as the play opts
    out. ``refused`` says about hosts why the run cannot go on with them: it ends with an error. Of
    a rule that only warns, ``undecided`` says that, and the run goes on. ``left_out`` says about
    the other targets why they are not checked, and ``doubts`` about hosts in ``check`` or
    ``once_for`` why they may turn out not to be.
    """

    rule: Rule
    is_enforced: bool = True
    check: Sequence[str] = ()
    once_for: Sequence[str] = ()
    waived: Sequence[str] = ()
    refused: Reasons = field(default_factory=dict)
    undecided: Reasons = field(default_factory=dict)
    left_out: Reasons = field(default_factory=dict)
    doubts: Reasons = field(default_factory=dict)

    @property
    def applies_to(self) -> Sequence[str]:
        """The hosts that the rule is enforced on now."""
        return self.once_for or self.check


def plan(situation: Situation) -> RulePlan:
    """Return what happens for a rule."""
    rule, concerned = situation.rule, situation.concerned()
    left_out = {
        name: situation.settled[name] for name in situation.targets if name in situation.settled
    }
    if situation.is_waived:
        opt_out = situation.opt_out
        left_out.update(dict.fromkeys(concerned, opt_out.shown(opt_out.way(rule))))
        return RulePlan(rule, is_enforced=False, waived=concerned, left_out=left_out)
    errors = {name: situation.errors[name] for name in concerned if name in situation.errors}
    only_warns = rule.severity == WARN
    for name in concerned:
        if name in situation.unmet:
            left_out[name] = f"the rule is only for hosts with {situation.unmet[name]}"
    applies_to = [name for name in concerned if name not in errors and name not in situation.unmet]
    return RulePlan(
        rule,
        check=[name for name in applies_to if rule.host_checks and name not in situation.settled],
        once_for=applies_to if situation.runs_once_checks else [],
        refused={} if only_warns else errors,
        undecided=errors if only_warns else {},
        left_out=left_out,
        doubts={name: situation.doubts[name] for name in applies_to if name in situation.doubts},
    )
