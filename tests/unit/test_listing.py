# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How ansible-precheck rules shows which rules can apply to hosts."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.cli.listing import (
    CheckOfHost,
    Listing,
    RuleOfHost,
    as_data,
    as_text,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import (
    WARN,
    Check,
    Rule,
    Selector,
)

PLAYS = (
    Selector(playbook=("pg*.yml",), exempt=(Selector(play=("Test",)),)),
    Selector(role=("pg",)),
)
MARKER = Check("path", None, "/a/{{ b }}")
ROOT = Check("command", None, "command at line 7", become=True, alias="command at line 7")
ONCE = Check("that", None, "limited", name="limited", once=True)
RULE = Rule("pg", PLAYS, (MARKER, ROOT, ONCE), ("b is defined", "c"), path="/p.yml", line=3)
CHECKS = (CheckOfHost(MARKER, "/a/1"), CheckOfHost(ROOT), CheckOfHost(ONCE, "ansible_limit"))
OTHER = Rule("tuned", PLAYS[1:], (MARKER,), ("b",), severity=WARN, path="/p.yml", line=9)

CAN_APPLY = RuleOfHost(RULE, True, checks=CHECKS)
CANNOT_APPLY = RuleOfHost(OTHER, False, "the rule is only for hosts with b")
UNSURE = RuleOfHost(OTHER, None, "who knows", [CheckOfHost(MARKER, "/a/{{ b }}", "b is late")])


def listing(**hosts):
    return Listing(["/p.yml"], "built in", hosts)


def test_hosts_of_which_the_same_is_to_be_said_come_together():
    hosts = {"n1": [CAN_APPLY, CANNOT_APPLY], "n2": [CAN_APPLY, UNSURE]}
    lines = as_text(listing(**hosts, n3=hosts["n1"]))
    assert "\n".join(line for _topic, line in lines) == (
        "Policy /p.yml (built in)\n"
        "\n"
        "n1, n3\n"
        "  rule pg (/p.yml:3)\n"
        "    plays     playbook pg*.yml, not play Test\n"
        "              role pg\n"
        "    when      b is defined\n"
        "              c\n"
        "    for       /a/1\n"
        "              command at line 7 (with become)\n"
        "    once      limited: ansible_limit\n"
        "  rule tuned (/p.yml:9), warns only\n"
        "    left out  the rule is only for hosts with b\n"
        "\n"
        "n2\n"
        "  rule pg (/p.yml:3)\n"
        "    plays     playbook pg*.yml, not play Test\n"
        "              role pg\n"
        "    when      b is defined\n"
        "              c\n"
        "    for       /a/1\n"
        "              command at line 7 (with become)\n"
        "    once      limited: ansible_limit\n"
        "  rule tuned (/p.yml:9), warns only\n"
        "    plays     role pg\n"
        "    unsure    who knows\n"
        "    for       /a/{{ b }} (b is late)"
    )


def test_the_data_has_all_of_it():
    data = as_data(listing(n1=[CAN_APPLY], n2=[UNSURE, CANNOT_APPLY]))
    assert data["policy"] == {"files": ["/p.yml"], "origin": "built in"}
    [first, second] = data["hosts"]
    assert (first["name"], second["name"]) == ("n1", "n2")
    [can_apply] = first["rules"]
    checks = can_apply.pop("checks")
    assert can_apply == {
        "name": "pg",
        "path": "/p.yml",
        "line": 3,
        "severity": "error",
        "waiver": "allowed",
        "plays": [{"playbook": ["pg*.yml"], "not": [{"play": ["Test"]}]}, {"role": ["pg"]}],
        "when": ["b is defined", "c"],
        "applies": True,
        "reason": "",
    }
    assert checks[0] == {
        "kind": "path",
        "label": "/a/{{ b }}",
        "become": False,
        "once": False,
        "text": "/a/1",
        "unsure": "",
    }
    assert [(check["become"], check["once"], check["text"]) for check in checks[1:]] == [
        (True, False, ""),
        (False, True, "ansible_limit"),
    ]
    assert [(rule["applies"], rule["reason"]) for rule in second["rules"]] == [
        (None, "who knows"),
        (False, "the rule is only for hosts with b"),
    ]
    assert [check["unsure"] for check in second["rules"][0]["checks"]] == ["b is late"]


@pytest.mark.parametrize(
    ("check", "text", "shown"),
    [
        (Check("path", None, "/a"), "/a", "/a"),
        (Check("path", None, "/{{ a }}"), "/1, a file", "/1, a file"),
        (Check("path", None, "CA", name="CA"), "/1", "CA: /1"),
        (Check("path", None, "CA", name="CA", become=True), "/1", "CA (with become): /1"),
        (Check("path", None, "path at line 3"), "", "path at line 3"),
    ],
)
def test_a_check_has_its_name_and_what_it_requires(check, text, shown):
    assert str(CheckOfHost(check, text)) == shown
    assert str(CheckOfHost(check, text, "why")) == f"{shown} (why)"
