#!/usr/bin/env python3
# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows the guard at work on three local nodes, one of which is not initialised.

It needs neither root nor a server. The nodes are in a temporary directory. If there is no
ansible-core 2.14 or later on the PATH, it is installed into a virtual environment there. The exit
status is 0 only if all steps went as expected.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PLAYBOOKS = Path(__file__).resolve().parent


def find_ansible(directory: Path) -> Path:
    """Return the directory of ansible-playbook. Installs ansible-core there if need be."""
    if program := shutil.which("ansible-playbook"):
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        if (version := re.search(r"core 2\.(\d+)", answer.stdout)) and int(version[1]) >= 14:
            return Path(program).parent
    print("Installing ansible-core into a temporary virtual environment ...", flush=True)
    environment = directory / "venv"
    venv.create(environment, with_pip=True)
    pip = [environment / "bin/python", "-m", "pip"]
    subprocess.run([*pip, "install", "--quiet", "ansible-core"], check=True)
    return environment / "bin"


def step(title: str, command: str, env: dict[str, str], status: int, *texts: str) -> None:
    """Run a command in the directory of the playbooks, and show its output.

    The demonstration fails unless the command ends with ``status`` and prints all ``texts``.
    """
    print(f"\n##### {title}\n$ {command}", flush=True)
    done = subprocess.run(
        command.split(),
        cwd=PLAYBOOKS,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout, flush=True)
    if done.returncode != status:
        fail(f"exit status {done.returncode}, expected {status}")
    for text in texts:
        if text not in done.stdout:
            fail(f"the output has no {text!r}")


def fail(reason: str) -> None:
    sys.exit(f"The demonstration failed: {reason}")


def demonstrate(directory: Path) -> None:
    """Show all steps. The nodes are in ``directory``."""
    shutil.copy(PLAYBOOKS / "inventory.yml", directory)
    env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    env |= {
        "PATH": f"{find_ansible(directory)}{os.pathsep}{env['PATH']}",
        "ANSIBLE_CONFIG": str(PLAYBOOKS.parent / "ansible.cfg"),
        "ANSIBLE_INVENTORY": str(directory / "inventory.yml"),
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
        "ANSIBLE_REMOTE_TMP": str(directory / "tmp"),  # some users of containers have no home
    }
    data = directory / "nodes/node1/pg/data"
    remedy = "./node.yml -l node3"
    stopped = "Set up PostgreSQL: the guard stops it."
    step("Initialise node1 and node2, but not node3.", "./node.yml -l node1,node2", env, 0)
    step(stopped, "./pgsql.yml", env, 2, "1 of 3 hosts is not ready", remedy)
    if data.exists():
        fail(f"{data} was made")
    step("Run the command that the guard suggests.", remedy, env, 0)
    step("Set up PostgreSQL: it runs.", "./pgsql.yml", env, 0, "TASK [Make the data directory]")
    if not data.exists():
        fail(f"{data} was not made")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="precheck-demo-") as name:
        demonstrate(Path(name))
    print("The guard stopped the playbook, node3 was initialised, and the playbook ran.")


if __name__ == "__main__":
    main()
