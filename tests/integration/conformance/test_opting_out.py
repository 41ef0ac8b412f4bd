# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Opting out of the checks, which is always visible, and running the checks alone."""

from __future__ import annotations

import json

import pytest

from support.output import squeezed
from support.policies import policy, rule

PLAY = """
- name: Set up PostgreSQL
  hosts: all
  serial: 2
  gather_facts: false
  {keywords}
  tasks:
    - ansible.builtin.raw: touch /etc/pki/witness
      tags: [install]
    - ansible.builtin.raw: touch /etc/pki/always
      tags: [always]
"""

OPT_OUTS = {  # keywords of the play, options, the reason in the warning
    "play tag": ("tags: no_precheck", (), "the play is tagged no_precheck"),
    "play tags": ("tags: [other, no_precheck]", (), "the play is tagged no_precheck"),
    "play tag from a variable": (
        "tags: '{{ tag }}'\n  vars: {tag: no_precheck}",
        (),
        "the play is tagged no_precheck",
    ),
    "option": ("", ("--skip-tags", "precheck"), "--skip-tags precheck"),
    "options": ("", ("--skip-tags", "other,precheck"), "--skip-tags precheck"),
}


@pytest.mark.claims(
    "who runs a playbook | `--skip-tags precheck` | a warning with play, rules, number of hosts and"
    " reason; rules with `waiver: forbidden`, or `reason` without one, are enforced all the same",
)
@pytest.mark.parametrize(
    ("keywords", "options", "reason"),
    [
        pytest.param(*OPT_OUTS[how], marks=[pytest.mark.each_release] * ("variable" in how), id=how)
        for how in OPT_OUTS
    ],
)
def test_opting_out_runs_the_play_with_one_warning(guarded, nodes, keywords, options, reason):
    guarded.write("pgsql.yml", PLAY.format(keywords=keywords))
    run = guarded.run("pgsql.yml", *options)
    assert run.rc == 0
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"
    assert "[Precheck" not in run.stdout
    play = f'play "Set up PostgreSQL" ({guarded.directory}/pgsql.yml:2)'
    warning = f"Precheck waived for {play}: pigsty-node not checked on 5 hosts ({reason})."
    assert squeezed(run.stderr).count(squeezed(warning)) == 1
    assert run.stderr.count("waived") == 1


@pytest.mark.one_release
def test_the_tag_of_an_import_opts_out(guarded, nodes):
    guarded.write("pgsql.yml", PLAY.format(keywords=""))
    guarded.write("site.yml", "- import_playbook: pgsql.yml\n  tags: no_precheck\n")
    run = guarded.run("site.yml")
    assert run.rc == 0
    assert "Precheck waived" in run.stderr


@pytest.mark.one_release
@pytest.mark.parametrize("where", ["task", "block", "role", "option"])
def test_the_tag_opts_out_on_a_play_only(guarded, nodes, where):
    guarded.write("roles/pgsql/tasks/main.yml", "- ansible.builtin.raw: touch /etc/pki/witness\n")
    task = {
        "task": "tasks: [{ansible.builtin.raw: touch /etc/pki/witness, tags: no_precheck}]",
        "block": (
            "tasks: [{block: [{ansible.builtin.raw: touch /etc/pki/witness}], tags: no_precheck}]"
        ),
        "role": "roles: [{role: pgsql, tags: no_precheck}]",
        "option": "roles: [{role: pgsql, tags: [no_precheck]}]",
    }[where]
    guarded.write("pgsql.yml", f"- hosts: all\n  gather_facts: false\n  {task}\n")
    run = guarded.run("pgsql.yml", *(["-t", "no_precheck"] if where == "option" else []))
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""


