# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guard beside other plugins: stdout callbacks, reports, ARA, and Mitogen's strategy."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support.commands import REPOSITORY
from support.output import CLOSING_BLOCK
from support.policies import policy, rule
from support.project import CALLBACKS_VARIABLE, RELEASE

PLAY = """\
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  tasks: [{name: install, ansible.builtin.debug: {msg: it ran}}]
"""


OF_LATER = pytest.mark.skipif(RELEASE < (2, 12), reason="these collections are for later releases")


@pytest.fixture(scope="session")
def collections_path() -> str:
    """The path of Precheck, ansible.posix and the callbacks of community.general.

    The last two are from a package of pip.
    """
    cache = REPOSITORY / ".tox/collections"
    if not cache.exists():
        cache.parent.mkdir(exist_ok=True)
        directory = Path(tempfile.mkdtemp(dir=cache.parent))
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        last_with_yaml = "ansible==12.3.0"  # later ones lack community.general.yaml
        options = ["--python-version", "3.12", "--dest", directory]
        subprocess.run([*pip, *options, last_with_yaml], check=True)
        [wheel] = directory.glob("*.whl")
        wanted = re.compile(
            "ansible_collections/(ansible/posix/|community/general/(meta|plugins/(callback|doc_fragments))/)"
        )
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(directory, filter(wanted.match, archive.namelist()))
        wheel.unlink()
        with contextlib.suppress(OSError):  # the tests of another release did it first
            directory.rename(cache)
        shutil.rmtree(directory, ignore_errors=True)
    return f"{REPOSITORY}/collections:{cache}"


@pytest.fixture
def run_both(project, collections_path):
    """A function that runs a play with these settings twice, and returns both runs.

    The first is stopped for h3 and h1, the second passes on h2 alone. The function asserts what no
    callback may change.
    """
    project.local_hosts(ready="h2", missing="h3 h1")
    project.write("pgsql.yml", PLAY)

    def run(**settings):
        env = {"ANSIBLE_COLLECTIONS_PATH": collections_path} | settings
        stopped, passed = (
            project.run("pgsql.yml", env=env),
            project.run("pgsql.yml", "--limit", "h2", env=env),
        )
        assert (stopped.rc, passed.rc) == (2, 0)
        assert stopped.stderr.endswith(CLOSING_BLOCK.format(directory=project.directory))
        assert stopped.output.count("PRECHECK") == 1
        assert "PRECHECK" not in passed.output
        assert "it ran" not in stopped.stdout
        assert "it ran" in passed.stdout
        return stopped, passed

    return run


