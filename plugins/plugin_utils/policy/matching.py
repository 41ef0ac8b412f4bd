# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a play to the rules that cover it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .links import paths_through_links
from .model import Rule, Selector
from .values import Globs

Coverage = tuple[Rule, Selector]  # a rule that covers a play, and the first selector that matches


@dataclass(frozen=True)
class PlayIdentity:
    """What selectors are compared with.

    ``path`` is the file that the play is written in, empty if it was not read from a file; ``line``
    its line there, 0 if it is not known. ``other_paths`` are more files that it may be written in.
    ``roles`` are names as Ansible has them: with the collection (``acme.db.pgsql``) if there is
    one, and with the directory (``roles/pgsql``) if the play gives one. ``role_directories`` are
    the paths of the roles' directories, as far as they are known.
    """

    name: str
    path: str
    line: int
    roles: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    other_paths: frozenset[str] = frozenset()
    role_directories: frozenset[str] = frozenset()

    def __str__(self) -> str:
        location = f"{self.path}:{self.line}" if self.line else self.path
        return f'play "{self.name}"' + (f" ({location})" if location else "")


def covering(play: PlayIdentity, rules: Iterable[Rule]) -> list[Coverage]:
    """Return the rules that cover ``play``, each with the first of its selectors that matches."""
    known = _Known(play)
    coverages = []
    for rule in rules:
        for selector in rule.plays:
            if known.matches(selector):
                coverages.append((rule, selector))
                break
    return coverages


def selects(selector: Selector, play: PlayIdentity) -> bool:
    """Return whether ``selector`` matches ``play``, and none of the selectors that exempt plays."""
    return _Known(play).matches(selector)


class _Known:
    """All that a play is known by: each path of its file, and each name of its roles.

    A link counts as itself and as what it leads to, so that no name gets past a rule.
    """

    def __init__(self, play: PlayIdentity) -> None:
        self._play = play
        files = [path for path in (play.path, *play.other_paths) if path]
        # A play that is in no file has one path too, which no glob matches.
        self._paths = {path for file in files for path in paths_through_links(file)} or {""}
        directories = {
            path for directory in play.role_directories for path in paths_through_links(directory)
        }
        names = {name for role in play.roles for name in (role, _last_part(role))}
        names |= set(map(_last_part, directories))
        self._roles = names | {name.rpartition(".")[2] for name in names}

    def matches(self, selector: Selector) -> bool:
        # An exemption counts for the path that it names only: another path of the same file may be
        # one that the selector is for.
        return any(
            self._matches_under(path, selector)
            and not any(self._matches_under(path, exempt) for exempt in selector.exempt)
            for path in self._paths
        )

    def _matches_under(self, path: str, selector: Selector) -> bool:
        """Return whether every list of ``selector`` that is not empty matches."""
        return (
            _path_matches_any(path, selector.playbook)
            and _any_matches(selector.play, {self._play.name})
            and _any_matches(selector.role, self._roles)
            and _any_matches(selector.tag, self._play.tags)
        )


def _last_part(path: str) -> str:
    return os.path.basename(path.rstrip("/"))


def _any_matches(globs: Globs, names: Iterable[str]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for name in names for glob in globs)


def _path_matches_any(path: str, globs: Globs) -> bool:
    return not globs or any(path and _path_matches(path, glob) for glob in globs)


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
