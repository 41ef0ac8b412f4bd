# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a host may take to answer, and which setting says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.plugins.loader import connection_loader

from ... import options
from ...policy.model import Check

DEFAULT = 30  # seconds for the checks of a host without a timeout of their own
ANSWER = 20  # seconds of it that are left when ansible-core's default for connecting is over


@dataclass(frozen=True)
class TimeLimit:
    """A number of ``seconds``, and the ``reason`` for it, as a part of a sentence."""

    seconds: int
    reason: str

    def __str__(self) -> str:
        return f"{self.seconds} s, {self.reason}"

    def extended_for(self, checks: Sequence[Check]) -> TimeLimit:
        """Return the limit for these checks together."""
        seconds = sum(check.timeout or 0 for check in checks)
        if not seconds:
            return self
        return TimeLimit(self.seconds + seconds, f"{self.reason} and the timeouts of checks")


def of_check(check: Check, limit: TimeLimit) -> TimeLimit:
    """Return the limit for a check that is a task of its own."""
    return TimeLimit(check.timeout, "the timeout of the check") if check.timeout else limit


def of_host(extra_vars: Mapping[str, Any]) -> TimeLimit:
    """Return the limit for the checks of a host. Raises OptionError."""
    if seconds := options.timeout(extra_vars):
        return TimeLimit(seconds, "the limit of [precheck] timeout")
    if C.TASK_TIMEOUT:
        return TimeLimit(C.TASK_TIMEOUT, "the limit of task_timeout")
    connection_loader.get("ssh", class_only=True)  # makes its options known
    from_command_line: int = context.CLIARGS.get("timeout") or 0
    # Before 2.11 ssh has no such options.
    of_core = from_command_line or C.DEFAULT_TIMEOUT, getattr(C, "ANSIBLE_SSH_RETRIES", 0)
    timeout = max(_of_ssh("timeout", extra_vars, of_core[0]), from_command_line)
    return by_default(timeout, _of_ssh("reconnection_retries", extra_vars, of_core[1]))


def by_default(timeout: int, retries: int) -> TimeLimit:
    """Return the limit for an ssh that connects with this ``timeout`` and so many ``retries``."""
    attempts = min(retries, options.LONGEST_TIMEOUT) + 1
    # As in _ssh_retry of the plugin.
    pauses = sum(min(2 ** min(attempt, 5) - 1, 30) for attempt in range(attempts - 1))
    seconds = min(timeout * attempts + pauses + ANSWER, options.LONGEST_TIMEOUT)
    if seconds <= DEFAULT:
        return TimeLimit(DEFAULT, "the default of [precheck] timeout")
    return TimeLimit(seconds, "which follows from timeout and retries of ssh")


def _of_ssh(name: str, extra_vars: Mapping[str, Any], default: int) -> int:
    try:
        value: int = C.config.get_config_value(
            name, plugin_type="connection", plugin_name="ssh", variables=dict(extra_vars)
        )
        return max(value, 0)
    except Exception:  # a wrong value, with which ansible-core will not connect either
        return default
