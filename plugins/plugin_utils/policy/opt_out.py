# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a play opts out of rules, and which of them it opts out of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import PrecheckError
from ..text import did_you_mean
from .model import FORBIDDEN, REASON, Rule

Ways = Mapping[str, str]  # how something is asked for, by the name of a rule


@dataclass(frozen=True)
class OptOut:
    """How a play opts out of rules, by itself or because the run does.

    ``of_all`` says how it opts out of all rules at once; it is empty if it does not. ``by_name``
    says how it opts out of single rules. ``reason`` is the operator's; it is empty if none is
    given.
    """

    of_all: str = ""
    by_name: Ways = field(default_factory=dict)
    reason: str = ""

    def __bool__(self) -> bool:
        return bool(self.of_all or self.by_name)

    def way(self, rule: Rule) -> str:
        """Return how ``rule`` is waived; empty if it is enforced."""
        if rule.waiver == FORBIDDEN or (rule.waiver == REASON and not self.reason):
            return ""
        return self.of_all or self.by_name.get(rule.name, "")

    def shown(self, way: str) -> str:
        """Return a way with the operator's reason."""
        return f"{way}; reason: {self.reason}" if way and self.reason else way

    def fail_if_refused(self, rules: Sequence[Rule]) -> None:
        """Raise PrecheckError if a rule is named that does not exist or cannot be waived so.

        ``rules`` are all in force. Who opts out of all rules at once names none of them.
        """
        fail_if_unknown(self.by_name, rules)
        for rule in rules:
            way = self.by_name.get(rule.name)
            if way and rule.waiver == FORBIDDEN:
                raise PrecheckError(
                    f"Precheck cannot waive {rule.location}, so the play was not run: its policy"
                    f" forbids that ({way})."
                )
            if way and rule.waiver == REASON and not self.reason:
                raise PrecheckError(
                    f"Precheck waives {rule.location} only with a reason, so the play was not run"
                    f" ({way}). Give one on the command line: -e precheck_reason='...'"
                )


def fail_if_unknown(ways: Ways, rules: Sequence[Rule]) -> None:
    """Raise PrecheckError if a name in ``ways`` is that of no rule."""
    names = [rule.name for rule in rules]
    for name, way in ways.items():
        if name not in names:
            raise PrecheckError(
                f"Precheck knows no rule {name!r}, so the play was not run ({way}). The rules are:"
                f" {', '.join(names)}{did_you_mean(name, names)}"
            )
