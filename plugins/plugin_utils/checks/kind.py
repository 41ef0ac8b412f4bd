# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a kind of checks consists of: each is a module with these names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ..policy.model import Check
from ..policy.reader import Source
from ..policy.values import ValueType
from ..verdict import Verdict

if TYPE_CHECKING:
    from .context import HostContext, HostVariables

# What it takes to check: the shell of the host, its variables, a task of its own, or the operator.
Means = Literal["shell", "variables", "task", "operator"]


class Kind(Protocol):
    """A module that has all about one kind of checks. ``kinds.KINDS`` lists them.

    ``KEYS`` has the types of values by key: of the key by which a check is of this kind, and of
    those that only this kind has.
    """

    MEANS: Means
    KEYS: Mapping[str, ValueType]

    def parse(self, entry: Mapping[str, Any], source: Source) -> Any:
        """Return the spec of a check, given its keys. Reports problems with them to ``source``."""

    def label(self, spec: Any) -> str:
        """Return what the check is called in results if the policy gives it no name."""

    def probe(self, check: Check, host: HostVariables) -> Any:
        """Return how to find out about ``host``.

        This is a Question for its shell, a Verdict if it is known already, the task to run (for
        which ``host`` is left out), or the words for the operator. Raises PrecheckError if there is
        no way.
        """

    def judge(self, check: Check, probe: Any, answer: Any, host: HostContext) -> Verdict:
        """Return the verdict on what came of the ``probe``.

        This is the Answer of the shell or None, the result of the task, or what the operator says.
        """
