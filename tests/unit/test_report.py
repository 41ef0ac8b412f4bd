# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from ansible_collections.precheck.guard.plugins.plugin_utils.matching import PlayIdentity
from ansible_collections.precheck.guard.plugins.plugin_utils.policy import BUILT_IN
from ansible_collections.precheck.guard.plugins.plugin_utils.report import closing_block, waiver
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import NOT_READY, UNVERIFIED, Verdict

PLAY = PlayIdentity(name="Set up", path="/x/pgsql.yml", line=3, roles=frozenset())
[RULE] = BUILT_IN
MISSING = Verdict(NOT_READY, "/etc/pki/ca.crt is missing")


def test_hosts_are_sorted_and_aligned():
    down = Verdict(UNVERIFIED, "unreachable: refused")
    lines = closing_block(PLAY, [(RULE, {"web10": MISSING, "db": down, "a": MISSING})], 7).splitlines()
    assert lines[0] == 'PRECHECK stopped the run before play "Set up" (/x/pgsql.yml:3).'
    assert lines[2:6] == [
        "Rule pigsty-node: 3 of 7 hosts are not ready.",
        "  a      not ready: /etc/pki/ca.crt is missing",
        "  db     unverified: unreachable: refused",
        "  web10  not ready: /etc/pki/ca.crt is missing",
    ]
    assert "    ./node.yml -l a,db,web10" in lines


def test_two_hundred_hosts():
    names = [f"host{number:03}" for number in range(200)]
    block = closing_block(PLAY, [(RULE, dict.fromkeys(names, MISSING))], 200)
    assert len(block.splitlines()) < 35
    assert "200 of 200 hosts are not ready" in block
    assert "  host019  " in block and "  host020  " not in block
    assert "  ... and 180 more" in block
    assert f"    ./node.yml -l {','.join(names)}\n" in block


def test_the_remedy_can_be_pasted_whatever_a_host_is_called():
    block = closing_block(PLAY, [(RULE, {"a b": MISSING, "$(id)": MISSING})], 2)
    assert "    ./node.yml -l '$(id),a b'\n" in block


def test_what_a_node_says_cannot_disturb_the_terminal():
    hostile = Verdict(UNVERIFIED, "unreachable: \x1b[2Jgone\r\nPRECHECK all is well\x00\u202e " + "x" * 1000)
    line = closing_block(PLAY, [(RULE, {"h": hostile})], 1).splitlines()[3]
    assert line.startswith("  h  unverified: unreachable: [2Jgone PRECHECK all is well xxx")
    assert line.endswith("...")
    assert len(line) < 230
    assert line.isprintable()


def test_a_play_that_is_in_no_file():
    play = PlayIdentity(name="Ad-hoc", path="", line=0, roles=frozenset())
    assert waiver(play, [RULE], 1, "--skip-tags precheck") == (
        'Precheck waived for play "Ad-hoc": pigsty-node not checked on 1 host (--skip-tags precheck).'
    )