# Settings, and what shows that h1 is not ready and that h2 is. {reason} is the message of the check
# of h1.
CALLBACKS = {
    "minimal": (
        {"ANSIBLE_STDOUT_CALLBACK": "minimal"},
        "h1 | FAILED! => {\n",
        "h2 | SUCCESS => {\n",
    ),
    "oneline": (
        {"ANSIBLE_STDOUT_CALLBACK": "oneline"},
        '"msg": "{reason}","reasons": ["',
        "h2 | SUCCESS => {",
    ),
    "debug": (
        {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.debug"},
        "\n\nMSG:\n\n{reason}\n",
        "ok: [h2]\n",
    ),
    "yaml": (
        {"ANSIBLE_STDOUT_CALLBACK": "community.general.yaml"},
        "\n  verdict: not_ready\n",
        "ok: [h2]\n",
    ),
    "yaml as format": (
        {"ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml", "ANSIBLE_VERBOSITY": "1"},
        "\n    verdict: not_ready\n",
        "ok: [h2] =>",
    ),
}
# What releases have that have such a callback or such a setting.
IS_THERE_WITH = {
    "oneline": "callback.oneline",
    "yaml as format": "doc_fragments.result_format_callback",
}


def sentence(project, name: str) -> str:
    """Return what the event of a host that is not ready says."""
    reason = f"{project.directory}/{name}/etc/pki/ca.crt is missing"
    return f"{name} is not managed by Pigsty: {reason}. Run ./node.yml -l {name}"


@pytest.mark.parametrize(
    "callback", [pytest.param(name, marks=[OF_LATER] * (name == "yaml")) for name in CALLBACKS]
)
def test_stdout_callbacks_show_verdicts(run_both, project, callback):
    settings, not_ready, ready = CALLBACKS[callback]
    if module := IS_THERE_WITH.get(callback):
        pytest.importorskip(f"ansible.plugins.{module}", reason="this release has none")
    project.configure("both")
    stopped, passed = run_both(**settings)
    assert not_ready.replace("{reason}", sentence(project, "h1")) in stopped.stdout
    assert ready in stopped.stdout
    assert ready in passed.stdout


@OF_LATER
def test_the_json_callback_prints_valid_json(run_both, guarded):
    stopped, passed = run_both(ANSIBLE_STDOUT_CALLBACK="ansible.posix.json")
    # This callback takes a play under the guarded strategy for one under free: it has the full name
    # of the strategy before that is loaded. It lists a task once for each host.
    report = json.loads(stopped.stdout)
    tasks = report["plays"][0]["tasks"]
    assert {task["task"]["name"] for task in tasks} == {"Precheck pigsty-node"}
    verdicts = {name: result["verdict"] for task in tasks for name, result in task["hosts"].items()}
    assert verdicts == {"h1": "not_ready", "h2": "ready", "h3": "not_ready"}
    assert report["stats"]["h1"]["failures"] == 1
    report = json.loads(passed.stdout)
    assert [task["task"]["name"] for task in report["plays"][0]["tasks"]] == [
        "Precheck pigsty-node",
        "install",
    ]
    assert report["stats"]["h2"]["ok"] == 2


def test_the_json_is_valid_if_checks_that_run_once_passed(guarded, collections_path):
    guarded.local_hosts(ready="h1")
    guarded.write("pgsql.yml", PLAY)
    once = rule({"that": True, "once": True}, name="once", covers={"playbook": "pgsql.yml"})
    guarded.write("precheck.yml", policy(once))
    callback = "ansible.posix.json"
    env = {"ANSIBLE_COLLECTIONS_PATH": collections_path, "ANSIBLE_STDOUT_CALLBACK": callback}
    run = guarded.run("pgsql.yml", env=env)
    assert run.rc == 0, run.output
    assert json.loads(run.stdout)["stats"]["h1"]["ok"] == 1
    assert "Precheck once: the checks that run once passed for " in run.stderr


@pytest.mark.skipif(RELEASE < (2, 12), reason="the callback for JUnit needs a library")
def test_reports_of_other_callbacks_contain_the_checks(run_both, guarded):
    """Beside the default stdout callback, one writes JUnit XML, and one the time of each task."""
    directory = guarded.directory / "junit"
    enabled = ["ansible.builtin.junit", "ansible.posix.profile_tasks"]
    if guarded.entry_point == "callback":
        enabled.append("precheck.guard.enforce")
    env = {CALLBACKS_VARIABLE: ",".join(enabled), "JUNIT_OUTPUT_DIR": str(directory)}
    stopped, passed = run_both(**env)
    for run, tasks in (
        (stopped, ["Precheck pigsty-node"]),
        (passed, ["Precheck pigsty-node", "install"]),
    ):
        assert re.findall(r"^TASK \[(.*)\]", run.stdout, re.MULTILINE) == tasks
        _tasks, recap, times = re.split(r"^(?:PLAY RECAP .*|=+ *)$", run.stdout, flags=re.MULTILINE)
        assert len(recap.split("\n")) > 2
        assert sorted(re.findall(r"^(.*?) -+ [0-9.]+s$", times, re.MULTILINE)) == tasks

    def cases(file):
        """Return the failure of each test case by its name. It is empty if there is none."""
        by_name = {}
        for case in ElementTree.parse(file).iter("testcase"):
            failures = [*case.iter("failure"), *case.iter("error")]  # the latter since 2.19
            messages = (failure.get("message").rpartition("failed: ")[2] for failure in failures)
            by_name[case.get("name")] = "; ".join(messages)
        return by_name

    of_stopped, of_passed = map(cases, sorted(directory.iterdir(), key=lambda path: path.name))
    check = "[{}] Set up PostgreSQL: Precheck pigsty-node"
    of_missing = {check.format(name): sentence(guarded, name) for name in ("h1", "h3")}
    assert of_stopped == of_missing | {check.format("h2"): ""}
    assert of_passed == {check.format("h2"): "", "[h2] Set up PostgreSQL: install msg=it ran": ""}


RECORDED = """
import json
from ara.clients.offline import AraOfflineClient
client = AraOfflineClient(run_sql_migrations=False)
kinds = ("playbooks", "tasks", "results", "hosts")
print(json.dumps({kind: client.get(f"/api/v1/{kind}?order=id")["results"] for kind in kinds}))
"""


@pytest.mark.others
def test_ara_records_a_guarded_run(run_both, project):
    from ara.setup import callback_plugins  # installed in one environment only

    project.configure("callback")
    base = {"ARA_BASE_DIR": str(project.directory / "ara")}
    run_both(ANSIBLE_CALLBACK_PLUGINS=callback_plugins, **base)
    done = subprocess.run(
        [sys.executable, "-c", RECORDED],
        env=os.environ | base,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    recorded = json.loads(done.stdout)
    paths = [(playbook["path"], playbook["status"]) for playbook in recorded["playbooks"]]
    assert paths == [
        (f"{project.directory}/pgsql.yml", "failed"),
        (f"{project.directory}/pgsql.yml", "completed"),
    ]
    tasks = {task["id"]: task for task in recorded["tasks"]}
    assert [
        (task["playbook"], task["name"], task["action"], task["status"]) for task in tasks.values()
    ] == [
        (1, "Precheck pigsty-node", "precheck.guard.check", "failed"),
        (2, "Precheck pigsty-node", "precheck.guard.check", "completed"),
        (2, "install", "ansible.builtin.debug", "completed"),
    ]
    hosts = {host["id"]: host["name"] for host in recorded["hosts"]}
    results = {
        (tasks[one["task"]]["name"], one["playbook"], hosts[one["host"]], one["status"])
        for one in recorded["results"]
    }
    assert results == {
        ("Precheck pigsty-node", 1, "h1", "failed"),
        ("Precheck pigsty-node", 1, "h2", "ok"),
        ("Precheck pigsty-node", 1, "h3", "failed"),
        ("Precheck pigsty-node", 2, "h2", "ok"),
        ("install", 2, "h2", "ok"),
    }


TWO_PLAYS = """
- name: On some
  hosts: n1:n2
  gather_facts: false
  tasks: [{ansible.builtin.file: {path: /etc/pki/witness, state: touch}}]
- name: On all
  hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.file: {path: /etc/pki/witness of all, state: touch}}]
"""


@pytest.mark.others
def test_the_guard_checks_before_mitogen_starts(nodes, project):
    """It does so too when Mitogen ran in an earlier play."""
    import ansible_mitogen  # installed in one environment only

    plugins = Path(ansible_mitogen.__file__).parent / "plugins/strategy"
    project.configure("callback", f"strategy = mitogen_linear\nstrategy_plugins = {plugins}")
    project.write("site.yml", TWO_PLAYS)
    marker = rule({"path": "/etc/pki/ca.crt"}, covers={"play": "On all"})
    project.write("precheck.yml", policy(marker))
    nodes.reset(ready="n1 n2 n4")
    run = project.run("site.yml")
    assert run.rc == 2
    assert run.stderr.count("PRECHECK") == 1
    assert (
        "Rule only: 2 of 5 hosts are not ready.\n  not ready: /etc/pki/ca.crt is missing\n"
        "    n3, n5\n"
    ) in run.stderr
    assert (nodes.having("pki/witness"), nodes.having("pki/witness of all")) == ("n1 n2", "")
    # Mitogen's command on a node begins like this. The guard uses Ansible's own connection plugin.
    by_mitogen = [
        name for name in nodes.addresses if "-c 'import sys;sys.path" in nodes.commands(name)
    ]
    assert by_mitogen == ["n1", "n2"]

    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = project.run("site.yml")
    assert run.rc == 0
    assert "PRECHECK" not in run.output
    assert (nodes.having("pki/witness"), nodes.having("pki/witness of all")) == (
        "n1 n2",
        "n1 n2 n3 n4 n5",
    )
