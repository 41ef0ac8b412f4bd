# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The key ``facts`` of a rule: who has them, how often they are gathered, what if they are not."""

from __future__ import annotations

import json
import sys

import pytest

from support.output import UNUSABLE_POLICY, assert_refused, on_one_line, reasons
from support.policies import policy, rule
from support.project import LOCAL_HOST, UNREACHABLE_HOST

PLAY = """
- name: {name}
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: "{{{{ 'true' if ansible_facts | default({{}}) == {{}} else 'false' }}}}"
    - ansible.builtin.raw: touch {{{{ playbook_dir }}}}/witness
"""

# Stands for Python on the hosts: it writes down for which subsets a module gathers facts.
PYTHON = """#!/bin/sh
module="$1"
[ "$module" ] || {{ module="$0.$$"; cat > "$module"; }}
grep -ao 'gather_subset[^]]*]' "$module" | tr -dc 'a-z_\\n ' | sed 's/gather_subset //' >> {log}
exec {python} "$module"
"""
IS_REAL = {"that": "ansible_facts['system'] == 'Linux'"}


@pytest.fixture
def covered(guarded):
    guarded.write("site.yml", PLAY.format(name="One") + PLAY.format(name="Two"))
    guarded.inventory({"h1": LOCAL_HOST, "h2": LOCAL_HOST})
    return guarded


@pytest.fixture
def counted(covered):
    """A project whose hosts write down for what subsets facts are gathered."""
    text = PYTHON.format(log=f"{covered.directory}/gathered", python=sys.executable)
    interpreter = {"ansible_python_interpreter": covered.script("python", text)}
    covered.inventory({"h1": LOCAL_HOST | interpreter, "h2": LOCAL_HOST | interpreter})
    return covered


def gathered(project):
    path = project.directory / "gathered"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def run_unstopped(project, *arguments, **options):
    run = project.run("site.yml", *arguments, **options)
    assert run.rc == 0, run.output
    assert (project.directory / "witness").exists()
    return run


def stopped(project, *arguments):
    run = project.run("site.yml", *arguments)
    assert run.rc == 2, run.output
    assert not (project.directory / "witness").exists()
    return run


def test_the_rule_has_facts_and_nobody_else(covered):
    """Neither have the plays, nor another rule."""
    task = {
        "ansible.builtin.debug": {"msg": "{{ ansible_facts.system }}"},
        "failed_when": "precheck_result.msg != 'Linux'",
    }
    own = [IS_REAL, {"task": task}, {"command": "test {{ ansible_facts.system }} = Linux"}]
    covered.write(
        "precheck.yml",
        policy(
            rule({"that": "ansible_facts | default({}) == {}"}, name="other"),
            rule(*own, name="asks", facts="min"),
            rule({"that": "ansible_facts | default({}) == {}"}, name="another"),
        ),
    )
    run = run_unstopped(covered, "--forks", "1")
    assert run.stdout.count("[Precheck facts]") == 1


def test_messages_have_them(covered):
    checks = [
        {"that": "ansible_facts['system'] != 'Linux'", "message": "c {{ ansible_facts.system }}"},
        {"task": {"ansible.builtin.fail": None}, "message": "t {{ ansible_facts.system }}"},
    ]
    one = rule(
        *checks, facts=["min"], message="{{ inventory_hostname }} {{ ansible_facts.system }}"
    )
    covered.write("precheck.yml", policy(one))
    run = stopped(covered)
    expected = ["not ready: c Linux", "t Linux"]
    assert reasons(run) == {"h1": expected, "h2": expected}
    assert "\nh1 Linux\nh2 Linux\n" in run.stderr


def test_they_are_gathered_once_for_a_host_and_all_rules(counted):
    """With the union of what the rules ask for. The value of a fact is no template."""
    no_template = {"that": "ansible_facts.env.MARK | length > 1"}
    counted.write(
        "precheck.yml",
        policy(
            rule(IS_REAL, name="a", facts=["min"]),
            rule(IS_REAL, no_template, name="b", facts=["network", "min"]),
            rule(IS_REAL, name="c", facts="hardware", when="inventory_hostname == 'h1'"),
            rule({"that": True}, name="d"),
        ),
    )
    run_unstopped(counted, env={"MARK": "{{ 1 }}"})
    assert gathered(counted) == ["hardware min network"] * 2
    counted.write("precheck.yml", policy(rule({"that": True})))
    run_unstopped(counted)
    assert gathered(counted) == []


def test_a_later_play_gathers_only_what_is_not_known(counted):
    one, two = {"play": "One"}, {"play": "Two"}
    for subsets, expected in {"min": ["min"] * 2, "virtual": ["min"] * 2 + ["virtual"] * 2}.items():
        rules = [rule(IS_REAL, name="a", covers=one, facts="min")]
        rules += [rule(IS_REAL, name="b", covers=two, facts=subsets)]
        counted.write("precheck.yml", policy(*rules))
        run_unstopped(counted)
        assert gathered(counted) == expected
    again = rule(IS_REAL, facts="min", check_every="play")
    counted.write("precheck.yml", policy(again))
    run_unstopped(counted)
    assert gathered(counted) == ["min"] * 4


