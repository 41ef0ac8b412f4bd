# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Commands that the tests run: where they are, their environment, and their result."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent  # has the commands of Ansible


class Run:
    """A finished run of a command: ``rc``, ``stdout``, ``stderr``, and both as ``output``."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.rc, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        self.output = done.stdout + done.stderr


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment of the tests without settings of Ansible and Python, and ``more``."""
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("ANSIBLE_", "PYTHONPATH"))
    }
    return clean | more


def run_command(
    command: Sequence[str | Path], cwd: Path, *, timeout: float = 300, stdin: str = "", **env: str
) -> Run:
    """Run a command in a clean environment with ``env``, and with BIN first on the PATH."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(**{"PATH": f"{BIN}:{os.environ['PATH']}"} | env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Run(done)


def commit_all(directory: Path) -> str:
    """Make a git repository of all files in the directory, and return its address."""
    identity = "-c user.name=tests -c user.email=tests@localhost"
    for command in ("init -q -b main", "add -A", f"{identity} commit -q -m all"):
        subprocess.run(["git", *command.split()], cwd=directory, check=True)
    return f"file://{directory}"
