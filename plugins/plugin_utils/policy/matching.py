# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a play to the rules that cover it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .model import Rule, Selector
from .values import Globs

Coverage = tuple[Rule, Selector]  # a rule that covers a play, and the first selector that matches


@dataclass(frozen=True)
class PlayIdentity:
    """What selectors are compared with.

    ``path`` is the file that the play is written in, empty if it was not read from a file; ``line``
    its line there, 0 if it is not known. ``other_paths`` are more files that it may be written in.
    ``roles`` are names as Ansible has them: with the collection (``acme.db.pgsql``) if there is
    one, and with the directory (``roles/pgsql``) if the play gives one.
    """

    name: str
    path: str
    line: int
    roles: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    other_paths: frozenset[str] = frozenset()

    def __str__(self) -> str:
        location = f"{self.path}:{self.line}" if self.line else self.path
        return f'play "{self.name}"' + (f" ({location})" if location else "")


def covering(play: PlayIdentity, rules: Iterable[Rule]) -> list[Coverage]:
    """Return the rules that cover ``play``, each with the first of its selectors that matches."""
    coverages = []
    for rule in rules:
        for selector in rule.plays:
            if selects(selector, play):
                coverages.append((rule, selector))
                break
    return coverages


def selects(selector: Selector, play: PlayIdentity) -> bool:
    """Return whether every list of ``selector`` that is not empty matches ``play``."""
    # A link counts by its own path and by that of its target, so that no name gets past a rule.
    written_in = [path for path in (play.path, *play.other_paths) if path]
    paths = {path for file in written_in for path in (file, os.path.realpath(file))}
    roles = {name for role in play.roles for name in (role, os.path.basename(role.rstrip("/")))}
    roles |= {role.rpartition(".")[2] for role in roles}
    return (
        _any_path_matches(selector.playbook, paths)
        and _any_matches(selector.play, {play.name})
        and _any_matches(selector.role, roles)
        and _any_matches(selector.tag, play.tags)
    )


def _any_matches(globs: Globs, names: Iterable[str]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for name in names for glob in globs)


def _any_path_matches(globs: Globs, paths: Iterable[str]) -> bool:
    return not globs or any(_path_matches(path, glob) for path in paths for glob in globs)


def _path_matches(path: str, glob: str) -> bool:
    """Return whether the last parts of ``path`` match the parts of ``glob``, one by one."""
    parts, globs = path.split("/"), glob.split("/")
    # The first part of an absolute path is empty, so a glob with a leading slash matches from the
    # root.
    pairs = zip(reversed(parts), reversed(globs))
    return len(globs) <= len(parts) and all(
        fnmatchcase(part, part_glob) for part, part_glob in pairs
    )


def describe(play: PlayIdentity, coverages: Iterable[Coverage]) -> str:
    """Return a line that says which rules cover ``play``, and by which selectors."""
    rules = "; ".join(f"{rule.name} (by {selector})" for rule, selector in coverages)
    return f"Precheck: {play} is covered by {rules or 'no rule'}"
