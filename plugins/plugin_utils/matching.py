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

    ``path`` is the file that the play is written in, empty when it was not read from a file; ``line`` its line there, 0
    where it is not known. ``others`` are more files that it may be written in.
    ``roles`` are names as Ansible tells them: with the collection (``acme.db.pgsql``) where there is one, and with the
    folder (``roles/pgsql``) where the play gives one.
    """

    name: str
    path: str
    line: int
    roles: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f'play "{self.name}"' + (f" ({place})" if place else "")


def covering(play: PlayIdentity, rules: Iterable[Rule]) -> list[tuple[Rule, Selector]]:
    """Return the rules that cover ``play``, each with the first of its selectors that matches."""
    found = []
    for rule in rules:
        if selector := next((selector for selector in rule.plays if selects(selector, play)), None):
            found.append((rule, selector))
    return found


def selects(selector: Selector, play: PlayIdentity) -> bool:
    """Return whether every list of ``selector`` that is not empty has a glob that matches ``play``."""
    # A link counts by its own path and by that of its target, so that neither name is a way round.
    files = {path for file in (play.path, *play.others) if file for path in (file, os.path.realpath(file))}
    roles = {name for role in play.roles for name in (role, os.path.basename(role.rstrip("/")))}
    roles |= {role.rpartition(".")[2] for role in roles}
    return (
        (not selector.playbook or any(_from_the_right(path, glob) for path in files for glob in selector.playbook))
        and _matches(selector.play, {play.name})
        and _matches(selector.role, roles)
        and _matches(selector.tag, play.tags)
    )


def _matches(globs: tuple[str, ...], names: Iterable[str]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for name in names for glob in globs)


def _from_the_right(path: str, glob: str) -> bool:
    """Return whether the last parts of ``path`` match those of ``glob``: as many as it has, all if it begins with /."""
    parts, globs = path.split("/"), glob.split("/")
    # The first part of an absolute path is empty, so a glob that begins with a slash matches from the root only.
    return len(globs) <= len(parts) and all(fnmatchcase(part, one) for part, one in zip(reversed(parts), reversed(globs)))


def coverage(play: PlayIdentity, found: Iterable[tuple[Rule, Selector]]) -> str:
    """Return a line that tells which rules cover ``play`` and by which selector."""
    told = "; ".join(f"{rule.name} (by {selector})" for rule, selector in found)
    return f"Precheck: {play} is covered by {told or 'no rule'}"


def may_depend_on_facts(conditions: Iterable[object]) -> bool:
    """Return whether any of the ``conditions`` of a ``when`` names what can change when facts are gathered."""
    return any(re.search(r"\b(ansible_|facter_|ohai_|hostvars\b|vars\b)", str(condition)) for condition in conditions)
