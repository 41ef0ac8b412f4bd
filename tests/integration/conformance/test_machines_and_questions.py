# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A verdict is used again only for the same machine, reached in the same way, and question."""

from __future__ import annotations

import pytest

from support.output import is_printed
from support.plays import play
from support.policies import policy, rule

NOTHING = "- ansible.builtin.debug:"
TOUCH = "- ansible.builtin.file: {path: '{{ precheck_root }}/%s', state: touch, mode: '0644'}"


def stopped_for_the_second(project, run, before: str = "first") -> None:
    """Assert that the second play of pgsql.yml did nothing, as h1 was not ready for it."""
    assert run.rc == 2, run.output
    assert is_printed(f'PRECHECK stopped the run before play "{before}"', run.stderr)
    assert ("is not ready for play" in run.stderr) == (before == "first")
    assert run.stdout.count("TASK [Precheck") == 2
    assert not list(project.directory.glob("*/second"))


def two_plays(project, first: str = "", second: str = "", between: str = NOTHING) -> None:
    """Write a playbook of two plays with these keywords. Tasks ``between`` end the first one."""
    project.write(
        "pgsql.yml",
        play(tasks=between, keywords=first, name="first")
        + play(tasks=TOUCH % "second", keywords=second, name="second"),
    )


def test_a_play_with_a_local_connection_says_nothing_about_the_nodes(guarded, nodes):
    nodes.reset()
    root = f"vars: {{precheck_root: '{guarded.directory}/control'}}"
    guarded.write("control/etc/pki/ca.crt", "")
    hosts = nodes.hosts()
    for host in hosts.values():
        host.pop("ansible_connection", None)
    guarded.inventory(hosts)
    guarded.write(
        "pgsql.yml",
        play(tasks=NOTHING, keywords=f"connection: local\n{root}", name="first")
        + play(keywords=root, name="second"),
    )
    run = guarded.run("pgsql.yml")
    assert run.rc == 2, run.output
    assert is_printed('PRECHECK stopped the run before play "first"', run.stderr)
    assert is_printed('5 of 5 hosts are not ready for play "second"', run.stderr)
    assert nodes.having("pki/witness") == ""


def test_another_address_is_another_machine(guarded, nodes):
    nodes.reset(ready="n1")
    guarded.inventory({"db": nodes.host("n1")})
    there = f"vars: {{ansible_host: {nodes.host('n2')['ansible_host']}}}"
    guarded.write(
        "pgsql.yml",
        play(tasks=NOTHING, name="first") + play(keywords=there, name="second"),
    )
    run = guarded.run("pgsql.yml")
    assert run.rc == 2, run.output
    assert is_printed('1 of 1 host is not ready for play "second"', run.stderr)
    assert nodes.having("pki/witness") == ""
    nodes.reset(ready="n1 n2")
    run = guarded.run("pgsql.yml", "pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [Precheck") == 2  # each machine once
    assert nodes.having("pki/witness") == "n2"


OTHER_ROOTS = {  # keywords of the first and of the second play, and tasks between
    "variables of the play": ("", "vars: {precheck_root: '{{ playbook_dir }}/other'}", NOTHING),
    "add_host": (
        "",
        "",
        "- ansible.builtin.add_host: {name: h1, precheck_root: '{{ playbook_dir }}/other'}",
    ),
    "set_fact": (
        "",
        "",
        "- ansible.builtin.set_fact: {precheck_root: '{{ playbook_dir }}/other'}",
    ),
    "a variable of a variable": (
        "vars: {precheck_root: '{{ playbook_dir }}/{{ which }}', which: h1}",
        "vars: {precheck_root: '{{ playbook_dir }}/{{ which }}', which: other}",
        NOTHING,
    ),
}


@pytest.mark.parametrize(("first", "second", "between"), OTHER_ROOTS.values(), ids=OTHER_ROOTS)
def test_another_root_is_another_question(guarded, first, second, between):
    guarded.local_hosts(ready="h1")
    two_plays(guarded, first, second, between)
    before = "first" if between == NOTHING else "second"
    stopped_for_the_second(guarded, guarded.run("pgsql.yml"), before)


