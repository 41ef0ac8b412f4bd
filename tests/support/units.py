# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The units of systemd and the commands that the documents show, without systemd."""

from __future__ import annotations

import re

from support.commands import BIN, REPOSITORY, Run, run_command
from support.project import Project

UNITS = REPOSITORY / "docs/systemd"


def settings(unit: str) -> dict[str, str]:
    """Return the settings of a unit, as systemd understands them."""
    text = (UNITS / unit).read_text().replace("\\\n", "").replace("%%", "%")
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def run(project: Project, command: str, **env: str) -> Run:
    """Run a command of the documents in a shell, with what a test has in place of their paths."""
    here = {
        "/srv/pigsty": ".",
        "/var/log/precheck": f"{project.directory}/log",
        "/etc/precheck": str(project.directory),
        "/usr/bin/": f"{BIN}/",
    }
    for theirs, ours in here.items():
        command = command.replace(theirs, ours)
    return run_command(["sh", "-c", command], project.directory, **env)
