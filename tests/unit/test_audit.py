# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which plays are audits, by which rules one goes, and how it tells what it found."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.plugins import loader as plugin_loader
from ansible_collections.precheck.guard.plugins.plugin_utils import plays
from ansible_collections.precheck.guard.plugins.plugin_utils.audit import chosen
from ansible_collections.precheck.guard.plugins.plugin_utils.policy import Check, Rule
from ansible_collections.precheck.guard.plugins.plugin_utils.report import audit_table

pytestmark = pytest.mark.one_release

TASK, OTHER = {"ansible.builtin.ping": {}}, {"ansible.builtin.debug": {}}
PLAYS = [  # keys of the play, whether it is an audit
    ({"tasks": [TASK]}, True),
    ({"tasks": [{"block": [TASK]}]}, True),
    ({"tasks": [{"ping": {}}]}, True),
    ({"tasks": []}, False),
    ({"tasks": [OTHER]}, False),
    ({"tasks": [TASK, OTHER]}, False),
    ({"tasks": [TASK, {"block": [OTHER]}]}, False),
    ({"tasks": [{"block": [TASK], "rescue": [OTHER]}]}, False),
    ({"tasks": [{"block": [TASK], "always": [OTHER]}]}, False),
    ({"tasks": [TASK], "pre_tasks": [OTHER]}, False),
    ({"tasks": [TASK], "post_tasks": [OTHER]}, False),
    ({"tasks": [TASK], "handlers": [OTHER | {"name": "x"}]}, False),
    ({"tasks": [TASK], "roles": ["other"]}, False),
    ({"pre_tasks": [TASK]}, False),
]


@pytest.fixture(scope="module")
def modules_are_known():
    if hasattr(plugin_loader, "init_plugin_loader"):  # before 2.15, importing it is enough
        plugin_loader.init_plugin_loader()


@pytest.mark.usefixtures("modules_are_known")
@pytest.mark.parametrize(("keys", "is_one"), PLAYS, ids=range(len(PLAYS)))
def test_an_audit_is_a_play_that_has_nothing_else_in_it(tmp_path, mocker, keys, is_one):
    mocker.patch.object(
        plays, "AUDIT", "ansible.builtin.ping"
    )  # modules of collections are not known here
    (tmp_path / "roles/other/tasks").mkdir(parents=True)
    (tmp_path / "roles/other/tasks/main.yml").write_text("- ansible.builtin.debug:\n")
    loader = DataLoader()
    loader.set_basedir(str(tmp_path))
    play = Play.load({"name": "x", "hosts": "all"} | keys, loader=loader)
    assert bool(plays.audit_of(play)) is is_one


OF_HOST, OF_PLAY = Check("path", "/a"), Check("that", (True,), once=True)
RULES = [Rule("a", (), (OF_HOST,)), Rule("b", (), (OF_PLAY,)), Rule("c, d", (), (OF_PLAY, OF_HOST))]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["a", "c, d"]),
        (["", " "], ["a", "c, d"]),
        (["c, d"], ["c, d"]),
        (["c, d", " a"], ["a", "c, d"]),
    ],
)
def test_the_rules_of_these_names_or_all_that_have_checks_of_hosts(names, expected):
    assert [rule.name for rule in chosen(RULES, names)] == expected


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "A"], "Precheck knows no rule A, so nothing was asked. The rules are: a, c, d"),
        (["b"], "Precheck cannot audit by rule b: it has checks of plays, and none of hosts"),
    ],
)
def test_other_names_are_errors(names, said):
    with pytest.raises(AnsibleError) as raised:
        chosen(RULES, names)
    assert raised.value.message == said


def verdict(host, rule, state, *reasons):
    return {"host": host, "rule": rule, "verdict": state, "checks": [{"reasons": list(reasons)}]}


def document(*verdicts, rules=("a",), warn=False, remedy="", **more):
    severity = "warn" if warn else "error"
    told = [{"name": name, "severity": severity, "remedy": remedy} for name in rules]
    return {"plays": [{"hosts": 3}], "rules": told, "verdicts": list(verdicts)} | more


def test_hosts_that_are_not_ready_come_before_those_that_could_not_be_asked():
    down, gone = (
        verdict("a", "a", "unverified", "down\x1b[2J"),
        verdict("b10", "a", "not_ready", "gone", "too"),
    )
    table = audit_table(
        document(down, verdict("c", "a", "ready"), gone, remedy="./fix\n./more"), True
    )
    assert table.splitlines() == [
        "PRECHECK audited 3 hosts by 1 rule: 2 hosts are not ready.",
        "",
        "Rule a: 2 of 3 hosts are not ready.",
        "  b10  not ready: gone",
        "                  too",
        "  a    unverified: down[2J",
        "  ready: c",
        "",
        "    ./fix",
        "    ./more",
        "",
        "Verdicts of rules on hosts: 1 ready, 1 not ready, 1 unverified.",
    ]


def test_of_many_hosts_all_are_told_that_are_not_ready():
    many = [verdict(f"h{number:03}", "a", "not_ready", "gone") for number in range(200)]
    lines = audit_table(document(*many), False).splitlines()
    assert len(lines) == 205
    assert lines[202] == "  h199  not ready: gone"


@pytest.mark.parametrize(
    ("found", "heading"),
    [
        (document(), "all are ready"),
        (document(verdict("h", "a", "ready")), "all are ready"),
        (document(verdict("h", "a", "not_ready", "x")), "1 host is not ready"),
        (
            document(verdict("h", "a", "not_ready", "x"), warn=True),
            "all are ready, with warnings for 1 host",
        ),
        (
            document(verdict("h", "a", "not_ready", "x"), verdict("i", "b", "unverified", "y"))
            | {
                "rules": [
                    {"name": n, "severity": s, "remedy": ""}
                    for n, s in (("a", "error"), ("b", "warn"))
                ]
            },
            "1 host is not ready, with warnings for 1 host more",
        ),
    ],
)
def test_the_heading_is_the_result(found, heading):
    assert audit_table(found, False).splitlines()[
        0
    ] == f"PRECHECK audited 3 hosts by {len(found['rules'])} rule" + (
        f"{'s' * (len(found['rules']) > 1)}: {heading}."
    )


def test_rules_without_problems_take_a_line():
    table = audit_table(document(verdict("h", "b", "ready"), rules=("a", "b")), False)
    assert "\n\nRule a: it applies to no host.\n\nRule b: 1 host is ready.\n\n" in table


CHANGES = {
    "since": "2026-11-22T06:00:00Z",
    "newly_not_ready": [],
    "newly_ready": [],
    "new_hosts": [],
    "gone_hosts": [],
}


def test_what_changed():
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