@pytest.mark.parametrize(
    ("keyword", "checks"),
    [
        ("port: 2", 2),
        ("remote_user: other", 2),
        ("vars: {ansible_shell_executable: /bin/bash}", 2),
        ("vars: {ansible_remote_tmp: /var/tmp}", 1),
        ("become: true", 1),
    ],
)
def test_a_host_is_checked_again_where_it_is_reached_otherwise(guarded, keyword, checks):
    guarded.local_hosts(ready="h1")
    two_plays(guarded, second=keyword)
    run = guarded.run("pgsql.yml")
    assert run.stdout.count("TASK [Precheck") == checks, run.output


@pytest.mark.parametrize("become", [False, True])
def test_the_user_of_become_counts_where_a_check_becomes(guarded, become):
    guarded.local_hosts(ready="h1")
    guarded.write("precheck.yml", policy(rule({"command": "true", "become": become})))
    guarded.script("sudo", '#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@"\n')
    sudo = f"ansible_become_exe: {guarded.directory}/sudo"
    two_plays(
        guarded,
        f"vars: {{{sudo}, ansible_become_user: root}}",
        f"vars: {{{sudo}, ansible_become_user: other}}",
    )
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [Precheck") == (2 if become else 1)


QUESTIONS = {  # a check on the variable x, which is 1 in the first play and 2 in the second
    "path": {"path": "/etc/pki/{{ 'ca.crt' if x == 1 else 'other.crt' }}"},
    "command": {"command": "test {{ x }} = 1"},
    "condition": {"that": "x == 1"},
    "task": {"task": {"ansible.builtin.assert": {"that": ["x == 1"]}}},
    "template of a task": {"task": {"ansible.builtin.raw": "test {{ x }} = 1"}},
    "loop of a task": {"task": {"ansible.builtin.raw": "test {{ item }} = 1", "loop": ["{{ x }}"]}},
    "lookup of a task": {"task": {"ansible.builtin.raw": "test {{ lookup('vars', 'x') }} = 1"}},
}


@pytest.mark.parametrize("check", QUESTIONS.values(), ids=QUESTIONS)
def test_a_host_is_checked_again_for_another_question(guarded, check):
    guarded.local_hosts(ready="h1")
    guarded.write("precheck.yml", policy(rule(check)))
    two_plays(guarded, "vars: {x: 1}", "vars: {x: 2}")
    before = "second" if "lookup" in str(check) else "first"
    stopped_for_the_second(guarded, guarded.run("pgsql.yml"), before)
    two_plays(guarded, "vars: {x: 1, y: 1}", "vars: {x: 1, y: 2}")
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [Precheck") == (2 if "lookup" in str(check) else 1)


def test_a_delegated_task_is_asked_again_of_another_machine(guarded):
    guarded.local_hosts(ready="h1 h2")
    guarded.write(
        "precheck.yml",
        policy(rule({"task": {"ansible.builtin.raw": "true", "delegate_to": "{{ other }}"}})),
    )
    two_plays(guarded, "vars: {other: h1}", "vars: {other: h2}")
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [Precheck") == 2
    two_plays(guarded, "vars: {other: h1}", "vars: {other: h1}")
    assert guarded.run("pgsql.yml").stdout.count("TASK [Precheck") == 1


def test_the_condition_of_a_rule_is_evaluated_anew_at_each_play(guarded):
    guarded.local_hosts(missing="h1")
    guarded.write("precheck.yml", policy(rule({"path": "/etc/pki/ca.crt"}, when="x == 2")))
    two_plays(guarded, "vars: {x: 1}", "vars: {x: 2}")
    run = guarded.run("pgsql.yml")
    assert run.rc == 2, run.output
    assert is_printed('1 of 1 host is not ready for play "second"', run.stderr)


def test_explain_shows_that_a_host_is_checked_again(guarded):
    guarded.local_hosts(ready="h1")
    two_plays(guarded, "", "vars: {precheck_root: '{{ playbook_dir }}/other'}")
    run = guarded.run("ansible-precheck", "explain", "pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("checked   h1") == 2, run.stdout
    two_plays(guarded)
    run = guarded.run("ansible-precheck", "explain", "pgsql.yml")
    assert is_printed("checked already", run.stdout)
