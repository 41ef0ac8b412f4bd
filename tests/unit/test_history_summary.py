# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What several reports say together, and the lines for it."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.history.observed import observe
from ansible_collections.precheck.guard.plugins.plugin_utils.history.output import as_data, as_text
from ansible_collections.precheck.guard.plugins.plugin_utils.history.summary import summarize

from support.report_documents import document, rule, verdict

pytestmark = pytest.mark.one_release

NO_CHANGES = {"since": "", "newly_not_ready": [], "newly_ready": [], "new_hosts": []}


def day(number):
    return f"2026-11-{number:02}T06:00:00Z"


def report(number, rules=(), verdicts=(), **more):
    """Return a report of this day in November, by default an audit."""
    times = {"started": day(number), "finished": day(number)}
    return document([*rules], [*verdicts], **times | more)


def history_of(*documents):
    return summarize(observe(f"{number}.json", one) for number, one in enumerate(documents))


# What reports found on host h, one a letter: ready, not ready, unverified, not checked, gone; and
# the day since which it is not ready, in how many reports, and the last one's day.
STRETCHES = {
    "ready": ("r", None),
    "not ready": ("n", (1, 1, 1)),
    "not ready any more": ("nnr", None),
    "not ready again": ("nrnn", (3, 2, 4)),
    "unverified in between": ("rnun", (2, 3, 4)),
    "not checked in between": ("n-n", (1, 2, 3)),
    "no more checked": ("nn-", (1, 2, 2)),
    "gone": ("nng", None),
    "back": ("ngn", (3, 1, 3)),
}


@pytest.mark.parametrize(("letters", "expected"), STRETCHES.values(), ids=STRETCHES)
def test_a_host_is_not_ready_since_the_first_report_of_an_unbroken_row(letters, expected):
    states = {"r": "ready", "n": "not_ready", "u": "unverified"}
    documents = []
    for number, letter in enumerate(letters, 1):
        found = [verdict("other", "a")]
        if letter in states:
            found.append(verdict("h", "a", states[letter], *[f"why {number}"] * (letter != "r")))
        changes = {"changes": {**NO_CHANGES, "gone_hosts": ["h"]}} if letter == "g" else {}
        documents.append(report(number, [rule("a")], found, **changes))
    unready = history_of(*reversed(documents)).unready  # their order does not matter
    if expected is None:
        assert unready == []
        return
    [one] = unready
    since, reports, last = expected
    assert (one.host, one.since, one.reports) == ("h", day(since), reports)
    assert (one.last_checked, one.reasons) == (day(last), (f"why {last}",))
    assert one.is_old == (last < len(letters))


WAIVER = {
    "play": "Site",
    "path": "site.yml",
    "line": 1,
    "rules": ["a", "b"],
    "hosts": 2,
    "opt_out_reason": "--skip-tags precheck",
    "reason": "CHG-1",
    "user": "alice",
}


def test_waivers_are_counted_by_rule_user_way_and_reason():
    history = history_of(
        report(1, waivers=[WAIVER, WAIVER | {"play": "Other", "rules": ["b"]}]),
        report(2, waivers=[WAIVER]),
        report(3, waivers=[WAIVER | {"user": "bob", "reason": ""}]),
    )
    found = [(one.by.rule, one.by.user, one.times, one.plays) for one in history.waivers]
    assert found == [
        ("a", "alice", 2, ["Site"]),
        ("a", "bob", 1, ["Site"]),
        ("b", "alice", 2, ["Site", "Other"]),
        ("b", "bob", 1, ["Site"]),
    ]
    assert (history.waivers[0].first, history.waivers[0].last) == (day(1), day(2))


def play(stopped=False, *checks):
    once = [{"rule": name, "check": "c", "verdict": state, "reasons": []} for name, state in checks]
    location = {"name": "Site", "path": "site.yml", "line": 1}
    return {
        **location,
        "rules": ["a", "b"],
        "hosts": 1,
        "stopped": stopped,
        "left_out": [],
        "checks": once,
    }


