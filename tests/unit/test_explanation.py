# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The explanation of plays as text and as data."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.precheck.guard.plugins.plugin_utils.cli.explanation import (
    AheadExplanation,
    Explanation,
    PlayExplanation,
    RuleExplanation,
    as_data,
    as_text,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.matching import PlayIdentity
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import (
    WARN,
    Check,
    Rule,
    Selector,
)

SELECTOR = Selector(playbook=("pgsql*.yml", "pg-*.yml"), tag=("db",))
CHECKS = (
    Check("path", None, "/etc/pki/ca.crt"),
    Check("command", None, "set -e\ntest -x /usr/bin/pg_ctl", become=True),
    Check("that", None, "ansible_limit is defined", once=True),
)


def text(rule=None, hosts=("n1", "n2", "n3"), not_guarded="", hosts_may_come=False, **parts):
    rules = [RuleExplanation(rule, SELECTOR, **parts)] if rule else []
    identity = PlayIdentity("Set up", "/srv/pgsql.yml", 4)
    play = PlayExplanation("site.yml", identity, hosts, rules, not_guarded, hosts_may_come)
    explanation = Explanation(["/srv/precheck.yml"], "built in", [play])
    return "\n".join(line for _topic, line in as_text(explanation))


HEAD = 'Policy /srv/precheck.yml (built in)\n\nPlay "Set up" (/srv/pgsql.yml:4)\n'


def test_a_rule_has_a_line_for_each_part():
    rule = Rule("pg", (SELECTOR,), CHECKS, severity=WARN, waiver="forbidden")
    explained = text(
        rule,
        not_guarded="the moon is full",
        checked=["n1", "n2"],
        once_for=["n1"],
        left_out={"n3": "it is old", "n4": "it is " + "very " * 20 + "old", "n5": "it is old"},
        waited={"n1": "for spring", "n2": "for spring"},
        unsure={"n2": "it may be old"},
        errors={"n6": "it is broken"},
    )
    assert explained == HEAD + (
        "  not guarded: the moon is full\n"
        "  rule pg, by playbook pgsql*.yml or pg-*.yml, tag db, warns only, cannot be\n"
        "    waived\n"
        "    checked   n1, n2\n"
        "    for       /etc/pki/ca.crt\n"
        "              set -e test -x /usr/bin/pg_ctl (with become)\n"
        "    once      ansible_limit is defined (for 1 host)\n"
        "    left out  n3, n5: it is old\n"
        "              n4: it is very very very very very very very very very very very\n"
        "                very very very very very very very very very old\n"
        "    waited    n1, n2: for spring\n"
        "    unsure    n2: it may be old\n"
        "    error     n6: it is broken"
    )


def test_what_a_selector_exempts_is_in_the_data():
    exempt = (Selector(playbook=("pg-test.yml",)), Selector(role=("node",), tag=("a", "b")))
    selector = replace(SELECTOR, exempt=exempt)
    rule = RuleExplanation(Rule("pg", (selector,), CHECKS), selector, [], [], {}, {}, {})
    play = PlayExplanation("site.yml", PlayIdentity("", "", 0), [], [rule])
    [play_data] = as_data(Explanation([], "", [play]))["plays"]
    assert play_data["rules"][0]["selector"] == {
        "playbook": ["pgsql*.yml", "pg-*.yml"],
        "tag": ["db"],
        "not": [{"playbook": ["pg-test.yml"]}, {"role": ["node"], "tag": ["a", "b"]}],
    }


def test_what_is_checked_for_a_later_play_comes_last():
    later = PlayIdentity("Later", "/srv/later.yml", 9)
    ahead = AheadExplanation(later, Rule("pg", (SELECTOR,), CHECKS), ["n8", "n9"])
    here = PlayIdentity("Set up", "/srv/pgsql.yml", 4)
    play = PlayExplanation("site.yml", here, ["n1"], ahead=[ahead])
    explanation = Explanation(["/srv/precheck.yml"], "built in", [play])
    assert "\n".join(line for _topic, line in as_text(explanation)) == HEAD + (
        '  no rule covers it\n  rule pg, for play "Later" (/srv/later.yml:9)\n    checked   n8, n9'
    )
    assert as_data(explanation)["plays"][0]["ahead"] == [
        {
            "name": "Later",
            "path": "/srv/later.yml",
            "line": 9,
            "rule": "pg",
            "checked": ["n8", "n9"],
        }
    ]


def test_plays_without_rules_or_hosts_say_so():
    assert text() == HEAD + "  no rule covers it"
    assert text(hosts=()) == HEAD + "  no hosts"


def test_a_play_without_hosts_has_its_rules_and_what_they_check_if_hosts_may_come():
    rule = Rule("pg", (Selector(role=("pg",)),), CHECKS[:1])
    heading = "\n  rule pg, by playbook pgsql*.yml or pg-*.yml, tag db"
    assert text(rule, hosts=()) == HEAD + "  no hosts" + heading
    assert text(rule, hosts=(), hosts_may_come=True) == (
        f"{HEAD}  no hosts are known yet: an earlier play may make some{heading}\n"
        "    for       /etc/pki/ca.crt"
    )


def test_many_hosts_are_folded_and_counted():
    rule = Rule("pg", (SELECTOR,), CHECKS[:1])
    names = [f"node-{number:03}.example.com" for number in range(100)]
    explained = text(rule, names, left_out=dict.fromkeys(names, "it is old"))
    assert explained.endswith("\n    left out  all 100 hosts: it is old")
    explained = text(
        rule, names, checked=names[:50], left_out=dict.fromkeys(names[50:], "it is old")
    )
    assert "node-019.example.com and 30 more for /etc/pki/ca.crt" in " ".join(explained.split())
    assert "node-069.example.com and 30 more: it is old" in " ".join(explained.split())
    assert all(len(line) <= 80 for line in explained.splitlines())
