# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict that is read out of a task's result: only what plainly says ready is ready."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import (
    NOT_READY,
    READY,
    UNVERIFIED,
    Verdict,
    all_ready,
    lost,
    of_check,
    of_checks,
    of_task,
    worst,
)

CHECKS = [
    {"check": "a", "verdict": "ready", "msg": ""},
    {"check": "b", "verdict": "not_ready", "msg": "b is missing"},
    {"check": "c", "verdict": "unverified", "msg": "no access to c"},
]

RESULTS_OF_CHECKS = [  # result, state, reasons
    (
        {"verdict": "ready", "failed": False, "checks": CHECKS[:1], "msg": "all checks passed"},
        READY,
        (),
    ),
    ({"verdict": "not_ready", "failed": True, "msg": "missing"}, NOT_READY, ("missing",)),
    (
        {"verdict": "not_ready", "failed": True, "msg": "x", "checks": CHECKS},
        NOT_READY,
        ("b is missing", "no access to c"),
    ),
    ({"verdict": "unverified", "failed": True, "msg": "no access"}, UNVERIFIED, ("no access",)),
    (
        {"verdict": "unverified", "failed": True, "msg": "x", "checks": CHECKS[2:]},
        UNVERIFIED,
        ("no access to c",),
    ),
    ({"verdict": "ready", "failed": True, "msg": "both", "checks": CHECKS}, UNVERIFIED, ("both",)),
    ({"failed": True, "msg": "oops"}, UNVERIFIED, ("oops",)),
    ({"skipped": True}, UNVERIFIED, ("the check ended without a reason",)),
    ({}, UNVERIFIED, ("the check ended without a reason",)),
    ({"verdict": ["ready"]}, UNVERIFIED, ("the check ended without a reason",)),
    ({"verdict": "READY"}, UNVERIFIED, ("the check ended without a reason",)),
    ({"verdict": True}, UNVERIFIED, ("the check ended without a reason",)),
]


@pytest.mark.parametrize(("result", "state", "reasons"), RESULTS_OF_CHECKS)
def test_only_a_plain_ready_is_ready(result, state, reasons):
    found = of_checks(result)
    assert (found.state, found.reasons) == (state, reasons)


def test_the_verdicts_on_the_checks_are_kept():
    ready, missing, unknown = (
        Verdict(READY),
        Verdict(NOT_READY, ("b is missing",)),
        Verdict(UNVERIFIED, ("no access to c",)),
    )
    found = of_checks({"verdict": "not_ready", "failed": True, "msg": "x", "checks": CHECKS})
    assert found.checks == (("a", ready), ("b", missing), ("c", unknown))
    other = of_check("d", missing)
    assert other == Verdict(NOT_READY, ("b is missing",), (("d", missing),))
    assert worst([found, other]) == Verdict(
        NOT_READY,
        ("b is missing", "no access to c", "b is missing"),
        (*found.checks, ("d", missing)),
    )
    assert worst([all_ready(["a", "b"]), of_check("c", ready)]) == all_ready(["a", "b", "c"])
    assert worst([all_ready(["a"]), other]).checks == (("a", ready), ("d", missing))


LOST = [  # result, reason; empty where the host answered
    ({"unreachable": True, "msg": "refused"}, "unreachable: refused"),
    ({"verdict": "ready", "unreachable": True, "msg": "cut"}, "unreachable: cut"),
    (
        {"failed": True, "timedout": {"period": 30}, "msg": "Timed out"},
        "timed out: no answer within 30 s",
    ),
    (
        {"failed": True, "msg": "The x action failed to execute in the expected time frame (30)"},
        "timed out: no answer within 30 s",
    ),
    ({"failed": True, "msg": "oops"}, ""),
    ({"verdict": "ready", "failed": False, "unreachable": False, "msg": None}, ""),
    ({}, ""),
]


@pytest.mark.parametrize(("result", "reason"), LOST)
def test_a_host_that_did_not_answer_is_unverified(result, reason):
    assert lost(result, 30) == (Verdict(UNVERIFIED, (reason,)) if reason else None)


RESULTS_OF_TASKS = [  # result, state, reasons
    ({"changed": False}, READY, ()),
    ({"changed": True, "failed": False}, READY, ()),
    ({"failed": True, "msg": "port closed"}, NOT_READY, ("port closed",)),
    ({"failed": True}, NOT_READY, ("the task failed",)),
    ({"failed": True, "msg": ["a", "list"]}, NOT_READY, ("['a', 'list']",)),
    (
        {"failed": True, "msg": "MODULE FAILURE", "module_stderr": "no python"},
        UNVERIFIED,
        ("MODULE FAILURE",),
    ),
    ({"skipped": True, "changed": False}, UNVERIFIED, ("the task was skipped",)),
    ({}, UNVERIFIED, ("the task gave no result",)),
]


@pytest.mark.parametrize(("result", "state", "reasons"), RESULTS_OF_TASKS)
def test_a_task_of_a_policy_is_ready_when_it_does_not_fail(result, state, reasons):
    assert of_task(result) == Verdict(state, reasons)


def test_what_no_log_hides_is_not_told():
    assert of_task({"failed": True, "msg": "password secret"}, hidden=True) == Verdict(
        NOT_READY, ("the task failed (its output is hidden by no_log)",)
    )
    assert of_task({"changed": False}, hidden=True) == Verdict(READY)


def test_a_rule_is_as_good_as_the_worst_of_its_checks_and_has_all_reasons():
    ready, missing, unknown = (
        Verdict(READY),
        Verdict(NOT_READY, ("missing",)),
        Verdict(UNVERIFIED, ("no access",)),
    )
    assert worst([ready, ready]) == ready
    assert worst([ready, unknown]) == unknown
    assert worst([unknown, Verdict(READY, ("there",)), missing]) == Verdict(
        NOT_READY, ("no access", "missing")
    )
    assert worst([]) == Verdict(UNVERIFIED, ("the checks gave no result",))
    assert worst([Verdict(UNVERIFIED)]) == Verdict(UNVERIFIED, ("the checks gave no result",))
