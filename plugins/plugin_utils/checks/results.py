# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From verdicts to results of tasks, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..policy.model import Check
from ..text import one_line
from ..verdict import (
    HIDDEN,
    NOT_READY,
    READY,
    STATES,
    UNVERIFIED,
    State,
    Verdict,
    ready,
    unverified,
    worst,
)
from .event import CHECKS

# What ansible-core puts before the words of ssh.
_NESTED = re.compile(r"^(?:Task failed: |Action failed: |Failed to connect to the host via ssh: )+")


def with_message(check: Check, verdict: Verdict, render: Callable[[str], str]) -> Verdict:
    """Return ``verdict`` with the check's name and its own message, which ``render`` renders."""
    if verdict.state == READY:
        return verdict
    reasons = verdict.reasons
    if verdict.state == NOT_READY and check.message:
        # A message that renders to nothing does not take the reason away.
        reasons = (one_line(render(check.message)) or "; ".join(reasons),)
    if check.name:
        reasons = tuple(f"{check.name}: {reason}" for reason in reasons)
    # ansible-core prints the message of a failed task as it is: no node may write to the terminal.
    return Verdict(verdict.state, tuple(map(one_line, reasons)))


def result_of(checks: Sequence[Check], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the result of a ``precheck.guard.check`` task with these verdicts on its checks.

    The documentation of the module describes it.
    """
    verdict = worst(verdicts)
    return {
        "verdict": verdict.state,
        "failed": verdict.state != READY,
        "changed": False,
        "checks": [
            {"check": check.label, "verdict": part.state, "msg": "; ".join(part.reasons)}
            for check, part in zip(checks, verdicts)
        ],
        "msg": "all checks passed" if verdict.state == READY else "; ".join(verdict.reasons),
    }


def verdict_of(result: Mapping[str, Any]) -> Verdict:
    """Return the verdict in the ``result`` of a ``precheck.guard.check`` task of the guard.

    If the result is not the action's own, it is UNVERIFIED.
    """
    state = result.get("verdict")
    if state == READY and not result.get("failed"):
        return ready()
    checks = result.get(CHECKS, result.get("checks")) if state in (NOT_READY, UNVERIFIED) else ()
    labelled = tuple(
        (str(check["check"]), _part(check["verdict"], str(check["msg"]))) for check in checks or ()
    )
    reasons = tuple(reason for _label, part in labelled for reason in part.reasons)
    message = str(result.get("msg") or "the check ended without a reason")
    worst_state = NOT_READY if state == NOT_READY else UNVERIFIED
    return Verdict(worst_state, reasons or (message,), labelled)


def _part(state: State, reason: str) -> Verdict:
    if state == READY:
        return ready()
    return Verdict(state if state in STATES else UNVERIFIED, (reason,))


def verdict_if_lost(result: Mapping[str, Any], limit: str, hides_output: bool) -> Verdict | None:
    """Return the verdict on a host that did not answer; None if it did.

    It was unreachable, or took longer than ``limit`` says. ``result`` is that of any task, which
    ``hides_output`` or not.
    """
    message = _NESTED.sub("", str(result.get("msg") or ""))
    if result.get("unreachable"):
        return unverified(f"unreachable: {HIDDEN if hides_output else message}")
    # Until 2.17 there is only the message.
    if "timedout" in result or "expected time frame" in message:
        return unverified(f"timed out: no answer within {limit}")
    return None
