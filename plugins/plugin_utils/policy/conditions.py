# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may change whether conditions hold, by the names that they mention."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from ..templates import is_template

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


# What a play, the role at hand, and options of ansible-playbook give.
_OF_RUNS = frozenset(
    "ansible_check_mode ansible_collection_name ansible_dependent_role_names ansible_diff_mode"
    " ansible_forks ansible_limit ansible_parent_role_names ansible_parent_role_paths"
    " ansible_play_batch ansible_play_hosts ansible_play_hosts_all ansible_play_name"
    " ansible_play_role_names ansible_role_name ansible_role_names ansible_run_tags"
    " ansible_skip_tags play_hosts precheck_play precheck_playbook role_name role_names role_path"
    "".split()
)


def names_of_runs(texts: Iterable[object], variables: Mapping[str, Any]) -> list[str]:
    """Return the variables that only a run has, of those that ``texts`` use.

    They may use them through ``variables``, which are those that are known without a run.
    """
    used = mentioned(with_templates(texts, variables))
    return sorted(used & _OF_RUNS - variables.keys())


def names_facts(texts: Iterable[object]) -> bool:
    """Return whether any of ``texts`` names facts, under their own name or with a prefix."""
    return _any_has(r"\bansible_facts\b", texts)


def hint_at_facts(text: object, error: str, gathered: bool, in_when: bool = False) -> str:
    """Return ``error``, why ``text`` has no value, and what to write if it lacks facts.

    They are ``gathered`` for the rule of the text, or not.
    """
    undefined = re.match(r"'(?:ansible|facter|ohai)_(\w+)' is undefined", error)
    if gathered:
        found = f" (facts have no prefix: ansible_facts['{undefined[1]}'])" if undefined else ""
        return error + found
    if not (undefined or names_facts([text])):
        return error
    if in_when:
        return f"{error} (a when is evaluated before facts are gathered: a check can use them)"
    return f"{error} (facts are not gathered for the rule, unless it has the key facts: [min], say)"


def may_depend_on_earlier_tasks(conditions: Iterable[object], names_set: Iterable[str]) -> bool:
    """Return whether tasks that run before may change whether ``conditions`` hold.

    ``names_set`` are the variables that these tasks set.
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


def depends_on(condition: object, names: Set[str], variables: Mapping[str, Any]) -> bool:
    """Return whether ``condition`` uses one of ``names``, itself or through ``variables``.

    A name that is a template may be any name.
    """
    if any(map(is_template, names)):
        return True
    return any(mentions_any(names, [text]) for text in with_templates([condition], variables))


def with_templates(texts: Iterable[object], variables: Mapping[str, Any]) -> Iterator[str]:
    """Yield ``texts``, and the templates among the ``variables`` that they use, one by another."""
    pending, seen = list(map(str, texts)), set(_NO_TEMPLATES)
    while pending:
        text = pending.pop()
        yield text
        words = mentioned([text]) - seen
        seen |= words
        pending += (text for word in words for text in _templates_in(variables.get(word)))


# Variables with names of hosts, of which there may be thousands.
_NO_TEMPLATES = ("groups", "ansible_play_hosts", "ansible_play_hosts_all", "ansible_play_batch")


def _templates_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from [value] if is_template(value) else []
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _templates_in(item)


def _any_has(pattern: str, conditions: Iterable[object]) -> bool:
    return any(re.search(pattern, str(condition)) for condition in conditions)
