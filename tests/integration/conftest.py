# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from nodes import ADDRESSES, Nodes, why_not

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PRECHECK = REPOSITORY / "plugins/plugin_utils/command.py"  # pip makes it the command ansible-precheck

DOORS = {
    "strategy": "strategy = precheck.guard.linear",
    "callback": "callbacks_enabled = precheck.guard.enforce",
    "both": "strategy = precheck.guard.linear\ncallbacks_enabled = precheck.guard.enforce",
    "none": "",
}

CONFIG = """
[defaults]
collections_path = {collections}
inventory = inventory.json
forks = 10
host_key_checking = false
retry_files_enabled = false
# The one about strategies from outside ansible-core; a test of its own looks at it.
deprecation_warnings = false
{door}
{more}
[ssh_connection]
pipelining = true
control_path_dir = {sockets}
ssh_args = -o ControlMaster=auto -o ControlPersist=120s
"""

# What is told when the playbook pgsql.yml is stopped because of h1 and h3, its first play being named so.
BLOCK = """\
PRECHECK stopped the run before play "Set up PostgreSQL" ({folder}/pgsql.yml:1).

Rule pigsty-node: 2 of 3 hosts are not ready.
  h1  not ready: {folder}/h1/etc/pki/ca.crt is missing
  h3  not ready: {folder}/h3/etc/pki/ca.crt is missing

These hosts are not managed by Pigsty: ./node.yml initialises them.

    ./node.yml -l h1,h3

Nothing was changed: no task of this play ran on any host.
To run it unchecked all the same: tag the play no_precheck, or pass --skip-tags precheck.
"""


class Run:
    """A finished run of a command: ``rc``, ``stdout``, ``stderr``, and ``output``, both of them."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.rc, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        self.output = done.stdout + done.stderr


class Project:
    """A folder with an ansible.cfg that opens one door, an inventory, and the playbooks of a test."""

    def __init__(self, folder: Path, sockets: Path, door: str) -> None:
        self.folder, self.sockets, self.door = folder, sockets, door
        self.configure(door)

    def configure(self, door: str, more: str = "") -> None:
        self.door = door
        text = CONFIG.format(collections=REPOSITORY / "collections", door=DOORS[door], more=more, sockets=self.sockets)
        (self.folder / "ansible.cfg").write_text(text)

    def strategy(self, name: str) -> str:
        """Return the name by which a play asks for a built-in strategy so that it goes through the project's door."""
        return name if self.door == "callback" else f"precheck.guard.{name}"

    def inventory(self, hosts: dict[str, dict[str, object]]) -> None:
        inventory = {"all": {"vars": {"ansible_python_interpreter": sys.executable}, "hosts": hosts}}
        (self.folder / "inventory.json").write_text(json.dumps(inventory))

    def local_hosts(self, ready: str = "", missing: str = "") -> None:
        """Make an inventory of hosts on this machine, each with a folder for its root directory."""
        for name in ready.split():
            (self.folder / name / "etc/pki").mkdir(parents=True)
            (self.folder / name / "etc/pki/ca.crt").write_text("a certificate\n")
        self.inventory(
            {
                name: {"ansible_connection": "local", "precheck_root": str(self.folder / name)}
                for name in (ready + " " + missing).split()
            }
        )

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *command: str, stdin: str = "", env: dict[str, str] | None = None, cwd: str = ".") -> Run:
        """Run ansible-playbook with these arguments, or another command of Ansible or Precheck if the first is one."""
        if not command[0].startswith("ansible"):
            command = ("ansible-playbook", *command)
        program = [sys.executable, PRECHECK] if command[0] == "ansible-precheck" else [BIN / command[0]]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        done = subprocess.run(
            [*program, *command[1:]],
            cwd=self.folder / cwd,
            env=clean | {"ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"} | (env or {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return Run(done)


def lacking(reason: str) -> NoReturn:
    """Skip a test that needs what this machine lacks. With CI set in the environment it fails."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@pytest.fixture(scope="session")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ssh keeps its connections open from run to run. They end when the nodes stop."""
    return tmp_path_factory.mktemp("ssh")


@pytest.fixture
def project(tmp_path: Path, sockets: Path) -> Project:
    """A project without a door, unless the test gives it one by ``configure`` or asks for ``guarded``."""
    return Project(tmp_path, sockets, "none")


@pytest.fixture(params=["strategy", "callback"])
def guarded(project: Project, request: pytest.FixtureRequest) -> Project:
    """A project through each door in turn."""
    project.configure(request.param)
    return project


@pytest.fixture(scope="session")
def all_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    if reason := why_not():
        lacking(reason)
    nodes = Nodes(tmp_path_factory.mktemp("nodes"))
    nodes.start()
    yield nodes
    nodes.stop()


@pytest.fixture
def nodes(all_nodes: Nodes, project: Project) -> Nodes:
    """Five new SSH nodes, without the marker, in the project's inventory."""
    all_nodes.reset()
    project.inventory({name: all_nodes.host(name) for name in ADDRESSES})
    return all_nodes
