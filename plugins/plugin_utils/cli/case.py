# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a case of a policy's test consists of."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..text import Texts

# What is asked: a path, a command, or a task.
AnswerKind = Literal["path", "command", "task"]

# What becomes of a host for a rule.
Place = Literal["ready", "not_ready", "unverified", "waived", "left_out"]
PLACES: tuple[Place, ...] = ("ready", "not_ready", "unverified", "waived", "left_out")


@dataclass(frozen=True)
class CannedAnswer:
    """What comes when ``question`` is asked: a path, a command, or a task by its label.

    ``value`` is the stat of the path, the Answer of the shell, or the result of the task. It is the
    answer only to a task with these ``arguments``.
    """

    kind: AnswerKind
    question: str
    value: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)


CannedAnswers = Sequence[CannedAnswer]


@dataclass(frozen=True)
class CaseHost:
    """A host. ``facts`` are None if there are none to gather.

    ``unreachable`` says why it is; it is empty if it is not.
    """

    name: str
    groups: Texts = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] | None = None
    unreachable: str = ""
    answers: CannedAnswers = ()


@dataclass(frozen=True)
class CasePlay:
    """The play. ``playbook`` is the path of its file, empty if it is in none."""

    playbook: str = ""
    name: str = ""
    roles: Texts = ()
    tags: Texts = ()
    hosts: str = "all"
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What becomes of a rule before a play, or what is expected of it.

    ``hosts`` has the reasons by host, by place. ``of_play`` has those of the verdict on the play as
    a whole, by the state of this verdict; it is empty if there is none. What is None is not
    compared, and neither are reasons that are None.
    """

    hosts: Mapping[Place, Mapping[str, Texts | None]] = field(default_factory=dict)
    of_play: Mapping[str, Texts | None] = field(default_factory=dict)
    messages: Texts | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Case:
    """A case at ``line`` of its file.

    ``options`` are those of the command line. ``files`` are those of the control node, by path; if
    there are some, there are no others in the directory of the case. ``expected`` is by the name of
    a rule, None for a rule that does not cover the play; ``stops`` is whether the run ends, None if
    that is not compared; ``error`` is the one that ends it, and empty if none does.
    """

    name: str
    line: int
    play: CasePlay
    options: Any
    time: datetime.datetime | None
    hosts: Sequence[CaseHost]
    files: Mapping[str, str]
    answers: CannedAnswers
    expected: Mapping[str, Found | None]
    stops: bool | None = None
    error: str = ""
