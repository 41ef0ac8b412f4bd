# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What doctor finds out, before it judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import Problem
from ..ini import Settings
from .explanation import PlayExplanation


@dataclass(frozen=True)
class Copy:
    """A copy of the collection: its ``version``, and the directory that it is in."""

    path: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.version or 'of an unknown version'} at {self.path}"


@dataclass(frozen=True)
class Value:
    """The value of a setting, where it was set, and whether all that it names can be loaded.

    ``origin`` is a path with a line, a variable of the environment, or "default".
    """

    names: Sequence[str]
    origin: str = "default"
    loads: bool = True

    @property
    def variable(self) -> str:
        """The variable of the environment that it was set in; empty if it was not."""
        return self.origin.partition("env: ")[2]


@dataclass(frozen=True)
class Config:
    """Which ansible.cfg is read: its ``path``, empty if none is, and its ``settings``.

    ``keys`` are those that ansible-core knows, by section. ``ignored`` are files that are not read,
    and why.
    """

    path: str = ""
    settings: Settings = field(default_factory=lambda: Settings({}, ()))
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ignored: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """The policy ``files`` in force, their ``origin``, how many ``rules``, and ``problems``."""

    files: Sequence[str] = ()
    origin: str = ""
    rules: int = 0
    problems: Sequence[Problem] = ()


@dataclass(frozen=True)
class Written:
    """The ``path`` of a report or of metrics, empty if none are wanted, and why it is no good."""

    path: str = ""
    error: str = ""


@dataclass(frozen=True)
class Core:
    """Which ansible-core this is, and another ansible-playbook that a shell would find."""

    version: str
    path: str
    python: str
    other_playbook: str = ""


@dataclass(frozen=True)
class Facts:
    """All that is known.

    ``found`` is the copy of the collection that ansible-core finds, ``own`` that of the command,
    and ``others`` are copies that are not used. ``variables`` are the names in the environment that
    begin with ANSIBLE_, and ``known_variables`` those of them that have an effect.
    ``playbook_error`` says why the playbooks could not be read.
    """

    core: Core
    own: Copy
    found: Copy | None
    searched: Sequence[str]
    config: Config
    callbacks: Value
    strategy: Value
    policy: Policy
    report: Written
    metrics: Written = Written()
    others: Sequence[Copy] = ()
    variables: Sequence[str] = ()
    known_variables: Sequence[str] = ()
    plays: Sequence[PlayExplanation] = ()
    playbook_error: str = ""


def as_data(facts: Facts) -> dict[str, Any]:
    """Return the facts for programs, but for the plays."""
    return {
        "ansible_core": {
            "version": facts.core.version,
            "path": facts.core.path,
            "python": facts.core.python,
        },
        "collection": {
            "path": facts.found.path if facts.found else None,
            "version": facts.found.version if facts.found else None,
            "others": [copy.path for copy in facts.others],
        },
        "config": facts.config.path or None,
        "callbacks_enabled": {
            "value": list(facts.callbacks.names),
            "origin": facts.callbacks.origin,
        },
        "strategy": {"value": facts.strategy.names[0], "origin": facts.strategy.origin},
        "policy": {
            "files": list(facts.policy.files),
            "origin": facts.policy.origin,
            "rules": facts.policy.rules,
        },
        "report": facts.report.path or None,
        "metrics": facts.metrics.path or None,
    }
