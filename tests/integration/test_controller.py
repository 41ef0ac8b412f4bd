# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What docs/controller.md says: the guard under ansible-runner, by which controllers run Ansible, and under ansible-pull."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.commands import BIN, REPOSITORY
from support.project import ENTRY_POINTS

DOCUMENT = (REPOSITORY / "docs/controller.md").read_text()

PLAY = """\
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  tasks: [{name: install, ansible.builtin.debug: {msg: it ran}}]
"""

POLICY = """\
rules:
  - name: prepared
    plays: [{play: "*"}]
    checks:
      - path: /etc/pki/ca.crt
      - name: secret
        task: {ansible.builtin.debug: {msg: "{{ password }}"}, no_log: true}
"""


def block(kind: str) -> str:
    """Return the only code block of this kind in the document."""
    [text] = re.findall(f"^```{kind}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    return text


def run(command, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("ANSIBLE_", "PYTHONPATH"))
    }
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean | {"PATH": f"{BIN}:{clean['PATH']}"} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def in_git(directory: Path) -> str:
    """Make a repository of git with all that is in the directory, and return its address."""
    for command in (
        "init -q -b main",
        "add -A",
        "-c user.name=test -c user.email=test@example.org commit -q -m all",
    ):
        subprocess.run(["git", *command.split()], cwd=directory, check=True)
    return f"file://{directory}"


@pytest.fixture
def data(tmp_path):
    """A private data directory of ansible-runner, as a controller makes it: a project, an inventory, an environment."""
    directory = tmp_path / "data"
    for name in ("project", "inventory", "env"):
        (directory / name).mkdir(parents=True)
    (directory / "project/pgsql.yml").write_text(PLAY)
    (directory / "env/envvars").write_text(json.dumps({"ANSIBLE_NOCOLOR": "1"}))
    return directory


def hosts(data: Path, ready: str, missing: str, **variables: str) -> None:
    found = {}
    for name in f"{ready} {missing}".split():
        found[name] = {"ansible_connection": "local", "precheck_root": f"{data.parent}/{name}"}
        if name in ready.split():
            (data.parent / name / "etc/pki").mkdir(parents=True)
            (data.parent / name / "etc/pki/ca.crt").touch()
    variables["ansible_python_interpreter"] = sys.executable
    (data / "inventory/hosts.json").write_text(
        json.dumps({"all": {"vars": variables, "hosts": found}})
    )


class Job:
    """What ansible-runner left of a run: its ``status``, ``rc`` and ``stdout``, and its event stream.

    ``results`` are those of tasks, by event, host and task; ``tasks`` are the names of all tasks in events; ``text`` is what
    the events show.
    """

    def __init__(self, directory: Path) -> None:
        self.status, self.rc = (directory / "status").read_text(), (directory / "rc").read_text()
        self.stdout = (directory / "stdout").read_text().replace("\r", "")
        events = [json.loads(path.read_text()) for path in directory.glob("job_events/*.json")]
        events.sort(key=lambda event: event["counter"])
        self.text = "\n".join(event["stdout"] for event in events).replace("\r", "")
        data = [(event["event"], event.get("event_data", {})) for event in events]
        self.results = {
            (name, of["host"], of["task"]): of["res"] for name, of in data if "res" in of
        }
        self.tasks = {of["task"] for _name, of in data if "task" in of}


@pytest.mark.others
@pytest.mark.parametrize("entry_point", ["strategy", "callback"])
def test_ansible_runner(data, entry_point):
    (data / "project/ansible.cfg").write_text(f"[defaults]\n{ENTRY_POINTS[entry_point]}\n")
    (data / "project/collections").symlink_to(REPOSITORY / "collections")
    hosts(data, ready="h2", missing="h1")
    [command] = re.findall("`(ansible-runner run .*?)`", DOCUMENT)
    done = run(shlex.split(command), data.parent)
    assert done.returncode == 2, done.stdout + done.stderr
    [directory] = (data / "artifacts").iterdir()
    job = Job(directory)
    assert (job.status, job.rc) == ("failed", "2")
    check, reason = "Precheck pigsty-node", f"{data.parent}/h1/etc/pki/ca.crt is missing"
    assert {key: result["checks"] for key, result in job.results.items()} == {
        ("runner_on_failed", "h1", check): [
            {"check": "/etc/pki/ca.crt", "verdict": "not_ready", "msg": reason}
        ],
        ("runner_on_ok", "h2", check): [
            {"check": "/etc/pki/ca.crt", "verdict": "ready", "msg": ""}
        ],
    }
    assert job.tasks == {check}
    told = f"""\
PRECHECK stopped the run before play "Set up PostgreSQL" ({data}/project/pgsql.yml:1).

Rule pigsty-node: 1 of 2 hosts is not ready.
  h1  not ready: {reason}

These hosts are not managed by Pigsty: ./node.yml initialises them.

    ./node.yml -l h1

Nothing was changed: no task of this play ran on any host.
To run it unchecked all the same: tag the play no_precheck, or pass --skip-tags precheck."""
    for text in (job.stdout, job.text, done.stdout.replace("\r", "")):
        assert text.rstrip("\n").endswith(told)
        assert text.count("PRECHECK") == 1


