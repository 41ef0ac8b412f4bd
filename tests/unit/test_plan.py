# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What happens to a host for a rule, as a truth table."""

from __future__ import annotations

from itertools import product

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.guard.plan import Situation, plan
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Check, Rule

pytestmark = pytest.mark.one_release

# The play opts out; the rule is mandatory; which checks it has (for hosts, once for the play, or
# both); the batch; the host is settled; the rule's when. A star stands for any value.
TABLE = """
opt-out | mandatory | checks    | batch | settled | when  | outcome
no      | *         | host      | *     | no      | holds | checked
no      | *         | host      | *     | no      | unmet | left out: when
no      | *         | host      | *     | no      | error | refused
no      | *         | host      | *     | yes     | *     | left out: settled
no      | *         | once      | first | no      | holds | once
no      | *         | once      | first | yes     | holds | once, left out: settled
no      | *         | once,both | first | *       | unmet | left out: when
no      | *         | once      | first | no      | error | refused
no      | *         | once,both | first | yes     | error | refused, left out: settled
no      | *         | once      | later | no      | holds | nothing
no      | *         | once,both | later | no      | unmet | left out: when
no      | *         | once,both | later | no      | error | refused
no      | *         | once,both | later | yes     | *     | left out: settled
no      | *         | both      | first | no      | holds | checked, once
no      | *         | both      | first | no      | error | refused
no      | *         | both      | first | yes     | holds | once, left out: settled
no      | *         | both      | later | no      | holds | checked
yes     | no        | *         | *     | no      | *     | waived, left out: opt-out
yes     | no        | host      | *     | yes     | *     | left out: settled
yes     | no        | once,both | first | yes     | *     | waived, left out: opt-out
yes     | no        | once,both | later | yes     | *     | left out: settled
yes     | yes       | host      | *     | no      | holds | checked
yes     | yes       | host      | *     | no      | unmet | left out: when
yes     | yes       | host      | *     | no      | error | refused
yes     | yes       | host      | *     | yes     | *     | left out: settled
yes     | yes       | once      | first | no      | holds | once
yes     | yes       | once      | first | yes     | holds | once, left out: settled
yes     | yes       | once,both | first | *       | unmet | left out: when
yes     | yes       | once      | first | no      | error | refused
yes     | yes       | once,both | first | yes     | error | refused, left out: settled
yes     | yes       | once      | later | no      | holds | nothing
yes     | yes       | once,both | later | no      | unmet | left out: when
yes     | yes       | once,both | later | no      | error | refused
yes     | yes       | once,both | later | yes     | *     | left out: settled
yes     | yes       | both      | first | no      | holds | checked, once
yes     | yes       | both      | first | no      | error | refused
yes     | yes       | both      | first | yes     | holds | once, left out: settled
yes     | yes       | both      | later | no      | holds | checked
"""
VALUES = {
    "opt-out": ("no", "yes"),
    "mandatory": ("no", "yes"),
    "checks": ("host", "once", "both"),
    "batch": ("first", "later"),
    "settled": ("no", "yes"),
    "when": ("holds", "unmet", "error"),
}
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()[1:]]

CASES = list(product(*VALUES.values()))

OF_HOST = Check("path", None, "a path")
OF_PLAY = Check("that", (True,), "True", once=True)
CHECKS = {"host": (OF_HOST,), "once": (OF_PLAY,), "both": (OF_HOST, OF_PLAY)}


def expected(case):
    """Return the outcome in the only row of the table that is for this case."""
    [outcome] = [
        row[-1]
        for row in ROWS
        if all(cell == "*" or value in cell.split(",") for cell, value in zip(row, case))
    ]
    return outcome


def situation(case, name="h"):
    opt_out, mandatory, checks, batch, settled, when = case
    return Situation(
        Rule("r", (), CHECKS[checks], mandatory=mandatory == "yes"),
        targets=[name],
        opt_out_reason="the play is tagged" if opt_out == "yes" else "",
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
        "the play is tagged": "opt-out",
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
    opt_out, mandatory, checks, batch, settled, _when = case
    holds = situation((opt_out, mandatory, checks, batch, settled, "holds"))
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
    opt_out, mandatory, _checks, _batch, settled, _when = case
    is_waived = (opt_out, mandatory) == ("yes", "no")
    must = settled == "no" and not is_waived
    assert situation(case).must_be_checked() == (["h"] if must else [])
