# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What docs/controller.md says of ansible-runner, which controllers use, and of ansible-pull."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from support.commands import REPOSITORY, commit_all, run_command
from support.project import ENTRY_POINTS, LOCAL_HOST

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


def block(kind: str, words: str = "") -> str:
    """Return the only code block of this kind in the document that has these words."""
    blocks = re.findall(f"^```{kind}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    [text] = [text for text in blocks if words in text]
    return str(text)


@pytest.fixture
def data(tmp_path):
    """A private data directory of ansible-runner, as a controller makes it.

    It has a project, an inventory and an environment.
    """
    directory = tmp_path / "data"
    for name in ("project", "inventory", "env"):
        (directory / name).mkdir(parents=True)
    (directory / "project/pgsql.yml").write_text(PLAY)
    (directory / "env/envvars").write_text(json.dumps({"ANSIBLE_NOCOLOR": "1"}))
    return directory


def write_hosts(data: Path, ready: str, missing: str, **variables: str) -> None:
    """Write an inventory of local hosts. Those that are ``ready`` have the marker."""
    hosts = {}
    for name in f"{ready} {missing}".split():
        hosts[name] = LOCAL_HOST | {"precheck_root": f"{data.parent}/{name}"}
        if name in ready.split():
            (data.parent / name / "etc/pki").mkdir(parents=True)
            (data.parent / name / "etc/pki/ca.crt").touch()
    variables["ansible_python_interpreter"] = sys.executable
    inventory = {"all": {"vars": variables, "hosts": hosts}}
    (data / "inventory/hosts.json").write_text(json.dumps(inventory))


class Job:
    """What ansible-runner left of a run: its ``status``, ``rc`` and ``stdout``, and its events.

    ``results`` are those of tasks, by event, host and task. ``tasks`` are the names of all tasks in
    the events, ``text`` is their text, and ``stats`` are what a controller passes on.
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
        [self.stats] = [of["artifact_data"] for _name, of in data if "artifact_data" in of]


@pytest.mark.others
@pytest.mark.parametrize("entry_point", ["strategy", "callback"])
def test_ansible_runner_shows_verdicts_and_the_closing_block(data, entry_point):
    (data / "project/ansible.cfg").write_text(f"[defaults]\n{ENTRY_POINTS[entry_point]}\n")
    (data / "project/collections").symlink_to(REPOSITORY / "collections")
    (data / "project/node.yml").touch()
    write_hosts(data, ready="h2", missing="h1")
    [command] = re.findall("`(ansible-runner run .*?)`", DOCUMENT)
    run = run_command(shlex.split(command), data.parent)
    assert run.rc == 2, run.output
    [directory] = (data / "artifacts").iterdir()
    job = Job(directory)
    assert (job.status, job.rc) == ("failed", "2")
    check, reason = "Precheck pigsty-node", f"{data.parent}/h1/etc/pki/ca.crt is missing"
    remedy = f"./node.yml -l h1 -i {data}/inventory"  # the runner passes -i
    of_rule = {"changed": False, "rule": "pigsty-node"}
    missing = of_rule | {
        "verdict": "not_ready",
        "msg": f"h1 is not managed by Pigsty: {reason}. Run {remedy}",
        "reasons": [reason],
        "remedy": remedy,
    }
    ready = of_rule | {"verdict": "ready", "msg": "all checks passed"}
    assert job.results == {
        ("runner_on_failed", "h1", check): missing,
        ("runner_on_ok", "h2", check): ready,
    }
    assert job.tasks == {check}
    assert job.stats == {}
    block = f"""\
PRECHECK stopped the run before play "Set up PostgreSQL" ({data}/project/pgsql.yml:1): 1 of 2\
 hosts is not ready.

Rule pigsty-node: 1 of 2 hosts is not ready.
  h1  not ready: {reason}

h1 is not managed by Pigsty.

Nothing was changed: no task of this play ran on any host.

    {remedy}

To run it unchecked all the same: tag the play no_precheck:pigsty-node,
or pass -e precheck_waive=pigsty-node
Rule pigsty-node is built in. Rules of your own in precheck.yml beside ansible.cfg replace it."""
    for text in (job.stdout, job.text, run.stdout.replace("\r", "")):
        assert text.rstrip("\n")[-len(block) :] == block
        assert text.count("PRECHECK") == 1


@pytest.mark.others
def test_the_next_job_of_a_workflow_gets_what_a_job_found(data):
    """A controller passes the statistics of a job to the next ones as extra variables."""
    configuration = f"[defaults]\n{ENTRY_POINTS['both']}\n{block('ini', 'set_stats')}"
    (data / "project/ansible.cfg").write_text(configuration)
    (data / "project/collections").symlink_to(REPOSITORY / "collections")
    write_hosts(data, ready="h2", missing="h1 h3")
    command = ["ansible-runner", "run", data, "--ident"]
    assert run_command([*command, "1", "-p", "pgsql.yml"], data.parent).rc == 2
    stats = Job(data / "artifacts/1").stats
    documented = re.findall(r"^\| (`.*?`) \|", DOCUMENT, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(documented))) == sorted(stats["precheck_summary"])
    [hosts] = re.findall(r"`(hosts: \"\{\{\s.*?)`", DOCUMENT, re.DOTALL)
    repair = yaml.safe_load(hosts) | {
        "gather_facts": False,
        "tags": "no_precheck",
        "tasks": [{"name": "repair", "ansible.builtin.debug": {}}],
    }
    (data / "project/repair.yml").write_text(yaml.safe_dump([repair]))
    (data / "env/extravars").write_text(json.dumps(stats))
    assert run_command([*command, "2", "-p", "repair.yml"], data.parent).rc == 0
    repaired = Job(data / "artifacts/2").results
    assert {host for _event, host, _task in repaired} == {"h1", "h3"}


@pytest.mark.others
def test_slices_of_a_job_run_on_another_machine(data, copy_repository):
    """Each slice has its own inventory. The collection is where AWX and the document put it."""
    project = data / "project"
    (project / "ansible.cfg").write_text(
        f"[defaults]\n{ENTRY_POINTS['both']}\n{block('ini', 'report')}"
    )
    (project / "precheck.yml").write_text(POLICY)
    (project / "collections").mkdir()
    address = commit_all(copy_repository(data.parent / "precheck"))
    requirements, replaced = re.subn(r"https://\S+", address, block("yaml"))
    assert replaced == 1
    (project / "collections/requirements.yml").write_text(requirements)
    install, transmit = re.findall("^```sh\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)[:2]
    installed = run_command(shlex.split(install), project)
    assert installed.rc == 0, installed.stderr

    jobs = []
    for ready, missing in (("h3", "h1"), ("h2 h4", "")):
        write_hosts(data, ready, missing, password="swordfish")
        run = run_command(["bash", "-c", transmit], data.parent)
        jobs.append((run, Job(data / "artifacts/1")))
        files = [path for path in (data / "artifacts").rglob("*") if path.is_file()]
        assert not [path for path in files if "swordfish" in path.read_text()]
        report = json.loads((data / "artifacts/1/precheck.json").read_text())
        assert {(one["host"], one["verdict"]) for one in report["verdicts"]} == {
            *((name, "ready") for name in ready.split()),
            *((name, "not_ready") for name in missing.split()),
        }
        (data / "artifacts").rename(data.parent / f"artifacts of {ready}")

    (stopped, first), (passed, second) = jobs
    assert (stopped.rc, first.status, first.rc) == (2, "failed", "2")
    assert first.tasks == {"Precheck prepared", "Precheck prepared: secret"}
    assert first.results["runner_on_failed", "h1", "Precheck prepared"]["verdict"] == "not_ready"
    assert first.results["runner_on_ok", "h3", "Precheck prepared"]["verdict"] == "ready"
    for text in (first.stdout, first.text, stopped.stdout.replace("\r", "")):
        assert "\nPRECHECK stopped the run before play " in text
        assert "\nRule prepared: 1 of 2 hosts is not ready.\n  h1  not ready: " in text
    assert (passed.rc, second.status, second.rc) == (0, "successful", "0")
    assert {host for _event, host, task in second.results if task == "install"} == {"h2", "h4"}
    assert "PRECHECK" not in passed.stdout + second.stdout


@pytest.mark.one_release
def test_ansible_pull_is_guarded_by_the_fetched_ansible_cfg(project):
    """ansible-pull reads the two streams in turns. The closing block must come after the recap."""
    project.configure("both")
    node = os.uname().nodename
    project.inventory({node: {"precheck_root": f"{project.directory}/h1"}, "another": {}})
    project.write("pgsql.yml", PLAY)
    (project.directory / "inventory.json").rename(project.directory / "pigsty.yml")
    address = commit_all(project.directory)
    [command] = re.findall("^(ansible-pull .*)$", DOCUMENT, re.MULTILINE)
    command, replaced = re.subn(r"https://\S+", address, command)
    assert replaced == 1
    home = project.directory / "home"
    home.mkdir()
    run = run_command(shlex.split(command), home, HOME=str(home))
    assert run.rc == 2, run.output
    recap, block = run.stdout.split("PRECHECK", 1)
    assert re.search(r"\nPLAY RECAP \*+\n\S+ +: ok=0 .* failed=1 .*\n\n$", recap)
    assert block.startswith(' stopped the run before play "Set up PostgreSQL" (')
    assert f"\nRule pigsty-node: 1 of 1 host is not ready.\n  {node}  not ready: " in block
    opt_out = "tag the play no_precheck:pigsty-node,\nor pass -e precheck_waive=pigsty-node"
    assert f"\nTo run it unchecked all the same: {opt_out}\n" in block
    assert "it ran" not in run.stdout
