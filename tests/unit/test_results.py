# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict in the result of a task: it is ready only if the result clearly says so."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.plugins import loader  # noqa: F401 - before 2.15 it must come before any collection
from ansible_collections.precheck.guard.plugins.plugin_utils.checks import command
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.results import (
    result_of,
    verdict_if_lost,
    verdict_of,
    with_message,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.script import (
    Answer,
    CommandQuestion,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.task import judge
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Check
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import (
    NOT_READY,
    READY,
    UNVERIFIED,
    Verdict,
    labelled,
    worst,
)

TASK = Check("task", {"ansible.builtin.ping": None}, "ansible.builtin.ping")

CHECKS = [
    {"check": "a", "verdict": "ready", "msg": ""},
    {"check": "b", "verdict": "not_ready", "msg": "b is missing"},
    {"check": "c", "verdict": "unverified", "msg": "no access to c"},
]

PASSED = {"verdict": "ready", "failed": False, "checks": CHECKS[:1], "msg": "all checks passed"}
NO_REASON = ("the check ended without a reason",)


def failed(verdict=None, **more):
    """Return the result of a check that failed."""
    return {"failed": True, "msg": "x"} | ({"verdict": verdict} if verdict else {}) | more


RESULTS_OF_CHECKS = {  # result, state, reasons
    "ready": (PASSED, READY, ()),
    "not ready": (failed("not_ready"), NOT_READY, ("x",)),
    "not ready, with checks": (
        failed("not_ready", checks=CHECKS),
        NOT_READY,
        ("b is missing", "no access to c"),
    ),
    "unverified": (failed("unverified"), UNVERIFIED, ("x",)),
    "unverified, with checks": (
        failed("unverified", checks=CHECKS[2:]),
        UNVERIFIED,
        ("no access to c",),
    ),
    "ready and failed": (failed("ready", checks=CHECKS), UNVERIFIED, ("x",)),
    "failed": (failed(), UNVERIFIED, ("x",)),
    "skipped": ({"skipped": True}, UNVERIFIED, NO_REASON),
    "empty": ({}, UNVERIFIED, NO_REASON),
    "verdict is a list": ({"verdict": ["ready"]}, UNVERIFIED, NO_REASON),
    "verdict in capitals": ({"verdict": "READY"}, UNVERIFIED, NO_REASON),
    "verdict is true": ({"verdict": True}, UNVERIFIED, NO_REASON),
}


@pytest.mark.parametrize(
    ("result", "state", "reasons"), RESULTS_OF_CHECKS.values(), ids=RESULTS_OF_CHECKS
)
def test_only_a_plain_ready_is_ready(result, state, reasons):
    verdict = verdict_of(result)
    assert (verdict.state, verdict.reasons) == (state, reasons)


def test_the_verdicts_on_the_checks_are_kept():
    verdict = verdict_of({"verdict": "not_ready", "failed": True, "msg": "x", "checks": CHECKS})
    assert verdict.checks == (
        ("a", Verdict(READY)),
        ("b", Verdict(NOT_READY, ("b is missing",))),
        ("c", Verdict(UNVERIFIED, ("no access to c",))),
    )


def test_a_result_and_the_verdict_in_it_are_the_same():
    checks = [Check("path", None, label) for label in "abc"]
    verdicts = [Verdict(READY), Verdict(NOT_READY, ("gone",)), Verdict(UNVERIFIED, ("no access",))]
    whole = worst(labelled(check.label, one) for check, one in zip(checks, verdicts))
    assert verdict_of(result_of(checks, verdicts)) == whole
    assert verdict_of(result_of(checks[:1], verdicts[:1])) == Verdict(READY)


LIMIT = "30 s, the default of [precheck] timeout"
TIMED_OUT = f"timed out: no answer within {LIMIT}"
TIMEOUT_MESSAGE = "The x action failed to execute in the expected time frame (30)"
LOST = {  # result, reason; empty where the host answered
    "unreachable": ({"unreachable": True, "msg": "refused"}, "unreachable: refused"),
    "ready and unreachable": (
        {"verdict": "ready", "unreachable": True, "msg": "cut"},
        "unreachable: cut",
    ),
    "timed out": ({"failed": True, "timedout": {"period": 30}, "msg": "Timed out"}, TIMED_OUT),
    "timed out, by its message": ({"failed": True, "msg": TIMEOUT_MESSAGE}, TIMED_OUT),
    "failed": ({"failed": True, "msg": "oops"}, ""),
    "ready": ({"verdict": "ready", "failed": False, "unreachable": False, "msg": None}, ""),
    "empty": ({}, ""),
}


@pytest.mark.parametrize(("result", "reason"), LOST.values(), ids=LOST)
def test_a_host_that_did_not_answer_is_unverified(result, reason):
    expected = Verdict(UNVERIFIED, (reason,)) if reason else None
    assert verdict_if_lost(result, LIMIT, hides_output=False) == expected
    if result.get("unreachable"):
        expected = Verdict(UNVERIFIED, ("unreachable: its output is hidden by no_log",))
    assert verdict_if_lost(result, LIMIT, hides_output=True) == expected


RESULTS_OF_TASKS = {  # result, state, reasons
    "unchanged": ({"changed": False}, READY, ()),
    "changed": ({"changed": True, "failed": False}, READY, ()),
    "failed": ({"failed": True, "msg": "port closed"}, NOT_READY, ("port closed",)),
    "failed without a message": ({"failed": True}, NOT_READY, ("the task failed",)),
    "message is a list": ({"failed": True, "msg": ["a", "list"]}, NOT_READY, ("['a', 'list']",)),
    "module failure": (
        {"failed": True, "msg": "MODULE FAILURE", "module_stderr": "no python"},
        UNVERIFIED,
        ("MODULE FAILURE",),
    ),
    "skipped": ({"skipped": True, "changed": False}, UNVERIFIED, ("the task was skipped",)),
    "empty": ({}, UNVERIFIED, ("the task gave no result",)),
}


@pytest.mark.parametrize(
    ("result", "state", "reasons"), RESULTS_OF_TASKS.values(), ids=RESULTS_OF_TASKS
)
def test_a_task_of_a_policy_is_ready_when_it_does_not_fail(result, state, reasons):
    assert judge(TASK, TASK.spec, result) == Verdict(state, reasons)


def test_what_no_log_hides_is_not_in_a_reason():
    hidden = {"ansible.builtin.ping": None, "no_log": True}
    assert judge(TASK, hidden, {"failed": True, "msg": "password secret"}) == Verdict(
        NOT_READY, ("the task failed (its output is hidden by no_log)",)
    )
    crashed = {"failed": True, "msg": "MODULE FAILURE", "module_stderr": "secret"}
    assert judge(TASK, hidden, crashed).state == UNVERIFIED
    assert "secret" not in str(judge(TASK, hidden, crashed))
    assert judge(TASK, hidden, {"changed": False}) == Verdict(READY)


GONE = Verdict(NOT_READY, ("it is gone",))
MESSAGES = {  # the check's name and message, the reason
    "none": ("", "", "it is gone"),
    "a name": ("CA", "", "CA: it is gone"),
    "a message": ("", "Copy it.", "Copy it."),
    "a message that is empty": ("", " ", "it is gone"),
    "a message that cannot be printed": ("CA", "\x1b\x07", "CA: it is gone"),
}


@pytest.mark.parametrize(("name", "message", "reason"), MESSAGES.values(), ids=MESSAGES)
def test_a_check_that_failed_has_a_reason_whatever_its_message_renders_to(name, message, reason):
    check = Check("path", None, "/a", name=name, message=message)
    verdict = with_message(check, GONE, str)
    assert verdict == Verdict(NOT_READY, (reason,))
    assert result_of([check], [verdict])["msg"] == reason


ENDED = "df / ended with exit status 3"
HIDDEN = f"{ENDED} (its output is hidden by no_log)"
OUTPUTS = {  # the last line that a command printed, the reason, and the reason if it is hidden
    "text": ("no space left", "no space left", HIDDEN),
    "nothing": ("", ENDED, ENDED),
    "what cannot be printed": ("\x1b[\x07\x9b", "[", HIDDEN),
    "only what cannot be printed": ("\x1b\x07", ENDED, ENDED),
}


@pytest.mark.parametrize(("last_line", "reason", "hidden"), OUTPUTS.values(), ids=OUTPUTS)
def test_a_command_that_failed_has_a_reason_whatever_it_printed(last_line, reason, hidden):
    check = Check("command", "df /", "df /")
    for hides_output, expected in ((False, reason), (True, hidden)):
        host = SimpleNamespace(node=SimpleNamespace(hides_output=hides_output))
        verdict = command.judge(check, CommandQuestion("df /"), Answer("3", last_line), host)
        assert verdict == Verdict(NOT_READY, (expected,))
