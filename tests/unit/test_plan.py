# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to a host for a rule, as a truth table."""

from __future__ import annotations

from itertools import product

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.guard.plan import Situation, plan
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Check, Rule
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.opt_out import OptOut

pytestmark = pytest.mark.one_release

# The play opts out of all rules, or by the rule's name; the operator gives a reason; the waiver of
# the rule; which checks it has (for hosts, once for the play, or both); the batch; the host is
# settled; the rule's when. A star stands for any value.
WAIVED = """
opt-out  | reason | waiver    | outcome
no       | *      | *         | enforced
all,name | *      | allowed   | waived
all,name | no     | reason    | enforced
all,name | yes    | reason    | waived
all,name | *      | forbidden | enforced
"""
TABLE = """
waived   | checks    | batch | settled | when  | outcome
enforced | host      | *     | no      | holds | checked
enforced | host      | *     | no      | unmet | left out: when
enforced | host      | *     | no      | error | refused
enforced | host      | *     | yes     | *     | left out: settled
enforced | once      | first | no      | holds | once
enforced | once      | first | yes     | holds | once, left out: settled
enforced | once,both | first | *       | unmet | left out: when
enforced | once      | first | no      | error | refused
enforced | once,both | first | yes     | error | refused, left out: settled
enforced | once      | later | no      | holds | nothing
enforced | once,both | later | no      | unmet | left out: when
enforced | once,both | later | no      | error | refused
enforced | once,both | later | yes     | *     | left out: settled
enforced | both      | first | no      | holds | checked, once
enforced | both      | first | no      | error | refused
enforced | both      | first | yes     | holds | once, left out: settled
enforced | both      | later | no      | holds | checked
waived   | *         | *     | no      | *     | waived, left out: opt-out
waived   | host      | *     | yes     | *     | left out: settled
waived   | once,both | first | yes     | *     | waived, left out: opt-out
waived   | once,both | later | yes     | *     | left out: settled
"""
VALUES = {
    "opt-out": ("no", "all", "name"),
    "reason": ("no", "yes"),
    "waiver": ("allowed", "reason", "forbidden"),
    "checks": ("host", "once", "both"),
    "batch": ("first", "later"),
    "settled": ("no", "yes"),
    "when": ("holds", "unmet", "error"),
}
OPT_OUTS = {"no": {}, "all": {"of_all": "it opts out"}, "name": {"by_name": {"r": "it opts out"}}}
CASES = list(product(*VALUES.values()))

OF_HOST = Check("path", None, "a path")
OF_PLAY = Check("that", (True,), "True", once=True)
CHECKS = {"host": (OF_HOST,), "once": (OF_PLAY,), "both": (OF_HOST, OF_PLAY)}


def found(table, case):
    """Return the outcome in the only row of the table that is for this case."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()[1:]]
    [outcome] = [
        row[-1]
        for row in rows
        if all(cell == "*" or value in cell.split(",") for cell, value in zip(row, case))
    ]
    return outcome


def expected(case):
    return found(TABLE, (found(WAIVED, case[:3]), *case[3:]))


def situation(case, name="h"):
    opt_out, reason, waiver, checks, batch, settled, when = case
    return Situation(
        Rule("r", (), CHECKS[checks], waiver=waiver),
        targets=[name],
        opt_out=OptOut(**OPT_OUTS[opt_out], reason="CHG-1" if reason == "yes" else ""),
        settled={name: "checked before"} if settled == "yes" else {},
        first_batch=batch == "first",
        unmet={name: "a is defined"} if when == "unmet" else {},
        errors={name: "a: undefined"} if when == "error" else {},
    )


def outcome(rule_plan, name="h"):
    """Return in the words of the table what happens to a host."""
    reasons = {
        "checked before": "settled",
        "the rule is only for hosts with a is defined": "when",
        "it opts out": "opt-out",
        "it opts out; reason: CHG-1": "opt-out",
    }
    parts = ["checked"] * (name in rule_plan.check)
    parts += ["once"] * (name in rule_plan.once_for)
    parts += ["waived"] * (name in rule_plan.waived)
    parts += ["refused"] * (name in rule_plan.refused)
    if name in rule_plan.left_out:
        parts.append(f"left out: {reasons[rule_plan.left_out[name]]}")
    return ", ".join(parts) or "nothing"


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_what_happens_to_a_host(case):
    assert outcome(plan(situation(case))) == expected(case)


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_a_when_counts_only_for_hosts_that_the_rule_has_to_decide_on(case):
    """What is not to be evaluated changes nothing."""
    holds = situation((*case[:-1], "holds"))
    if "h" not in situation(case).hosts_to_decide():
        assert plan(situation(case)) == plan(holds)


def test_hosts_of_one_rule_do_not_influence_each_other():
    hosts = ["new", "settled", "unmet", "error"]
    several = Situation(
        Rule("r", (), CHECKS["host"]),
        targets=hosts,
        settled={"settled": "checked before"},
        unmet={"unmet": "a is defined"},
        errors={"error": "a: undefined"},
    )
    assert [outcome(plan(several), name) for name in hosts] == [
        "checked",
        "left out: settled",
        "left out: when",
        "refused",
    ]


def test_hosts_that_are_no_targets_are_in_no_plan():
    case = Situation(
        Rule("r", (), CHECKS["both"]),
        targets=["h"],
        settled={"other": "checked before"},
        unmet={"other": "a is defined"},
        errors={"other": "a: undefined"},
        doubts={"other": "may end"},
    )
    rule_plan = plan(case)
    assert outcome(rule_plan) == "checked, once"
    assert (rule_plan.left_out, rule_plan.refused, rule_plan.doubts) == ({}, {}, {})


def test_doubts_are_about_hosts_that_the_rule_is_enforced_on():
    doubts = dict.fromkeys(["new", "settled", "unmet"], "may end")
    case = Situation(
        Rule("r", (), CHECKS["host"]),
        targets=["new", "settled", "unmet"],
        settled={"settled": "checked before"},
        unmet={"unmet": "a is defined"},
        doubts=doubts,
    )
    assert plan(case).doubts == {"new": "may end"}


def test_a_rule_that_only_warns_refuses_nothing():
    """What ends the run for another rule is something that it warns about."""
    warns = Situation(
        Rule("r", (), CHECKS["both"], severity="warn"),
        targets=["h1", "h2"],
        errors={"h1": "a: undefined"},
    )
    rule_plan = plan(warns)
    assert (rule_plan.refused, rule_plan.undecided) == ({}, {"h1": "a: undefined"})
    assert (rule_plan.check, rule_plan.once_for) == (["h2"], ["h2"])
    assert warns.must_be_checked() == []


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_a_host_must_be_checked_unless_it_is_settled_or_the_rule_waived(case):
    settled = case[-2]
    must = settled == "no" and found(WAIVED, case[:3]) == "enforced"
    assert situation(case).must_be_checked() == (["h"] if must else [])
