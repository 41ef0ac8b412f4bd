# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The key ``vars`` of a policy: who has the variables, and what they take precedence over."""

from __future__ import annotations

import json

import pytest

from support.output import reasons
from support.policies import policy, rule
from support.project import LOCAL_HOST

PLAY = """
- name: Covered
  hosts: all
  gather_facts: false
  vars: {of_play: 1, most: 9}
  tasks:
    - ansible.builtin.set_fact: {most: "{{ most }} of the play"}
    - ansible.builtin.raw: "{{ 'true' if of_policy is undefined and most == '9 of the play' }}"
    - ansible.builtin.raw: touch {{ playbook_dir }}/witness
"""


def policy_with(variables, *rules):
    return f"vars: {json.dumps(variables)}\n{policy(*rules)}"


@pytest.fixture
def covered(guarded):
    """A project with a play on one host, to which the inventory gives variables too."""
    guarded.write("site.yml", PLAY)
    guarded.inventory({"h1": LOCAL_HOST | {"most": 8, "least": 7}})
    return guarded


VARIABLES = {
    "most": 5,
    "of_policy": "{{ most }} {{ least }} {{ of_play }} {{ precheck_rule }}",
    "listed": ["{{ most }}", "b"],
}


def test_every_condition_has_them_and_the_play_does_not(covered):
    """They take precedence over the inventory, the play and the command line."""
    conditions = ["most == 5", "of_policy == '5 7 1 ' ~ precheck_rule", "listed | last == 'b'"]
    of_the_play = ["most == 5", "listed | length == 2"]
    task = {
        "ansible.builtin.debug": {"msg": "{{ of_policy }} {{ own }}"},
        "vars": {"own": "{{ most }}", "listed": "of the check"},
        "failed_when": "precheck_result.msg != '5 7 1 second 5' or listed != 'of the check'",
    }
    checks = [{"that": conditions}, {"that": of_the_play, "once": True}, {"task": task}]
    checks.append({"command": "test '{{ of_policy }} {{ listed | last }}' = '5 7 1 second b'"})
    not_at_all = rule({"that": False}, name="first", when=["most == 8 or least == 5"])
    rules = [not_at_all, rule(*checks, name="second", when=conditions)]
    covered.write("precheck.yml", policy_with(VARIABLES, *rules))
    run = covered.run("site.yml")
    assert run.rc == 0, run.output
    assert (covered.directory / "witness").exists()
    covered.write("precheck.yml", policy_with(VARIABLES, rule({"that": "most == 5"})))
    run = covered.run("site.yml", "-e", "most=6", "--check")
    assert "Precheck only" in run.stdout and "PRECHECK" not in run.stderr, run.output


def test_every_template_has_them(covered):
    checks = [
        {"path": "/no/{{ most }}"},
        {"that": False, "message": "message {{ of_policy }}"},
        {"that": False, "once": True, "message": "for all {{ most }}"},
    ]
    texts = {"message": "not {{ of_policy }}", "remedy": "./fix.sh {{ most }} {{ listed[0] }}"}
    covered.write("precheck.yml", policy_with(VARIABLES, rule(*checks, **texts)))
    run = covered.run("site.yml")
    assert run.rc == 2, run.output
    assert reasons(run)["h1"] == ["not ready: /no/5 is missing", "message 5 7 1 only"]
    for text in ("for all 5\n", "\nnot 5 7 1 only\n", "    ./fix.sh 5 5\n"):
        assert text in run.stderr, text


def test_a_policy_does_not_have_those_of_another(covered):
    """Also if rules of both have the same condition, and are asked for together."""
    same = {"that": "most == 9", "message": "most is {{ most }}"}
    path = {"path": "/no/{{ most }}"}
    covered.write("one.yml", policy(rule(same, path, name="one", when="most > 3")))
    with_vars = policy_with({"most": 5}, rule(same, path, name="two", when="most > 3"))
    covered.write("two.yml", with_vars)
    covered.write("three.yml", policy_with({"most": 2}, rule(same, name="three", when="most > 3")))
    covered.write("four.yml", policy(rule(same, path, name="four", when="most > 3")))
    covered.configure(
        covered.entry_point, "[precheck]\npolicy = one.yml,two.yml,three.yml,four.yml"
    )
    run = covered.run("site.yml")
    assert run.rc == 2, run.output
    assert reasons(run)["h1"] == [
        "not ready: /no/9 is missing",
        "not ready: most is 5",
        "/no/5 is missing",
        "not ready: /no/9 is missing",
    ]


def test_a_variable_that_has_no_value_is_unverified(covered):
    covered.write("precheck.yml", policy_with({"a": "{{ no_such }}"}, rule({"that": "a > 1"})))
    run = covered.run("site.yml")
    assert run.rc == 2, run.output
    assert reasons(run)["h1"] == ["unverified: a > 1 cannot be evaluated: 'no_such' is undefined"]
    assert not (covered.directory / "witness").exists()


def test_what_earlier_plays_set_is_awaited_also_through_a_variable(covered):
    """The later play is not checked before the first one has set what the check depends on."""
    first = """
- hosts: all
  gather_facts: false
  tags: no_precheck
  tasks:
    - ansible.builtin.set_fact: {found: true}
"""
    covered.write("site.yml", first + PLAY)
    rules = [
        rule({"that": "is_found"}, name="check", prepared_by=[], covers={"play": "Covered"}),
        rule({"that": True}, name="when", when="is_found", covers={"play": "Covered"}),
    ]
    covered.write("precheck.yml", policy_with({"is_found": "{{ found }}"}, *rules))
    run = covered.run("site.yml")
    assert run.rc == 0, run.output
    assert (covered.directory / "witness").exists()


def test_they_take_the_place_of_variables_in_the_values_of_others(covered):
    covered.inventory({"h1": LOCAL_HOST | {"size": 1, "limit": "{{ size }}"}})
    own = rule({"that": "limit | int == 2"}, covers={"play": "Covered"})
    covered.write("precheck.yml", policy_with({"size": 2}, own))
    run = covered.run("site.yml")
    assert run.rc == 0, run.output
