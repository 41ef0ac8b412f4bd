# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The project of a test: a directory with an ansible.cfg, an inventory and playbooks."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.release import __version__

from support.commands import BIN, REPOSITORY, Run, run_command

# pip makes it the command ansible-precheck.
PRECHECK = REPOSITORY / "plugins/plugin_utils/cli/main.py"

IS_2_10 = not hasattr(C, "CALLBACKS_ENABLED")
RELEASE = tuple(map(int, __version__.split(".")[:2]))

# The key in ansible.cfg that enables callbacks, and the variable of the environment.
CALLBACKS = "callback_whitelist" if IS_2_10 else "callbacks_enabled"
CALLBACKS_VARIABLE = f"ANSIBLE_{CALLBACKS.upper()}"

# The lines in ansible.cfg that enable each entry point of the guard.
ENTRY_POINTS = {
    "strategy": "strategy = precheck.guard.linear",
    "callback": f"{CALLBACKS} = precheck.guard.enforce",
    "both": f"strategy = precheck.guard.linear\n{CALLBACKS} = precheck.guard.enforce",
    "none": "",
}

# What ansible-playbook takes for a playbook of the collection: 2.10 does not know it by its name.
_PLAYBOOKS = REPOSITORY / "collections/ansible_collections/precheck/guard/playbooks"
AUDIT, DOCTOR = (
    str(_PLAYBOOKS / f"{name}.yml") if IS_2_10 else f"precheck.guard.{name}"
    for name in ("audit", "doctor")
)

LOCAL_HOST = {"ansible_connection": "local"}
UNREACHABLE_HOST = {
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
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
# 2.11 and 2.12 know this one only here.
pipelining = true
{entry_point}
{more}
[ssh_connection]
pipelining = true
control_path_dir = {sockets}
ssh_args = -o ControlMaster=auto -o ControlPersist=120s
"""


class Project:
    """A directory with an ansible.cfg that enables one entry point, an inventory, and playbooks.

    ``sockets`` is the directory in which ssh keeps its connections.
    """

    def __init__(self, directory: Path, sockets: Path, entry_point: str) -> None:
        self.directory, self.sockets, self.entry_point = directory, sockets, entry_point
        self.configure(entry_point)
        self.write("node.yml", "")  # where it is, the built-in rule suggests to run it

    def configure(self, entry_point: str, more: str = "") -> None:
        """Write the ansible.cfg. ``more`` are lines of its section defaults, or sections."""
        self.entry_point = entry_point
        text = CONFIG.format(
            collections=REPOSITORY / "collections",
            entry_point=ENTRY_POINTS[entry_point],
            more=more,
            sockets=self.sockets,
        )
        (self.directory / "ansible.cfg").write_text(text)

    def strategy(self, name: str) -> str:
        """Return how a play names a built-in strategy to go through the project's entry point."""
        return name if self.entry_point == "callback" else f"precheck.guard.{name}"

    def inventory(self, hosts: dict[str, dict[str, Any]]) -> None:
        """Write an inventory of these hosts, with their variables."""
        variables = {"ansible_python_interpreter": sys.executable}
        inventory = {"all": {"vars": variables, "hosts": hosts}}
        (self.directory / "inventory.json").write_text(json.dumps(inventory))

    @contextlib.contextmanager
    def changed_inventory(self) -> Iterator[dict[str, Any]]:
        """Give the group ``all`` of the inventory, and write what the caller makes of it."""
        path = self.directory / "inventory.json"
        inventory = json.loads(path.read_text())
        yield inventory["all"]
        path.write_text(json.dumps(inventory))

    def hosts(self) -> dict[str, dict[str, Any]]:
        """Return the hosts of the inventory, with their variables."""
        hosts: dict[str, dict[str, Any]] = json.loads(
            (self.directory / "inventory.json").read_text()
        )["all"]["hosts"]
        return hosts

    def local_hosts(self, ready: str = "", missing: str = "") -> None:
        """Write an inventory of hosts on this machine, each with a directory as its root.

        ``ready`` names the hosts that have the marker, ``missing`` those that do not: "h1 h2".
        """
        for name in ready.split():
            self.write(f"{name}/etc/pki/ca.crt", "a certificate\n")
        self.inventory(
            {
                name: LOCAL_HOST | {"precheck_root": str(self.directory / name)}
                for name in (ready + " " + missing).split()
            }
        )

    def write(self, name: str, text: str) -> None:
        """Write a file, and make its directory."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def script(self, name: str, text: str) -> str:
        """Write an executable file, and return its path."""
        self.write(name, text)
        (self.directory / name).chmod(0o755)
        return f"{self.directory}/{name}"

    def run(
        self, *command: str, stdin: str = "", env: dict[str, str] | None = None, cwd: str = "."
    ) -> Run:
        """Run ansible-playbook with these arguments.

        If the first argument is another command of Ansible or Precheck, run that.
        """
        if not command[0].startswith("ansible"):
            command = ("ansible-playbook", *command)
        program = [BIN / command[0]]
        if command[0] == "ansible-precheck":
            program = [Path(sys.executable), PRECHECK]
        settings = {"ANSIBLE_CONFIG": f"{self.directory}/ansible.cfg", "ANSIBLE_NOCOLOR": "1"}
        run = run_command(
            [*program, *command[1:]],
            self.directory / cwd,
            stdin=stdin,
            timeout=600,
            **settings | (env or {}),
        )
        assert "Traceback" not in run.output
        return run
