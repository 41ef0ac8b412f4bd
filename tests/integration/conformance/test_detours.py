# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tasks that go to another machine than that of their host: it is checked, if that is literal."""

from __future__ import annotations

import pytest

from support.nodes import ADDRESSES
from support.output import is_printed
from support.plays import WITNESS, play
from support.policies import policy, rule

THERE = ADDRESSES["n2"]

DETOURS = {
    "variables of a task": play(tasks=f"- {WITNESS}\n  vars: {{ansible_host: {THERE}}}"),
    "variables of a block": play(
        tasks=f"- vars: {{ansible_host: {THERE}}}\n  block:\n    - {WITNESS}"
    ),
    "variables of an import": play(
        tasks=f"- ansible.builtin.import_tasks: more.yml\n  vars: {{ansible_host: {THERE}}}"
    ),
    "parameters of a role": (
        f"- hosts: all\n  gather_facts: false\n  roles: [{{role: more, ansible_host: {THERE}}}]\n"
    ),
    "a connection of its own": play(
        tasks=f"- {WITNESS}\n  connection: ssh\n  vars: {{ansible_host: {THERE}}}",
        keywords="connection: local\nvars: {precheck_root: '{{ playbook_dir }}/control'}",
    ),
}


@pytest.fixture
def one_node(guarded, nodes):
    """A project with the host db, which is the node n1. It is ready, and n2 is not."""
    nodes.reset(ready="n1")
    guarded.inventory({"db": nodes.host("n1")})
    guarded.write("control/etc/pki/ca.crt", "")
    guarded.write("more.yml", f"- {WITNESS}\n")
    guarded.write("roles/more/tasks/main.yml", f"- {WITNESS}\n")
    return guarded


@pytest.mark.parametrize("text", DETOURS.values(), ids=DETOURS)
def test_the_machine_that_a_task_goes_to_is_checked_like_a_host(one_node, nodes, text):
    one_node.write("pgsql.yml", text)
    run = one_node.run("pgsql.yml")
    assert run.rc == 2, run.output
    assert is_printed("1 of 1 host is not ready", run.stderr)
    assert is_printed(f"with ansible_host: {THERE}", run.stderr.replace("connection: ssh, ", ""))
    assert nodes.having("pki/witness") == ""
    nodes.reset(ready="n1 n2")
    run = one_node.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [Precheck pigsty-node") == 2
    assert nodes.having("pki/witness") == "n2"


def test_a_play_with_a_detour_is_another_question_than_one_without(one_node, nodes):
    one_node.write("pgsql.yml", play() + DETOURS["variables of a task"])
    run = one_node.run("pgsql.yml")
    assert run.rc == 2, run.output
    assert nodes.having("pki/witness") == ""


def test_the_facts_of_the_machine_that_a_task_goes_to_are_its_own(one_node, nodes):
    one_node.write("pgsql.yml", DETOURS["variables of a task"])
    address = "ansible_facts.env.SSH_CONNECTION.split()[2]"
    here = {"that": f"{address} == '{ADDRESSES['n1']}'", "name": "here"}
    one_node.write("precheck.yml", policy(rule(here, facts="env")))
    run = one_node.run("pgsql.yml")
    assert run.rc == 2, run.output
    assert is_printed(f"not ready: with ansible_host: {THERE}", run.stderr)
    assert nodes.having("pki/witness") == ""
    either = {"that": f"{address} in {[ADDRESSES['n1'], THERE]}"}
    one_node.write("precheck.yml", policy(rule(either, facts="env")))
    run = one_node.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [Precheck facts") == 2
    assert nodes.having("pki/witness") == "n2"


NOT_CHECKED = {  # a task
    "the control node": "- ansible.builtin.raw: 'true'\n  connection: local",
    "a delegated task": (f"- {WITNESS}\n  delegate_to: other\n  vars: {{ansible_host: {THERE}}}"),
    "a template": f"- {WITNESS}\n  vars: {{ansible_host: '{{{{ there }}}}', there: {THERE}}}",
    "a fact": f"- ansible.builtin.set_fact: {{ansible_host: {THERE}}}\n- {WITNESS}",
    "a variable that is no address": f"- {WITNESS}\n  vars: {{ansible_ssh_timeout: 20}}",
}


@pytest.mark.parametrize("tasks", NOT_CHECKED.values(), ids=NOT_CHECKED)
def test_other_tasks_are_not_checked_elsewhere(one_node, nodes, tasks):
    one_node.inventory({"db": nodes.host("n1"), "other": nodes.host("n2")})
    one_node.write("pgsql.yml", play("db", tasks))
    run = one_node.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [Precheck pigsty-node") == 1
