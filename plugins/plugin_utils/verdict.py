# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict on a check of a host, and the verdict on a rule: the worst of its checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .text import Texts

State = Literal["ready", "not_ready", "unverified"]

READY: State = "ready"
NOT_READY: State = "not_ready"
UNVERIFIED: State = "unverified"
STATES: tuple[State, ...] = (READY, NOT_READY, UNVERIFIED)


@dataclass(frozen=True)
class Verdict:
    """What is known about a host, or about a play as a whole.

    ``reasons`` are sentences for the operator, one for each check that is not ready. ``checks`` of
    the verdict on a rule are the labels and verdicts of its checks, in the order in which they run;
    it is empty if the host was lost before.
    """

    state: State
    reasons: Texts = ()
    checks: tuple[LabelledVerdict, ...] = ()


LabelledVerdict = tuple[str, Verdict]

# What is printed in place of a node's output.
HIDDEN = "its output is hidden by no_log"

_READY = Verdict(READY)  # one for all hosts: there may be thousands


def ready() -> Verdict:
    """Return the verdict on a check that passed."""
    return _READY


def not_ready(reason: str) -> Verdict:
    return Verdict(NOT_READY, (reason,))


def unverified(reason: str) -> Verdict:
    return Verdict(UNVERIFIED, (reason,))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on a rule, given those on its checks, or on parts of them.

    A single part that is not ready decides, then one that is unverified. No part at all is
    UNVERIFIED.
    """
    parts = list(verdicts)
    states = {part.state for part in parts}
    checks = tuple(check for part in parts for check in part.checks)
    if states == {READY}:
        return Verdict(READY, checks=checks) if checks else _READY
    state = NOT_READY if NOT_READY in states else UNVERIFIED
    reasons = tuple(reason for part in parts if part.state != READY for reason in part.reasons)
    return Verdict(state, reasons or ("the checks gave no result",), checks)


def labelled(label: str, verdict: Verdict) -> Verdict:
    """Return the ``verdict`` on one check as a part of the verdict on its rule."""
    return Verdict(verdict.state, verdict.reasons, ((label, verdict),))


def all_ready(labels: Iterable[str]) -> Verdict:
    """Return the verdict on a rule whose checks, with these labels, all passed."""
    return Verdict(READY, checks=tuple((label, _READY) for label in labels))
