# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The output of a stopped run, of the check as a task, and of ansible-doc."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ansible import release
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import BUILT_IN

from support.commands import BIN, clean_environment
from support.output import CLOSING_BLOCK
from support.policies import policy, rule
from support.project import AUDIT

PLAY = (
    "- name: Set up PostgreSQL\n  hosts: all\n  gather_facts: false\n"
    "  tasks: [{ansible.builtin.debug: }]\n"
)


@pytest.fixture
def stopped(guarded):
    """A project in which pgsql.yml is stopped for h3 and h1."""
    guarded.local_hosts(ready="h2", missing="h3 h1")
    guarded.write("pgsql.yml", PLAY)
    return guarded


def test_the_closing_block_comes_last(stopped):
    run = stopped.run("pgsql.yml")
    assert run.rc == 2
    assert run.stderr == CLOSING_BLOCK.format(directory=stopped.directory)
    assert run.stdout.count("TASK [") == run.stdout.count("TASK [Precheck pigsty-node]") == 1
    both = subprocess.run(
        [BIN / "ansible-playbook", "pgsql.yml"],
        cwd=stopped.directory,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout
    assert both.endswith(CLOSING_BLOCK.format(directory=stopped.directory))


def test_no_line_of_the_built_in_policy_is_printed(stopped):
    """Since 2.19 ansible-core prints the lines around the origin of a task that failed."""
    run = stopped.run("pgsql.yml")
    assert run.rc == 2
    lines = Path(BUILT_IN).read_text().splitlines()
    assert [line for line in lines if len(line) > 10 and line.strip() in run.output] == []


NO_PIGSTY = "These hosts are not initialised: initialisation leaves /etc/pki/ca.crt behind."
PIGSTY = "These hosts are not managed by Pigsty."
INITIALISED_BY = {  # the files beside the playbook, and how the hosts are initialised
    "nothing": ("", ""),
    "no node.yml": ("deploy.yml", ""),
    "node.yml alone": ("node.yml", "./node.yml -l h1,h3"),
    "a CA": ("node.yml deploy.yml install.yml files/pki/ca/ca.crt", "./node.yml -l h1,h3"),
    "no CA yet": ("node.yml deploy.yml", "./deploy.yml"),
    "no CA yet, an older Pigsty": ("node.yml install.yml", "./install.yml"),
}


@pytest.mark.each_release
@pytest.mark.parametrize(("files", "remedy"), INITIALISED_BY.values(), ids=INITIALISED_BY)
def test_the_built_in_rule_suggests_what_is_there(stopped, files, remedy):
    (stopped.directory / "node.yml").unlink()
    for name in files.split():
        stopped.write(name, "")
    run = stopped.run("pgsql.yml")
    assert run.rc == 2
    said = PIGSTY if files.count("node.yml") else NO_PIGSTY
    assert f"is missing\n\n{said}\n\nNothing was changed" in run.stderr
    assert (f"\n\n    {remedy}\n\nTo run it" in run.stderr) == bool(remedy)
    audit = stopped.run(AUDIT)
    assert audit.rc == 2
    assert (f"\n\n    {remedy}\n\n" in audit.stdout) == bool(remedy)
    assert "node.yml" in remedy or "node.yml" not in audit.stdout


@pytest.mark.each_release
def test_the_suggested_command_works_in_the_current_directory(stopped):
    """A space is in the path of the project's other playbooks."""
    for name in ("pgsql.yml", "node.yml"):
        stopped.write(f"some where/{name}", PLAY)
    run = stopped.run("some where/pgsql.yml")
    assert "    ./node.yml -l h1,h3\n" in run.stderr
    (stopped.directory / "node.yml").unlink()
    run = stopped.run("some where/pgsql.yml")
    assert "    'some where/node.yml' -l h1,h3\n" in run.stderr
    run = stopped.run("../some where/pgsql.yml", cwd="h2")
    assert "    '../some where/node.yml' -l h1,h3\n" in run.stderr


@pytest.mark.each_release
def test_no_remedy_is_for_a_localhost_that_is_not_in_the_inventory(guarded):
    guarded.local_hosts(missing="h1")
    local = PLAY.replace("hosts: all", "hosts: localhost, h1")
    guarded.write("pgsql.yml", local)
    options = ("-e", "precheck_root=/nowhere")
    run = guarded.run("pgsql.yml", *options)
    assert "2 of 2 hosts are not ready" in run.stderr
    assert f"{NO_PIGSTY}\n" in run.stderr and PIGSTY.format("./node.yml") in run.stderr
    assert "    ./node.yml -l h1\n" in run.stderr
    assert guarded.run("pgsql.yml", "-l", "localhost", *options).rc == 1  # it matches no host
    guarded.write("pgsql.yml", PLAY.replace("hosts: all", "hosts: localhost"))
    run = guarded.run("pgsql.yml", *options)
    assert run.rc == 2
    assert "1 of 1 host is not ready" in run.stderr
    assert "node.yml" not in run.stderr
    remedies = {"all": "run -l {{ precheck_limit }}", "none": "run {{ precheck_rule }}"}
    rules = [rule({"that": False}, name=name, remedy=remedies[name]) for name in remedies]
    guarded.write("precheck.yml", policy(*rules))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert "run -l" not in run.stderr and "    run none\n" in run.stderr


@pytest.mark.each_release
def test_the_block_of_a_dry_run_says_that_it_is_one(stopped):
    dry = "This is a dry run (--check): it initialises no host, so a new one cannot be ready.\n"
    assert dry in stopped.run("pgsql.yml", "--check").stderr
    assert dry not in stopped.run("pgsql.yml").stderr


def test_under_free_the_rule_has_one_task_line(stopped):
    stopped.write("pgsql.yml", PLAY + f"  strategy: {stopped.strategy('free')}\n")
    run = stopped.run("pgsql.yml")
    assert run.rc == 2
    assert run.stdout.count("TASK [") == run.stdout.count("TASK [Precheck pigsty-node]") == 1


@pytest.mark.one_release
def test_the_block_of_many_hosts_with_one_reason_says_it_once(guarded):
    names = [f"h{number:02}" for number in range(25)]
    guarded.local_hosts(missing=" ".join(names))
    guarded.write("pgsql.yml", PLAY)
    # A path that is missing would run the stat module on each host. A condition does not.
    remedy = "./node.yml -l {{ precheck_hosts | join(',') }}"
    none = rule({"that": "false"}, covers={"playbook": "pgsql.yml"}, remedy=remedy)
    guarded.write("precheck.yml", policy(none))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    block = run.stderr.partition("PRECHECK stopped")[2]
    assert block.count("not ready: ") == 1
    assert block.count("25 of 25 hosts are not ready") == 2
    assert f"\n    {', '.join(names)}\n" in block
    assert f"    ./node.yml -l {','.join(names)}\n" in run.stderr


@pytest.mark.claims(
    "ansible-core 2.19 and later | each run prints a warning that third-party strategies are"
    " deprecated | no warning | the same warning"
)
def test_the_callback_alone_causes_no_deprecation_warning(stopped):
    run = stopped.run("pgsql.yml", env={"ANSIBLE_DEPRECATION_WARNINGS": "true"})
    assert run.rc == 2
    since_2_19 = tuple(map(int, release.__version__.split(".")[:2])) >= (2, 19)
    assert ("strategy plugins" in run.stderr) == (since_2_19 and stopped.entry_point == "strategy")


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


def test_an_unknown_argument_of_the_check_is_an_error(project):
    project.local_hosts(missing="h1")
    tasks = "  tasks: [{precheck.guard.check: {paht: /etc}}]\n"
    project.write("play.yml", f"- hosts: all\n  gather_facts: false\n{tasks}")
    run = project.run("play.yml")
    assert run.rc == 2
    assert "unknown key 'paht'" in run.output
    assert "expected one of path, command, that" in run.output


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("link", "ready"),
        ("dangling link", "not_ready"),
        ("directory", "ready"),
        ("link loop", "unverified"),
    ],
)
def test_links_and_directories_at_the_path(project, state, verdict):
    project.local_hosts(missing="h1")
    pki = project.directory / "h1/etc/pki"
    pki.mkdir(parents=True)
    (pki / "real").write_text("a certificate")
    if state == "directory":
        (pki / "ca.crt").mkdir()
    else:
        target = {"link": "real", "dangling link": "gone", "link loop": "ca.crt"}[state]
        (pki / "ca.crt").symlink_to(target)
    run = project.run("ansible", "all", "-m", "precheck.guard.check", "-a", "path=/etc/pki/ca.crt")
    assert f'"verdict": "{verdict}"' in run.stdout
    assert run.rc == (0 if verdict == "ready" else 2)


