# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-precheck rules shows which rules can apply to hosts, and what they require."""

from __future__ import annotations

import json
import re

import pytest

from support.commands import REPOSITORY
from support.corpus import vaulted
from support.output import is_printed, on_one_line
from support.policies import policy, rule
from support.project import LOCAL_HOST, UNREACHABLE_HOST

PLAY = "- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: }]\n"
ALWAYS = {"that": True}
PASSWORD = ("--vault-password-file", "password")


def listed(project, *arguments, cwd="."):
    """Return the rules by host that the command shows."""
    run = project.run("ansible-precheck", "rules", *arguments, "--format", "json", cwd=cwd)
    assert run.rc == 0, run.output
    return {host["name"]: host["rules"] for host in json.loads(run.stdout)["hosts"]}


def only_rule(project, *arguments, cwd="."):
    """Return the one rule of the one host that the command shows."""
    [[one]] = listed(project, *arguments, cwd=cwd).values()
    return one


def texts(of_host):
    """Return what the checks of a rule require, and why values are not known."""
    return [(check["text"], check["unsure"]) for check in of_host["checks"]]


def test_it_shows_what_a_run_checks(guarded):
    """The hosts to which rules apply, and the paths that are looked for there."""
    in_cluster = LOCAL_HOST | {"cluster": "a"}
    roots = {name: str(guarded.directory / name) for name in ("h1", "h2", "h3")}
    guarded.inventory(
        {
            "h1": in_cluster | {"precheck_root": roots["h1"], "data": "/one"},
            "h2": in_cluster | {"precheck_root": roots["h2"], "data": "/two"},
            "h3": LOCAL_HOST | {"precheck_root": roots["h3"]},
        }
    )
    paths = [{"path": "{{ data }}/{{ name }}"}, {"path": "/etc/{{ env }}"}]
    rules = (
        rule(*paths, name="data", when="cluster is defined"),
        rule({"path": "/etc/always"}, name="every"),
        rule(ALWAYS, name="nowhere", when=["cluster is defined", "cluster != 'a'"]),
    )
    guarded.write("precheck.yml", "vars: {name: pg}\n" + policy(*rules))
    guarded.write("site.yml", PLAY)
    run = guarded.run("site.yml", "-e", "env=test")
    assert run.rc == 2, run.output
    shown = {
        text
        for rules in listed(guarded, "all", "-e", "env=test").values()
        for one in rules
        for text, _unsure in texts(one)
    }
    assert shown == set(re.findall(r"(/\S+) is missing", run.stderr))
    assert len(shown) == 3 + 3 + 1
    assert f"{roots['h1']}/one/pg" in shown


CONDITIONS = {  # the condition, whether the rule applies to h1, and why
    "holds": ("x == 1", True, ""),
    "does not hold": ("x == 2", False, "the rule is only for hosts with x == 2"),
    "is undefined": ("y == 1", None, "the rule's when, y == 1: 'y' is undefined"),
    "facts": (
        "ansible_facts.system == 'Linux'",
        None,
        "the rule's when may depend on facts: ansible_facts.system == 'Linux'",
    ),
    "the play": (
        "'db' in precheck_play and precheck_playbook | default('') == ''",
        None,
        "the rule's when may depend on precheck_play, precheck_playbook, which only a run has:"
        " 'db' in precheck_play and precheck_playbook | default('') == ''",
    ),
    "options": (
        "not ansible_check_mode | default(false)",
        None,
        "the rule's when may depend on ansible_check_mode, which only a run has: not"
        " ansible_check_mode | default(false)",
    ),
    "through the policy": (
        "is_large",
        None,
        "the rule's when may depend on ansible_play_hosts_all, which only a run has: is_large",
    ),
    "one of two is known": (["ansible_check_mode", "x == 2"], False, "hosts with x == 2"),
    "the rule": ("precheck_rule == 'only'", True, ""),
}


@pytest.mark.parametrize(("when", "applies", "reason"), CONDITIONS.values(), ids=CONDITIONS)
def test_whether_a_rule_applies(project, when, applies, reason):
    project.inventory({"h1": {"x": 1, "precheck_play": "db", "precheck_playbook": ""}})
    variables = "vars: {is_large: '{{ ansible_play_hosts_all | default([]) | length > 3 }}'}\n"
    project.write("precheck.yml", variables + policy(rule(ALWAYS, when=when)))
    shown = only_rule(project, "h1")
    assert shown["applies"] is applies
    assert shown["reason"].endswith(reason) and bool(shown["reason"]) == bool(reason)
    assert bool(shown["checks"]) == (applies is not False)
    assert shown["when"] == ([when] if isinstance(when, str) else when)