@pytest.mark.others
def test_slices_on_another_machine(data, copy_repository):
    """Each slice of a job has an inventory of its own, and the collection is where AWX and the document put it."""
    project = data / "project"
    (project / "ansible.cfg").write_text(f"[defaults]\n{ENTRY_POINTS['both']}\n{block('ini')}")
    (project / "precheck.yml").write_text(POLICY)
    (project / "collections").mkdir()
    address = in_git(copy_repository(data.parent / "precheck"))
    requirements, replaced = re.subn(r"https://\S+", address, block("yaml"))
    assert replaced == 1
    (project / "collections/requirements.yml").write_text(requirements)
    install, transmit = re.findall("^```sh\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)[:2]
    installed = run(shlex.split(install), project)
    assert installed.returncode == 0, installed.stderr

    jobs = []
    for ready, missing in (("h3", "h1"), ("h2 h4", "")):
        hosts(data, ready, missing, password="swordfish")
        done = run(["bash", "-c", transmit], data.parent)
        jobs.append((done, Job(data / "artifacts/1")))
        found = [path for path in (data / "artifacts").rglob("*") if path.is_file()]
        assert not [path for path in found if "swordfish" in path.read_text()]
        report = json.loads((data / "artifacts/1/precheck.json").read_text())
        assert {(one["host"], one["verdict"]) for one in report["verdicts"]} == {
            *((name, "ready") for name in ready.split()),
            *((name, "not_ready") for name in missing.split()),
        }
        (data / "artifacts").rename(data.parent / f"artifacts of {ready}")

    (stopped, first), (passed, second) = jobs
    assert (stopped.returncode, first.status, first.rc) == (2, "failed", "2")
    assert first.tasks == {"Precheck prepared", "Precheck prepared: secret"}
    assert first.results["runner_on_failed", "h1", "Precheck prepared"]["verdict"] == "not_ready"
    assert first.results["runner_on_ok", "h3", "Precheck prepared"]["verdict"] == "ready"
    for text in (first.stdout, first.text, stopped.stdout.replace("\r", "")):
        assert "\nPRECHECK stopped the run before play " in text
        assert "\nRule prepared: 1 of 2 hosts is not ready.\n  h1  not ready: " in text
    assert (passed.returncode, second.status, second.rc) == (0, "successful", "0")
    assert {key[1:] for key in second.results if key[2] == "install"} == {
        ("h2", "install"),
        ("h4", "install"),
    }
    assert "PRECHECK" not in passed.stdout + second.stdout


@pytest.mark.one_release
def test_ansible_pull(project):
    """The node finds itself not ready by the ansible.cfg of what it fetched. ansible-pull reads the two streams in turns, and
    what is told must not be mixed with what was printed before.
    """
    project.configure("both")
    project.inventory(
        {os.uname().nodename: {"precheck_root": str(project.directory / "h1")}, "another": {}}
    )
    project.write("pgsql.yml", PLAY)
    (project.directory / "inventory.json").rename(project.directory / "pigsty.yml")
    address = in_git(project.directory)
    [command] = re.findall("^(ansible-pull .*)$", DOCUMENT, re.MULTILINE)
    command, replaced = re.subn(r"https://\S+", address, command)
    assert replaced == 1
    home = project.directory / "home"
    home.mkdir()
    done = run(shlex.split(command), home, HOME=str(home))
    assert done.returncode == 2, done.stdout + done.stderr
    recap, told = done.stdout.split("PRECHECK", 1)
    assert re.search(r"\nPLAY RECAP \*+\n\S+ +: ok=0 .* failed=1 .*\n\n$", recap)
    assert told.startswith(' stopped the run before play "Set up PostgreSQL" (')
    assert (
        f"\nRule pigsty-node: 1 of 1 host is not ready.\n  {os.uname().nodename}  not ready: "
        in told
    )
    assert (
        "\nTo run it unchecked all the same: tag the play no_precheck, or pass --skip-tags"
        " precheck.\n"
    ) in told
    assert "it ran" not in done.stdout
