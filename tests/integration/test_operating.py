# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What docs/getting-started.md and docs/operations.md say of commands, in a project in the shape of Pigsty's."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from support.commands import BIN, REPOSITORY, Run

STARTED = (REPOSITORY / "docs/getting-started.md").read_text()
OPERATING = (REPOSITORY / "docs/operations.md").read_text()

TASK = "{ansible.builtin.raw: 'touch {{ precheck_root }}/%s'}"
FILES = {
    "pgsql.yml": (
        "- {name: PGSQL, hosts: all, gather_facts: false, roles: [{role: pgsql, tags: pgsql}]}\n"
    ),
    "pgsql-rm.yml": (
        f"- {{hosts: all, gather_facts: false, ignore_errors: true, tasks: [{TASK % 'removed'}]}}\n"
    ),
    "node.yml": f"- {{hosts: all, gather_facts: false, tasks: [{TASK % 'node'}]}}\n",
    "infra.yml": f"- {{hosts: all, gather_facts: false, tasks: [{TASK % 'infra'}]}}\n",
    "deploy.yml": f"""
- {{hosts: all, gather_facts: false, tags: node, tasks: [{TASK % "node"}]}}
- {{hosts: all, gather_facts: false, roles: [{{role: pgsql, tags: pgsql}}]}}
""",
    "roles/pgsql/tasks/main.yml": f"- {{tags: pg_install, {(TASK % 'installed')[1:]}\n",
}

# What the table in getting-started.md has, and what comes of it: the exit status, and what was done on h1, which is ready.
TOLD = {
    "./pgsql.yml -l pg-test": (2, ""),
    "./pgsql.yml -l pg-test -t pg_install": (2, ""),
    "./pgsql-rm.yml -l pg-test": (2, ""),
    "./deploy.yml": (2, "node"),
    "./deploy.yml -t node": (0, "node"),
    "./node.yml": (0, "node"),
    "./infra.yml": (0, "infra"),
    "bin/pgsql-add pg-test": (2, ""),
}


@pytest.fixture
def pigsty(project):
    """Two nodes in the cluster pg-test, of which h2 is not initialised."""
    project.configure("both")
    project.local_hosts(ready="h1", missing="h2")
    inventory = project.directory / "inventory.json"
    inventory.write_text(
        inventory.read_text().replace(
            '"hosts":', '"children": {"pg-test": {"hosts": {"h1": {}, "h2": {}}}}, "hosts":', 1
        )
    )
    (project.directory / "h2").mkdir()
    for name, text in FILES.items():
        project.write(name, f"#!{BIN}/ansible-playbook\n{text}" if "/" not in name else text)
    project.write("bin/pgsql-add", '#!/bin/sh\ncd "$(dirname "$0")/.."\n./pgsql.yml -l "$1"\n')
    for path in (*project.directory.glob("*.yml"), project.directory / "bin/pgsql-add"):
        path.chmod(0o755)
    return project