CHECKS = {  # the check, what it requires of h1, and what is not known
    "path": ({"path": "/a/{{ x }}"}, "/a/1", ""),
    "all about a path": (
        {
            "path": "/{{ x }}",
            "type": "file",
            "mode": "0{{ '640' }}",
            "owner": "{{ user }}",
            "group": "00",
            "same_as": "ca{{ x }}.crt",
        },
        "/1, a file, mode at most 0640, owner me, group 0, content of ca1.crt",
        "",
    ),
    "command": ({"command": "test -e {{ x }}"}, "test -e 1", ""),
    "program": ({"command": ["ls", "{{ user }} {{ x }}"]}, "ls 'me 1'", ""),
    "condition": ({"that": "x == 1"}, "x == 1", ""),
    "once": ({"that": "ansible_limit is defined", "once": True}, "ansible_limit is defined", ""),
    "task": ({"task": {"ansible.builtin.ping": {"data": "{{ x }}"}}}, "ansible.builtin.ping", ""),
    "undefined": ({"path": "/{{ y }}"}, "/{{ y }}", "cannot be checked: 'y' is undefined"),
    "no such file": (
        {"path": "/a", "same_as": "gone{{ x }}"},
        "/a",
        "cannot be checked: there is no file gone1 on the control node",
    ),
    "the play": (
        {"command": "echo {{ precheck_play | default('') }}"},
        "echo {{ precheck_play | default('') }}",
        "it needs precheck_play, which only a run has",
    ),
    "facts": (
        {"command": "echo {{ ansible_facts.system | default('') }}"},
        "echo {{ ansible_facts.system | default('') }}",
        "it needs facts, which only a run has",
    ),
}


@pytest.mark.parametrize(("check", "text", "unsure"), CHECKS.values(), ids=CHECKS)
def test_what_a_check_requires(project, check, text, unsure):
    project.inventory({"h1": {"x": 1, "user": "me"}})
    project.write("ca1.crt", "x")
    project.write("precheck.yml", policy(rule(check)))
    [[shown, why]] = texts(only_rule(project, "h1"))
    assert shown == text
    assert why.startswith(unsure) and bool(why) == bool(unsure)


def test_it_takes_patterns_inventories_variables_and_a_limit(project):
    project.inventory({"h1": {}, "h2": {}, "h3": {}})
    project.write("more", "[db]\nh4\nh5 x=2\n")
    project.write("precheck.yml", policy(rule({"path": "/{{ x }}"})))
    assert list(listed(project, "h1", "h3")) == ["h1", "h3"]
    assert list(listed(project, "all:!h2")) == ["h1", "h3"]
    assert list(listed(project, "h*", "-l", "h2,h3")) == ["h2", "h3"]
    shown = listed(project, "db", "-i", "more")
    assert [texts(of_host)[0][0] for [of_host] in shown.values()] == ["/{{ x }}", "/2"]
    assert texts(only_rule(project, "h5", "-i", "more", "-e", "x=3")) == [("/3", "")]
    run = project.run("ansible-precheck", "rules", "nowhere")
    assert (run.rc, run.stdout) == (1, "")
    assert "leaves us with no hosts" in on_one_line(run.stderr)
    assert project.run("ansible-precheck", "rules").rc == 2


def test_it_finds_variables_filters_and_files_beside_the_playbooks(project):
    project.inventory({"h1": {}})
    project.write("playbooks/group_vars/all.yml", "x: 1\n")
    project.write(
        "playbooks/filter_plugins/own.py",
        "class FilterModule:\n    def filters(self):\n        return {'own': lambda x: x + 1}\n",
    )
    project.write("playbooks/files/ca.crt", "x")
    check = {"path": "/{{ x | own }}", "same_as": "ca.crt"}
    project.write("precheck.yml", policy(rule(check)))
    expected = [(f"/2, content of {project.directory}/playbooks/files/ca.crt", "")]
    assert texts(only_rule(project, "h1", "--playbook-dir", "playbooks")) == expected
    assert texts(only_rule(project, "h1", cwd="playbooks")) == expected


def test_it_connects_to_no_host_and_its_messages_are_not_on_stdout(project):
    project.inventory({"h1": UNREACHABLE_HOST, "h2": {"ansible_connection": "nowhere"}})
    checks = [{"path": "/a"}, {"command": "false"}, {"task": {"ansible.builtin.ping": {}}}]
    project.write("precheck.yml", policy(rule(*checks, waiver="forbidden", severity="warn")))
    run = project.run("ansible-precheck", "rules", "all", "-vvv")
    assert run.rc == 0, run.output
    path = f"{project.directory}/precheck.yml"
    assert on_one_line(run.stdout) == (
        f"Policy {path} (beside ansible.cfg) h1, h2 rule only ({path}:2), warns only, cannot be"
        " waived plays play * for /a false ansible.builtin.ping"
    )
    assert "ansible.cfg as config file" in run.stderr


def test_a_policy_that_is_wrong_is_an_error(project):
    project.inventory({"h1": {}})
    project.write("precheck.yml", policy(rule(ALWAYS)).replace("rules", "ruls"))
    run = project.run("ansible-precheck", "rules", "h1")
    assert (run.rc, run.stdout) == (1, "")
    assert is_printed("unknown key 'ruls'", run.stderr)


SECRET = "opensesame"


def prepare_vault(project, **files):
    """Give the project a host, a password, and vaulted files."""
    project.inventory({"h1": {"x": SECRET}})
    project.write("password", "a password\n")
    for name, text in files.items():
        project.write(f"{name}.yml", vaulted(text).decode())


