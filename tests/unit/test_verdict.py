# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import from_result

RESULTS = [
    ({"verdict": "ready", "msg": "there"}, "ready", "there"),
    ({"verdict": "not_ready", "failed": True, "msg": "missing"}, "not_ready", "missing"),
    ({"verdict": "unverified", "failed": True, "msg": "no access"}, "unverified", "no access"),
    ({"unreachable": True, "msg": "refused"}, "unverified", "unreachable: refused"),
    ({"verdict": "ready", "unreachable": True, "msg": "cut"}, "unverified", "unreachable: cut"),
    ({"verdict": "ready", "failed": True, "msg": "both"}, "unverified", "both"),
    ({"failed": True, "timedout": {"period": 30}, "msg": "Timed out"}, "unverified", "timed out: no answer within 30 s"),
    (
        {"failed": True, "msg": "The x action failed to execute in the expected time frame (30)"},
        "unverified",
        "timed out: no answer within 30 s",
    ),
    ({"failed": True, "msg": "oops"}, "unverified", "oops"),
    ({"skipped": True}, "unverified", "the check ended without a reason"),
    ({}, "unverified", "the check ended without a reason"),
    ({"verdict": ["ready"]}, "unverified", "the check ended without a reason"),
]


@pytest.mark.parametrize(("result", "state", "reason"), RESULTS)
def test_only_a_plain_ready_is_ready(result, state, reason):
    verdict = from_result(result, 30)
    assert (verdict.state, verdict.reason) == (state, reason)
