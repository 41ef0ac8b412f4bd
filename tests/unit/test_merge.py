# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One report of those of the slices of a job."""

from __future__ import annotations

import jsonschema
import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import PrecheckError
from ansible_collections.precheck.guard.plugins.plugin_utils.history.merge import merged

from support.report_documents import document, few, rule, verdict
from support.reports import SCHEMA

pytestmark = pytest.mark.one_release

PLAY = {
    "name": "Site",
    "path": "/x/site.yml",
    "line": 2,
    "rules": ["a"],
    "hosts": 2,
    "stopped": False,
    "left_out": ["h2", "h1"],
    "checks": [{"rule": "a", "check": "c", "verdict": "ready", "reasons": []}],
}
STOPPED = PLAY | {
    "rules": ["b"],
    "hosts": 3,
    "stopped": True,
    "left_out": ["h0"],
    "checks": [{"rule": "a", "check": "c", "verdict": "unverified", "reasons": ["x"]}],
}
WAIVER = {
    "play": "Site",
    "path": "/x/site.yml",
    "line": 2,
    "rules": ["a"],
    "hosts": 1,
    "opt_out_reason": "--skip-tags precheck",
    "reason": "",
    "user": "alice",
}


def merge(*documents):
    whole = merged(documents)
    jsonschema.validate(whole, SCHEMA)
    return whole


def one(**more):
    return document([rule("a")], [verdict("h", "a")], **more)


def test_a_single_report_stays_as_it_is_but_for_changes_and_limit():
    report = few() | {"limit": "h"}
    before = {key: value for key, value in report.items() if key not in ("limit", "changes")}
    whole = merge(report)
    order = sorted(before["verdicts"], key=lambda one: (one["rule"], one["host"]))
    names = [name["name"] for name in before["rules"]]
    order.sort(key=lambda one: names.index(one["rule"]))
    assert whole == before | {"verdicts": order}


def test_what_audits_of_selected_rules_make_has_selected_rules():
    reports = (one(selected_rules=["a"]), one(), one(selected_rules=["a", "b"]))
    assert merge(*reports)["selected_rules"] == ["a", "b"]


def test_verdicts_of_all_are_in_one_report_the_worst_of_each_host():
    whole = merge(
        document([rule("b")], [verdict("h2", "b"), verdict("h1", "b", "unverified", "down")]),
        document(
            [rule("a"), rule("b")],
            [verdict("h1", "b", "not_ready", "x"), verdict("h2", "b"), verdict("h3", "a")],
        ),
    )
    found = [(one["rule"], one["host"], one["verdict"]) for one in whole["verdicts"]]
    assert found == [
        ("b", "h1", "not_ready"),
        ("b", "h2", "ready"),
        ("a", "h3", "ready"),
    ]


RESULTS = {
    "ready": (("ready", "ready"), "ready"),
    "not ready": (("ready", "not_ready"), "not_ready"),
    "error": (("not_ready", "error", "ready"), "error"),
}


@pytest.mark.parametrize(("results", "worst"), RESULTS.values(), ids=RESULTS)
def test_the_result_is_the_worst(results, worst):
    whole = merge(*(one(result=result) for result in results))
    assert whole["result"] == worst


def test_plays_are_there_once():
    """What comes twice in a report is two plays."""
    [first, second, other] = merge(
        one(plays=[PLAY, PLAY]), one(plays=[STOPPED, PLAY | {"line": 9}])
    )["plays"]
    assert (first["hosts"], first["stopped"], first["rules"]) == (5, True, ["a", "b"])
    assert first["checks"] == STOPPED["checks"]
    assert first["left_out"] == ["h0", "h1", "h2"]
    alone = PLAY | {"left_out": ["h1", "h2"]}
    assert (second, other) == (alone, alone | {"line": 9})


def test_rules_are_there_once_with_all_remedies():
    [name] = merge(
        document([rule("a", "./x -l h1", severity="warn", message="m")], []),
        document([rule("a", "./x -l h2", severity="exclude", message="m")], []),
        document([rule("a", severity="warn")], []),
    )["rules"]
    assert (name["remedy"], name["message"]) == ("./x -l h1\n./x -l h2", "m")
    assert name["severity"] == "exclude"


def test_waivers_and_hosts_that_were_not_judged_are_added_up():
    prepared_by = {"name": "Site", "path": "/x/site.yml", "line": 2}
    whole = merge(
        *(
            one(
                waivers=[WAIVER, WAIVER | {"reason": name}],
                not_judged=[{"rule": "a", "hosts": [name, "h"], "prepared_by": prepared_by}],
            )
            for name in ("h2", "h1")
        )
    )
    assert [(waiver["reason"], waiver["hosts"]) for waiver in whole["waivers"]] == [
        ("", 2),
        ("h2", 1),
        ("h1", 1),
    ]
    [not_judged] = whole["not_judged"]
    assert not_judged["hosts"] == ["h", "h1", "h2"]


def test_it_says_where_and_when_all_of_them_ran():
    whole = merge(
        one(controller="b", finished="2026-11-23T17:00:00Z", error="x", policies=["p", "q"]),
        one(controller="a", started="2026-11-23T16:00:00Z", not_audited=["a", "z"], error="y"),
        one(controller="b", policies=["r"]),
    )
    assert (whole["controller"], whole["user"], whole["error"]) == ("b, a", "operator", "x; y")
    assert (whole["started"], whole["finished"]) == ("2026-11-23T16:00:00Z", "2026-11-23T17:00:00Z")
    assert whole["policies"] == ["p", "q", "/srv/pigsty/precheck.yml", "r"]
    assert whole["not_audited"] == ["z"]


def test_runs_and_audits_are_not_merged():
    with pytest.raises(PrecheckError, match=r"some are of runs, others of audits$"):
        merged([one(), one(kind="run")])
