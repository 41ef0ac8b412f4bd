# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The check kind ``that``: conditions on variables of a host hold, or with ``once`` of the play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ansible.parsing.dataloader import DataLoader

from .. import templates
from ..errors import TemplateError
from ..policy import values
from ..policy.conditions import hint_at_facts
from ..policy.model import Check
from ..policy.reader import Source
from ..policy.values import Conditions, ValueType
from ..verdict import Verdict, not_ready, ready, unverified, worst
from .kind import Means
from .script import Answer

if TYPE_CHECKING:
    from .context import HostContext, HostVariables

MEANS: Means = "variables"

KEYS: Mapping[str, ValueType] = {"that": values.conditions, "once": values.flag}


def parse(entry: Mapping[str, Any], source: Source) -> Conditions:
    return values.conditions(entry["that"])


def label(spec: Conditions) -> str:
    return " ".join(map(str, spec))


def probe(check: Check, host: HostVariables) -> Verdict:
    """Return the verdict: nothing has to be asked."""
    return evaluate(check, host.variables, host.loader)


def judge(check: Check, verdict: Verdict, answer: Answer | None, host: HostContext) -> Verdict:
    return verdict


def evaluate(check: Check, variables: dict[str, Any], loader: DataLoader) -> Verdict:
    """Return the verdict on conditions, given these variables of a host or a play."""
    conditions: Conditions = check.spec
    return worst(_evaluate(condition, check, variables, loader) for condition in conditions)


def _evaluate(
    condition: str | bool, check: Check, variables: dict[str, Any], loader: DataLoader
) -> Verdict:
    shown = check.alias or str(condition)
    try:
        if templates.holds(condition, variables, loader):
            return ready()
    except TemplateError as ex:
        reason = str(ex)
        if check.scope:
            reason = hint_at_facts(condition, reason, gathered=bool(check.scope.facts))
        return unverified(f"{shown} cannot be evaluated: {reason}")
    return not_ready(f"{shown} does not hold")
