# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which plays are guarded, and which of their hosts are checked when."""

from __future__ import annotations

import json

import pytest
from ansible.release import __version__

from support.nodes import ADDRESSES
from support.plays import WITNESS, play
from support.policies import policy, rule
from support.project import IS_2_10


def role(project, name: str, tasks: str = f"- {WITNESS}") -> None:
    """Give the project a role with these tasks."""
    project.write(f"roles/{name}/tasks/main.yml", tasks + "\n")


def test_checks_come_before_fact_gathering_and_argument_validation(guarded, nodes):
    role(guarded, "pgsql")
    guarded.write(
        "roles/pgsql/meta/argument_specs.yml",
        "argument_specs: {main: {options: {needed: {required: true}}}}",
    )
    guarded.write("play.yml", "- hosts: all\n  gather_facts: true\n  roles: [pgsql]\n")
    run = guarded.run("play.yml")
    assert run.rc == 2
    assert run.stdout.count("TASK [") == 1
    assert "TASK [Precheck pigsty-node]" in run.stdout
    for name in ("n1", "n5"):
        assert "setup" not in nodes.commands(name)


def test_a_play_is_known_by_the_file_it_is_written_in(guarded, nodes):
    guarded.write("pgsql-db.yml", play())
    guarded.write("deeper/site.yml", "- import_playbook: ../pgsql-db.yml\n")
    guarded.write("all.yml", "- import_playbook: deeper/site.yml\n")
    run = guarded.run("all.yml")
    assert run.rc == 2
    assert f"{guarded.directory}/pgsql-db.yml:1)" in run.stderr
    assert nodes.having("pki/witness") == ""


@pytest.mark.one_release
def test_a_link_is_covered_by_both_its_names(guarded, nodes):
    guarded.write("pgsql.yml", play())
    (guarded.directory / "harmless.yml").symlink_to("pgsql.yml")
    assert guarded.run("harmless.yml").rc == 2
    guarded.write("harmless2.yml", play())
    (guarded.directory / "pg-db.yml").symlink_to("harmless2.yml")
    assert guarded.run("pg-db.yml").rc == 2
    assert nodes.having("pki/witness") == ""


TEMPLATED_TAGS = {  # the tags of the play, those of its import, and what a run may select besides
    "a text": ("'{{ kind }}'", "[]", ()),
    "in a list": ("[other, '{{ kind }}']", "[]", ()),
    "a list in a list": ("[other, '{{ kinds }}']", "[]", ()),
    "of an import": ("[]", "'{{ kind }}'", ("-e", "kind=db")),
    "with tags": ("'{{ kind }}'", "[]", ("--tags", "all,other")),
    "checks only": ("'{{ kind }}'", "[]", ("--tags", "precheck")),
}


PLAYS_IN_JSON = {
    "without a name": {},
    "named like its hosts": {"name": "h1"},
    "with a list of hosts": {"hosts": ["h1", "h2"]},
    "with user": {"user": "root"},
}


@pytest.mark.each_release
@pytest.mark.parametrize("keys", PLAYS_IN_JSON.values(), ids=PLAYS_IN_JSON)
def test_a_play_in_json_is_known_by_its_file(guarded, keys):
    """Until 2.18 ansible-core does not know that, and it changes what it has read."""
    guarded.local_hosts(missing="h1 h2")
    tasks = [{"ansible.builtin.debug": {"msg": "ran"}}]
    guarded.write(
        "pgsql.yml", json.dumps([{"hosts": "h1", "gather_facts": False, "tasks": tasks} | keys])
    )
    run = guarded.run("pgsql.yml")
    assert run.rc == 2, run.output
    assert '"ran"' not in run.stdout


@pytest.mark.each_release
@pytest.mark.parametrize(
    ("of_play", "of_import", "options"), TEMPLATED_TAGS.values(), ids=TEMPLATED_TAGS
)
def test_a_tag_may_be_a_template(guarded, nodes, of_play, of_import, options):
    marker = rule({"path": "/etc/pki/ca.crt"}, covers={"tag": "db"})
    guarded.write("precheck.yml", policy(marker))
    variables = "vars: {kind: db, kinds: [x, db]}"
    guarded.write("play.yml", play(keywords=f"tags: {of_play}\n{variables}"))
    guarded.write("site.yml", f"- import_playbook: play.yml\n  tags: {of_import}\n")
    run = guarded.run("site.yml", *options)
    assert run.rc == 2
    assert "Rule only: 5 of 5 hosts are not ready" in run.stderr
    assert nodes.having("pki/witness") == ""


