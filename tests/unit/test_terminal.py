# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The text of the blocks that the operator reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.matching import PlayIdentity
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import BUILT_IN, Rule
from ansible_collections.precheck.guard.plugins.plugin_utils.report.audit_table import audit_table
from ansible_collections.precheck.guard.plugins.plugin_utils.report.lines import REASON_LENGTH
from ansible_collections.precheck.guard.plugins.plugin_utils.report.record import Waiver
from ansible_collections.precheck.guard.plugins.plugin_utils.report.terminal import (
    HOSTS_SHOWN,
    MEND,
    Failure,
    StopContext,
    closing_block,
    left_out_block,
    left_out_line,
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


HERE = "Nothing was changed: no task of this play ran on any host."
WAY_ROUND = [
    "To run it unchecked all the same: tag the play no_precheck:pigsty-node,",
    "or pass -e precheck_waive=pigsty-node",
]


def failure(verdicts, hosts=2, play_verdict=None, messages=(), remedy="", rule=RULE):
    """Return a failure of a rule that applies to this number of hosts."""
    others = (f"other{number}" for number in range(hosts - len(verdicts)))
    return Failure(rule, verdicts, play_verdict, [*verdicts, *others], messages, remedy)


def lines_of(*failures, play=PLAY, **context):
    """Return the lines of the closing block for these failures."""
    return str(closing_block(play, failures, StopContext(**context))).splitlines()


def test_hosts_whose_names_look_alike_are_all_listed():
    lines = lines_of(failure({"h1": MISSING, "h\x1b1": MISSING}))
    assert lines[2] == "Rule pigsty-node: 2 of 2 hosts are not ready."
    assert "    h1, h1" in lines


def test_hosts_with_the_same_reasons_share_them():
    down = Verdict(UNVERIFIED, ("unreachable: refused",))
    full = Verdict(NOT_READY, ("/ is full",))
    verdicts = {"web10": MISSING, "db": down, "a": MISSING, "z": full}
    failed = failure(
        verdicts, 7, messages=["Not managed.", "Ask first."], remedy="./node.yml -l a,web10\n./more"
    )
    assert lines_of(failed) == [
        'PRECHECK stopped the run before play "Set up" (/x/pgsql.yml:3): 3 of 7 hosts are not'
        " ready, 1 unverified.",
        "",
        "Rule pigsty-node: 3 of 7 hosts are not ready.",
        "  not ready: /etc/pki/ca.crt is missing",
        "    a, web10",
        "  z  not ready: / is full",
        "",
        "Not managed.",
        "Ask first.",
        "",
        "Rule pigsty-node: 1 of 7 hosts could not be checked, and is unverified.",
        "  db  unverified: unreachable: refused",
        "",
        MEND,
        "",
        HERE,
        "",
        "    ./node.yml -l a,web10",
        "    ./more",
        "",
        *WAY_ROUND,
    ]


def test_hosts_with_reasons_of_their_own_are_sorted_and_aligned():
    verdicts = {name: Verdict(NOT_READY, (f"{name} is missing",)) for name in ("web10", "a", "db")}
    assert lines_of(failure(verdicts, 3))[3:6] == [
        "  a      not ready: a is missing",
        "  db     not ready: db is missing",
        "  web10  not ready: web10 is missing",
    ]


def test_unverified_hosts_alone_have_no_remedy():
    down = Verdict(UNVERIFIED, ("unreachable: refused",))
    lines = lines_of(failure({"h": down, "i": down}, 2))
    assert lines == [
        'PRECHECK stopped the run before play "Set up" (/x/pgsql.yml:3): 2 of 2 hosts are'
        " unverified.",
        "",
        "Rule pigsty-node: 2 of 2 hosts could not be checked, and are unverified.",
        "  unverified: unreachable: refused",
        "    h, i",
        "",
        MEND,
        "",
        HERE,
        *WAY_ROUND,
    ]


def test_the_headline_counts_each_host_once():
    down = Verdict(UNVERIFIED, ("unreachable: refused",))
    other = Rule(name="other", plays=(), checks=())
    lines = lines_of(failure({"a": MISSING}, 3), failure({"a": down, "b": down}, 2, rule=other))
    assert lines[0].endswith(": 1 of 4 hosts is not ready, 1 unverified.")


def test_the_block_says_which_plays_had_run():
    ran = [PlayIdentity(f"play {number}", "/x/site.yml", number) for number in range(1, 13)]
    lines = lines_of(failure({"h": MISSING}, 1), ran=ran[:1])
    assert HERE not in lines
    at = lines.index(
        "No task of this play ran on any host. These plays had run before, and are not undone:"
    )
    assert lines[at + 1] == '  play "play 1" (/x/site.yml:1)'
    assert "  ... and 2 more plays" in lines_of(failure({"h": MISSING}, 1), ran=ran)
    assert "2 of 6 batches of this play had run, and are not undone." in lines_of(
        failure({"h": MISSING}, 1), batches_ran=2, batches=6
    )
    assert "1 of 6 batches of this play had run, and is not undone." in lines_of(
        failure({"h": MISSING}, 1), batches_ran=1, batches=6
    )


def test_each_reason_has_a_line_below_the_first():
    many = Verdict(NOT_READY, ("one is missing", "two is missing", "three is missing"))
    assert lines_of(failure({"long-name": many, "h": MISSING}, 2))[3:7] == [
        "  h          not ready: /etc/pki/ca.crt is missing",
        "  long-name  not ready: one is missing",
        "                        two is missing",
        "                        three is missing",
    ]


def test_without_message_and_remedy_there_is_no_gap():
    assert lines_of(failure({"h": MISSING}, 1))[2:6] == [
        "Rule pigsty-node: 1 of 1 host is not ready.",
        "  h  not ready: /etc/pki/ca.crt is missing",
        "",
        HERE,
    ]


def test_three_hundred_hosts_fit_on_a_screen_and_are_all_named():
    names = [f"host{number:03}" for number in range(300)]
    lines = lines_of(failure(dict.fromkeys(reversed(names), MISSING), 1000))
    assert len(lines) < 10
    assert lines[0].endswith(": 300 of 1000 hosts are not ready.")
    assert f"    {', '.join(names)}" in lines
    own = {name: Verdict(NOT_READY, (f"{name} is missing",)) for name in names}
    lines = lines_of(failure(own, 1000))
    assert len(lines) < 35
    assert f"  ... and 280 more: {', '.join(names[20:])}" in lines
    assert not [
        line for line in lines_of(failure(dict(list(own.items())[:20]), 1000)) if "more" in line
    ]


@pytest.mark.claims(
    "Precheck prints text from a node as one line of printable characters of limited length: no"
    " node can control the operator's terminal or forge lines of the report."
)
def test_output_of_a_node_cannot_disturb_the_terminal():
    hostile = Verdict(
        UNVERIFIED, ("unreachable: \x1b[2Jgone\r\nPRECHECK all is well\x00\u202e " + "x" * 1000,)
    )
    line = lines_of(failure({"h": hostile}, 1))[3]
    assert line.startswith("  h  unverified: unreachable: [2Jgone PRECHECK all is well xxx")
    assert line.endswith("...")
    assert len(line) == len("  h  unverified: ") + REASON_LENGTH
    assert line.isprintable()


def test_messages_and_remedies_cannot_either_and_keep_their_lines_and_length():
    text = "Grüße \x1b[31m日本語\x9b2J\u202e\r\n  indented " + "x" * 1000
    lines = lines_of(failure({"h": MISSING}, 1, messages=[text], remedy=text))
    assert lines[5:7] == ["Grüße [31m日本語2J", "  indented " + "x" * 1000]
    assert lines[10:12] == ["    Grüße [31m日本語2J", "      indented " + "x" * 1000]


@pytest.mark.claims("The same applies to the names of hosts and plays.")
def test_names_cannot_disturb_the_terminal():
    """A node can have printed them: add_host adds a host, a template can name a play."""
    play = PlayIdentity(
        name="Set  up\x1b[2J\nRule forged: all hosts are ready.", path="/x/pgsql.yml", line=3
    )
    names = ["a\x1b[31m\n  b  ready", *(f"h{number}\r\x9b" for number in range(HOSTS_SHOWN))]
    lines = lines_of(failure(dict.fromkeys(names, MISSING)), play=play)
    assert lines[0] == (
        'PRECHECK stopped the run before play "Set  up[2J Rule forged: all hosts are'
        ' ready." (/x/pgsql.yml:3): 21 of 21 hosts are not ready.'
    )
    assert lines[4].startswith("    a[31m   b  ready, h0 , ")
    for text in (
        *lines,
        waiver_warning(Waiver(play, [RULE], 1, "how")),
        *warning_block(play, [failure({names[0]: MISSING})]).splitlines(),
    ):
        assert text.isprintable()
    verdicts = [{"rule": "r", "host": name, "verdict": NOT_READY, "checks": []} for name in names]
    change = {"host": names[0], "rule": "r", "reasons": []}
    document = {
        "rules": [{"name": "r", "severity": "error", "message": names[0], "remedy": ""}],
        "not_audited": ["r"],
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
    lines = lines_of(failure({}, 3, play_verdict, remedy="add --limit"))
    assert lines[0] == 'PRECHECK stopped the run before play "Set up" (/x/pgsql.yml:3).'
    assert lines[2:8] == [
        "Rule pigsty-node: the play is not ready for 3 hosts.",
        "  not ready: ansible_limit is defined does not hold",
        "",
        HERE,
        "",
        "    add --limit",
    ]
    assert lines_of(failure({"h": MISSING}, 3, play_verdict))[2:6] == [
        "Rule pigsty-node: 1 of 3 hosts is not ready.",
        "  h  not ready: /etc/pki/ca.crt is missing",
        "Rule pigsty-node: the play is not ready for 3 hosts.",
        "  not ready: ansible_limit is defined does not hold",
    ]


def test_hosts_that_are_left_out_are_listed_at_once_and_with_reasons_at_the_end():
    names = {f"h{number:02}" for number in range(HOSTS_SHOWN + 2)}
    line = left_out_line(PLAY, names)
    assert line.startswith('Precheck: 22 hosts are left out from play "Set up" (/x/pgsql.yml:3) on')
    assert line.endswith(" h18, h19 and 2 more")
    block = left_out_block(PLAY, [failure({"h": MISSING}, 3, remedy="fix")], ["h", "i", "j", "k"])
    assert str(block).splitlines() == [
        'PRECHECK left hosts out from play "Set up" (/x/pgsql.yml:3) on: 1 of 6 hosts is not'
        " ready.",
        "",
        "Rule pigsty-node: 1 of 3 hosts is not ready.",
        "  h  not ready: /etc/pki/ca.crt is missing",
        "",
        "    fix",
    ]


def test_a_rule_that_leaves_hosts_out_says_why_the_run_ends_all_the_same():
    ends = replace(failure({"h": MISSING}, 3, messages=["Not managed."]), note="Nobody is left.")
    assert lines_of(ends)[2:9] == [
        "Rule pigsty-node: 1 of 3 hosts is not ready.",
        "  h  not ready: /etc/pki/ca.crt is missing",
        "",
        "Not managed.",
        "",
        "Nobody is left.",
        "",
    ]


def test_each_rule_has_a_paragraph_and_equal_commands_come_once():
    other = Rule(name="other", plays=(), checks=())
    lines = lines_of(
        failure({"h": MISSING}, 1, remedy="fix"),
        failure({"i": MISSING}, 1, rule=other, remedy="fix"),
    )
    assert lines[1] == lines[4] == ""
    assert lines[2].startswith("Rule pigsty-node: ") and lines[5].startswith("Rule other: ")
    assert lines.count("    fix") == 1


def test_a_block_with_a_rule_that_cannot_be_waived_suggests_no_opt_out():
    must = Rule(name="must", plays=(), checks=(), waiver="forbidden")
    lines = lines_of(failure({"h": MISSING}), failure({"h": MISSING}, rule=must))
    assert lines[-1] == "The play cannot be run unchecked: rule must cannot be waived."
    assert WAY_ROUND[0] not in lines


NO_FILE = PlayIdentity(name="Ansible Ad-Hoc", path="", line=0)
HEAD = "To run it unchecked all the same:"
WAYS_ROUND = {  # the play, the names of rules and what they say of waivers, and the suggestion
    "one rule": (PLAY, {"a": "allowed"}, f"{HEAD} tag the play no_precheck:a,\nor pass -e W=a"),
    "two rules": (
        PLAY,
        {"a": "allowed", "b": "allowed"},
        f"{HEAD} tag the play no_precheck:a and no_precheck:b,\nor pass -e W=a,b",
    ),
    "a reason": (
        PLAY,
        {"a": "reason", "b": "allowed"},
        f"{HEAD} pass -e W=a,b -e precheck_reason='...'",
    ),
    "no file": (NO_FILE, {"a": "allowed"}, f"{HEAD} pass -e W=a"),
    "a comma": (PLAY, {"a,b": "allowed"}, f'{HEAD} pass -e \'{{"W": ["a,b"]}}\''),
    "forbidden": (
        PLAY,
        {"a": "forbidden", "b": "allowed", "c": "forbidden"},
        "The play cannot be run unchecked: rules a, c cannot be waived.",
    ),
}


@pytest.mark.parametrize(("play", "rules", "suggestion"), WAYS_ROUND.values(), ids=WAYS_ROUND)
def test_a_block_suggests_the_narrowest_way_round(play, rules, suggestion):
    failures = [
        failure({"h": MISSING}, rule=Rule(name=name, plays=(), checks=(), waiver=waiver))
        for name, waiver in rules.items()
    ]
    suggestion = suggestion.replace("W", "precheck_waive")
    assert str(closing_block(play, failures, StopContext())).endswith(f"\n{HERE}\n{suggestion}")
    assert lines_of(*failures, play=play, only_checks=True)[-1] == HERE


def test_a_block_says_that_a_rule_is_built_in_and_that_the_run_is_dry():
    built_in = Rule(name="first", plays=(), checks=(), path=BUILT_IN)
    failures = [failure({"h": MISSING}, rule=built_in), failure({"h": MISSING})]
    dry, real = (lines_of(*failures, is_dry_run=is_dry_run) for is_dry_run in (True, False))
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
