# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What tags say about the guard: which rules are waived, and whether only checks are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.playbook.play import Play

from ... import compat
from ...options import WAIVE_VARIABLE, reason_to_waive, waived_rules
from ...policy.model import Rule
from ...policy.opt_out import OptOut, Ways
from ..run import PlayRun
from .identity import tags_of

TAG = "precheck"
OPT_OUT_TAG = "no_precheck"


def opt_out_of(play: Play, extra_vars: Mapping[str, Any]) -> OptOut:
    """Return how the play opts out of rules, by its tags or as the run does.

    ``extra_vars`` are those of the command line. Raises OptionError.
    """
    tags = tags_of(play)
    of_all = f"--skip-tags {TAG}" if TAG in play.skip_tags else ""
    if OPT_OUT_TAG in tags:
        of_all = f"the play is tagged {OPT_OUT_TAG}"
    by_name = {
        **dict.fromkeys(waived_rules(extra_vars), WAIVE_VARIABLE),
        **_ways(f"--skip-tags {TAG}:", TAG, play.skip_tags),
        **_ways(f"the play is tagged {OPT_OUT_TAG}:", OPT_OUT_TAG, tags),
    }
    return OptOut(of_all, by_name, reason_to_waive(extra_vars))


def rules_in_tags(play: Play) -> Ways:
    """Return which rules --tags names, and how."""
    return _ways(f"--tags {TAG}:", TAG, play.only_tags)


def _ways(way: str, tag: str, tags: Iterable[str]) -> Ways:
    """Return the names of rules in those of ``tags`` that are ``tag``, a colon and a name."""
    names = sorted(one[len(tag) + 1 :] for one in tags if one.startswith(f"{tag}:"))
    return {name: way + name for name in names}


def names_only_checks(play: Play) -> bool:
    """Return whether --tags names nothing but checks."""
    return all(tag == TAG or tag.startswith(f"{TAG}:") for tag in play.only_tags)


def only_checks_are_wanted(run: PlayRun) -> bool:
    """Return whether nothing of the play runs after the checks, not even tasks tagged always."""
    if not names_only_checks(run.play):
        return False
    tags = run.play.only_tags
    tasks = compat.tasks_of_iterator(run.iterator)
    return not any(tag in task.tags for task in tasks for tag in tags)


def is_left_out(run: PlayRun, rule: Rule) -> bool:
    """Return whether --tags wants only the checks of other rules, and nothing of the play."""
    names = rules_in_tags(run.play)
    if TAG in run.play.only_tags or rule.name in names:
        return False
    return bool(names) and only_checks_are_wanted(run)
