# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a check of a host may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from ansible.parsing.dataloader import DataLoader

from .. import templates
from ..errors import TemplateError
from ..policy.model import Scope
from .facts import NONE, Facts
from .script import Answer, Question

AnyHost = TypeVar("AnyHost", bound="HostVariables")


@dataclass(frozen=True)
class HostVariables:
    """What is known about a host without a connection: its ``variables``.

    ``is_local`` says that commands for it run on the control node. ``directories`` are those in
    which the files that checks name are looked for, after that of the policy; ``digests`` has the
    SHA-256 in hex of those that are known already, by path. With ``literal``, the values of checks
    are no templates (any more).
    """

    variables: dict[str, Any]
    loader: DataLoader
    directories: Sequence[str]
    digests: Mapping[str, str]
    is_local: bool
    literal: bool

    def rendered(self, template: str) -> str:
        """Return the text that ``template`` makes of the host's variables. Raises TemplateError."""
        if self.literal or not templates.is_template(template):
            return template
        return templates.rendered(template, self.variables, self.loader)

    def in_scope(self: AnyHost, scope: Scope | None, facts: Facts = NONE) -> AnyHost:
        """Return the host as the checks of a rule see it; as it is, without a scope."""
        if not scope:
            return self
        own = facts.variables(scope, self.variables)
        return replace(self, variables={**self.variables, **own, **scope.variables})

    def with_variables(self, variables: dict[str, Any]) -> HostVariables:
        """Return the host with other variables."""
        return replace(self, variables=variables)

    def rendered_or_as_it_is(self, template: str) -> str:
        try:
            return self.rendered(template)
        except TemplateError:
            return template


@dataclass(frozen=True)
class Stat:
    """What the stat module says about a path.

    ``values`` is what the module returns as ``stat``; empty if it cannot tell, and None if it
    cannot run at all, as on a node without Python. ``reason`` says why.
    """

    values: Mapping[str, Any] | None
    reason: str


class Node(Protocol):
    """What answers for a host: a ``node.ConnectedNode``, or what a test of a policy has for it.

    ``hides_output`` is whether nothing that it says may be printed. ``trouble`` is what came
    instead of answers, for the operator; empty if nothing did.
    """

    hides_output: bool
    trouble: str

    @property
    def has_shell(self) -> bool:
        """Whether it runs commands for a POSIX shell: no Windows, no device behind network_cli."""

    @property
    def transport(self) -> str:
        """The name of its connection."""

    def ask(self, questions: Sequence[Question], become: bool) -> list[Answer | None]:
        """Return the shell's answer to each question, None if it gave none.

        Raises AnsibleConnectionFailure if the host is unreachable.
        """

    def stat(self, path: str, digest: bool, become: bool) -> Stat:
        """Return what the stat module says about ``path``, with its SHA-256 if ``digest``.

        Raises AnsibleConnectionFailure if the host is unreachable.
        """


@dataclass(frozen=True)
class HostContext(HostVariables):
    """A host that is being checked, and the ``node`` that answers for it."""

    node: Node