ROLES = {
    "roles": "- hosts: all\n  gather_facts: false\n  roles: [{role: postgresql}]\n",
    "path": "- hosts: all\n  gather_facts: false\n  roles: [{role: roles/postgresql}]\n",
    "import_role": play(tasks="- ansible.builtin.import_role: {name: postgresql}"),
    "include_role": play(tasks="- ansible.builtin.include_role: {name: postgresql}"),
    "in a block": play(tasks="- block:\n    - ansible.builtin.include_role: {name: postgresql}"),
    "dependency": "- hosts: all\n  gather_facts: false\n  roles: [cluster]\n",
}


@pytest.mark.parametrize("text", ROLES.values(), ids=ROLES)
def test_a_play_is_covered_by_a_role_however_it_is_included(guarded, nodes, text):
    role(guarded, "postgresql")
    role(guarded, "cluster", "- ansible.builtin.debug:")
    guarded.write("roles/cluster/meta/main.yml", "dependencies: [postgresql]")
    guarded.write("play.yml", text)
    run = guarded.run("play.yml")
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""


def test_a_play_is_covered_by_a_role_of_a_collection(guarded, nodes):
    guarded.write(
        "collections/ansible_collections/acme/db/roles/pgsql/tasks/main.yml", f"- {WITNESS}\n"
    )
    guarded.write("play.yml", "- hosts: all\n  gather_facts: false\n  roles: [acme.db.pgsql]\n")
    assert guarded.run("play.yml").rc == 2
    assert nodes.having("pki/witness") == ""


