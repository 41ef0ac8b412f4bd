# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts are checked again, and for how long."""

from __future__ import annotations

import pytest
from ansible.inventory.host import Host
from ansible_collections.precheck.guard.plugins.plugin_utils.ansible_core.tasks.waiting import (
    waits,
    without_answer,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Rule
from ansible_collections.precheck.guard.plugins.plugin_utils.report.terminal import waiting_line
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import (
    all_ready,
    labelled,
    not_ready,
    ready,
    unverified,
)

pytestmark = pytest.mark.one_release

DOWN = unverified("unreachable: refused")
# The verdicts on hosts for the rule, and whether such a host is checked again.
VERDICTS = {
    "down": (DOWN, True),
    "ready": (ready(), False),
    "all ready": (all_ready(["a"]), False),
    "not ready": (labelled("a", not_ready("missing")), False),
    "answered": (labelled("a", unverified("permission denied")), False),
}


@pytest.mark.parametrize(("verdict", "again"), VERDICTS.values(), ids=VERDICTS)
def test_only_a_host_that_did_not_answer_is_checked_again(verdict, again):
    rule, host = Rule("r", (), (), wait=9), Host("h")
    found = without_answer([(rule, [host])], {("r", "h"): verdict}, ["h"])
    assert found == ([(rule, [host])] if again else [])
    assert without_answer([(rule, [host])], {("r", "h"): verdict}, ["another"]) == []


def test_a_rule_without_checks_of_hosts_has_no_verdict():
    assert without_answer([(Rule("r", (), ()), [Host("h")])], {}, ["h"]) == []


def test_a_host_is_waited_for_as_long_as_its_longest_rule_says():
    a, b, c = Host("a"), Host("b"), Host("c")
    rules = [Rule("none", (), ()), Rule("short", (), (), wait=5), Rule("long", (), (), wait=60)]
    assert waits(list(zip(rules, ([a, b, c], [a, b], [b])))) == {"a": 5, "b": 60, "c": 0}


def test_the_line_counts_and_names_the_hosts():
    assert waiting_line({"b": 1, "a": 2}.keys(), 90) == (
        "Precheck: 2 hosts do not answer, and will be checked again for 90 s: a, b"
    )