def test_only_the_play_that_opts_out_is_unchecked(guarded, nodes):
    waived = PLAY.format(keywords="tags: no_precheck")
    guarded.write("pgsql.yml", waived + PLAY.format(keywords="").replace("witness", "second"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"
    assert nodes.having("pki/second") == ""
    assert "5 of 5 hosts are not ready" in run.stderr


@pytest.fixture
def imported(guarded, nodes):
    """A project with site.yml, which imports node.yml and pgsql.yml."""
    play = PLAY.format(keywords="")
    guarded.write("node.yml", play.replace("witness", "node"))
    guarded.write("pgsql.yml", play.replace("gather_facts: false", "gather_facts: true"))
    guarded.write("site.yml", "- import_playbook: node.yml\n- import_playbook: pgsql.yml\n")
    return guarded


def test_tags_precheck_stops_at_hosts_that_are_not_ready(imported):
    run = imported.run("site.yml", "--tags", "precheck")
    assert run.rc == 2
    assert run.stdout.count("TASK [") == 1
    assert "./node.yml -l n1,n2,n3,n4,n5\n" in run.stderr


def test_tags_precheck_runs_nothing_but_the_checks_of_ready_hosts(imported, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = imported.run("site.yml", "--tags", "precheck")
    assert run.rc == 0
    assert run.stdout.count("TASK [") == 1
    assert nodes.having("pki/always") == nodes.having("pki/node") == ""
    for name in ("n1", "n5"):
        assert len(nodes.commands(name).splitlines()) == 1


def test_tags_precheck_with_another_tag_runs_the_tasks_of_that(imported, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = imported.run("pgsql.yml", "--tags", "precheck,install")
    assert run.rc == 0
    assert nodes.having("pki/witness") == nodes.having("pki/always") == "n1 n2 n3 n4 n5"


@pytest.mark.each_release
def test_tags_precheck_checks_for_the_play_without_tags(guarded, nodes):
    """A leading meta task that these tags leave out still ends hosts, as the play will run it."""
    guarded.inventory(nodes.hosts_with_a_cluster())
    nodes.reset(ready="n1 n2")
    leading = "tasks:\n    - meta: end_host\n      when: pg_cluster is not defined"
    guarded.write("pgsql.yml", PLAY.format(keywords="").replace("tasks:", leading))
    assert guarded.run("pgsql.yml", "--tags", "precheck").rc == 0
    nodes.reset(ready="n1")
    run = guarded.run("pgsql.yml", "--tags", "precheck")
    assert run.rc == 2
    assert "1 of 2 hosts is not ready" in run.stderr


@pytest.mark.one_release
def test_tags_precheck_does_not_count_tasks_that_never_run(guarded, nodes):
    tasks = "  tasks: [{ansible.builtin.debug: , tags: never}]\n"
    guarded.write("pgsql.yml", f"- hosts: all\n  gather_facts: false\n{tasks}")
    assert guarded.run("pgsql.yml", "--tags", "precheck").rc == 0


def test_a_users_own_tasks_with_the_tag_precheck_still_run(guarded, nodes):
    guarded.write("other.yml", PLAY.format(keywords="").replace("[install]", "[install, precheck]"))
    assert guarded.run("other.yml", "--tags", "precheck").rc == 0
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"


HIDDEN = """
- hosts: all
  gather_facts: false
  tags: no_precheck
  tasks:
    - ansible.builtin.set_fact: {done: true}
      when: inventory_hostname == 'h1'
- name: Set up PostgreSQL
  hosts: all
  serial: 1
  gather_facts: false
  vars: {waits: "{{ not hostvars['h1'].canary | default(inventory_hostname == 'h1') }}"}
  KEYWORD
  tasks:
    - ansible.builtin.meta: end_host
      when: waits | bool
    - ansible.builtin.set_fact: {canary: true}
    - ansible.builtin.debug: {msg: reached}
"""


@pytest.mark.parametrize(
    ("keyword", "options"),
    [("tags: no_precheck", ()), ("", ("--skip-tags", "precheck"))],
    ids=["play tag", "option"],
)
def test_a_host_that_the_play_reaches_after_all_is_in_a_warning_and_in_the_report(
    guarded, keyword, options
):
    """The condition does not show that the first batch changes it."""
    guarded.local_hosts(missing="h1 h2 h3")
    guarded.write("pgsql.yml", HIDDEN.replace("KEYWORD", keyword))
    run = guarded.run("pgsql.yml", *options, "-e", "precheck_report=report.json")
    assert run.rc == 0, run.output
    assert run.stdout.count('"reached"') == 3
    waivers = json.loads((guarded.directory / "report.json").read_text())["waivers"]
    counts = [one["hosts"] for one in waivers if one["play"] == "Set up PostgreSQL"]
    assert sum(counts) == 3, counts


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_rule_that_cannot_be_waived_checks_a_host_that_the_play_reaches_after_all(
    guarded, is_ready
):
    guarded.local_hosts(ready="h1" if not is_ready else "h1 h2", missing="" if is_ready else "h2")
    guarded.write(
        "precheck.yml",
        policy(
            rule(
                {"path": "/etc/pki/ca.crt"},
                covers={"play": "Set up*"},
                waiver="forbidden",
                name="m",
            )
        ),
    )
    guarded.write("pgsql.yml", HIDDEN.replace("KEYWORD", "tags: no_precheck"))
    run = guarded.run("pgsql.yml")
    assert run.rc == (0 if is_ready else 2), run.output
    assert run.stdout.count('"reached"') == (2 if is_ready else 1)
