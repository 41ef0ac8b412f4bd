# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a check of a host may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ansible.parsing.dataloader import DataLoader

from .. import compat
from ..errors import TemplateError
from ..policy.model import Scope
from .facts import NONE, Facts

if TYPE_CHECKING:
    from .node import Node

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
        if self.literal or not compat.is_template(template):
            return template
        return compat.rendered(template, self.variables, self.loader)

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
class HostContext(HostVariables):
    """A host that is being checked, with a connection to its ``node``."""

    node: Node