def test_stopped_runs_are_counted_by_week_and_rule():
    """Rules that warn stop nothing, and neither does an audit. One that leaves out hosts may."""
    rules = [rule("a"), rule("b"), rule("w", severity="warn"), rule("x", severity="exclude")]
    bad = [verdict("h", name, "not_ready", "x") for name in "awx"]
    history = history_of(
        report(1, rules, bad, kind="run", plays=[play(), play(True)]),  # a Sunday
        report(2, rules, bad, kind="run", plays=[play(True, ("b", "unverified"), ("a", "ready"))]),
        report(3, rules, kind="run", plays=[play(False, ("w", "not_ready"))]),
        report(4, rules, kind="run", result="error", error="x"),
        report(5, rules, bad, plays=[play()]),
        report(6, rules, bad[1:], kind="run", plays=[play(True)]),
        report(7, rules, bad[1:], kind="run", plays=[play()]),
    )
    weeks = [
        (week.name, week.runs, week.stopped, week.errors, dict(week.by_rule))
        for week in history.weeks
    ]
    assert weeks == [
        ("2026-W44", 1, 1, 0, {"a": 1}),
        ("2026-W45", 5, 2, 1, {"a": 1, "b": 1, "x": 1}),
    ]


def whole_history():
    rules = [rule("a"), rule("w", severity="warn"), rule("fine")]
    fine = verdict("h1", "fine")
    bad = verdict("h1", "a", "not_ready", "gone\x1b[2J", "too")
    return history_of(
        report(1, rules, [bad, verdict("h22", "a", "unverified", "down"), fine]),
        report(2, rules, [bad, fine, verdict("h1", "w", "not_ready")]),
        report(3, rules, [bad], kind="run", plays=[play(True)], waivers=[WAIVER]),
        report(4, rules, [bad], kind="run", plays=[play(True)], waivers=[WAIVER]),
        report(5, rules, kind="run", result="error", waivers=[WAIVER | {"reason": ""}]),
    )


def test_the_text():
    assert [line for _topic, line in as_text(whole_history())] == [
        "PRECHECK read the reports of 2 audits and 3 runs, from 2026-11-01 06:00 UTC to"
        " 2026-11-05 06:00 UTC.",
        "",
        "Rule a: 1 of 2 hosts is not ready, 1 unverified.",
        "  h1   not ready since 2026-11-01 06:00 UTC, in 4 reports: gone[2J; too",
        "  h22  unverified since 2026-11-01 06:00 UTC, in 1 report, last checked 2026-11-01 06:00"
        " UTC: down",
        "",
        "Rule fine: its only host is ready.",
        "",
        "Rule w (warns only): 1 of 1 host is not ready.",
        "  h1  not ready since 2026-11-02 06:00 UTC, in 1 report: no reason was given",
        "",
        "Waived:",
        "  a by alice, 2 times, from 2026-11-03 06:00 UTC to 2026-11-04 06:00 UTC, for Site"
        " (--skip-tags precheck): CHG-1",
        "  a by alice, 2026-11-05 06:00 UTC, for Site (--skip-tags precheck), without a reason",
        "  b by alice, 2 times, from 2026-11-03 06:00 UTC to 2026-11-04 06:00 UTC, for Site"
        " (--skip-tags precheck): CHG-1",
        "  b by alice, 2026-11-05 06:00 UTC, for Site (--skip-tags precheck), without a reason",
        "",
        "Runs by week:",
        "  2026-W45: 3 runs, 2 stopped (by rule: a 2), 1 ended with an error",
    ]


def test_the_data():
    data = as_data(whole_history(), [])
    assert [one["path"] for one in data["reports"]] == [f"{number}.json" for number in range(5)]
    assert data["unready"][1] == {
        "host": "h22",
        "rule": "a",
        "only_warns": False,
        "verdict": "unverified",
        "reasons": ["down"],
        "since": day(1),
        "reports": 1,
        "last_checked": day(1),
        "in_last_audit": False,
    }
    assert data["weeks"][0]["stopped_by_rule"] == {"a": 2}
    assert data["waivers"][0]["times"] == 2


def test_without_runs_there_are_no_weeks():
    lines = [line for _topic, line in as_text(history_of(report(1)))]
    assert lines == [
        "PRECHECK read the reports of 1 audit and 0 runs, from 2026-11-01 06:00 UTC to"
        " 2026-11-01 06:00 UTC."
    ]
