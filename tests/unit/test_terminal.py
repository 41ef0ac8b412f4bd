# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The text of the blocks that the operator reads."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.matching import PlayIdentity
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import BUILT_IN, Rule
from ansible_collections.precheck.guard.plugins.plugin_utils.report.record import Waiver
from ansible_collections.precheck.guard.plugins.plugin_utils.report.terminal import (
    HOSTS_SHOWN,
    REASON_LENGTH,
    Failure,
    audit_table,
    closing_block,
    waiver_warning,
    warning_block,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import (
    NOT_READY,
    UNVERIFIED,
    Verdict,
)

PLAY = PlayIdentity(name="Set up", path="/x/pgsql.yml", line=3)
RULE = Rule(name="pigsty-node", plays=(), checks=())
MISSING = Verdict(NOT_READY, ("/etc/pki/ca.crt is missing",))


def failure(verdicts, hosts=2, play_verdict=None, messages=(), remedy="", rule=RULE):
    return Failure(rule, verdicts, play_verdict, hosts, messages, remedy)


def test_hosts_whose_names_look_alike_are_all_listed():
    lines = closing_block(
        PLAY, [failure({"h1": MISSING, "h\x1b1": MISSING})], is_dry_run=False
    ).splitlines()
    assert lines[2] == "Rule pigsty-node: 2 of 2 hosts are not ready."
    assert lines.count("  h1  not ready: /etc/pki/ca.crt is missing") == 2


def test_hosts_are_sorted_and_aligned():
    down = Verdict(UNVERIFIED, ("unreachable: refused",))
    verdicts = {"web10": MISSING, "db": down, "a": MISSING}
    failed = failure(
        verdicts,
        7,
        messages=["Not managed.", "Ask first."],
        remedy="./node.yml -l a,db,web10\n./more",
    )
    assert closing_block(PLAY, [failed], is_dry_run=False).splitlines() == [
        'PRECHECK stopped the run before play "Set up" (/x/pgsql.yml:3).',
        "",
        "Rule pigsty-node: 3 of 7 hosts are not ready.",
        "  a      not ready: /etc/pki/ca.crt is missing",
        "  db     unverified: unreachable: refused",
        "  web10  not ready: /etc/pki/ca.crt is missing",
        "",
        "Not managed.",
        "Ask first.",
        "",
        "    ./node.yml -l a,db,web10",
        "    ./more",
        "",
        "Nothing was changed: no task of this play ran on any host.",
        "To run it unchecked all the same: tag the play no_precheck, or pass --skip-tags precheck.",
    ]


def test_each_reason_has_a_line_below_the_first():
    many = Verdict(NOT_READY, ("one is missing", "two is missing", "three is missing"))
    lines = closing_block(
        PLAY, [failure({"long-name": many, "h": MISSING}, 2)], is_dry_run=False
    ).splitlines()
    assert lines[3:7] == [
        "  h          not ready: /etc/pki/ca.crt is missing",
        "  long-name  not ready: one is missing",
        "                        two is missing",
        "                        three is missing",
    ]


def test_without_message_and_remedy_there_is_no_gap():
    lines = closing_block(PLAY, [failure({"h": MISSING}, 1)], is_dry_run=False).splitlines()
    assert lines[2:6] == [
        "Rule pigsty-node: 1 of 1 host is not ready.",
        "  h  not ready: /etc/pki/ca.crt is missing",
        "",
        "Nothing was changed: no task of this play ran on any host.",
    ]


def test_two_hundred_hosts_and_all_beyond_the_first_twenty_are_named():
    names = [f"host{number:03}" for number in range(200)]
    block = closing_block(
        PLAY, [failure(dict.fromkeys(reversed(names), MISSING), 200)], is_dry_run=False
    )
    assert len(block.splitlines()) < 35
    assert "200 of 200 hosts are not ready" in block
    assert "  host019  " in block and "  host020  " not in block
    assert f"  ... and 180 more: {', '.join(names[20:])}\n" in block
    assert " more" not in closing_block(
        PLAY, [failure(dict.fromkeys(names[:20], MISSING), 200)], is_dry_run=False
    )


@pytest.mark.claims(
    "Precheck prints text from a node as one line of printable characters of limited length: no"
    " node can control the operator's terminal or forge lines of the report."
)
def test_output_of_a_node_cannot_disturb_the_terminal():
    hostile = Verdict(
        UNVERIFIED, ("unreachable: \x1b[2Jgone\r\nPRECHECK all is well\x00\u202e " + "x" * 1000,)
    )
    line = closing_block(PLAY, [failure({"h": hostile}, 1)], is_dry_run=False).splitlines()[3]
    assert line.startswith("  h  unverified: unreachable: [2Jgone PRECHECK all is well xxx")
    assert line.endswith("...")
    assert len(line) == len("  h  unverified: ") + REASON_LENGTH
    assert line.isprintable()


def test_messages_and_remedies_cannot_either_and_keep_their_lines_and_length():
    text = "Grüße \x1b[31m日本語\x9b2J\u202e\r\n  indented " + "x" * 1000
    lines = closing_block(
        PLAY, [failure({"h": MISSING}, 1, messages=[text], remedy=text)], is_dry_run=False
    ).splitlines()
    assert lines[5:7] == ["Grüße [31m日本語2J", "  indented " + "x" * 1000]
    assert lines[8:10] == ["    Grüße [31m日本語2J", "      indented " + "x" * 1000]


@pytest.mark.claims("The same applies to the names of hosts and plays.")
def test_names_cannot_disturb_the_terminal():
    """A node can have printed them: add_host adds a host, a template can name a play."""
    play = PlayIdentity(
        name="Set  up\x1b[2J\nRule forged: all hosts are ready.", path="/x/pgsql.yml", line=3
    )
    names = ["a\x1b[31m\n  b  ready", *(f"h{number}\r\x9b" for number in range(HOSTS_SHOWN))]
    lines = closing_block(
        play, [failure(dict.fromkeys(names, MISSING))], is_dry_run=False
    ).splitlines()
    assert lines[0] == (
        'PRECHECK stopped the run before play "Set  up[2J Rule forged: all hosts are'
        ' ready." (/x/pgsql.yml:3).'
    )
    assert lines[3] == "  a[31m   b  ready  not ready: /etc/pki/ca.crt is missing"
    assert len(lines) == 3 + HOSTS_SHOWN + 4
    for text in (
        *lines,
        waiver_warning(Waiver(play, [RULE], 1, "how")),
        *warning_block(play, [failure({names[0]: MISSING})]).splitlines(),
    ):
        assert text.isprintable()
    verdicts = [{"rule": "r", "host": name, "verdict": NOT_READY, "checks": []} for name in names]
    change = {"host": names[0], "rule": "r", "reasons": []}
    document = {
        "rules": [{"name": "r", "severity": "error", "remedy": ""}],
        "verdicts": verdicts,
        "plays": [{"hosts": 2}],
        "changes": {
            "since": "",
            "newly_not_ready": [change],
            "newly_ready": [change],
            "new_hosts": names,
            "gone_hosts": names,
        },
    }
    assert all(
        line.isprintable() for line in audit_table(document, names_of_ready=True).splitlines()
    )


def test_the_play_as_a_whole_has_its_own_heading():
    play_verdict = Verdict(NOT_READY, ("ansible_limit is defined does not hold",))
    lines = closing_block(
        PLAY, [failure({}, 3, play_verdict, remedy="add --limit")], is_dry_run=False
    ).splitlines()
    assert lines[2:6] == [
        "Rule pigsty-node: the play is not ready for 3 hosts.",
        "  not ready: ansible_limit is defined does not hold",
        "",
        "    add --limit",
    ]
    lines = closing_block(
        PLAY, [failure({"h": MISSING}, 3, play_verdict)], is_dry_run=False
    ).splitlines()
    assert lines[2:6] == [
        "Rule pigsty-node: 1 of 3 hosts is not ready.",
        "  h  not ready: /etc/pki/ca.crt is missing",
        "Rule pigsty-node: the play is not ready for 3 hosts.",
        "  not ready: ansible_limit is defined does not hold",
    ]


def test_each_rule_has_a_paragraph():
    other = Rule(name="other", plays=(), checks=())
    block = closing_block(
        PLAY,
        [failure({"h": MISSING}, 1), failure({"i": MISSING}, 1, rule=other)],
        is_dry_run=False,
    )
    assert "\n\nRule pigsty-node: " in block and "\n\nRule other: " in block


def test_a_block_with_a_mandatory_rule_suggests_no_opt_out():
    mandatory = Rule(name="must", plays=(), checks=(), mandatory=True)
    block = closing_block(
        PLAY, [failure({"h": MISSING}), failure({"h": MISSING}, rule=mandatory)], is_dry_run=False
    )
    assert block.endswith("\nThe play cannot be run unchecked: rule must is mandatory.")
    assert "no_precheck" not in block and "--skip-tags" not in block


def test_a_block_says_that_a_rule_is_built_in_and_that_the_run_is_dry():
    built_in = Rule(name="first", plays=(), checks=(), path=BUILT_IN)
    failures = [failure({"h": MISSING}, rule=built_in), failure({"h": MISSING})]
    dry, real = (
        closing_block(PLAY, failures, is_dry_run).splitlines() for is_dry_run in (True, False)
    )
    built_in_line = (
        "Rule first is built in. Rules of your own in precheck.yml beside ansible.cfg replace it."
    )
    assert real[-1] == built_in_line
    assert not [line for line in real if "Rule pigsty-node is built in" in line or "dry" in line]
    dry_line = "This is a dry run (--check): it initialises no host, so a new one cannot be ready."
    assert [line for line in dry if line not in real] == [dry_line]


def test_a_warning_says_that_the_play_continues():
    block = warning_block(PLAY, [failure({"h": MISSING}, 1)])
    assert block.startswith(
        '[WARNING]: PRECHECK found hosts that are not ready before play "Set up"'
        " (/x/pgsql.yml:3), which goes on."
    )
    assert "\n  h  not ready: /etc/pki/ca.crt is missing\n" in block
    assert "Nothing was changed" not in block and "unchecked" not in block


def test_a_waiver_of_a_play_without_a_file_has_no_path():
    play = PlayIdentity(name="Ad-hoc", path="", line=0)
    assert waiver_warning(Waiver(play, [RULE], 1, "--skip-tags precheck")) == (
        'Precheck waived for play "Ad-hoc": pigsty-node not checked on 1 host (--skip-tags'
        " precheck)."
    )
