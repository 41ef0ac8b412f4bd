# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether hosts are left out of a play, or the run ends."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.guard.exclusion import (
    PlayOfHosts,
    decide,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import (
    ERROR,
    EXCLUDE,
    Rule,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.report.terminal import Failure
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import not_ready

pytestmark = pytest.mark.one_release


def failure(names, severity=EXCLUDE):
    verdicts = {name: not_ready("missing") for name in names.split()}
    return Failure(Rule(severity, (), (), severity=severity), verdicts, None, [*verdicts], (), "")


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
    decision = decide([failure(names)], play)
    assert [one.note for one in decision.stopping] == ([why] if why else [])
    assert decision.names == (set() if why else set(names.split()))


def test_a_failure_that_ends_the_run_leaves_nobody_out():
    both = [failure("a"), failure("b", ERROR)]
    decision = decide(both, PlayOfHosts(["a", "b", "c"], [["a", "b", "c"]]))
    assert list(decision.stopping) == both
    assert decision.names == set()


def test_without_failures_nothing_happens():
    decision = decide([], PlayOfHosts([], []))
    assert (decision.stopping, decision.leaving) == ((), [])


def test_several_rules_leave_out_the_hosts_of_each():
    decision = decide([failure("a"), failure("a b")], PlayOfHosts(["a", "b", "c"], []))
    assert decision.names == {"a", "b"}