def test_facts_of_another_machine_are_gathered_again(counted):
    other = "  vars: {ansible_shell_executable: /bin/bash}\n  tasks:"
    plays = PLAY.format(name="One") + PLAY.format(name="Two").replace("  tasks:", other)
    counted.write("site.yml", plays)
    counted.write("precheck.yml", policy(rule(IS_REAL, facts="min")))
    run_unstopped(counted)
    assert gathered(counted) == ["min"] * 4


@pytest.mark.parametrize("severity", ["error", "warn"])
def test_a_host_whose_facts_cannot_be_gathered_is_unverified(covered, severity):
    """Whatever its rule would make of no facts. Other rules are checked all the same."""
    covered.inventory(
        {
            "h1": LOCAL_HOST | {"ansible_python_interpreter": "/no/python"},
            "h2": UNREACHABLE_HOST,
            "h3": LOCAL_HOST,
        }
    )
    passing = {"that": "ansible_facts.distribution | default('none') != 'other'"}
    task = {"task": {"ansible.builtin.debug": None}, "name": "a task"}
    asks = rule(passing, task, name="asks", facts="min", severity=severity)
    covered.write("precheck.yml", policy(asks, rule({"that": True}, name="other")))
    run = covered.run("site.yml", "--limit", "h1,h2,h3")
    by_host = reasons(run) if severity == "error" else {}
    text = "cannot be checked: no facts were gathered: "
    assert on_one_line(run.stderr).count(text) in (2, 4), run.output
    assert "a task cannot be checked: no facts" in on_one_line(run.stderr)
    assert "unreachable: " in on_one_line(run.stderr)
    assert "2 of 3 hosts could not be checked" in on_one_line(run.stderr)
    if severity == "error":
        assert run.rc == 2 and not (covered.directory / "witness").exists()
        assert set(by_host) == {"h1", "h2"}
        assert len(by_host["h1"]) == 2 and len(by_host["h2"]) == 1
    else:
        assert (covered.directory / "witness").exists()


def test_a_subset_that_does_not_exist_is_unverified(covered):
    covered.write("precheck.yml", policy(rule(IS_REAL, name="a", facts="no_such_subset")))
    by_host = reasons(stopped(covered))
    assert by_host.keys() == {"h1", "h2"}
    assert "no facts were gathered: Bad subset 'no_such_subset'" in by_host["h1"][0]


def test_conditions_on_facts_that_nobody_asked_for_say_so(covered):
    prefixed = {"that": "ansible_distribution == 'Debian'"}
    path = {"path": "/{{ ansible_facts['distribution'] }}"}
    covered.write(
        "precheck.yml",
        policy(
            rule({"that": "ansible_facts['distribution'] == 'x'"}, path, prefixed, name="a"),
            rule(prefixed, name="b", facts="min"),
        ),
    )
    hint = "(facts are not gathered for the rule, unless it has the key facts: [min], say)"
    first, second, third, fourth = reasons(stopped(covered, "--limit", "h1"))["h1"]
    assert all(reason.endswith(hint) for reason in (first, second, third)), first
    assert fourth.endswith("(facts have no prefix: ansible_facts['distribution'])")


def test_a_when_on_facts_says_that_it_comes_before_them(covered):
    condition = "ansible_facts['distribution'] == 'x'"
    covered.write("precheck.yml", policy(rule({"that": True}, when=condition)))
    assert_refused(
        covered.run("site.yml"),
        f"in its when, {condition}: ",
        "(a when is evaluated before facts are gathered: a check can use them)",
    )
    with_variable = {"vars": {"os": "{{ ansible_facts.distribution }}"}}
    text = policy(rule(IS_REAL, facts="min", when="os == 'x'"))
    covered.write("precheck.yml", f"vars: {json.dumps(with_variable['vars'])}\n{text}")
    assert_refused(
        covered.run("site.yml"),
        UNUSABLE_POLICY,
        ":3: rule only: when: it is evaluated before facts are gathered for the rule: make it a",
    )


def test_rules_with_facts_wait_for_their_play(covered):
    asks = rule({"that": "ansible_facts.system == 'x'"}, covers={"play": "Two"}, facts="min")
    covered.write("precheck.yml", policy(asks | {"prepared_by": []}))
    run = covered.run("site.yml")
    assert run.rc == 2, run.output
    assert (covered.directory / "witness").exists()
    assert 'before play "Two"' in run.stderr


def test_an_audit_gathers_facts_for_the_rules_that_ask(counted):
    counted.write("audit.yml", "- {hosts: all, tasks: [{precheck.guard.audit: }]}\n")
    other = {"that": "ansible_facts | default({}) == {}"}
    rules = [rule(IS_REAL, name="a", facts="min"), rule(other, name="b")]
    counted.write("precheck.yml", policy(*rules, rule(IS_REAL, name="c", facts="virtual")))
    run = counted.run("audit.yml")
    assert run.rc == 0, run.output
    assert gathered(counted) == ["min virtual"] * 2
