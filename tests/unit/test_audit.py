# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which plays are audits, which rules an audit uses, and its table of results."""

from __future__ import annotations

import os

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.plugins import loader as plugin_loader
from ansible_collections.precheck.guard.plugins.plugin_utils.ansible_core.plays import purpose
from ansible_collections.precheck.guard.plugins.plugin_utils.guard.audit import chosen, options_of
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Check, Rule
from ansible_collections.precheck.guard.plugins.plugin_utils.report.audit_table import audit_table

from support.corpus import know_modules

pytestmark = pytest.mark.one_release

TASK, OTHER = {"ansible.builtin.ping": {}}, {"ansible.builtin.debug": {}}
PLAYS = {  # keys of the play, whether it is an audit
    "task": ({"tasks": [TASK]}, True),
    "task in a block": ({"tasks": [{"block": [TASK]}]}, True),
    "task by its short name": ({"tasks": [{"ping": {}}]}, True),
    "no task": ({"tasks": []}, False),
    "another task": ({"tasks": [OTHER]}, False),
    "two tasks": ({"tasks": [TASK, OTHER]}, False),
    "another block": ({"tasks": [TASK, {"block": [OTHER]}]}, False),
    "rescue": ({"tasks": [{"block": [TASK], "rescue": [OTHER]}]}, False),
    "always": ({"tasks": [{"block": [TASK], "always": [OTHER]}]}, False),
    "pre_tasks": ({"tasks": [TASK], "pre_tasks": [OTHER]}, False),
    "post_tasks": ({"tasks": [TASK], "post_tasks": [OTHER]}, False),
    "handlers": ({"tasks": [TASK], "handlers": [OTHER | {"name": "x"}]}, False),
    "roles": ({"tasks": [TASK], "roles": ["other"]}, False),
    "only pre_tasks": ({"pre_tasks": [TASK]}, False),
}


@pytest.fixture(scope="module")
def modules_are_known():
    know_modules(plugin_loader)


@pytest.mark.usefixtures("modules_are_known")
@pytest.mark.parametrize(("keys", "is_one"), PLAYS.values(), ids=PLAYS)
def test_an_audit_is_a_play_that_has_nothing_else_in_it(tmp_path, mocker, keys, is_one):
    # ansible-core does not find modules of collections here.
    mocker.patch.object(purpose, "AUDIT", "ansible.builtin.ping")
    (tmp_path / "roles/other/tasks").mkdir(parents=True)
    (tmp_path / "roles/other/tasks/main.yml").write_text("- ansible.builtin.debug:\n")
    loader = DataLoader()
    loader.set_basedir(str(tmp_path))
    play = Play.load({"name": "x", "hosts": "all"} | keys, loader=loader)
    assert bool(purpose.audit_task(play)) is is_one


OF_HOST, OF_PLAY = Check("path", None, "/a"), Check("that", None, "True", once=True)
RULES = [Rule("a", (), (OF_HOST,)), Rule("b", (), (OF_PLAY,)), Rule("c, d", (), (OF_PLAY, OF_HOST))]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["a", "c, d"]),
        (["", " "], ["a", "c, d"]),
        (["c, d"], ["c, d"]),
        (["c, d", " a"], ["a", "c, d"]),
    ],
    ids=["no names", "empty names", "one name", "two names"],
)
def test_an_audit_uses_the_named_rules_or_all_with_checks_of_hosts(names, expected):
    assert [rule.name for rule in chosen(RULES, names)] == expected


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (["a", "A"], "Precheck knows no rule A, so nothing was checked. The rules are: a, c, d"),
        (
            ["c, e"],
            "Precheck knows no rule c, e, so nothing was checked. The rules are: a, c, d"
            " (did you mean c, d?)",
        ),
        (["b"], "Precheck cannot audit rule b: it has checks of plays, and none of hosts"),
    ],
    ids=["unknown rule", "misspelt rule", "rule without checks of hosts"],
)
def test_names_of_other_rules_are_errors(names, error):
    with pytest.raises(AnsibleError) as raised:
        chosen(RULES, names)
    assert raised.value.message == error


ARGUMENTS = {  # those of the task, and what they say
    "none": ({}, {"rules": [], "compare": None, "page": None}),
    "texts": (
        {"rules": "a,b", "compare": "a.json", "page": "~"},
        {"rules": ["a", "b"], "compare": "a.json", "page": os.path.expanduser("~")},
    ),
    "a list": ({"rules": ["a, b", 1]}, {"rules": ["a, b", "1"], "compare": None, "page": None}),
    "nothing": ({"rules": None, "page": ""}, {"rules": [], "compare": None, "page": ""}),
}
WRONG_ARGUMENTS = {
    "unknown": ({"rule": "a"}, "unknown argument rule (did you mean rules?)"),
    "of a wrong type": ({"rules": {"a": 1}}, "rules cannot be of type dict"),
    "both": ({"x": 1, "rules": {"a": 1}}, "unknown argument x; rules cannot be of type dict"),
}


