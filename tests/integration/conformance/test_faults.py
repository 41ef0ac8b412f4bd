# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host that cannot be asked is never treated as ready, and does not hang the run."""

from __future__ import annotations

import time

import pytest
from nodes import ADDRESSES, MUTE, STOPPED

PLAY = """
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  {keywords}
  tasks:
    - ansible.builtin.raw: touch /etc/pki/witness
"""


@pytest.fixture
def playbook(guarded):
    guarded.write("pgsql.yml", PLAY.format(keywords=""))
    return guarded


def stopped_with(run, nodes, *lines):
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    for line in lines:
        assert line in run.stderr


@pytest.mark.parametrize("address", [STOPPED, MUTE])
def test_a_node_that_is_down_or_mute_at_connecting(playbook, nodes, address):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    playbook.inventory({name: nodes.host(name) for name in ADDRESSES} | {"n9": nodes.host("n9", address)})
    playbook.write("pgsql.yml", PLAY.format(keywords="serial: 2"))  # the node is in the last batch
    begin = time.monotonic()
    run = playbook.run("pgsql.yml", "--timeout", "3")
    assert time.monotonic() - begin < 60
    reason = "Connection refused" if address == STOPPED else "timed out"
    stopped_with(run, nodes, "  n9  unverified: unreachable: ", reason, "1 of 6 hosts is not ready", "./node.yml -l n9\n")
    assert run.stdout.count("PLAY [") == 1


def test_a_node_that_never_answers(playbook, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    nodes.path("n4", "hang").touch()
    begin = time.monotonic()
    run = playbook.run("pgsql.yml", env={"ANSIBLE_TASK_TIMEOUT": "10"})
    assert time.monotonic() - begin < 60
    stopped_with(run, nodes, "  n4  unverified: timed out: no answer within 10 s\n", "./node.yml -l n4\n")


@pytest.mark.one_release
def test_the_time_limit_is_30_seconds(project, nodes):
    """Whatever the play allows its own tasks."""
    project.configure("callback")
    nodes.reset(ready="n1 n2 n3 n4 n5")
    nodes.path("n4", "hang").touch()
    project.write("pgsql.yml", PLAY.format(keywords="timeout: 120"))
    begin = time.monotonic()
    run = project.run("pgsql.yml")
    assert 28 < time.monotonic() - begin < 50
    stopped_with(run, nodes, "  n4  unverified: timed out: no answer within 30 s\n")


def test_a_node_that_goes_down_between_two_plays(guarded, nodes):
    """It was verified; that it cannot be reached any more is for the play's own tasks to tell."""
    nodes.reset(ready="n1 n2 n3 n4 n5")
    guarded.write(
        "pgsql.yml",
        PLAY.format(keywords="")
        + """
- hosts: localhost
  connection: local
  gather_facts: false
  tags: no_precheck
  tasks:
    - ansible.builtin.file: {path: "{{ hang }}", state: touch}
"""
        + PLAY.format(keywords="timeout: 10"),
    )
    run = guarded.run("pgsql.yml", "-e", f"hang={nodes.path('n4', 'hang')}", env={"ANSIBLE_TASK_TIMEOUT": "10"})
    assert run.rc == 2
    assert "PRECHECK" not in run.stderr
    assert run.stdout.count("TASK [Precheck") == 1


def test_permission_denied_on_the_way_is_not_missing(playbook, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    nodes.path("n2", "nobody").touch()
    nodes.path("n2", "pki").chmod(0o700)
    hosts = {name: nodes.host(name) for name in ADDRESSES}
    hosts["n2"]["ansible_python_interpreter"] = "/usr/bin/python3"  # the tests' own may be in a closed folder
    playbook.inventory(hosts)
    run = playbook.run("pgsql.yml")
    stopped_with(run, nodes, "  n2  unverified: cannot tell whether /etc/pki/ca.crt is there: Permission denied")


def test_a_node_without_working_sudo_is_reported_as_not_ready(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n5")
    guarded.write("pgsql.yml", PLAY.format(keywords="become: true\n  become_method: sudo"))
    run = guarded.run(
        "pgsql.yml", "-e", "ansible_become_exe=/nowhere/sudo ansible_become=true ansible_become_user=nobody", "--become"
    )
    stopped_with(run, nodes, "  n4  not ready: /etc/pki/ca.crt is missing\n", "./node.yml -l n4\n")


def test_no_python_is_needed_to_pass(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    hosts = {name: nodes.host(name) | {"ansible_python_interpreter": "/nowhere/python"} for name in ADDRESSES}
    guarded.inventory(hosts)
    guarded.write("pgsql.yml", PLAY.format(keywords=""))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"

    nodes.reset(ready="n1 n2 n4 n5")
    run = guarded.run("pgsql.yml")
    stopped_with(run, nodes, "  n3  not ready: /etc/pki/ca.crt is missing (as far as its shell can tell)\n", "./node.yml -l n3\n")


def test_a_check_that_fails_inside_is_unverified(guarded, nodes):
    """An undefined variable in the connection's own settings, say."""
    nodes.reset(ready="n1 n2 n3 n4 n5")
    guarded.inventory({name: nodes.host(name) for name in ADDRESSES} | {"n9": {"ansible_host": "{{ nowhere_defined }}"}})
    guarded.write("pgsql.yml", PLAY.format(keywords=""))
    run = guarded.run("pgsql.yml")
    stopped_with(run, nodes, "  n9  unverified: ", "nowhere_defined")


def test_an_error_inside_the_guard_stops_the_run(guarded, nodes):
    """Here a part of it is broken from outside, as a stand-in for what no one foresaw."""
    nodes.reset(ready="n1 n2 n3 n4 n5")
    guarded.write("pgsql.yml", PLAY.format(keywords=""))
    guarded.write(
        "callbacks/breaking.py",
        """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'breaking'
    def v2_playbook_on_start(self, playbook):
        def broken(*args):
            raise RuntimeError('out of order')
        from ansible_collections.precheck.guard.plugins.plugin_utils import guard
        guard.covering = broken
""",
    )
    guarded.configure(guarded.door, more="callback_plugins = callbacks")
    run = guarded.run("pgsql.yml")
    assert run.rc != 0
    assert nodes.having("pki/witness") == ""
    assert f"Precheck could not check the play at {guarded.folder}/pgsql.yml:2, so nothing of it was run" in run.stderr
    assert "out of order" in run.stderr


def test_the_callback_stops_the_run_when_it_cannot_install_the_guard(project, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    project.write("pgsql.yml", PLAY.format(keywords=""))
    project.write(
        "callbacks/breaking.py",
        """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'breaking'
    def v2_playbook_on_start(self, playbook):
        import sys
        sys.modules['ansible.plugins.strategy.linear'] = None  # as if a later ansible-core had none
""",
    )
    project.configure("callback", more="callback_plugins = callbacks")
    run = project.run("pgsql.yml")
    assert run.rc == 1
    assert nodes.having("pki/witness") == ""
    assert run.stderr.count("Precheck could not guard the play 'Set up PostgreSQL', so it was not run") == 1
