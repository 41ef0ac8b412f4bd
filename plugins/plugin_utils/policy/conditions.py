# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may change whether conditions hold, by the names that they mention."""

from __future__ import annotations

import re
from collections.abc import Iterable

# VariableManager sets these last, and they stay as they are during a play.
_FIXED = (
    "ansible_check_mode",
    "ansible_diff_mode",
    "ansible_limit",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_version",
)
_FACTS = rf"\b(?!(?:{'|'.join(_FIXED)})\b)(ansible_|facter_|ohai_|hostvars\b|vars\b)"
# What looks at more than variables: lookups, and tests of paths on the control node.
_OUTSIDE = (
    r"\b(lookup|query|q|now)\s*\("
    r"|\bis\s+(not\s+)?([\w.]+\.)?(exists|file|directory|link|link_exists|mount|same_file)\b"
)


def may_depend_on_facts(conditions: Iterable[object]) -> bool:
    """Return whether any of the ``conditions`` names what can change when facts are gathered."""
    return _any_has(_FACTS, conditions)


def may_depend_on_earlier_batches(conditions: Iterable[object], names_set: Iterable[str]) -> bool:
    """Return whether an earlier batch of the play may change whether ``conditions`` hold.

    ``names_set`` are the variables that tasks of the play set.
    """
    conditions = list(conditions)
    return (
        may_depend_on_facts(conditions)
        or _any_has(_OUTSIDE, conditions)
        or mentions_any((*names_set, "play_hosts"), conditions)
    )


def mentions_any(names: Iterable[str], conditions: Iterable[object]) -> bool:
    """Return whether any of the ``conditions`` mentions a variable of one of these ``names``."""
    return not mentioned(conditions).isdisjoint(names)


def mentioned(conditions: Iterable[object]) -> set[str]:
    """Return all words in ``conditions``: names of variables are among them."""
    return {word for condition in conditions for word in re.findall(r"\w+", str(condition))}


def looks_further(conditions: Iterable[object]) -> bool:
    """Return whether ``conditions`` look at more than the variables that they mention."""
    conditions = list(conditions)
    return _any_has(_OUTSIDE, conditions) or mentions_any(("hostvars", "vars"), conditions)


def _any_has(pattern: str, conditions: Iterable[object]) -> bool:
    return any(re.search(pattern, str(condition)) for condition in conditions)
