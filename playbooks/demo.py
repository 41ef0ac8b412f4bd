#!/usr/bin/env python3
# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Show the guard at work on three local nodes, one of them uninitialised. Needs neither root nor a server.

The nodes live in a temporary folder. Without ansible-core 2.14 or later on the PATH, it is first installed into a
virtual environment there. The exit status is 0 only if all went as told.
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


def find_ansible(folder: Path) -> Path:
    """Return the folder of ansible-playbook, installing ansible-core below ``folder`` where there is none."""
    if found := shutil.which("ansible-playbook"):
        answer = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
        if (version := re.search(r"core 2\.(\d+)", answer.stdout)) and int(version[1]) >= 14:
            return Path(found).parent
    print("Installing ansible-core into a temporary virtual environment ...", flush=True)
    venv.create(folder / "venv", with_pip=True)
    subprocess.run([folder / "venv/bin/python", "-m", "pip", "install", "--quiet", "ansible-core"], check=True)
    return folder / "venv/bin"


def step(title: str, command: list[str], env: dict[str, str], status: int, *texts: str) -> None:
    """Run ``command`` in the playbooks' folder, show its output; exit unless it ends with ``status`` and says all ``texts``."""
    print(f"\n##### {title}\n$ {' '.join(command)}", flush=True)
    done = subprocess.run(
        command, cwd=PLAYBOOKS, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    print(done.stdout, flush=True)
    missing = [text for text in texts if text not in done.stdout]
    if done.returncode != status or missing:
        sys.exit(f"The demonstration failed: exit status {done.returncode}, expected {status}; not said: {missing}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="precheck-demo-") as name:
        folder = Path(name)
        shutil.copy(PLAYBOOKS / "inventory.yml", folder)
        env = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        env |= {
            "PATH": f"{find_ansible(folder)}{os.pathsep}{env['PATH']}",
            "ANSIBLE_CONFIG": str(PLAYBOOKS.parent / "ansible.cfg"),
            "ANSIBLE_INVENTORY": str(folder / "inventory.yml"),
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "ANSIBLE_REMOTE_TMP": str(folder / "tmp"),  # not every user of a container has a home
        }
        data = folder / "nodes/node1/pg/data"
        step("Initialise node1 and node2, but not node3.", ["./node.yml", "-l", "node1,node2"], env, 0)
        remedy = ["./node.yml", "-l", "node3"]
        step("Set up PostgreSQL: the guard stops it.", ["./pgsql.yml"], env, 2, "1 of 3 hosts is not ready", " ".join(remedy))
        if data.exists():
            sys.exit(f"The demonstration failed: {data} was made")
        step("Do as it says.", remedy, env, 0)
        step("Set up PostgreSQL: it runs.", ["./pgsql.yml"], env, 0, "TASK [Make the data directory]")
        if not data.exists():
            sys.exit(f"The demonstration failed: {data} was not made")
    print("The guard stopped the playbook, node3 was initialised, and the playbook ran.")


if __name__ == "__main__":
    main()