@pytest.mark.parametrize(("arguments", "options"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_the_arguments_of_an_audit(arguments, options):
    assert options_of(arguments) == options


@pytest.mark.parametrize(("arguments", "error"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS)
def test_wrong_arguments_of_an_audit(arguments, error):
    with pytest.raises(AnsibleError) as raised:
        options_of(arguments)
    assert raised.value.message == f"Precheck cannot use the arguments of the audit: {error}"


def verdict(host, rule, state, *reasons):
    return {"host": host, "rule": rule, "verdict": state, "checks": [{"reasons": list(reasons)}]}


def document(*verdicts, rules=("a",), warn=False, message="", remedy="", **more):
    severity = "warn" if warn else "error"
    common = {"severity": severity, "message": message, "remedy": remedy}
    return {
        "plays": [{"hosts": 3}],
        "rules": [{"name": name} | common for name in rules],
        "not_audited": [],
        "verdicts": list(verdicts),
        **more,
    }


def test_hosts_that_are_not_ready_come_before_unverified_hosts():
    down, gone = (
        verdict("a", "a", "unverified", "down\x1b[2J"),
        verdict("b10", "a", "not_ready", "gone", "too"),
    )
    said = {"message": "It is old.\nMend it\x07:", "remedy": "./fix\n./more"}
    table = audit_table(document(down, verdict("c", "a", "ready"), gone, **said), True)
    assert table.splitlines() == [
        "PRECHECK audited 3 hosts by 1 rule: 1 host is not ready, 1 unverified.",
        "",
        "Rule a: 1 of 3 hosts is not ready, 1 unverified.",
        "  b10  not ready: gone",
        "                  too",
        "  a    unverified: down[2J",
        "  ready: c",
        "",
        "It is old.",
        "Mend it:",
        "",
        "    ./fix",
        "    ./more",
        "",
        "Verdicts of rules on hosts: 1 ready, 1 not ready, 1 unverified.",
    ]


def test_all_hosts_that_are_not_ready_are_listed_however_many():
    many = [verdict(f"h{number:03}", "a", "not_ready", "gone") for number in range(200)]
    lines = audit_table(document(*many), False).splitlines()
    assert len(lines) == 205
    assert lines[202] == "  h199  not ready: gone"


NOT_READY = verdict("h", "a", "not_ready", "x")
TWO_RULES = [
    {"name": name, "severity": severity, "message": "", "remedy": ""}
    for name, severity in (("a", "error"), ("b", "warn"))
]
HEADINGS = {
    "no verdict": (document(), "all are ready"),
    "ready": (document(verdict("h", "a", "ready")), "all are ready"),
    "not ready": (document(NOT_READY), "1 host is not ready"),
    "warning": (document(NOT_READY, warn=True), "all are ready, with warnings for 1 host"),
    "not ready and warning": (
        document(NOT_READY, verdict("i", "b", "unverified", "y")) | {"rules": TWO_RULES},
        "1 host is not ready, with warnings for 1 host more",
    ),
}


@pytest.mark.parametrize(("report", "heading"), HEADINGS.values(), ids=HEADINGS)
def test_the_heading_shows_the_result(report, heading):
    rules = "1 rule" if len(report["rules"]) == 1 else "2 rules"
    first_line = audit_table(report, False).splitlines()[0]
    assert first_line == f"PRECHECK audited 3 hosts by {rules}: {heading}."


def test_rules_without_problems_take_a_line():
    table = audit_table(document(verdict("h", "b", "ready"), rules=("a", "b")), False)
    assert "\n\nRule a: it applies to no host.\n\nRule b: 1 host is ready.\n\n" in table


def test_rules_that_were_not_checked_come_last():
    lines = audit_table(document(not_audited=["b", "c"]), False).splitlines()
    assert lines[-1] == "Not audited, as they check plays and not hosts: b, c."


CHANGES = {
    "since": "2026-11-22T06:00:00Z",
    "newly_not_ready": [],
    "newly_ready": [],
    "new_hosts": [],
    "gone_hosts": [],
}


def test_changes_are_listed_by_kind():
    worse = {"newly_not_ready": [{"host": "h", "rule": "a", "reasons": ["one", "two"]}]}
    names = {
        "new_hosts": ["n1", "n2"],
        "gone_hosts": ["g\x1b"],
        "newly_ready": [{"host": "i", "rule": "a"}],
    }
    assert audit_table(document(changes=CHANGES | worse | names), False).splitlines()[4:9] == [
        "Since the report of 2026-11-22T06:00:00Z:",
        "  newly not ready: h for a: one; two",
        "  newly ready: i for a",
        "  new: n1, n2",
        "  gone: g",
    ]
    assert "\n\nSince the report of 2026-11-22T06:00:00Z: no change.\n\n" in audit_table(
        document(changes=CHANGES), False
    )
