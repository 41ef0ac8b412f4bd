# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the pictures show: real runs of a project like Pigsty, at other paths, addresses, times."""

from __future__ import annotations

import json
import platform
import re
from pathlib import Path

from support.project import UNREACHABLE_HOST, Project

READY, NEW, DOWN = "10.10.10.10 10.10.10.11 10.10.10.14", "10.10.10.12", "10.10.10.13"
PLAYBOOK = """\
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: "true"
"""
POLICY = """
rules:
  - name: pigsty-node
    plays: [{playbook: "pgsql*.yml"}]
    checks: [{path: /etc/pki/ca.crt}]
    message: These hosts are not managed by this Pigsty.
    remedy: "./node.yml -l {{ precheck_limit }}"
  - name: backup
    plays: [{playbook: "*upgrade*.yml"}]
    checks: [{path: "/var/backups/pg.dump"}]
    message: An upgrade needs a backup to go back to.
    remedy: "./backup.yml -l {{ precheck_limit }}"
  - name: free-space
    plays: [{play: "*"}]
    checks: [{that: free_percent | default(40) > 10, message: less than 10 % of /data are free}]
    severity: warn
"""


def _project(directory: Path) -> Project:
    """Return a project with five hosts, of which one is new and one is down."""
    project = Project(directory, directory, "callback")
    project.local_hosts(ready=READY, missing=NEW)
    project.inventory(project.hosts() | {DOWN: UNREACHABLE_HOST})
    project.write("pgsql.yml", PLAYBOOK)
    return project


def _elsewhere(text: str, directory: Path) -> str:
    """Return the text with the paths and addresses that such a project would have."""
    text = re.sub(rf"{directory}/10\.10\.10\.\d+/", "/", text)
    text = text.replace(str(directory), "/srv/pigsty").replace(platform.node(), "admin")
    return text.replace("127.0.0.1 port 1:", f"{DOWN} port 22:")


def stopped(directory: Path) -> str:
    """Return what a terminal shows when the guard stops pgsql.yml, with its colours."""
    project = _project(directory)
    colors = {"ANSIBLE_NOCOLOR": "0", "ANSIBLE_FORCE_COLOR": "1"}
    run = project.run("pgsql.yml", env=colors)
    assert run.rc == 2, run.output
    return _elsewhere(f"$ ansible-playbook pgsql.yml\n{run.output}", directory)


def audited(directory: Path) -> Path:
    """Return the page of an audit."""
    project = _project(directory)
    project.write("precheck.yml", POLICY)
    first, second, _third = READY.split()
    for name in (first, second):
        project.write(f"{name}/var/backups/pg.dump", "")
    with project.changed_inventory() as inventory:
        inventory["hosts"][first]["free_percent"] = 7
    run = project.run("precheck.guard.audit", "-e", "precheck_page=audit.html")
    assert run.rc == 2, run.output
    page = directory / "audit.html"
    page.write_text(_elsewhere(page.read_text(), directory))
    return page


# The days on which hosts have the certificate, and on which there is a run beside the audit.
DAYS = range(1, 15)
WITH_CERTIFICATE = {"10.10.10.11": range(1, 10), "10.10.10.14": range(4, 15), NEW: range(8, 12)}
RUNS = {5: (), 12: (), 13: ("--skip-tags", "precheck", "-e", "precheck_reason=CHG-123")}


def remembered(directory: Path) -> Path:
    """Return the page of a history of daily audits, and of some runs."""
    project = _project(directory)
    project.write("precheck.yml", POLICY)
    (directory / "reports").mkdir()
    for name in (*READY.split(), NEW):
        project.write(f"{name}/var/backups/pg.dump", "")
    for day in DAYS:
        for name, days in WITH_CERTIFICATE.items():
            certificate = directory / name / "etc/pki/ca.crt"
            certificate.unlink(missing_ok=True)
            if day in days:
                project.write(f"{name}/etc/pki/ca.crt", "")
        _report(project, f"2026-11-{day:02}T06:00", "precheck.guard.audit")
        if day in RUNS:
            _report(project, f"2026-11-{day:02}T14:12", "pgsql.yml", *RUNS[day])
    run = project.run("ansible-precheck", "report", "reports", "--page", "history.html")
    assert run.rc == 0, run.output
    page = directory / "history.html"
    page.write_text(_elsewhere(page.read_text(), directory))
    return page


def _report(project: Project, minute: str, *arguments: str) -> None:
    """Run something and make its report one of that minute."""
    path = project.directory / f"reports/{minute}.json"
    project.run(*arguments, "-e", f"precheck_report={path}")
    times = {"started": f"{minute}:00Z", "finished": f"{minute}:09Z"}
    path.write_text(json.dumps({**json.loads(path.read_text()), **times}))