# By the kind of plugin: the plugins, and what the documentation of each must have.
DOCUMENTED = {
    "module": (
        "check audit",
        "OPTIONS ATTRIBUTES: check_mode NOTES: SEE-ALSO: EXAMPLES: RETURN-VALUES:",
    ),
    "callback": (
        "enforce",
        "OPTIONS ANSIBLE_PRECHECK_POLICY ANSIBLE_PRECHECK_REPORT NOTES: exit-status"
        " Module-precheck.guard.check EXAMPLES:",
    ),
    "strategy": (
        "linear free host_pinned debug",
        "exit-status NOTES: Module-precheck.guard.check EXAMPLES:",
    ),
}


def names_of_plugins(kind):
    """Return the full names of our plugins of this kind."""
    return [f"precheck.guard.{name}" for name in DOCUMENTED[kind][0].split()]


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_the_plugin_documentation_is_complete_and_without_warnings(project, kind):
    run = project.run("ansible-doc", "-t", kind, *names_of_plugins(kind))
    assert (run.rc, run.stderr) == (0, "")
    pages = re.split(r"^> ", re.sub(r"\x1b\[\d*m", "", run.stdout), flags=re.MULTILINE)[1:]
    assert len(pages) == len(names_of_plugins(kind))
    words = DOCUMENTED[kind][1].split()
    for page in map(" ".join, map(str.split, pages)):
        assert [word for word in words if word.replace("-", " ") not in page] == []
        assert not re.search(r"\b[OVPME]\(", page)  # releases before 2.15 would not format these


def test_the_examples_of_the_plugin_documentation_are_valid(project):
    playbooks = []
    for kind in DOCUMENTED:
        run = project.run("ansible-doc", "-t", kind, "--json", *names_of_plugins(kind))
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
