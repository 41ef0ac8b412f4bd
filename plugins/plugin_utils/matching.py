# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a play to the rules that cover it. Pure: no inventory, no connection."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .policy import Rule, Selector


@dataclass(frozen=True)
class PlayIdentity:
    """What a play is known by.

    ``path`` is the file that the play is written in, empty when it was not read from a file; ``line`` its line there.
    ``roles`` are names as Ansible tells them: with the collection (``acme.db.pgsql``) where there is one, and with the
    folder (``roles/pgsql``) where the play gives one.
    """

    name: str
    path: str
    line: int
    roles: frozenset[str]


def covering_rules(play: PlayIdentity, rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules that cover ``play``: those of which any selector matches it."""
    return [rule for rule in rules if any(selects(selector, play) for selector in rule.plays)]


def selects(selector: Selector, play: PlayIdentity) -> bool:
    """Return whether every list of ``selector`` that is not empty has a glob that matches ``play``."""
    # A link counts by its own name and by the name of its target, so that neither name is a way round.
    files = {os.path.basename(play.path), os.path.basename(os.path.realpath(play.path))} if play.path else set()
    roles = {os.path.basename(role.rstrip("/")) for role in play.roles}
    roles |= {role.rpartition(".")[2] for role in roles}
    return all(
        not globs or any(fnmatchcase(name, glob) for name in names for glob in globs)
        for globs, names in ((selector.playbook, files), (selector.role, roles))
    )


def may_depend_on_facts(conditions: Iterable[object]) -> bool:
    """Return whether any of the ``conditions`` of a ``when`` names what can change when facts are gathered."""
    return any(re.search(r"\b(ansible_|facter_|ohai_|hostvars\b|vars\b)", str(condition)) for condition in conditions)