@pytest.mark.claims(
    "What a vaulted policy checks is neither printed nor in a report: the lines of its checks stand"
    " for commands, paths and conditions."
)
@pytest.mark.parametrize("when", [f"x == '{SECRET}'", "y == 1", "ansible_check_mode", "x == 1"])
def test_nothing_of_a_vaulted_policy_is_shown(project, when):
    checks = [
        {"path": "/opensesame/{{ x }}"},
        {"command": "echo opensesame {{ x }}", "name": "door"},
        {"that": "x == 'opensesame'"},
    ]
    prepare_vault(project, precheck=policy(rule(*checks, when=when)))
    run = project.run("ansible-precheck", "rules", "h1", *PASSWORD)
    assert (run.rc, SECRET in run.output, when in run.output) == (0, False, False), run.output
    shown = only_rule(project, "h1", *PASSWORD)
    assert shown["applies"] is {"y": None, "a": None}.get(when[0], when != "x == 1")
    assert shown["when"] == ["a vaulted condition"]
    assert bool(shown["reason"]) != bool(shown["applies"])
    assert shown["reason"].endswith("a vaulted condition" if shown["reason"] else "")
    assert {check["text"] for check in shown["checks"]} <= {""}
    labels = [check["label"] for check in shown["checks"]]
    assert labels in ([], ["path at line 2", "door", "condition at line 2"])
    assert project.run("ansible-precheck", "rules", "h1").rc == 1


def test_variables_of_a_vaulted_policy_are_not_shown(project):
    """Nor if the rule, or the file with it, is in no vault."""
    prepare_vault(project, vars=f"extends: base.yml\nvars: {{y: {SECRET}}}\n")
    base = policy(rule({"command": "a {{ y }}"}, name="a"), rule({"path": "/{{ y }}"}, name="b"))
    project.write("base.yml", "vars: {y: 1}\n" + base)
    own = policy(rule({"command": "c {{ y }}"}, name="c", plays=[{"play": "x"}]))
    project.write("precheck.yml", "extends: vars.yml\n" + own)
    rules = listed(project, "h1", *PASSWORD)["h1"]
    assert [texts(one) for one in rules] == [
        [("a {{ y }}", "")],
        [("/{{ y }}", "")],
        [("c {{ y }}", "")],
    ]
    project.write("precheck.yml", "extends: base.yml\n" + own)
    rules = listed(project, "h1", *PASSWORD)["h1"]
    assert [texts(one)[0][0] for one in rules] == ["a 1", "/1", "c 1"]


@pytest.mark.claims(
    "Precheck does not print the value of a variable unless the policy includes it by a template."
)
def test_values_are_shown_only_where_the_policy_has_templates(project):
    project.inventory({"h1": {"x": SECRET, "y": "{{ x }}", "z": 1}})
    checks = [{"command": "a {{ z }}"}, {"that": "x != y"}, {"path": "/{{ x.nothing }}"}]
    project.write("precheck.yml", policy(rule(*checks, when=["y | length > z", "x == y + 1"])))
    run = project.run("ansible-precheck", "rules", "h1", "--format", "json")
    assert (run.rc, SECRET in run.output) == (0, False), run.output
    assert "a 1" in run.stdout


def test_no_values_are_shown_where_the_configuration_says_no_log(project):
    prepare_vault(project)
    project.write("precheck.yml", policy(rule({"command": "a {{ x }}"})))
    assert texts(only_rule(project, "h1")) == [(f"a {SECRET}", "")]
    project.configure("none", "no_log = true")
    assert texts(only_rule(project, "h1")) == [("a {{ x }}", "")]


POLICY = """
rules:
  - name: pigsty-node
    plays: [{playbook: "pgsql*.yml"}, {role: pgsql}]
    when: pg_cluster is defined
    checks:
      - {path: "/pg/{{ pg_version }}", owner: postgres}
      - {command: sudo -n true, become: true}
    waiver: forbidden
  - name: tuned
    plays: [{play: "Tune *"}]
    when: pg_role != 'offline'
    checks: [{name: profile, command: "tuned-adm verify {{ tuned_profile }}"}]
    severity: warn
"""


@pytest.mark.one_release
def test_the_document_shows_what_the_command_prints(project):
    in_cluster = {"pg_cluster": "pg", "pg_version": 17}
    project.inventory(
        {
            "infra-1": {"pg_role": ""},
            "pg-1": {**in_cluster, "pg_role": "primary"},
            "pg-2": {**in_cluster, "pg_role": "replica"},
            "pg-3": {**in_cluster, "pg_role": "offline"},
        }
    )
    project.write("precheck.yml", POLICY.removeprefix("\n"))
    section = (REPOSITORY / "docs/explain.md").read_text().split("\n## Rules of hosts\n")[1]
    command, output = re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```", section)[0]
    run = project.run(*command.split())
    printed = run.stdout.replace(str(project.directory), "/srv/pigsty")
    assert printed.split() == output.split()
