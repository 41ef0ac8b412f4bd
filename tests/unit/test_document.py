# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The document of a report: its content, and the changes since another."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.matching import PlayIdentity
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Rule
from ansible_collections.precheck.guard.plugins.plugin_utils.report.document import (
    FORMAT,
    VERSION,
    build_document,
    changes,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.report.record import (
    CoveredPlay,
    NotJudged,
    Record,
    Waiver,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import (
    NOT_READY,
    READY,
    UNVERIFIED,
    Verdict,
    all_ready,
)

pytestmark = pytest.mark.one_release

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/report.schema.json").read_text())
ABOUT = {
    "ansible_core": "2.21.0",
    "python": "3.12.0",
    "command": ["ansible-playbook"],
    "user": "alice",
    "controller": "control",
    "policies": ["built-in"],
}
SITE = PlayIdentity("Site", "/x/site.yml", 3)
STRICT = Rule("strict", (), (), path="/x/precheck.yml", line=2, waiver="forbidden")
ADVICE = Rule("advice", (), (), path="/x/precheck.yml", line=7, severity="warn")
MISSING = Verdict(
    NOT_READY, ("a: gone",), (("a", Verdict(NOT_READY, ("a: gone",))), ("b", Verdict(READY)))
)
LOST = Verdict(UNVERIFIED, ("unreachable: \x1b[2Jrefused\n",))


def document_of(recorded: Record, limit: str = "") -> dict[str, object]:
    about = ABOUT | {"limit": limit}
    whole = build_document(recorded, about, {"h1": ["db", "web"]}, now=86400.9)
    jsonschema.validate(whole, SCHEMA)
    return whole


def test_the_schema_is_valid_and_describes_every_key():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    described = [SCHEMA, *(part for part in SCHEMA["definitions"].values() if "properties" in part)]
    for part in described:
        assert part["additionalProperties"] is False
        for key, definition in part["properties"].items():
            assert definition["description"].endswith("."), key
    assert SCHEMA["properties"]["format"]["const"] == FORMAT


def test_a_document_has_all_that_is_recorded():
    plays = {
        "1": CoveredPlay(SITE, [STRICT], {"h1"}),
        "2": CoveredPlay(
            PlayIdentity("Other", "", 0),
            [STRICT, ADVICE],
            {"h1", "h2"},
            True,
            [(ADVICE, MISSING)],
            {"h2", "h1"},
        ),
    }
    verdicts = {
        ("advice", "h1"): LOST,
        ("strict", "h2"): MISSING,
        ("strict", "h1"): all_ready(["a"]),
    }
    recorded = Record(started=0.5, plays=plays, remedies={"strict": ["./a", "./b", "./a"]})
    recorded.add_verdicts(verdicts, SITE)
    recorded.not_judged.append(NotJudged(STRICT, SITE, ["h3"]))
    recorded.messages["strict"] = ["gone", "gone"]
    recorded.not_audited = [Rule("for plays", (), ())]
    recorded.waivers.append(Waiver(SITE, [ADVICE], 7, "--skip-tags precheck", "CHG-1"))
    gone = {"check": "a", "verdict": "not_ready", "reasons": ["a: gone"]}
    ready = {"check": "b", "verdict": "ready", "reasons": []}
    lost = {"check": "", "verdict": "unverified", "reasons": ["unreachable: [2Jrefused"]}
    in_policy, advice = {"path": "/x/precheck.yml"}, {"rule": "advice"}
    site = {"name": "Site", "path": "/x/site.yml", "line": 3}
    of_h1 = {"host": "h1", "groups": ["db", "web"], "before": site}
    of_h2 = {"host": "h2", "groups": [], "before": site}
    whole = document_of(recorded)
    optional = ("limit", "selected_rules", "changes")
    assert list(whole) == [key for key in SCHEMA["properties"] if key not in optional]
    assert whole == {
        "format": 1,
        "precheck": VERSION,
        "kind": "run",
        "started": "1970-01-01T00:00:00Z",
        "finished": "1970-01-02T00:00:00Z",
        "result": "not_ready",
        "error": "",
        **ABOUT,
        "plays": [
            {
                "name": "Site", "path": "/x/site.yml", "line": 3, "rules": ["strict"],
                "hosts": 1, "stopped": False, "left_out": [], "checks": [],
            },
            {
                "name": "Other", "path": "", "line": 0, "rules": ["strict", "advice"],
                "hosts": 2, "stopped": True, "left_out": ["h1", "h2"],
                "checks": [advice | gone, advice | ready],
            },
        ],
        "rules": [
            {
                "name": "strict", "line": 2, "severity": "error", "waiver": "forbidden",
                "message": "gone", "remedy": "./a\n./b",
            } | in_policy,
            {
                "name": "advice", "line": 7, "severity": "warn", "waiver": "allowed",
                "message": "", "remedy": "",
            } | in_policy,
        ],
        "not_audited": ["for plays"],
        "verdicts": [
            of_h1 | {"rule": "strict", "verdict": "ready", "checks": [ready | {"check": "a"}]},
            of_h2 | {"rule": "strict", "verdict": "not_ready", "checks": [gone, ready]},
            of_h1 | {"rule": "advice", "verdict": "unverified", "checks": [lost]},
        ],
        "waivers": [
            {
                "play": "Site", "path": "/x/site.yml", "line": 3, "rules": ["advice"],
                "hosts": 7, "opt_out_reason": "--skip-tags precheck", "reason": "CHG-1",
                "user": "alice",
            }
        ],
        "not_judged": [{"rule": "strict", "hosts": ["h3"], "prepared_by": site}],
    }  # fmt: skip


def test_the_result_is_that_of_the_worst_verdict_of_rules_that_do_not_warn():
    plays = {"1": CoveredPlay(SITE, [STRICT, ADVICE])}
    assert document_of(Record(plays=plays))["result"] == "ready"
    recorded = Record(plays=plays)
    recorded.add_verdicts({("advice", "h1"): MISSING}, SITE)
    assert document_of(recorded)["result"] == "ready"
    recorded.add_verdicts({("strict", "h1"): LOST}, SITE)
    assert document_of(recorded)["result"] == "not_ready"
    recorded.error = "Precheck cannot tell"
    assert document_of(recorded)["result"] == "error"
    of_play = {"1": CoveredPlay(SITE, [STRICT], checks=[(STRICT, MISSING)])}
    assert document_of(Record(plays=of_play))["result"] == "not_ready"


def verdicts(text: str) -> list[dict[str, object]]:
    """Return verdicts as in a document. Each word is "host/rule=verdict"."""
    listed = []
    for word in text.split():
        pair, _, state = word.partition("=")
        host, _, rule = pair.partition("/")
        reasons = [] if state == READY else [f"{rule} of {host}"]
        listed.append(
            {"host": host, "rule": rule, "verdict": state, "checks": [{"reasons": reasons}]}
        )
    return listed


def test_a_document_has_the_limit_if_there_was_one():
    assert document_of(Record(), "pg-1")["limit"] == "pg-1"


def test_a_document_has_the_selected_rules_if_an_audit_selected_some():
    assert document_of(Record(selected_rules=["backup"]))["selected_rules"] == ["backup"]


def test_changes_since_an_earlier_report():
    before = (
        "same/a=ready worse/a=ready worse/b=not_ready better/a=unverified gone/a=not_ready"
        " outside/a=ready still/a=unverified"
    )
    now = (
        "same/a=ready worse/a=unverified worse/b=ready better/a=ready new/a=ready"
        " new/b=not_ready still/a=not_ready"
        " same/c=unverified"
    )
    earlier = {"started": "2026-11-22T06:00:00Z", "verdicts": verdicts(before)}
    inventory = "same worse better outside still new unchecked".split()
    assert changes(verdicts(now), earlier, inventory) == {
        "since": "2026-11-22T06:00:00Z",
        "newly_not_ready": [
            {"host": "worse", "rule": "a", "reasons": ["a of worse"]},
            {"host": "new", "rule": "b", "reasons": ["b of new"]},
            {"host": "same", "rule": "c", "reasons": ["c of same"]},
        ],
        "newly_ready": [{"host": "worse", "rule": "b"}, {"host": "better", "rule": "a"}],
        "new_hosts": ["new"],
        "gone_hosts": ["gone"],
    }
    document_of(Record(changes=changes(verdicts(now), earlier, inventory)))
