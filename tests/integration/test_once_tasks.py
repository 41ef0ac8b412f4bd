# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks of the kind ``task`` with ``once``: they run once for the play, and see no host."""

from __future__ import annotations

import pytest

from support.output import reasons
from support.policies import policy, rule
from support.project import LOCAL_HOST, UNREACHABLE_HOST

PLAY = """
- name: Covered
  hosts: all
  gather_facts: false
  serial: 1
  vars: {of_play: "{{ of_run | default('play') }}"}
  tasks:
    - ansible.builtin.raw: touch {{ playbook_dir }}/witness
"""


@pytest.fixture
def covered(guarded):
    """A project of which no host is reachable but the last."""
    guarded.write("site.yml", PLAY)
    hosts = {"h1": UNREACHABLE_HOST, "h2": UNREACHABLE_HOST, "h3": LOCAL_HOST}
    guarded.inventory({name: own | {"of_host": name} for name, own in hosts.items()})
    return guarded


def counting(project, text="", **keys):
    """Return a check that adds a line to a file, where it runs."""
    command = f"echo '{text}' {{{{ of_play }}}} >> {project.directory}/runs"
    task = {"ansible.builtin.shell": command, **keys.pop("task", {})}
    return {"task": task, "once": True, **keys}


def runs(project):
    path = project.directory / "runs"
    return path.read_text().splitlines() if path.exists() else []


def test_it_runs_once_on_the_control_node(covered):
    """With the variables of the play and the command line, and of no host."""
    variables = {"text": "{{ of_host | default('no host') }} {{ ansible_play_hosts_all | length }}"}
    check = counting(covered, "{{ text }}", task={"vars": variables})
    covered.write("precheck.yml", policy(rule(check, name="a"), rule(check, name="b", when="true")))
    run = covered.run("site.yml", "-e", "of_run=run")
    assert runs(covered) == ["no host 3 run"] * 2, run.output
    # Nothing else was asked of the hosts: the play itself fails on them.
    assert "PRECHECK" not in run.stderr
    assert run.stderr.count("the checks that run once passed") == 2
    passing = rule(check, {"that": True}, name="a", check_every="batch")
    covered.write("precheck.yml", policy(passing))
    (covered.directory / "runs").unlink()
    covered.inventory(dict.fromkeys(("h1", "h2", "h3"), LOCAL_HOST))
    assert covered.run("site.yml").rc == 0
    assert len(runs(covered)) == 3


def test_it_runs_where_it_is_delegated_to(covered):
    text = "{{ ansible_delegated_vars | default({}) | length }}"
    delegated = counting(covered, text, task={"delegate_to": "h3"})
    covered.write("precheck.yml", policy(rule(delegated)))
    covered.run("site.yml")
    assert len(runs(covered)) == 1
    elsewhere = counting(covered, task={"delegate_to": "h1"}, name="elsewhere")
    covered.write("precheck.yml", policy(rule(elsewhere)))
    run = covered.run("site.yml")
    assert run.rc == 2, run.output
    assert "elsewhere: unreachable: " in run.stderr
    assert not (covered.directory / "witness").exists()


def test_it_stops_the_run_if_it_fails(covered):
    failing = {"ansible.builtin.fail": {"msg": "no ticket {{ of_play }}"}}
    message = "pass -e change=NUMBER to {{ precheck_play }}: {{ precheck_result.msg }}"
    checks = [
        {"task": failing, "once": True, "name": "ticket"},
        {"task": failing, "once": True, "message": message},
        {"task": {"ansible.builtin.debug": {"msg": "{{ of_host }}"}}, "once": True, "name": "host"},
        {"that": "of_play == 'x'", "once": True},
    ]
    covered.write("precheck.yml", policy(rule(*checks, remedy="./fix {{ precheck_limit }}")))
    run = covered.run("site.yml")
    assert run.rc == 2, run.output
    assert not (covered.directory / "witness").exists()
    for text in (
        "of_play == 'x' does not hold",
        "ticket: no ticket play",
        "pass -e change=NUMBER to Covered: no ticket play",
        "host: ",
        "    ./fix h1,h2,h3\n",
    ):
        assert text in run.stderr, text
    assert reasons(run) == {}
    assert "Nothing was changed" in run.stderr


def test_one_that_only_warns_lets_all_hosts_go_on(covered):
    covered.inventory(dict.fromkeys(("h1", "h2"), LOCAL_HOST))
    failing = {"task": {"ansible.builtin.fail": {"msg": "no ticket"}}, "once": True}
    covered.write("precheck.yml", policy(rule(failing, severity="warn")))
    run = covered.run("site.yml")
    assert run.rc == 0, run.output
    assert "no ticket" in run.stderr
    assert run.stdout.count("changed=1") == 2
