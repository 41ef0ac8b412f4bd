# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The errors of Precheck.

A message of a PrecheckError is in Precheck's own words and holds no variable's value, so reports
may keep it. Raise these errors ``from None``: since 2.19 ansible-core appends the message of the
cause, which may hold values.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ansible.errors import AnsibleError
from ansible.release import __version__

# The oldest and the newest release of ansible-core that Precheck is tested with. The first is
# ansible-base.
OLDEST, NEWEST = (2, 10), (2, 21)
OLDEST_PYTHON = (3, 9)


def why_too_old(release: str = __version__, python: Sequence[int] = sys.version_info[:2]) -> str:
    """Return why the guard cannot work here; empty if ansible-core and Python are new enough."""
    if tuple(python) < OLDEST_PYTHON:
        return f"Python {_text(python)} is older than {_text(OLDEST_PYTHON)}"
    if (number := _release(release)) and number < [*OLDEST]:
        return f"ansible-core {release} is older than {_text(OLDEST)}"
    return ""


def _release(version: str) -> list[int]:
    match = re.match(r"(\d+)\.(\d+)", version)
    return [int(part) for part in match.groups()] if match else []


def _text(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


class PrecheckError(AnsibleError):
    """Ends the run, or the command, with its message."""

    @property
    def text_for_report(self) -> str:
        return str(self)


class TemplateError(PrecheckError):
    """An expression or a template has no value. The message says why."""


class OptionError(PrecheckError):
    """An option of Precheck has a value that cannot be used."""


class GuardError(PrecheckError):
    """The guard does not work because of ``cause``, with a ``consequence`` for the run."""

    def __init__(self, consequence: str, cause: Exception) -> None:
        text = f"{consequence}: {why_too_old() or repr(cause)}"
        if _release(__version__) > [*NEWEST]:
            text += (
                f" (ansible-core {__version__} is newer than {_text(NEWEST)}, the newest release"
                " that Precheck is tested with)"
            )
        super().__init__(text)
        # The cause may be an error of others, with values in its message.
        self._text_for_report = f"{consequence}: {type(cause).__name__}"

    @property
    def text_for_report(self) -> str:
        return self._text_for_report


ProblemId = Literal["invalid-policy", "unknown-name", "pipe-always-succeeds"]


@dataclass(frozen=True)
class Problem:
    """What is wrong with a policy, and where.

    ``path`` is empty if no file is at fault, and ``line`` is 0 if no line is. With a problem that
    ``is_warning``, the policy can be used. ``id`` says to programs what kind of problem it is.
    """

    text: str
    path: str = ""
    line: int = 0
    is_warning: bool = False
    id: ProblemId = "invalid-policy"

    def __str__(self) -> str:
        location = f"{self.path}:{self.line}" if self.line else self.path
        text = f"warning: {self.text}" if self.is_warning else self.text
        return f"{location}: {text}" if location else text


class PolicyError(PrecheckError):
    """A policy cannot be used. The message has a line for each of its ``problems``."""

    heading = "Precheck cannot use its policy, so nothing was run:"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n  ".join([self.heading, *map(str, problems)]))
        self.problems = tuple(problems)


class SettingsError(PolicyError):
    """Something is misspelt where the guard is configured, so another policy may be meant."""

    heading = "Precheck cannot use its settings, so nothing was run:"


def text_for_report(error: Exception) -> str:
    """Return what a report may keep of an error.

    Only Precheck's own errors are sure to hold no variable's value.
    """
    if isinstance(error, PrecheckError):
        return error.text_for_report
    return f"an unexpected {type(error).__name__}"
