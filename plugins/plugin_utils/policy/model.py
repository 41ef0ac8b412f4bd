# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a policy consists of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ansible.utils.unsafe_proxy import wrap_var

from ..text import Texts
from .minimum import Minimum
from .values import Conditions, Globs

KindName = Literal["path", "command", "that", "task", "confirm"]
Severity = Literal["error", "exclude", "warn"]
Waiving = Literal["allowed", "reason", "forbidden"]
Period = Literal["run", "play", "batch"]

CONFIRM: KindName = "confirm"  # of the checks that the operator passes

ERROR: Severity = "error"
WARN: Severity = "warn"
EXCLUDE: Severity = "exclude"  # hosts that are not ready are left out, and the run goes on

# Whether a play may opt out of a rule; with REASON, only if the operator gives one.
ALLOWED: Waiving = "allowed"
REASON: Waiving = "reason"
FORBIDDEN: Waiving = "forbidden"

# How often a host is checked: once per run, or again at each covered play, or also at each batch.
RUN: Period = "run"
PLAY: Period = "play"
BATCH: Period = "batch"

BUILT_IN = os.path.join(os.path.dirname(__file__), "builtin.yml")

RuleAndHost = tuple[str, str]  # the name of a rule, and the name of a host


@dataclass(frozen=True)
class Selector:
    """One entry of a rule's ``plays``. It matches if each of its lists that is not empty does.

    The lists hold globs. Those for ``playbook`` are compared with the name of the file that the
    play is written in or, if they have a slash, with its path from the right; those for ``play``
    with the play's name; those for ``role`` and ``tag`` with the names of its roles and tags.
    ``exempt`` are the selectors under its key ``not``: it matches no play that one of them matches.
    """

    playbook: Globs = ()
    play: Globs = ()
    role: Globs = ()
    tag: Globs = ()
    exempt: Selectors = ()

    @property
    def globs(self) -> Mapping[str, Globs]:
        """Its lists that are not empty, by key."""
        lists = {"playbook": self.playbook, "play": self.play, "role": self.role, "tag": self.tag}
        return {key: globs for key, globs in lists.items() if globs}

    def __str__(self) -> str:
        own = ", ".join(f"{key} {' or '.join(globs)}" for key, globs in self.globs.items())
        exempt = (f"({one})" if len(one.globs) > 1 else str(one) for one in self.exempt)
        return ", not ".join([own, *exempt])


Selectors = tuple[Selector, ...]


@dataclass(frozen=True)
class Scope:
    """What the templates and conditions of a ``rule`` of this name have of their own.

    ``of_policy`` are the variables that the policy gives them, ``facts`` the subsets of facts that
    are gathered for them.
    """

    rule: str
    of_policy: Mapping[str, Any] = field(default_factory=dict)
    facts: Texts = ()

    @property
    def variables(self) -> dict[str, Any]:
        """The variables that take precedence over those of hosts and plays."""
        name = wrap_var(self.rule)  # it is only text, also if it has braces
        return {**self.of_policy, "precheck_rule": name}


@dataclass(frozen=True)
class Check:
    """One thing that a host, or with ``once`` the play, must pass.

    ``spec`` is what the module of its ``kind`` made of the keys of that kind. ``label`` names the
    check in results. ``name`` and ``message`` are empty if the policy gives none. ``timeout`` is in
    seconds. ``line`` is where the check stands in the policy. ``alias`` is what is printed in place
    of the ``spec`` if the policy is vaulted, and empty otherwise. ``scope`` is that of its rule; it
    is None if the check is of no rule, but of a task of a user.
    """

    kind: KindName
    spec: Any
    label: str
    name: str = ""
    message: str = ""
    timeout: int | None = None
    become: bool = False
    once: bool = False
    line: int = 0
    alias: str = ""
    scope: Scope | None = None


Checks = tuple[Check, ...]


@dataclass(frozen=True)
class Rule:
    """Which plays it covers, on which hosts (``when``), what they must pass, what to report.

    ``message`` and ``remedy`` are templates, empty if there is none. ``prepared_by`` selects the
    plays that may make hosts ready on the way to a covered one; if it is None, any may. With fewer
    ready hosts than the ``minimum``, none is left out. A host that does not answer is checked again
    for ``wait`` seconds.
    ``facts`` are the subsets of facts that it needs, ``variables`` those of its policy; with
    ``has_vaulted_variables``, a vaulted file gives some of them. ``path`` and ``line`` are where
    the rule is written, in a file that ``is_vaulted`` or not.
    """

    name: str
    plays: Selectors
    checks: Checks
    when: Conditions = ()
    message: str = ""
    remedy: str = ""
    severity: Severity = ERROR
    minimum: Minimum | None = None
    wait: int = 0
    waiver: Waiving = ALLOWED
    prepared_by: Selectors | None = None
    check_every: Period = RUN
    facts: Texts = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    has_vaulted_variables: bool = False
    path: str = ""
    line: int = 0
    is_vaulted: bool = False

    def shown(self, condition: str | bool) -> str:
        """Return what is printed of a condition of its ``when``."""
        return "a vaulted condition" if self.is_vaulted else str(condition)

    @property
    def scope(self) -> Scope:
        return Scope(self.name, self.variables, self.facts)

    def with_variables(self, variables: Mapping[str, Any], are_vaulted: bool = False) -> Rule:
        """Return the rule, and its checks, with these variables of a policy."""
        rule = replace(self, variables=variables, has_vaulted_variables=are_vaulted)
        return replace(rule, checks=tuple(replace(one, scope=rule.scope) for one in self.checks))

    @property
    def is_built_in(self) -> bool:
        return self.path == BUILT_IN

    @property
    def location(self) -> str:
        return f"rule {self.name} ({self.path}:{self.line})"

    @property
    def host_checks(self) -> Checks:
        return tuple(check for check in self.checks if not check.once)

    @property
    def once_checks(self) -> Checks:
        return tuple(check for check in self.checks if check.once)

    @property
    def confirmations(self) -> Checks:
        return tuple(check for check in self.checks if check.kind == CONFIRM)


Rules = tuple[Rule, ...]
