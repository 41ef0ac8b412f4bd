# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether hosts are left out of a play, or the run ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.guard.exclusion import (
    PlayOfHosts,
    decide,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.minimum import minimum
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import (
    ERROR,
    EXCLUDE,
    Rule,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.report.terminal import Failure
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import not_ready

pytestmark = pytest.mark.one_release


def failure(names, severity=EXCLUDE, minimum=None):
    verdicts = {name: not_ready("missing") for name in names.split()}
    rule = Rule(severity, (), (), severity=severity, minimum=minimum)
    return Failure(rule, verdicts, None, [*verdicts], (), "")


FATAL = "The play has any_errors_fatal, so it leaves no host out."
MOST = "The play has max_fail_percentage {}, and more hosts would be left out."
NOBODY = "No host of the play would be left."
FOUR = ["a b c d"]
# Batches, keywords of the play, the hosts that are not ready; why the run ends.
TABLE = {
    "one of four": (FOUR, {}, "a", ""),
    "three of four": (FOUR, {}, "a b c", ""),
    "all": (FOUR, {}, "a b c d", NOBODY),
    "all, and one that was no target": (FOUR, {}, "a b c d e", NOBODY),
    "a whole batch": (["a b", "c d"], {}, "a b", ""),
    "any_errors_fatal": (FOUR, {"any_errors_fatal": True}, "a", FATAL),
    "just as many": (FOUR, {"max_fail_percentage": 25}, "a", ""),
    "one more": (FOUR, {"max_fail_percentage": 25}, "a b", MOST.format(25)),
    "none at all": (FOUR, {"max_fail_percentage": 0}, "a", MOST.format(0)),
    "of the second batch": (["a", "b c d"], {"max_fail_percentage": 33}, "d", MOST.format(33)),
    "in each batch": (["a b", "c d"], {"max_fail_percentage": 50.0}, "a d", ""),
    "an empty batch": ([*FOUR, ""], {"max_fail_percentage": 25}, "a", ""),
}


@pytest.mark.parametrize(("batches", "keywords", "names", "why"), TABLE.values(), ids=TABLE)
def test_whether_the_run_ends(batches, keywords, names, why):
    split = [batch.split() for batch in batches]
    play = PlayOfHosts([name for batch in split for name in batch], split, **keywords)
    decision = decide([failure(names)], play, {})
    assert [one.note for one in decision.stopping] == ([why] if why else [])
    assert decision.names == (set() if why else set(names.split()))


def test_a_failure_that_ends_the_run_leaves_nobody_out():
    both = [failure("a"), failure("b", ERROR)]
    decision = decide(both, PlayOfHosts(["a", "b", "c"], [["a", "b", "c"]]), {})
    assert list(decision.stopping) == both
    assert decision.names == set()


def test_without_failures_nothing_happens():
    decision = decide([], PlayOfHosts([], []), {})
    assert (decision.stopping, decision.leaving) == ((), [])


def test_several_rules_leave_out_the_hosts_of_each():
    decision = decide([failure("a"), failure("a b")], PlayOfHosts(["a", "b", "c"], []), {})
    assert decision.names == {"a", "b"}


# The minimum, the hosts that the rule applies to, those that it leaves out, those that another one
# does, and those that it left out before; what the run ends with.
MINIMUMS = {
    "enough": (3, "a b c d e", "a b", "", "", ""),
    "too few": (3, "a b c d e", "a b c", "", "", "2 of 5 hosts are ready, {} 3."),
    "one of two": (2, "a b", "a", "", "", "1 of 2 hosts is ready, {} 2."),
    "just the percentage": ("60%", "a b c d e", "a b", "", "", ""),
    "below the percentage": ("61%", "a b c d e", "a b", "", "", "3 of 5 hosts are ready, {} 61%."),
    "all of them": ("100%", "a b c", "c", "", "", "2 of 3 hosts are ready, {} 100%."),
    "without those of another rule": (3, "a b c d", "a", "b", "", "2 of 4 hosts are ready, {} 3."),
    "only another rule": (3, "a b c d", "", "a b", "", ""),
    "before": (3, "a b c d", "", "", "a b", "2 of 4 hosts are ready, {} 3."),
    "enough before": (2, "a b c d", "", "", "a b", ""),
    "before and now": (2, "a b c d", "c", "", "a b", "1 of 4 hosts is ready, {} 2."),
    "before, and now for another rule": (2, "a b c", "", "c", "a", "1 of 3 hosts is ready, {} 2."),
}


@pytest.mark.parametrize(
    ("least", "hosts", "now", "of_another", "before", "why"), MINIMUMS.values(), ids=MINIMUMS
)
def test_a_minimum_ends_the_run(least, hosts, now, of_another, before, why):
    least = minimum(least)
    names = [*hosts.split(), "another"]
    failures = [failure(now, minimum=least)] if now else []
    if of_another:
        one = failure(of_another)
        failures.append(replace(one, rule=replace(one.rule, name="other")))
    earlier = [failure(before, minimum=least)] if before else []
    play = PlayOfHosts(names, [names])
    decision = decide(failures, play, {EXCLUDE: set(hosts.split())}, earlier)
    notes = [one.note for one in decision.stopping if one.note]
    assert notes == ([why.format("and the rule requires at least")] if why else [])
    assert decision.names == (set() if why else {*now.split(), *of_another.split()})
