# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict that the guard reaches for one host and rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

READY = "ready"
NOT_READY = "not_ready"
UNVERIFIED = "unverified"


@dataclass(frozen=True)
class Verdict:
    """``state`` is READY, NOT_READY or UNVERIFIED; ``reason`` is one sentence for the operator."""

    state: str
    reason: str


def from_result(result: Mapping[str, Any], limit: int) -> Verdict:
    """Read a verdict from the result of a ``precheck.guard.check`` task that had ``limit`` seconds.

    Anything but the action's own verdict (unreachable, timed out, failed before it could ask) is UNVERIFIED.
    """
    message = str(result.get("msg") or "the check ended without a reason")
    if result.get("unreachable"):
        return Verdict(UNVERIFIED, f"unreachable: {message}")
    if "timedout" in result or "expected time frame" in message:  # ansible-core before 2.18 has only the message
        return Verdict(UNVERIFIED, f"timed out: no answer within {limit} s")
    state = result.get("verdict")
    if result.get("failed"):
        return Verdict(NOT_READY if state == NOT_READY else UNVERIFIED, message)
    return Verdict(READY if state == READY else UNVERIFIED, message)
