# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facts of a host, which only the rules have that ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.utils.unsafe_proxy import wrap_var
from ansible.vars.clean import namespace_facts

from ..policy.model import Check, Rule, Scope

LABEL = "facts"
MODULE = "ansible.builtin.setup"
VARIABLE = "ansible_facts"


@dataclass(frozen=True)
class Facts:
    """The ``values`` that the module returned. ``trouble`` says why there are none, if so."""

    values: Mapping[str, Any] = field(default_factory=dict)
    trouble: str = ""

    def variables(self, scope: Scope | None, others: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variable that a rule gets; none if it does not ask for facts.

        ``others`` are the variables that it has without these facts. They may have some, too.
        """
        if not (scope and scope.facts):
            return {}
        own: Any = namespace_facts(wrap_var(dict(self.values)))[VARIABLE]
        return {VARIABLE: {**(others.get(VARIABLE) or {}), **own}}


NONE = Facts()


def subsets_of(rules: Iterable[Rule]) -> frozenset[str]:
    return frozenset(subset for rule in rules for subset in rule.facts)


def gathering(rules: Iterable[Rule]) -> Check:
    """Return the check that is the task that gathers all that ``rules`` need."""
    spec = {MODULE: {"gather_subset": sorted(subsets_of(rules))}}
    return Check("task", spec, LABEL)