def test_all_hosts_of_the_play_within_the_limit_are_checked(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write("pgsql.yml", play(keywords="serial: 1"))
    run = guarded.run("pgsql.yml", "--limit", "n1,n3,n4")
    assert run.rc == 0
    assert run.stdout.count("TASK [Precheck") == 1
    assert nodes.having("pki/witness") == "n1 n3 n4"
    assert nodes.commands("n2") == nodes.commands("n5") == ""
    run = guarded.run("pgsql.yml", "--limit", "n1,n5")
    assert run.rc == 2
    assert "1 of 2 hosts is not ready" in run.stderr


@pytest.mark.claims(
    "A host is checked once per rule, before the first of its plays that the rule covers, or before"
    " an earlier play."
)
def test_a_host_is_checked_once_by_each_rule(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    nothing = "- ansible.builtin.debug:"
    guarded.write(
        "pgsql.yml",
        play("n1,n2", nothing) + play("n1,n2,n3", nothing, "serial: 1") + play("all", nothing),
    )
    run = guarded.run("pgsql.yml", "pgsql.yml")
    assert run.rc == 0
    assert run.stdout.count("TASK [Precheck") == 3
    for name in ("n1", "n2", "n3", "n4", "n5"):
        assert len(nodes.commands(name).splitlines()) == 1, nodes.commands(name)


def test_hosts_that_failed_before_are_not_checked(guarded, nodes):
    nodes.reset(ready="n2 n3 n4 n5")
    nodes.path("n2", "hang").touch()
    fail = (
        "- ansible.builtin.fail:\n  when: inventory_hostname == 'n1'\n"
        "- ansible.builtin.raw: 'true'\n  timeout: 10"
    )
    guarded.write("pgsql.yml", play(tasks=fail, keywords="tags: no_precheck") + play())
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert "PRECHECK stopped" not in run.stderr
    assert nodes.having("pki/witness") == "n3 n4 n5"
    assert nodes.commands("n1") == ""


LEADING = """
- meta: end_host
  when: pg_cluster is not defined
"""


@pytest.fixture
def clustered(guarded, nodes):
    """A project in which n1 and n2 are in a cluster and ready, and the others neither."""
    guarded.inventory(nodes.hosts_with_a_cluster())
    nodes.reset(ready="n1 n2")
    return guarded


@pytest.mark.parametrize(
    ("strategy", "keywords", "facts"),
    [
        pytest.param("linear", "", "false", marks=pytest.mark.each_release),
        ("linear", "serial: 2", "false"),
        ("linear", "force_handlers: true", "false"),
        ("free", "", "false"),
        ("free", "", "true"),
    ],
    ids=["linear", "linear in batches", "forced handlers", "free", "free with facts"],
)
def test_hosts_that_leading_meta_tasks_end_are_not_checked(
    clustered, nodes, strategy, keywords, facts
):
    keywords = f"{keywords}\nstrategy: {clustered.strategy(strategy)}".strip()
    clustered.write(
        "pgsql.yml", play(tasks=LEADING.strip() + f"\n- {WITNESS}", keywords=keywords, facts=facts)
    )
    run = clustered.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert nodes.having("pki/witness") == "n1 n2"
    if facts == "false":
        assert nodes.commands("n3") == ""
    nodes.reset(ready="n1")
    run = clustered.run("pgsql.yml")
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert "./node.yml -l n2\n" in run.stderr


@pytest.mark.skipif(IS_2_10, reason="in 2.10 tags leave no meta task out")
def test_a_meta_task_that_the_tags_leave_out_ends_nothing(clustered, nodes):
    clustered.write("pgsql.yml", play(tasks=LEADING.strip() + f"\n- {WITNESS}\n  tags: install"))
    run = clustered.run("pgsql.yml", "-t", "install")
    assert run.rc == 2
    assert "./node.yml -l n3,n4,n5\n" in run.stderr
    assert nodes.having("pki/witness") == ""


def test_a_meta_task_that_start_at_task_passes_over_ends_nothing(clustered, nodes):
    clustered.write("pgsql.yml", play(tasks=LEADING.strip() + f"\n- name: begin\n  {WITNESS}"))
    run = clustered.run("pgsql.yml", "--start-at-task", "begin")
    assert run.rc == 2
    assert "./node.yml -l n3,n4,n5\n" in run.stderr
    assert nodes.having("pki/witness") == ""


@pytest.mark.one_release
def test_a_condition_on_facts_is_not_guessed(guarded, nodes):
    """Before facts are gathered it holds for every host, afterwards for none."""
    condition = "- meta: end_host\n  when: ansible_facts.system | default('') != 'Linux'\n"
    guarded.write("pgsql.yml", play(tasks=condition + f"- {WITNESS}", facts="true"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert "5 of 5 hosts are not ready" in run.stderr


@pytest.mark.parametrize(
    "strategy", [pytest.param("linear", marks=pytest.mark.each_release), "free", "host_pinned"]
)
def test_a_host_that_should_have_ended_and_did_not_stops_the_run(guarded, nodes, strategy):
    """The condition does not show that it depends on facts."""
    hosts = {
        f"n{i}": nodes.host(f"n{i}")
        | {"other": "{{ ansible_facts.system | default('') != 'Linux' }}"}
        for i in range(1, 6)
    }
    guarded.inventory(hosts)
    tasks = f"- meta: end_host\n  when: other | bool\n- {WITNESS}"
    guarded.write(
        "pgsql.yml",
        play(tasks=tasks, facts="true", keywords=f"strategy: {guarded.strategy(strategy)}"),
    )
    run = guarded.run("pgsql.yml")
    assert run.rc not in (0, None)
    assert nodes.having("pki/witness") == ""
    assert "Precheck stopped the run before the task" in run.stderr
    assert "the host was not checked" in " ".join(run.stderr.split())


AND_BACK = f"- meta: clear_host_errors\n- {WITNESS}"


@pytest.fixture
def away(guarded, nodes):
    """An earlier play in which n1 is unreachable. n1 is not ready either."""
    nodes.reset(ready="n2 n3 n4 n5")
    guarded.inventory(
        {name: nodes.host(name) | {"ansible_port": "{{ port }}"} for name in ADDRESSES}
    )
    port = f"\"{{{{ 1 if inventory_hostname == 'n1' else {nodes.port} }}}}\""
    return play(
        tasks="- ansible.builtin.raw: 'true'", keywords=f"tags: no_precheck\nvars: {{port: {port}}}"
    )


def test_an_unreachable_host_that_comes_back_during_the_play_stops_the_run(guarded, nodes, away):
    back = play(
        tasks=f"- ansible.builtin.debug:\n{AND_BACK}", keywords=f"vars: {{port: {nodes.port}}}"
    )
    guarded.write("pgsql.yml", away + back)
    run = guarded.run("pgsql.yml", "-e", "precheck_report=report.json")
    assert run.rc not in (0, 2)
    assert not nodes.path("n1", "pki/witness").exists()
    assert "on n1: the host was not checked" in " ".join(run.stderr.split())
    report = json.loads((guarded.directory / "report.json").read_text())
    assert report["result"] == "error"
    assert "on n1: the host was not checked" in report["error"]


def test_an_unreachable_host_that_comes_back_at_once_is_checked(guarded, nodes, away):
    guarded.write(
        "pgsql.yml", away + play(tasks=AND_BACK, keywords=f"vars: {{port: {nodes.port}}}")
    )
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert "./node.yml -l n1\n" in run.stderr
    assert nodes.having("pki/witness") == ""


END_PLAYS = {  # what ends the play, the strategy, and the hosts that are checked
    "unconditional": ("- meta: end_play", "linear", ""),
    "holds for all": ("- meta: end_play\n  when: not install | default(false)", "free", ""),
    "linear evaluates it for the first host": (
        "- meta: end_play\n  when: inventory_hostname == 'n1'",
        "linear",
        "",
    ),
    "debug is linear": ("- meta: end_play\n  when: inventory_hostname == 'n1'", "debug", ""),
    "linear does not evaluate it for the others": (
        "- meta: end_play\n  when: inventory_hostname != 'n1'",
        "linear",
        "n1,n2,n3,n4,n5",
    ),
    "free does not wait": (
        "- meta: end_play\n  when: inventory_hostname == 'n1'",
        "free",
        "n1,n2,n3,n4,n5",
    ),
    "batch": ("- meta: end_batch", "linear", ""),
    "nothing": ("- meta: noop\n- meta: flush_handlers", "linear", "n1,n2,n3,n4,n5"),
}


@pytest.mark.parametrize(("meta", "strategy", "checked"), END_PLAYS.values(), ids=END_PLAYS)
def test_a_leading_end_play_that_holds_ends_the_play_unchecked(
    guarded, nodes, meta, strategy, checked
):
    if "end_batch" in meta and tuple(map(int, __version__.split(".")[:2])) < (2, 12):
        pytest.skip("end_batch came with 2.12")
    guarded.write(
        "pgsql.yml",
        play(tasks=f"{meta}\n- {WITNESS}", keywords=f"strategy: {guarded.strategy(strategy)}"),
    )
    run = guarded.run("pgsql.yml")
    assert nodes.having("pki/witness") == ""
    assert run.rc == (2 if checked else 0)
    assert (f"./node.yml -l {checked}\n" in run.stderr) == bool(checked)


@pytest.mark.one_release
def test_the_first_host_is_the_first_in_the_plays_order(guarded, nodes):
    end = "- meta: end_play\n  when: inventory_hostname == '{}'\n" + f"- {WITNESS}"
    for order, first in (("reverse_sorted", "n5"), ("sorted", "n1")):
        guarded.write("pgsql.yml", play(tasks=end.format(first), keywords=f"order: {order}"))
        assert guarded.run("pgsql.yml").rc == 0
    guarded.write("pgsql.yml", play(tasks=end.format("n1"), keywords="order: reverse_sorted"))
    assert guarded.run("pgsql.yml").rc == 2
    assert nodes.having("pki/witness") == ""


def test_the_first_host_decides_also_where_it_was_checked_before(guarded):
    guarded.local_hosts(ready="h1 h2")
    end, nothing = (
        "- meta: end_play\n  when: inventory_hostname == '{}'\n",
        "- ansible.builtin.debug:",
    )
    guarded.write("pgsql.yml", play("h1", nothing) + play("h1,h2", end.format("h1") + nothing))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0
    assert run.stdout.count("TASK [Precheck") == 1
    guarded.write("pgsql.yml", play("h1", nothing) + play("h1,h2", end.format("h2") + nothing))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [Precheck") == 2


def test_batches_that_end_batch_does_not_end_are_checked(guarded, nodes):
    guarded.write(
        "pgsql.yml",
        play(
            tasks=f"- meta: end_batch\n  when: \"'n1' in ansible_play_batch\"\n- {WITNESS}",
            keywords="serial: 2",
        ),
    )
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""


def test_a_play_without_tasks_for_the_tags_is_not_guarded(guarded, nodes):
    guarded.write(
        "pgsql.yml",
        play(
            tasks=f"- {WITNESS}\n  tags: install\n- meta: clear_facts\n  tags: always", facts="true"
        ),
    )
    assert guarded.run("pgsql.yml", "-t", "other").rc == 0
    assert guarded.run("pgsql.yml", "--skip-tags", "install").rc == 0
    assert guarded.run("pgsql.yml", "-t", "install").rc == 2


def test_the_validation_of_a_roles_arguments_is_not_a_task_of_the_play(guarded, nodes):
    """ansible-core adds it to roles with an argument specification, tagged always."""
    role(guarded, "pgsql", f"- meta: end_host\n  when: inventory_hostname != 'n1'\n- {WITNESS}")
    guarded.write("roles/pgsql/meta/argument_specs.yml", "argument_specs: {main: {options: {}}}")
    guarded.write(
        "play.yml", "- hosts: all\n  gather_facts: false\n  roles: [{role: pgsql, tags: pgsql}]\n"
    )
    assert guarded.run("play.yml", "-t", "node").rc == 0
    run = guarded.run("play.yml")
    assert run.rc == 2
    assert "./node.yml -l n1\n" in run.stderr


def test_a_play_before_the_task_to_start_at_is_not_guarded(guarded, nodes):
    guarded.write("pgsql.yml", play(tasks="- ansible.builtin.debug:\n  name: passed over"))
    guarded.write("other.yml", play(tasks=f"- name: begin\n  {WITNESS}"))
    guarded.write("site.yml", "- import_playbook: pgsql.yml\n- import_playbook: other.yml\n")
    run = guarded.run("site.yml", "--start-at-task", "begin")
    assert run.rc == 0
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"


def test_hosts_for_which_the_condition_of_an_import_is_false_are_not_checked(clustered, nodes):
    clustered.write("pgsql.yml", play())
    clustered.write("site.yml", "- import_playbook: pgsql.yml\n  when: pg_cluster is defined\n")
    run = clustered.run("site.yml")
    assert run.rc == 0
    assert nodes.having("pki/witness") == "n1 n2"
    nodes.reset(ready="n1")
    run = clustered.run("site.yml")
    assert run.rc == 2
    assert "1 of 2 hosts is not ready" in run.stderr


def test_an_import_whose_condition_becomes_true_stops_the_run(guarded, nodes):
    """n2 is not ready. n1 makes the condition true for it."""
    nodes.reset(ready="n1")
    set_for_n2 = (
        "- ansible.builtin.set_fact: {switched: true}\n  delegate_to: n2\n  delegate_facts: true\n"
    )
    guarded.write("pgsql.yml", play("n1,n2", set_for_n2 + f"- {WITNESS}"))
    guarded.write(
        "site.yml",
        "- import_playbook: pgsql.yml\n  when: inventory_hostname == 'n1' or switched is defined\n",
    )
    run = guarded.run("site.yml")
    assert run.rc not in (0, 2)
    assert nodes.having("pki/witness") in ("", "n1")
    assert "on n2: the host was not checked" in " ".join(run.stderr.split())


LOOP = f"- {WITNESS}\n  loop: [a]"
RUN_ON_N5 = {  # the tasks of the play, and the condition of its import, by which n5 has a task
    "the item": (LOOP, "item is defined"),
    "its default": (LOOP, "item | default('b') != 'b'"),
    "with_items": (f"- {WITNESS}\n  with_items: a", "item is defined"),
    "another name": (f"{LOOP}\n  loop_control: {{loop_var: other}}", "other is defined"),
    "the index": (f"{LOOP}\n  loop_control: {{index_var: index}}", "index is defined"),
    "of each loop": (LOOP, "ansible_loop_var is defined"),
    "a template": (f"{LOOP}\n  loop_control: {{loop_var: '{{{{ name }}}}'}}", "other is defined"),
    "through a variable": (LOOP, "by_item | bool"),
    "of a task": (f"- {WITNESS}\n  vars: {{mine: 1}}", "mine is defined"),
    "of a block": (f"- block: [{{{WITNESS}}}]\n  vars: {{mine: 1}}", "mine is defined"),
    "a result": (f"- ansible.builtin.debug:\n  register: r\n- {WITNESS}", "r is defined"),
}


@pytest.mark.parametrize(
    ("tasks", "condition"),
    [pytest.param(*RUN_ON_N5[kind], marks=pytest.mark.each_release, id=kind) for kind in RUN_ON_N5],
)
def test_conditions_on_variables_of_single_tasks_leave_no_host_out(
    guarded, nodes, tasks, condition
):
    """Each task evaluates the condition of the import by itself. With all hosts ready, it runs."""
    with guarded.changed_inventory() as inventory:
        inventory["vars"] |= {"by_item": "{{ item is defined }}", "name": "other"}
    condition = f"inventory_hostname != 'n5' or ({condition})"
    guarded.write("site.yml", f'- import_playbook: pgsql.yml\n  when: "{condition}"\n')
    guarded.write("pgsql.yml", play(tasks=tasks))
    nodes.reset(ready="n1 n2 n3 n4")
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert "  n5  not ready: " in run.stderr
    assert "1 of 5 hosts is not ready" in run.stderr
    assert nodes.having("pki/witness") == ""
    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"


def test_a_condition_that_is_false_for_all_tasks_leaves_the_host_out(guarded, nodes):
    """Beside a condition that differs from task to task."""
    condition = "[item is defined, inventory_hostname != 'n5']"
    guarded.write("site.yml", f"- import_playbook: pgsql.yml\n  when: {condition}\n")
    guarded.write("pgsql.yml", play(tasks=f"{LOOP}\n- ansible.builtin.debug:"))
    nodes.reset(ready="n1 n2 n3 n4")
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert nodes.having("pki/witness") == "n1 n2 n3 n4"


@pytest.mark.one_release
def test_conditions_that_cannot_be_evaluated_end_nothing(guarded, nodes):
    """When all hosts are ready the play itself fails because of them."""
    guarded.write(
        "pgsql.yml", play(tasks=f"- meta: end_host\n  when: nowhere_defined\n- {WITNESS}")
    )
    guarded.write("site.yml", "- import_playbook: pgsql.yml\n  when: nowhere_defined\n")
    for playbook in ("pgsql.yml", "site.yml"):
        nodes.reset(ready="n1 n2")
        run = guarded.run(playbook)
        assert run.rc == 2
        assert "3 of 5 hosts are not ready" in run.stderr
    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = guarded.run("site.yml")
    assert run.rc != 0
    assert "PRECHECK" not in run.stderr
    assert "nowhere_defined" in run.output


SITE = """
- name: Identity
  hosts: all
  gather_facts: false
  roles: [{role: node_id, tags: always}, {role: pg_id, tags: always}]

- name: Nodes
  hosts: all
  gather_facts: false
  tags: node
  tasks:
    - ansible.builtin.raw: touch /etc/pki/ca.crt

- name: PostgreSQL
  hosts: all
  gather_facts: false
  roles: [{role: pgsql, tags: pgsql}]
"""


def test_a_site_playbook_like_that_of_pigsty(guarded, nodes):
    for name in ("node_id", "pg_id"):
        role(guarded, name, "- ansible.builtin.debug: {msg: identity}")
    role(guarded, "pgsql")
    guarded.write("files/pki/ca/ca.crt", "")
    guarded.write("deploy.yml", SITE)
    run = guarded.run("deploy.yml")
    assert run.rc == 0
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"
    assert (
        run.stdout.index("PLAY [Nodes]")
        < run.stdout.index("PLAY [PostgreSQL]")
        < run.stdout.index("TASK [Precheck")
    )
    assert run.stdout.count("TASK [Precheck") == 1

    nodes.reset()
    run = guarded.run("deploy.yml", "-t", "pgsql")
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert "./node.yml -l n1,n2,n3,n4,n5\n" in run.stderr

    nodes.reset()
    run = guarded.run("deploy.yml", "-t", "node")
    assert run.rc == 0
    assert "TASK [Precheck" not in run.stdout
    assert nodes.having("pki/ca.crt") == "n1 n2 n3 n4 n5"


CONNECTION = """
- hosts: all
  gather_facts: false
  remote_user: "{{ user }}"
  port: %d
  vars:
    user: root
    ansible_host: "{{ address }}"
  vars_files: [addresses.yml]
  vars_prompt:
    - {name: answer, prompt: Which, private: false}
  roles: [pgsql]
"""


@pytest.mark.each_release
def test_the_check_uses_the_connection_settings_of_the_play(guarded, nodes):
    host = nodes.host("n1")
    variables = {
        "ansible_ssh_common_args": host["ansible_ssh_common_args"] + " -o User={{ answer }}"
    }
    if IS_2_10:  # ssh does not see the keyword port
        variables["ansible_port"] = nodes.port
    guarded.inventory({"n1": variables})
    guarded.write(
        "roles/pgsql/defaults/main.yml", 'address: "{{ addresses[inventory_hostname] }}"\n'
    )
    role(guarded, "pgsql")
    guarded.write("addresses.yml", f"addresses: {{n1: {host['ansible_host']}}}\n")
    guarded.write("play.yml", CONNECTION % nodes.port)
    nodes.reset(ready="n1")
    run = guarded.run("play.yml", "-e", "answer=root")
    assert run.rc == 0, run.output
    assert nodes.having("pki/witness") == "n1"


TAGS = """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'tags'
    def v2_playbook_on_task_start(self, task, is_conditional):
        self._display.display(f'tags {sorted(task.tags)}')
"""
MEET = """
touch {directory}/{{{{ inventory_hostname }}}}
for second in $(seq 25); do
    [ "$(ls {directory} | wc -l)" = 5 ] && exit
    sleep 1
done
exit 1
"""


@pytest.mark.each_release
def test_all_hosts_are_checked_at_once_though_the_play_runs_one_by_one(guarded, nodes):
    """Each host waits for all others."""
    guarded.configure(guarded.entry_point, more="callback_plugins = callbacks")
    guarded.write("callbacks/tags.py", TAGS)
    (guarded.directory / "here").mkdir()
    check = {"command": MEET.format(directory=guarded.directory / "here"), "timeout": 60}
    guarded.write("precheck.yml", policy(rule(check)))
    guarded.write("site.yml", play(keywords="serial: 1", tasks="- ansible.builtin.debug:"))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("tags ['precheck', 'precheck:only']") == 1


@pytest.mark.each_release
@pytest.mark.parametrize("ready", ["n1", ""], ids=["ready", "not ready"])
def test_a_role_with_argument_validation_may_end_hosts_first(guarded, nodes, ready):
    """ansible-core validates the arguments before the role's first task, also on hosts it ends."""
    nodes.reset(ready=ready)
    role(guarded, "pgsql", f"- meta: end_host\n  when: inventory_hostname != 'n1'\n- {WITNESS}")
    options = "argument_specs: {main: {options: {needed: {required: true}}}}"
    guarded.write("roles/pgsql/meta/argument_specs.yml", options)
    roles = "roles: [{role: pgsql, needed: yes}]"
    guarded.write("play.yml", f"- hosts: all\n  gather_facts: false\n  {roles}\n")
    run = guarded.run("play.yml")
    assert run.rc == (0 if ready else 2), run.output
    assert nodes.having("pki/witness") == ready
    assert nodes.commands("n5") == ""


@pytest.mark.each_release
def test_a_meta_task_in_a_rescue_is_not_leading(guarded, nodes):
    """It does not run, as nothing fails before it. That in an always does."""
    nodes.reset(ready="n1 n2 n3 n4")
    block = "- block:\n    - meta: noop\n  {}:\n    - meta: end_host\n      when: {}\n"
    not_run = block.format("rescue", "inventory_hostname == 'n5'")
    guarded.write("pgsql.yml", play(tasks=f"{not_run}- {WITNESS}"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert "1 of 5 hosts is not ready" in run.stderr
    assert nodes.having("pki/witness") == ""
    ended = block.format("always", "inventory_hostname == 'n5'")
    guarded.write("pgsql.yml", play(tasks=f"{ended}- {WITNESS}"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert nodes.having("pki/witness") == "n1 n2 n3 n4"


MORE_OF_THE_BUILT_IN_RULE = {
    "another ending": ("pgsql.yaml", play()),
    "a role that removes": ("site.yml", play(tasks="- import_role: {name: pg_remove}")),
}


@pytest.mark.each_release
@pytest.mark.parametrize(
    ("name", "text"), MORE_OF_THE_BUILT_IN_RULE.values(), ids=MORE_OF_THE_BUILT_IN_RULE
)
def test_the_built_in_rule_covers_other_endings_and_roles_of_pigsty(guarded, nodes, name, text):
    role(guarded, "pg_remove")
    guarded.write(name, text)
    run = guarded.run(name)
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert "5 of 5 hosts are not ready" in run.stderr


MINIMAL = """
- {hosts: all, gather_facts: false, roles: [pg_id]}
- {hosts: all, gather_facts: false, roles: [node]}
- {hosts: all, gather_facts: false, roles: [pgsql]}
"""


@pytest.mark.each_release
@pytest.mark.parametrize("initialises", ["n1 n2 n3 n4 n5", "n1 n2 n3 n4"])
def test_of_pgsql_min_the_built_in_rule_covers_only_the_play_for_postgresql(
    guarded, nodes, initialises
):
    role(guarded, "pg_id", "- ansible.builtin.raw: touch /etc/pki/identity")
    marker = "- ansible.builtin.raw: touch /etc/pki/ca.crt\n  when: inventory_hostname in '{}'"
    role(guarded, "node", marker.format(initialises))
    role(guarded, "pgsql")
    guarded.write("pgsql-min.yml", MINIMAL)
    run = guarded.run("pgsql-min.yml")
    all_hosts = "n1 n2 n3 n4 n5"
    assert nodes.having("pki/identity") == all_hosts
    assert run.rc == (0 if initialises == all_hosts else 2), run.output
    assert nodes.having("pki/witness") == (all_hosts if initialises == all_hosts else "")


@pytest.mark.each_release
def test_the_built_in_rule_does_not_cover_the_plan_of_a_migration(guarded):
    guarded.write("pgsql-migration.yml", play(hosts="localhost", tasks="- ansible.builtin.debug:"))
    run = guarded.run("pgsql-migration.yml", "-vv")
    assert run.rc == 0
    assert "is covered by no rule" in run.stdout
    (guarded.directory / "moved").mkdir()
    (guarded.directory / "moved/pgsql-migration.yml").symlink_to("../pgsql.yml")
    guarded.write("pgsql.yml", play(hosts="localhost", tasks="- ansible.builtin.debug:"))
    run = guarded.run("moved/pgsql-migration.yml", "-e", "precheck_root=/nowhere")
    assert run.rc == 2
    assert "PRECHECK stopped the run" in run.stderr


@pytest.mark.each_release
def test_the_answers_of_one_command_go_to_all_rules_of_a_host(guarded):
    """The results of a worker, in which they are, are passed on in another way on each release."""
    guarded.local_hosts(ready="h1", missing="h2")
    marker = rule({"path": "/etc/pki/ca.crt"}, name="marker")
    command = rule({"command": "echo '{{ \"{{ braces }}\" }}'; exit 1"}, name="command")
    guarded.write("precheck.yml", policy(marker, command, rule({"path": "/etc"}, name="etc")))
    guarded.write("site.yml", play())
    run = guarded.run("site.yml")
    assert run.rc == 2
    for text in (
        "Rule marker: 1 of 2 hosts is not ready.\n  h2  not ready: ",
        "Rule command: 2 of 2 hosts are not ready.\n  not ready: {{ braces }}\n    h1, h2\n",
        "Rule etc: 1 of 2 hosts is not ready.\n  h2  not ready: ",
    ):
        assert text in run.stderr, run.stderr
