# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The check kind ``confirm``: the operator knows how many hosts a run concerns, and says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..options import CONFIRM_VARIABLE
from ..policy import values
from ..policy.model import Check, RuleAndHost
from ..policy.reader import Source
from ..policy.values import ValueType
from ..text import one_line
from ..verdict import Verdict, not_ready, ready
from .kind import Means

if TYPE_CHECKING:
    from .context import HostContext, HostVariables

MEANS: Means = "operator"

KEYS: Mapping[str, ValueType] = {"confirm": values.template}


@dataclass(frozen=True)
class Said:
    """What the operator said, ``number`` being that of the hosts.

    ``text`` is None if there was nobody to ask.
    """

    text: str | None
    number: int


def parse(entry: Mapping[str, Any], source: Source) -> str:
    return values.template(entry["confirm"])


def label(spec: str) -> str:
    return one_line(spec)


def probe(check: Check, host: HostVariables) -> str:
    """Return the words for the operator, for which a play takes the place of the ``host``."""
    return host.rendered_or_as_it_is(check.spec)


def said_before(rule: str, hosts: Sequence[str], confirmed: Collection[RuleAndHost]) -> Said:
    """Return what the operator said before: nothing, unless all ``hosts`` are ``confirmed``."""
    is_confirmed = all((rule, name) in confirmed for name in hosts)
    return Said(str(len(hosts)) if is_confirmed else None, len(hosts))


def judge(check: Check, words: str, said: Said, host: HostContext | None = None) -> Verdict:
    """Return the verdict: ready if the operator said the number of the hosts."""
    if said.text is None:
        return not_ready(
            "nobody has confirmed it: run it at a terminal, or pass"
            f" -e {CONFIRM_VARIABLE}={said.number}"
        )
    if said.text.strip() != str(said.number):
        return not_ready(f"it was not confirmed by the number of its hosts, which is {said.number}")
    return ready()
