# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ways to install the collection: a clone, pip, ansible-galaxy; and the demonstration."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.release import __version__

from support.commands import BIN, REPOSITORY, run_command
from support.output import on_one_line
from support.project import ENTRY_POINTS, PRECHECK

COMMAND = PRECHECK.relative_to(REPOSITORY)
PLAY = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  roles: [pgsql]\n"


@pytest.fixture
def clone(tmp_path: Path, copy_repository: Callable[[Path], Path]) -> Path:
    """A clone of the repository."""
    return copy_repository(tmp_path / "clone")


def assert_guarded(python: Path, directory: Path, collections: str = "") -> None:
    """Assert that the guard works in a project elsewhere, with either entry point and with both."""
    tasks = directory / "roles/pgsql/tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text("- ansible.builtin.debug: {msg: the role ran}\n")
    (directory / "play.yml").write_text(PLAY)
    (directory / "root/etc/pki").mkdir(parents=True)
    (directory / "root/etc/pki/ca.crt").touch()
    playbook = [python, "-m", "ansible", "playbook"]
    play = [*playbook, "play.yml", "-e", f"ansible_python_interpreter={sys.executable}"]
    for entry_point in ("strategy", "callback", "both"):
        config = f"[defaults]\n{ENTRY_POINTS[entry_point]}\n{collections}\n"
        (directory / "ansible.cfg").write_text(config)
        stopped = run_command([*play, "-e", f"precheck_root={directory}/missing"], directory)
        assert stopped.rc == 2, stopped.output
        assert "1 of 1 host is not ready" in stopped.stderr
        assert "the role ran" not in stopped.stdout
        passed = run_command([*play, "-e", f"precheck_root={directory}/root"], directory)
        assert passed.rc == 0, passed.output
        assert passed.stdout.count("TASK [Precheck") == 1
        assert "the role ran" in passed.stdout
    audit = [*playbook, "precheck.guard.audit", "-i", "localhost,"]
    audit += ["-e", "ansible_connection=local", "-e", f"precheck_root={directory}/root"]
    audited = run_command(audit, directory)
    assert audited.rc == 0, audited.output
    assert "\nPRECHECK audited 1 host by 1 rule: all are ready.\n" in audited.stdout


def assert_explains(command: list[str | Path], directory: Path, collections: str = "") -> None:
    """Assert that ansible-precheck works in a project elsewhere.

    It must find the role of a collection in a directory that only ansible.cfg names.
    """
    role = directory / "collections/ansible_collections/acme/db/roles/pgsql"
    (role / "tasks").mkdir(parents=True)
    (role / "tasks/main.yml").write_text("- ansible.builtin.debug:\n")
    (directory / "play.yml").write_text(PLAY.replace("[pgsql]", "[acme.db.pgsql]"))
    paths = f"collections_path = {directory}/collections{collections}"
    (directory / "ansible.cfg").write_text(f"[defaults]\n{ENTRY_POINTS['both']}\n{paths}\n")
    explained = run_command([*command, "explain", "play.yml"], directory)
    assert explained.rc == 0, explained.stderr
    covered = "  rule pigsty-node, by role pgsql or postgres or postgresql\n"
    assert f"{covered}    checked   localhost\n" in explained.stdout
    assert run_command([*command, "validate"], directory).rc == 0


def test_the_guard_works_in_a_clone(clone):
    run = run_command([BIN / "ansible-playbook", "playbooks/pgsql.yml"], clone)
    assert run.rc == 2, run.stderr
    assert "3 of 3 hosts are not ready" in run.stderr
    assert "    playbooks/node.yml -l node1,node2,node3\n" in run.stderr
    explained = run_command([sys.executable, COMMAND, "explain", "playbooks/pgsql.yml"], clone)
    assert "checked   node1, node2, node3\n" in explained.stdout, explained.stderr


def test_the_guard_works_when_pip_installed_it(clone, tmp_path):
    venv, project = tmp_path / "venv/bin", tmp_path / "project"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    install = [venv / "python", "-m", "pip", "install", "--quiet", "--no-compile"]
    installed = run_command([*install, ".", f"ansible-core=={__version__}"], clone)
    assert installed.rc == 0, installed.stderr
    project.mkdir()
    assert_guarded(venv / "python", project)
    assert_explains([venv / "ansible-precheck"], project)
    listed = run_command([venv / "ansible-galaxy", "collection", "list", "precheck.guard"], project)
    assert "precheck.guard 0.1.0" in on_one_line(listed.stdout)


def test_the_guard_works_when_ansible_galaxy_installed_it(clone, tmp_path):
    galaxy = [BIN / "ansible-galaxy", "collection"]
    collections, project = tmp_path / "collections", tmp_path / "project"
    built = run_command([*galaxy, "build", clone, "--output-path", tmp_path], tmp_path)
    assert built.rc == 0, built.stderr
    [tarball] = tmp_path.glob("precheck-guard-*.tar.gz")
    installed = run_command([*galaxy, "install", tarball, "-p", collections], tmp_path)
    assert installed.rc == 0, installed.stderr
    project.mkdir()
    assert_guarded(Path(sys.executable), project, f"collections_path = {collections}")
    command = [sys.executable, collections / "ansible_collections/precheck/guard" / COMMAND]
    assert_explains(command, project, f":{collections}")


def test_the_demonstration_succeeds(clone):
    run = run_command([sys.executable, clone / "playbooks/demo.py"], clone)
    assert run.rc == 0, run.output
    result = "The guard stopped the playbook, node3 was initialised, and the playbook ran.\n"
    assert run.stdout.endswith(result)


@pytest.mark.one_release
@pytest.mark.parametrize(
    ("playbook", "old", "new"),
    [
        ("pgsql.yml", "hosts: all", "hosts: all\n  tags: no_precheck"),
        ("node.yml", "/etc/pki/ca.crt", "/etc/pki/other.crt"),
    ],
    ids=["the guard does not stop", "the remedy does not help"],
)
def test_the_demonstration_fails_when_a_playbook_is_wrong(clone, playbook, old, new):
    path = clone / "playbooks" / playbook
    path.write_text(path.read_text().replace(old, new))
    run = run_command([sys.executable, clone / "playbooks/demo.py"], clone)
    assert run.rc == 1
    assert "The demonstration failed" in run.stderr
