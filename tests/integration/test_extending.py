# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The key ``extends`` of a policy: what comes from others, and what cannot be replaced."""

from __future__ import annotations

import json

import pytest

from support.output import UNUSABLE_POLICY, assert_refused, reasons
from support.policies import policy, rule

PLAY = """
- name: Covered
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch {{ playbook_dir }}/witness
"""


def extending(names, *rules, **variables):
    """Return a policy that extends others. Its first rule is at line 4."""
    text = policy(*rules) if rules else ""
    return f"extends: {json.dumps(names)}\nvars: {json.dumps(variables)}\n{text}"


def failing(name, text="", **keys):
    """Return a rule that prints its name, and ``text``, as the reason."""
    check = {"that": False, "message": f"{{{{ precheck_rule }}}} {text}".strip()}
    return rule(check, name=name, **keys)


@pytest.fixture
def covered(guarded):
    guarded.local_hosts(ready="h1")
    guarded.write("site.yml", PLAY)
    return guarded


def reasons_of(project, *arguments):
    """Run the play, which must be stopped, and return the reasons."""
    run = project.run("site.yml", *arguments)
    assert run.rc == 2, run.output
    assert not (project.directory / "witness").exists()
    return [reason.replace("not ready: ", "") for reason in reasons(run)["h1"]]


def test_rules_and_variables_come_from_all_that_it_extends(covered):
    """By a relative path, by the name in a collection, and through several files."""
    collection = "collections/ansible_collections/acme/base"
    covered.write(
        f"{collection}/policies/hosts.yml",
        extending(["more/../more.yml"], failing("a", "{{ x }} {{ y | default('no y') }}"), x=1),
    )
    covered.write(f"{collection}/policies/more.yml", policy(failing("b", "{{ x | default(0) }}")))
    covered.write("databases.yml", extending(["./policies/c.yml"], failing("d", "{{ y }}"), y=2))
    covered.write("policies/c.yml", policy(failing("c", "{{ y | default('no y') }}")))
    covered.write(f"{collection}/galaxy.yml", "namespace: acme\nname: base\nversion: 1.0.0\n")
    covered.write(
        "precheck.yml",
        extending(["acme.base.hosts", "databases.yml"], failing("e", "{{ x }} {{ y }}")),
    )
    # The variables of one do not get into the rules of the other.
    assert reasons_of(covered) == ["b 1", "a 1 no y", "c 2", "d 2", "e 1 2"]
    covered.write("precheck.yml", extending(["acme.base.hosts", "databases.yml"], x=7, y=8))
    assert reasons_of(covered) == ["b 7", "a 7 8", "c 8", "d 8"]


def test_a_rule_replaces_that_of_the_same_name(covered):
    covered.write("base.yml", policy(failing("a"), failing("b"), failing("c")))
    covered.write("other.yml", policy(failing("b", "of another file")))
    passing = rule({"that": True}, name="a")
    own = [passing, failing("b", "of its own"), failing("d")]
    covered.write("precheck.yml", extending(["base.yml", "other.yml"], *own))
    assert reasons_of(covered) == ["b of its own", "c", "d"]


def test_two_that_extend_the_same_file_do_not_get_in_each_others_way(covered):
    covered.write("base.yml", policy(failing("a", "{{ x | default(0) }}")))
    covered.write("one.yml", extending("base.yml", failing("b"), x=1))
    covered.write("two.yml", extending("./base.yml", failing("c")))
    covered.write("precheck.yml", extending(["one.yml", "two.yml"]))
    assert [reason[0] for reason in reasons_of(covered)] == ["a", "b", "c"]
    covered.configure(covered.entry_point, "[precheck]\npolicy = one.yml,two.yml")
    assert [reason[0] for reason in reasons_of(covered)] == ["a", "b", "c"]


def test_the_built_in_policy_and_one_of_its_own(covered):
    covered.local_hosts(missing="h2")
    covered.write("pgsql.yml", PLAY)
    covered.write("precheck.yml", extending("built-in", failing("mine")))
    run = covered.run("pgsql.yml")
    assert run.rc == 2, run.output
    missing, mine = reasons(run)["h2"]
    assert (missing.endswith("/etc/pki/ca.crt is missing"), mine) == (True, "not ready: mine")
    assert "    ./node.yml -l h2\n" in run.stderr
    assert "Rule pigsty-node is built in." in run.stderr
    assert covered.run("pgsql.yml", "-v").stdout.count("of the configured policy") == 0


def test_what_nobody_may_waive_cannot_be_replaced(covered):
    covered.write("base.yml", policy(failing("a", waiver="forbidden")))
    covered.write("between.yml", extending("base.yml"))
    covered.write("precheck.yml", extending("between.yml", rule({"that": True}, name="a")))
    assert_refused(
        covered.run("site.yml"),
        UNUSABLE_POLICY,
        f"{covered.directory}/precheck.yml:4: rule a: it cannot replace rule a"
        f" ({covered.directory}/base.yml:2), whose waiver is forbidden",
    )


def test_what_is_configured_and_nobody_may_waive_stays_with_its_variables(covered):
    """A policy of the command line may extend the configured one, and give it other variables."""
    check = {"that": "most > 3", "message": "most is {{ most }}"}
    covered.write("base.yml", policy(rule(check, name="a", waiver="forbidden"), failing("b")))
    covered.write("precheck.yml", extending("base.yml", most=1))
    covered.write("other.yml", extending("base.yml", failing("c"), most=9))
    assert reasons_of(covered, "-e", "precheck_policy=other.yml") == ["most is 1", "b", "c"]


def test_what_cannot_be_extended_is_named_with_its_place(covered):
    covered.write("one.yml", extending("two.yml"))
    covered.write("two.yml", extending(["built-in", "one.yml"]))
    covered.write("wrong.yml", policy(failing("a", severity="fatal")))
    covered.write("twice.yml", policy(failing("pigsty-node")))
    here = covered.directory
    problems = {
        "one.yml": f"{here}/two.yml:1: extends: policies extend each other in a circle:"
        f" {here}/one.yml, {here}/two.yml, {here}/one.yml",
        "no/such.yml": f"{here}/precheck.yml:1: extends: there is no file {here}/no/such.yml",
        "no.such.policy": f"{here}/precheck.yml:1: extends: there is no collection no.such",
        "precheck.guard.no": f"{here}/precheck.yml:1: extends: there is no file /",
        "wrong.yml": f"{here}/wrong.yml:2: rule a: severity: expected error, exclude or warn, not",
        "twice.yml": f"{here}/precheck.yml:1: extends: both rule pigsty-node (",
    }
    covered.write("precheck.yml", extending(["built-in", *problems]))
    run = covered.run("site.yml")
    assert_refused(run, UNUSABLE_POLICY, *problems.values())
    assert run.stderr.count(f"\n  {here}") == len(problems)
