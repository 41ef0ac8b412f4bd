# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The output of a run that was stopped, of the check as a task, and of ansible-doc."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible import release
from conftest import BLOCK

PLAY = "- name: Set up PostgreSQL\n  hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: }]\n"


@pytest.fixture
def stopped(guarded):
    """A project in which pgsql.yml is stopped for h3 and h1."""
    guarded.local_hosts(ready="h2", missing="h3 h1")
    guarded.write("pgsql.yml", PLAY)
    return guarded


def test_the_closing_block_is_the_last_thing(stopped):
    run = stopped.run("pgsql.yml")
    assert run.rc == 2
    assert run.stderr == BLOCK.format(folder=stopped.folder)
    assert run.stdout.count("TASK [") == run.stdout.count("TASK [Precheck pigsty-node]") == 1
    both = subprocess.run(
        [f"{Path(sys.executable).parent}/ansible-playbook", "pgsql.yml"],
        cwd=stopped.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout
    assert both.endswith(BLOCK.format(folder=stopped.folder))


def test_one_task_line_for_the_rule_under_free(stopped):
    stopped.write("pgsql.yml", PLAY + f"  strategy: {stopped.strategy('free')}\n")
    run = stopped.run("pgsql.yml")
    assert run.rc == 2
    assert run.stdout.count("TASK [") == run.stdout.count("TASK [Precheck pigsty-node]") == 1


@pytest.mark.one_release
def test_many_hosts_stay_readable(guarded):
    names = [f"h{number:02}" for number in range(25)]
    guarded.local_hosts(missing=" ".join(names))
    guarded.write("pgsql.yml", PLAY)
    # A condition, as a path that is missing takes the stat module on each host.
    remedy = "./node.yml -l {{ precheck_hosts | join(',') }}"
    rule = {"name": "none", "plays": [{"playbook": "pgsql.yml"}], "checks": [{"that": "false"}], "remedy": remedy}
    guarded.write("precheck.yml", json.dumps({"rules": [rule]}))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert run.stderr.count("not ready: ") == 20
    assert "25 of 25 hosts are not ready" in run.stderr
    assert "  ... and 5 more: h20, h21, h22, h23, h24\n" in run.stderr
    assert f"    ./node.yml -l {','.join(names)}\n" in run.stderr


@pytest.mark.claims(
    "ansible-core 2.19 and later | each run prints a warning that third-party strategies are"
    " deprecated | no warning | the same warning"
)
def test_the_callback_alone_brings_no_deprecation_warning(stopped):
    run = stopped.run("pgsql.yml", env={"ANSIBLE_DEPRECATION_WARNINGS": "true"})
    assert run.rc == 2
    since_2_19 = tuple(map(int, release.__version__.split(".")[:2])) >= (2, 19)
    assert ("strategy plugins" in run.stderr) == (since_2_19 and stopped.door == "strategy")


VERDICTS = """
- hosts: all
  gather_facts: false
  tasks:
    - precheck.guard.check:
        path: /etc/pki/ca.crt
      register: ca
      failed_when: false
    - ansible.builtin.debug:
        msg: "{{ ca.verdict }} {{ ca.checks[0].check }} {{ ca.checks[0].verdict }} {{ ca.changed }}"
    - precheck.guard.check:
        path: /etc/pki/ca.crt
    - ansible.builtin.debug:
        msg: after
"""


def test_the_check_as_a_task_of_any_play(project):
    project.local_hosts(ready="h1", missing="h2")
    project.write("play.yml", VERDICTS)
    run = project.run("play.yml", "--check")
    assert run.rc == 2
    assert '"ready /etc/pki/ca.crt ready False"' in run.stdout
    assert '"not_ready /etc/pki/ca.crt not_ready False"' in run.stdout
    assert run.stdout.count('"after"') == 1
    project.write("play.yml", "- hosts: all\n  gather_facts: false\n  tasks: [{precheck.guard.check: {paht: /etc}}]\n")
    run = project.run("play.yml")
    assert run.rc == 2
    assert "unknown key 'paht'" in run.output
    assert "expected one of path, command, that" in run.output


@pytest.mark.parametrize("state", ["link", "dangling", "folder", "loop"])
def test_what_counts_as_present(project, state):
    project.local_hosts(missing="h1")
    pki = project.folder / "h1/etc/pki"
    pki.mkdir(parents=True)
    if state == "link":
        (pki / "real").write_text("a certificate")
        (pki / "ca.crt").symlink_to("real")
    elif state == "dangling":
        (pki / "ca.crt").symlink_to("gone")
    elif state == "folder":
        (pki / "ca.crt").mkdir()
    elif state == "loop":
        (pki / "ca.crt").symlink_to("ca.crt")
    run = project.run("ansible", "all", "-m", "precheck.guard.check", "-a", "path=/etc/pki/ca.crt")
    expected = {"link": "ready", "dangling": "not_ready", "folder": "ready", "loop": "unverified"}[state]
    assert f'"verdict": "{expected}"' in run.stdout
    assert run.rc == (0 if expected == "ready" else 2)


PAGES = {  # by the kind of plugin, what its manual pages must have
    "module": ("check audit", "OPTIONS ATTRIBUTES: check_mode NOTES: SEE-ALSO: EXAMPLES: RETURN-VALUES:"),
    "callback": (
        "enforce",
        "OPTIONS ANSIBLE_PRECHECK_POLICY ANSIBLE_PRECHECK_REPORT NOTES: exit-status Module-precheck.guard.check EXAMPLES:",
    ),
    "strategy": ("linear free host_pinned debug", "exit-status NOTES: Module-precheck.guard.check EXAMPLES:"),
}


def test_manual_pages(project):
    """Each is shown without a warning, reads the same on all releases, and has examples that ansible-core takes."""
    playbooks = []
    for kind, (plugins, words) in PAGES.items():
        names = [f"precheck.guard.{name}" for name in plugins.split()]
        run = project.run("ansible-doc", "-t", kind, *names)
        assert (run.rc, run.stderr) == (0, "")
        pages = re.split(r"^> ", re.sub(r"\x1b\[\d*m", "", run.stdout), flags=re.MULTILINE)[1:]
        assert len(pages) == len(names)
        for page in map(" ".join, map(str.split, pages)):
            assert [word for word in words.split() if word.replace("-", " ") not in page] == []
            assert not re.search(r"\b[OVPME]\(", page)  # what releases before 2.15 show as it is written
        run = project.run("ansible-doc", "-t", kind, "--json", *names)
        assert (run.rc, run.stderr) == (0, "")
        for name, page in json.loads(run.stdout).items():
            assert page["doc"]["version_added"]
            examples = yaml.safe_load(page["examples"])
            plays = examples if "hosts" in examples[0] else [{"hosts": "all", "tasks": examples}]
            playbooks.append(f"{name.rpartition('.')[2]}.yml")
            project.write(playbooks[-1], yaml.safe_dump(plays))
    assert len(playbooks) == 7
    project.write("inventory.json", '{"databases": {"hosts": {"h1": {}}}}')
    run = project.run("--syntax-check", *playbooks)
    assert run.rc == 0, run.output
    assert "WARNING" not in run.output
