# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict on one check of a host, and that on a rule, which is the worst of its checks'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

READY = "ready"
NOT_READY = "not_ready"
UNVERIFIED = "unverified"


@dataclass(frozen=True)
class Verdict:
    """``state`` is READY, NOT_READY or UNVERIFIED. ``reasons`` are sentences for the operator, one for each check that
    is not ready. ``checks`` of a rule's verdict are the labels and verdicts of its checks, in the order in which they are
    made; there are none where the host was lost before.
    """

    state: str
    reasons: tuple[str, ...] = ()
    checks: tuple[tuple[str, Verdict], ...] = ()


_READY = Verdict(READY)  # one for all hosts: there may be thousands


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on a rule out of those on its checks or on parts of them. Where there are none it is UNVERIFIED."""
    found = list(verdicts)
    states = {verdict.state for verdict in found}
    checks = tuple(check for verdict in found for check in verdict.checks)
    if states == {READY}:
        return Verdict(READY, checks=checks) if checks else _READY
    state = NOT_READY if NOT_READY in states else UNVERIFIED
    reasons = tuple(reason for verdict in found if verdict.state != READY for reason in verdict.reasons)
    return Verdict(state, reasons or ("the checks gave no result",), checks)


def of_check(label: str, verdict: Verdict) -> Verdict:
    """Return the ``verdict`` on one check as a part of the verdict on its rule."""
    return Verdict(verdict.state, verdict.reasons, ((label, verdict),))


def all_ready(labels: Iterable[str]) -> Verdict:
    """Return the verdict on a rule of which the checks with these labels are all ready. One serves all hosts."""
    return Verdict(READY, checks=tuple((label, _READY) for label in labels))


def lost(result: Mapping[str, Any], limit: int) -> Verdict | None:
    """Return the verdict on a host that was unreachable or timed out, by the ``result`` of a task that had ``limit``
    seconds. Returns None for a host that answered.
    """
    message = str(result.get("msg") or "")
    if result.get("unreachable"):
        return Verdict(UNVERIFIED, (f"unreachable: {message}",))
    if "timedout" in result or "expected time frame" in message:  # ansible-core before 2.18 has only the message
        return Verdict(UNVERIFIED, (f"timed out: no answer within {limit} s",))
    return None


def of_checks(result: Mapping[str, Any]) -> Verdict:
    """Read the verdict out of the result of a ``precheck.guard.check`` task. Anything but the action's own is UNVERIFIED."""
    state = result.get("verdict")
    if state == READY and not result.get("failed"):
        return _READY
    told = result.get("checks") if state in (NOT_READY, UNVERIFIED) else None
    checks = tuple(
        (str(check["check"]), Verdict(check["verdict"], (str(check["msg"]),)) if check["verdict"] != READY else _READY)
        for check in told or ()
    )
    reasons = tuple(reason for _label, verdict in checks for reason in verdict.reasons)
    message = str(result.get("msg") or "the check ended without a reason")
    return Verdict(NOT_READY if state == NOT_READY else UNVERIFIED, reasons or (message,), checks)


def of_task(result: Mapping[str, Any], hidden: bool = False) -> Verdict:
    """Read the verdict out of the result of a task that a policy brought: ready when it did not fail. ``hidden`` says that
    the task's output is not to be shown.
    """
    if not result:
        return Verdict(UNVERIFIED, ("the task gave no result",))
    if result.get("skipped"):
        return Verdict(UNVERIFIED, ("the task was skipped",))
    if not result.get("failed"):
        return Verdict(READY)
    if hidden:
        return Verdict(NOT_READY, ("the task failed (its output is hidden by no_log)",))
    message = str(result.get("msg") or "the task failed")
    # Without Python on the node, a module cannot tell anything.
    return Verdict(UNVERIFIED if "module_stderr" in result else NOT_READY, (message,))
