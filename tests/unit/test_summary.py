# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The custom statistic about a run."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.report.summary import summary_of

from support.report_documents import document, few, rule, verdict

pytestmark = pytest.mark.one_release


def counts(ready, not_ready, unverified, severity="error"):
    return {
        "severity": severity,
        "ready": ready,
        "not_ready": not_ready,
        "unverified": unverified,
    }


def test_hosts_of_rules_that_only_warn_are_only_counted():
    assert summary_of(few() | {"kind": "run"}) == {
        "kind": "run",
        "result": "not_ready",
        "not_ready": ["db2", "db10"],
        "unverified": ["db11"],
        "rules": {
            "pigsty-node": counts(1, 2, 1),
            "free-space": counts(2, 1, 1, "warn"),
            "replication": counts(0, 1, 0),
        },
        "waived": ["replication"],
    }


def test_a_host_is_not_ready_if_it_is_unverified_for_another_rule():
    verdicts = [verdict("h1", "a", "unverified"), verdict("h1", "b", "not_ready")]
    summary = summary_of(document([rule("a", severity="exclude"), rule("b")], verdicts))
    assert (summary["not_ready"], summary["unverified"]) == (["h1"], [])


def test_a_run_that_ends_with_an_error_has_its_result():
    summary = summary_of(document([], [], result="error", error="secret"))
    assert summary == {
        "kind": "audit",
        "result": "error",
        "not_ready": [],
        "unverified": [],
        "rules": {},
        "waived": [],
    }