def run(project, command, **more):
    """Run a command in the project's directory, as an operator would."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    env = clean | {"PATH": f"{BIN}:{os.environ['PATH']}"} | more
    return Run(
        subprocess.run(
            command.split(),
            cwd=project.directory,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
    )


def status(project, command):
    return run(project, command).rc


@pytest.mark.one_release
def test_what_changes_for_the_playbooks(pigsty):
    rows = re.findall(r"^\| (`.*?) \| ", STARTED, re.MULTILINE)
    shown = [command for row in rows for command in re.findall(r"`(.+?)`", row)]
    assert shown == list(TOLD)
    for command, (rc, done) in TOLD.items():
        assert status(pigsty, command) == rc, command
        left = [path for path in (pigsty.directory / "h1").iterdir() if path.name != "etc"]
        assert " ".join(path.name for path in left) == done, command
        for path in left:
            path.unlink()


@pytest.mark.one_release
def test_the_checks_alone_and_going_on_all_the_same(pigsty):
    commands = re.findall(r"^\$ (ansible-playbook .*)$", STARTED, re.MULTILINE)
    assert commands == [
        "ansible-playbook pgsql.yml --tags precheck",
        "ansible-playbook pgsql.yml --skip-tags precheck",
    ]
    checks, skipped = (pigsty.run(*command.split()) for command in commands)
    assert checks.rc == 2
    assert "TASK [Precheck pigsty-node]" in checks.stdout
    assert skipped.rc == 0
    assert "Precheck waived" in skipped.stderr


def initialise(project, name):
    (project.directory / name / "etc/pki").mkdir(parents=True, exist_ok=True)
    (project.directory / name / "etc/pki/ca.crt").write_text("a certificate\n")


@pytest.mark.one_release
def test_the_procedure_and_a_step_in_a_script(pigsty):
    [script] = re.findall(r"```sh\n(.*?)```", OPERATING, re.DOTALL)
    inline = re.findall(r"`(ansible[-a-z]* .+?)`", OPERATING)
    assert inline == [
        "ansible-playbook pgsql.yml -l pg-test --tags precheck",
        "ansible-config dump --only-changed",
    ]
    pigsty.write("step", f"#!/bin/sh\ncluster=pg-test\n{script}")
    (pigsty.directory / "step").chmod(0o755)
    for command in (inline[0], "./step"):
        stopped = run(pigsty, command)
        assert stopped.rc == 2
        assert "    ./node.yml -l h2\n" in "".join(stopped.stderr.splitlines(keepends=True)[-5:])
        assert stopped.stdout.count("TASK [") == stopped.stdout.count("TASK [Precheck") == 1
        assert not (pigsty.directory / "h1/installed").exists()
    initialise(pigsty, "h2")
    done = run(pigsty, "./step")
    assert done.rc == 0
    assert done.stdout.count("TASK [Precheck") == 2
    assert (pigsty.directory / "h1/installed").exists()


# What the table of exit statuses has, and a command for each of its words.
STATUSES = {
    "0": [
        "pgsql.yml -l h1 --tags precheck",
        "node.yml --tags precheck",
        "pgsql.yml -i empty.yml --tags precheck",
    ],
    "1": ["node.yml -e precheck_policy=wrong.yml", "gone.yml", "pgsql.yml -l nobody"],
    "2": ["pgsql.yml --tags precheck", "failing.yml", "pgsql.yml --tag-list"],
    "4": ["wrong.yml --tags precheck", "node.yml -e ansible_connection=ssh -e ansible_port=1"],
}


@pytest.mark.one_release
def test_exit_statuses(pigsty):
    """That a run which is interrupted ends as ansible-core ends it is shown with the faults."""
    rows = re.findall(r"^\| (\d|others) \|", OPERATING, re.MULTILINE)
    assert rows == [*STATUSES, "others"]
    pigsty.write("wrong.yml", "rules: []\n")
    pigsty.write("empty.yml", "all:\n")
    pigsty.write(
        "failing.yml", "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.fail: }]}\n"
    )
    for expected, options in STATUSES.items():
        for words in options:
            done = run(pigsty, f"ansible-playbook {words}")
            assert done.rc == int(expected), done.stdout + done.stderr
            asked = "pgsql.yml" in words and "--tags precheck" in words and "empty" not in words
            assert ("TASK [Precheck" in done.stdout) == asked, words


@pytest.mark.one_release
def test_when_the_guard_is_not_there(pigsty):
    for more in ({}, {"ANSIBLE_STRATEGY": "free"}):
        lines = run(pigsty, "ansible-config dump --only-changed", **more).stdout.splitlines()
        by_name = {line.partition("(")[0]: line for line in lines}
        assert by_name["CALLBACKS_ENABLED"].endswith("ansible.cfg) = ['precheck.guard.enforce']")
        strategy = (
            "(env: ANSIBLE_STRATEGY) = free" if more else "ansible.cfg) = precheck.guard.linear"
        )
        assert by_name["DEFAULT_STRATEGY"].endswith(strategy)
    told = run(pigsty, "ansible-playbook node.yml pgsql.yml --tags precheck -vv").stdout
    assert "Precheck: policy " in told
    assert "(built in)" in told
    assert "node.yml:2) is covered by no rule" in told
    assert "pgsql.yml:2) is covered by pigsty-node (by playbook pgsql*.yml" in told
