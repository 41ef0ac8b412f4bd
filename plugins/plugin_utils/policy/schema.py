# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which keys the mappings in a policy have, and of which types their values are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..text import did_you_mean
from . import values
from .minimum import minimum
from .model import ALLOWED, BATCH, ERROR, EXCLUDE, FORBIDDEN, PLAY, REASON, RUN, WARN
from .positions import YamlPath
from .values import ValueType, type_name

Finding = tuple[YamlPath, str]  # a problem with the value at a path
Report = Callable[[YamlPath, str], None]  # takes both


@dataclass(frozen=True)
class Shape:
    """What a mapping must look like.

    ``name`` is what problems call it. ``types`` has the types of values by key; the keys that it
    must have are ``required``, and it must have one of ``one_of``, or with ``exclusive`` exactly
    one. ``belongs_to`` has the keys that are allowed only beside certain ones of ``one_of``. Keys
    that begin with ``ignored`` are nobody's business; there are none if it is empty.
    """

    name: str
    types: Mapping[str, ValueType]
    required: Sequence[str] = ()
    one_of: Sequence[str] = ()
    exclusive: bool = False
    belongs_to: Mapping[str, Sequence[str]] | None = None
    ignored: str = ""

    def fits(self, entry: Any, report: Report) -> bool:
        """Return whether ``entry`` is such a mapping. Reports all that is wrong with it."""
        if not isinstance(entry, Mapping):
            report((), f"{self.name}: expected a mapping, not {type_name(entry)}")
            return False
        for key in entry:
            if not isinstance(key, str):
                expectation = f"expected text for a key, not {type_name(key)} ({key!r})"
                report((), f"{self.name}: {expectation}")
                return False
        problems = [*self._problems_of_keys(entry), *self._problems_of_values(entry)]
        for path, problem in problems:
            report(path, problem)
        return not problems

    def _problems_of_keys(self, entry: Mapping[str, Any]) -> list[Finding]:
        problems: list[Finding] = []
        for key in entry:
            if self.ignored and key.startswith(self.ignored):
                continue
            if key not in self.types:
                expected = ", ".join(self.types) + did_you_mean(key, self.types)
                problems.append(((key,), f"unknown key {key!r}: expected {expected}"))
        if missing := [key for key in self.required if key not in entry]:
            problems.append(((), f"missing: {', '.join(missing)}"))
        chosen = [key for key in self.one_of if key in entry]
        if self.one_of and not chosen:
            problems.append(((), f"expected one of {', '.join(self.one_of)}"))
        if self.exclusive and len(chosen) > 1:
            problems.append(((), f"expected only one of {', '.join(self.one_of)}"))
        for key, owners in (self.belongs_to or {}).items():
            if key in entry and not any(owner in entry for owner in owners):
                problems.append(((), f"{key} requires {' or '.join(owners)}"))
        return [(path, f"{self.name}: {problem}") for path, problem in problems]

    def _problems_of_values(self, entry: Mapping[str, Any]) -> list[Finding]:
        problems: list[Finding] = []
        for key, value in entry.items():
            try:
                if key in self.types:
                    self.types[key](value)
            except (TypeError, ValueError) as ex:
                problems.append(((key,), f"{key}: {ex}"))
        return problems


IGNORED = "x-"  # keys that begin so are for what anchors and aliases repeat

FILE = Shape(
    "the file",
    {"rules": values.entries, "vars": values.mapping, "extends": values.policy_names},
    required=("rules",),
    ignored=IGNORED,
)
# It may have the rules of others only.
EXTENDING_FILE = replace(FILE, required=())

RULE = Shape(
    "a rule",
    {
        "name": values.name,
        "plays": values.entries,
        "when": values.conditions,
        "checks": values.entries,
        "message": values.template,
        "remedy": values.template,
        "severity": values.choice(ERROR, EXCLUDE, WARN),
        "minimum": minimum,
        "wait": values.seconds,
        "waiver": values.choice(ALLOWED, REASON, FORBIDDEN),
        "prepared_by": values.entries_or_none,
        "check_every": values.choice(RUN, PLAY, BATCH),
        "facts": values.subsets,
    },
    required=("name", "plays", "checks"),
)

_GLOBS: Mapping[str, ValueType] = {
    "playbook": values.path_globs,
    "play": values.globs,
    "role": values.name_globs,
    "tag": values.name_globs,
}


def selector_shape(key: str) -> Shape:
    """Return the shape of a selector in the list under ``key``."""
    types = {**_GLOBS, "not": values.one_or_more_entries}
    return Shape(f"an entry of {key}", types, one_of=tuple(_GLOBS))


# What may be under the key not of a selector.
EXEMPTION = Shape("not", _GLOBS, one_of=tuple(_GLOBS))

# The keys that a check of any kind may have.
CHECK: Mapping[str, ValueType] = {
    "name": values.name,
    "message": values.template,
    "timeout": values.seconds,
    "become": values.flag,
}


def check_shape(keys_by_kind: Mapping[str, Mapping[str, ValueType]]) -> Shape:
    """Return the shape of a check that is of one of these kinds.

    ``keys_by_kind`` has the types of the keys that only this kind has, and of its own key, by its
    name.
    """
    own_keys = {key: types[key] for key, types in keys_by_kind.items()}
    options: dict[str, ValueType] = {}
    owners: dict[str, list[str]] = {}
    for kind, types in keys_by_kind.items():
        for key in (key for key in types if key not in own_keys):
            options[key] = types[key]
            owners.setdefault(key, []).append(kind)
    return Shape(
        "a check",
        {**own_keys, **CHECK, **options},
        one_of=tuple(own_keys),
        exclusive=True,
        belongs_to=owners,
    )
