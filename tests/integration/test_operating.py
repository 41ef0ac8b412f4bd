# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What docs/getting-started.md and docs/operations.md say of commands, in a project in the shape of Pigsty's."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from conftest import BIN, REPOSITORY

STARTED = (REPOSITORY / "docs/getting-started.md").read_text()
OPERATING = (REPOSITORY / "docs/operations.md").read_text()

TASK = "{ansible.builtin.raw: 'touch {{ precheck_root }}/%s'}"
FILES = {
    "pgsql.yml": "- {name: PGSQL, hosts: all, gather_facts: false, roles: [{role: pgsql, tags: pgsql}]}\n",
    "pgsql-rm.yml": f"- {{hosts: all, gather_facts: false, ignore_errors: true, tasks: [{TASK % 'removed'}]}}\n",
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
    inventory = project.folder / "inventory.json"
    inventory.write_text(
        inventory.read_text().replace('"hosts":', '"children": {"pg-test": {"hosts": {"h1": {}, "h2": {}}}}, "hosts":', 1)
    )
    (project.folder / "h2").mkdir()
    for name, text in FILES.items():
        project.write(name, f"#!{BIN}/ansible-playbook\n{text}" if "/" not in name else text)
    project.write("bin/pgsql-add", '#!/bin/sh\ncd "$(dirname "$0")/.."\n./pgsql.yml -l "$1"\n')
    for path in (*project.folder.glob("*.yml"), project.folder / "bin/pgsql-add"):
        path.chmod(0o755)
    return project


def status(project, command):
    """Return the exit status of a command in the project's folder."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    env = clean | {"PATH": f"{BIN}:{os.environ['PATH']}"}
    return subprocess.run(command.split(), cwd=project.folder, env=env, capture_output=True, check=False).returncode


@pytest.mark.one_release
def test_what_changes_for_the_playbooks(pigsty):
    rows = re.findall(r"^\| (`.*?) \| ", STARTED, re.MULTILINE)
    shown = [command for row in rows for command in re.findall(r"`(.+?)`", row)]
    assert shown == list(TOLD)
    for command, (rc, done) in TOLD.items():
        assert status(pigsty, command) == rc, command
        left = [path for path in (pigsty.folder / "h1").iterdir() if path.name != "etc"]
        assert " ".join(path.name for path in left) == done, command
        for path in left:
            path.unlink()


@pytest.mark.one_release
def test_the_checks_alone_and_going_on_all_the_same(pigsty):
    commands = re.findall(r"^\$ (ansible-playbook .*)$", STARTED, re.MULTILINE)
    assert commands == ["ansible-playbook pgsql.yml --tags precheck", "ansible-playbook pgsql.yml --skip-tags precheck"]
    checks, skipped = (pigsty.run(*command.split()) for command in commands)
    assert checks.rc == 2
    assert "TASK [Precheck pigsty-node]" in checks.stdout
    assert skipped.rc == 0
    assert "Precheck waived" in skipped.stderr


@pytest.mark.one_release
def test_a_step_in_a_script(pigsty):
    [script] = re.findall(r"```sh\n(.*?)```", OPERATING, re.DOTALL)
    pigsty.write("step", f"#!/bin/sh\ncluster=pg-test\n{script}")
    (pigsty.folder / "step").chmod(0o755)
    assert status(pigsty, "./step") == 2
    assert not (pigsty.folder / "h1/installed").exists()
    (pigsty.folder / "h2/etc/pki").mkdir(parents=True)
    (pigsty.folder / "h2/etc/pki/ca.crt").write_text("a certificate\n")
    assert status(pigsty, "./step") == 0
    assert (pigsty.folder / "h1/installed").exists()
