# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ways to get the collection: a clone, pip, ansible-galaxy; and the demonstration."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible.release import __version__

from support.commands import BIN
from support.project import ENTRY_POINTS

COMMAND = "plugins/plugin_utils/command.py"
PLAY = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  roles: [pgsql]\n"


@pytest.fixture
def clone(tmp_path: Path, copy_repository: Callable[[Path], Path]) -> Path:
    return copy_repository(tmp_path / "clone")


def run(command: list[str | Path], cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("ANSIBLE_", "PYTHONPATH"))
    }
    return subprocess.run(
        command, cwd=cwd, env=clean | env, capture_output=True, text=True, check=False
    )


def stops_and_lets_through(python: Path, directory: Path, collections: str = "") -> None:
    """The guard works in a project elsewhere, switched on by either line and by both."""
    (directory / "roles/pgsql/tasks").mkdir(parents=True)
    (directory / "roles/pgsql/tasks/main.yml").write_text(
        "- ansible.builtin.debug: {msg: the role ran}\n"
    )
    (directory / "play.yml").write_text(PLAY)
    for entry_point in ("strategy", "callback", "both"):
        (directory / "ansible.cfg").write_text(
            f"[defaults]\n{ENTRY_POINTS[entry_point]}\n{collections}\n"
        )
        command = [
            python,
            "-m",
            "ansible",
            "playbook",
            "play.yml",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
        ]
        stopped = run([*command, "-e", f"precheck_root={directory}/missing"], directory)
        assert stopped.returncode == 2, stopped.stdout + stopped.stderr
        assert "./node.yml -l localhost" in stopped.stderr
        assert "the role ran" not in stopped.stdout
        (directory / "root/etc/pki").mkdir(parents=True, exist_ok=True)
        (directory / "root/etc/pki/ca.crt").touch()
        passed = run([*command, "-e", f"precheck_root={directory}/root"], directory)
        assert passed.returncode == 0, passed.stdout + passed.stderr
        assert passed.stdout.count("TASK [Precheck") == 1
        assert "the role ran" in passed.stdout
    command = [
        python,
        "-m",
        "ansible",
        "playbook",
        "precheck.guard.audit",
        "-i",
        "localhost,",
        "-e",
        "ansible_connection=local",
    ]
    audited = run([*command, "-e", f"precheck_root={directory}/root"], directory)
    assert audited.returncode == 0, audited.stdout + audited.stderr
    assert "\nPRECHECK audited 1 host by 1 rule: all are ready.\n" in audited.stdout


def explains_with_a_role_of_another_collection(
    command: list[str | Path], directory: Path, collections: str = ""
) -> None:
    """ansible-precheck works in a project elsewhere, and finds a collection where only ansible.cfg says that it is."""
    role = directory / "collections/ansible_collections/acme/db/roles/pgsql"
    (role / "tasks").mkdir(parents=True)
    (role / "tasks/main.yml").write_text("- ansible.builtin.debug:\n")
    (directory / "play.yml").write_text(PLAY.replace("[pgsql]", "[acme.db.pgsql]"))
    (directory / "ansible.cfg").write_text(
        f"[defaults]\n{ENTRY_POINTS['both']}\n"
        f"collections_path = {directory}/collections{collections}\n"
    )
    done = run([*command, "explain", "play.yml"], directory)
    assert done.returncode == 0, done.stderr
    assert (
        "  rule pigsty-node, by role pgsql or postgres or postgresql\n    asked     localhost\n"
        in done.stdout
    )
    assert run([*command, "validate"], directory).returncode == 0


def test_a_clone(clone):
    done = run([BIN / "ansible-playbook", "playbooks/pgsql.yml"], clone)
    assert done.returncode == 2, done.stderr
    assert "3 of 3 hosts are not ready" in done.stderr
    assert "./node.yml -l node1,node2,node3" in done.stderr
    done = run([sys.executable, COMMAND, "explain", "playbooks/pgsql.yml"], clone)
    assert "asked     node1, node2, node3\n" in done.stdout, done.stderr


def test_pip(clone, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    done = run(
        [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            ".",
            f"ansible-core=={__version__}",
        ],
        clone,
    )
    assert done.returncode == 0, done.stderr
    (tmp_path / "project").mkdir()
    stops_and_lets_through(python, tmp_path / "project")
    explains_with_a_role_of_another_collection(
        [tmp_path / "venv/bin/ansible-precheck"], tmp_path / "project"
    )
    shown = run(
        [tmp_path / "venv/bin/ansible-galaxy", "collection", "list", "precheck.guard"],
        tmp_path / "project",
    )
    assert "precheck.guard 0.1.0" in " ".join(shown.stdout.split())


def test_galaxy(clone, tmp_path):
    built = run(
        [BIN / "ansible-galaxy", "collection", "build", clone, "--output-path", tmp_path], tmp_path
    )
    assert built.returncode == 0, built.stderr
    [tarball] = tmp_path.glob("precheck-guard-*.tar.gz")
    installed = run(
        [BIN / "ansible-galaxy", "collection", "install", tarball, "-p", tmp_path / "collections"],
        tmp_path,
    )
    assert installed.returncode == 0, installed.stderr
    (tmp_path / "project").mkdir()
    stops_and_lets_through(
        Path(sys.executable), tmp_path / "project", f"collections_path = {tmp_path}/collections"
    )
    command = [
        sys.executable,
        tmp_path / "collections/ansible_collections/precheck/guard" / COMMAND,
    ]
    explains_with_a_role_of_another_collection(
        command, tmp_path / "project", f":{tmp_path}/collections"
    )


def test_the_demonstration(clone):
    done = run(
        [sys.executable, clone / "playbooks/demo.py"], clone, PATH=f"{BIN}:{os.environ['PATH']}"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(
        "The guard stopped the playbook, node3 was initialised, and the playbook ran.\n"
    )


@pytest.mark.one_release
@pytest.mark.parametrize(
    ("playbook", "break_it"),
    [
        ("pgsql.yml", ("hosts: all", "hosts: all\n  tags: no_precheck")),
        ("node.yml", ("/etc/pki/ca.crt", "/etc/pki/other.crt")),
    ],
)
def test_the_demonstration_fails_when_it_should(clone, playbook, break_it):
    path = clone / "playbooks" / playbook
    path.write_text(path.read_text().replace(*break_it))
    done = run(
        [sys.executable, clone / "playbooks/demo.py"], clone, PATH=f"{BIN}:{os.environ['PATH']}"
    )
    assert done.returncode == 1
    assert "The demonstration failed" in done.stderr
