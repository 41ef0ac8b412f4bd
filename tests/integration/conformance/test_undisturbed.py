# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the guard must not change: uncovered plays, plays whose hosts are ready, other commands.

The playbooks in the directory of that name run under a built-in strategy, and then under the same
strategy guarded.
"""

from __future__ import annotations

import collections
import functools
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.commands import commit_all
from support.project import RELEASE, Project

PLAYBOOKS = Path(__file__).parent / "playbooks"

# The lines of two runs differ in paths of ssh sockets, numbers of jobs, and numbers of polls.
CHANCE = re.compile(r"^ASYNC POLL.*|j\d+\.\d+|\"(start|end|delta)\": \"[^\"]*\"")

# The strategy, the playbooks, and the exit status. free and host_pinned refuse add_host, and do not
# know what lockstep.yml is about.
RUNS = {
    "linear": ("linear", "tasks hosts ends", 4),
    "linear in lockstep": ("linear", "lockstep", 2),
    "linear in the background": ("linear", "background", 0),
    "free": ("free", "tasks hosts ends", 4),
    "host_pinned": ("host_pinned", "hosts ends", 4),
    "debug": ("debug", "lockstep", 2),
}

HAS_END_BATCH = pytest.mark.skipif(RELEASE < (2, 12), reason="end_batch came with 2.12")

POLICIES = {
    "no rule covers a play": """
rules:
  - name: elsewhere
    plays: [{play: no play of this name}]
    checks: [{that: false}]
""",
    "all hosts are ready": """
rules:
  - name: everywhere
    plays: [{play: "*"}]
    checks:
      - {path: /etc, type: directory}
      - command: "true"
      - that: inventory_hostname is defined
      - that: ansible_play_hosts_all is defined
        once: true
      - task: {ansible.builtin.raw: "true", changed_when: false}
  - name: on one host
    plays: [{play: "*"}]
    when: inventory_hostname == 'h2'
    checks: [{that: true}]
""",
}


class Trace(NamedTuple):
    """What a run leaves: ``recap`` by host, ``events`` by host, and ``facts`` in the cache.

    Where the hosts wait for each other, the events of all hosts are in the events of each.
    """

    rc: int
    events: dict[str, list[Any]]
    recap: list[Any]
    facts: dict[str, Any]
    checks: collections.Counter[str]
    lines: collections.Counter[str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sockets: Path) -> Project:
    """One project for all runs, so that no path differs."""
    project = Project(tmp_path_factory.mktemp("site"), sockets, "none")
    project.local_hosts(ready="h1 h2 h3")
    for number, policy in enumerate(POLICIES.values()):
        project.write(f"policy{number}.yml", policy)
    return project


@pytest.fixture(scope="module")
def built_in(site: Project) -> Callable[[str, str], Trace]:
    """A function that returns the trace under a built-in strategy. Each run happens once."""
    return functools.cache(lambda strategy, playbooks: trace_of(site, "none", strategy, playbooks))


def trace_of(
    site: Project,
    entry_point: str,
    strategy: str,
    playbooks: str,
    policy: str = "no rule covers a play",
) -> Trace:
    """Run the playbooks and return the trace of the run."""
    cache = "fact_caching = jsonfile\nfact_caching_connection = facts"
    policy_file = site.directory / f"policy{list(POLICIES).index(policy)}.yml"
    more = f"callback_plugins = {PLAYBOOKS}/callbacks\n{cache}\n[precheck]\npolicy = {policy_file}"
    site.configure(entry_point, more)
    log, facts = site.directory / "events", site.directory / "facts"
    for path in (log, *facts.glob("*")):
        path.unlink(missing_ok=True)
    run = site.run(
        *(str(PLAYBOOKS / f"{name}.yml") for name in playbooks.split()),
        *("--skip-tags", "left_out"),
        stdin="continue\n" * 20,  # for the debugger
        env={
            "ANSIBLE_STRATEGY": site.strategy(strategy) if entry_point == "strategy" else strategy,
            "EVENTS": str(log),
        },
    )
    assert "allback" not in run.output  # one that fails is only a warning
    events = [json.loads(line) for line in log.read_text().splitlines()]
    checks = [
        event for event in events if any(str(word).startswith("Precheck ") for word in event[2])
    ]
    others = [event for event in events if event not in checks]
    return Trace(
        run.rc,
        by_host([event for event in others if event[0] != "v2_playbook_on_stats"], strategy),
        [event[2] for event in others if event[0] == "v2_playbook_on_stats"],
        {path.name: json.loads(path.read_text()) for path in facts.glob("*")},
        collections.Counter(
            host for event, hosts, _what in checks if event == "v2_runner_on_ok" for host in hosts
        ),
        collections.Counter(CHANCE.sub("", line) for line in run.output.splitlines()),
    )


def by_host(events: list[list[Any]], strategy: str) -> dict[str, list[Any]]:
    """Return the events of each host in their order. Those of no host have the key "".

    Which of two hosts is faster is random. With free and host_pinned the order of the events of no
    host depends on it. With the other strategies these events are added to those of each host, so
    that their order counts. Until 2.13 even the number of starts of a handler depends on it, as a
    flush is for the hosts that have notified the handler by then.
    """
    lockstep = strategy in ("linear", "debug")
    names = {host for _event, hosts, _what in events for host in hosts} | {""}
    events_of = {name: [] for name in names}
    for event, hosts, what in events:
        for name in hosts or (names if lockstep else [""]):
            events_of[name].append([event, what])
    if not lockstep:
        of_no_host = sorted(events_of[""], key=json.dumps)
        if RELEASE < (2, 14):
            of_no_host = [
                event
                for before, event in zip([None, *of_no_host], of_no_host)
                if event != before or event[0] != "v2_playbook_on_handler_task_start"
            ]
        events_of[""] = of_no_host
    return events_of


def without_checks(recap: list[Any], checks: collections.Counter[str]) -> list[Any]:
    """Return a ``recap`` without the checks of each host, all of which are ok."""
    return [
        [
            {host: counts | {"ok": counts["ok"] - checks[host]} for host, counts in hosts.items()},
            custom,
        ]
        for hosts, custom in recap
    ]


def runs(*names: str, on_one_release: str = "", on_each_release: str = "") -> pytest.MarkDecorator:
    """Parametrize a test with RUNS of these names, and mark some of them."""
    marks = {
        name: [pytest.mark.one_release] * (name in on_one_release.split(", "))
        + [pytest.mark.each_release] * (name in on_each_release.split(", "))
        + [HAS_END_BATCH] * (RUNS[name][1] == "lockstep")
        for name in names
    }
    return pytest.mark.parametrize(
        ("strategy", "playbooks", "status"),
        [pytest.param(*RUNS[name], id=name, marks=marks[name]) for name in names],
    )


@runs("linear", "free", on_one_release="free")
def test_plays_that_no_rule_covers_run_as_without_the_guard(
    guarded, site, built_in, strategy, playbooks, status
):
    expected = built_in(strategy, playbooks)
    trace = trace_of(site, guarded.entry_point, strategy, playbooks)
    assert trace.rc == expected.rc == status
    assert trace.events == expected.events
    assert trace.recap == expected.recap
    assert trace.facts == expected.facts
    if strategy == "linear":  # under free, even the number of task lines is random
        assert trace.lines == expected.lines


@runs(
    *RUNS, on_one_release="linear in the background, host_pinned, debug", on_each_release="linear"
)
def test_plays_whose_hosts_are_ready_run_as_without_the_guard(
    guarded, site, built_in, strategy, playbooks, status
):
    """Only the checks are added: three tasks on h2, and two on each of the others."""
    expected = built_in(strategy, playbooks)
    trace = trace_of(site, guarded.entry_point, strategy, playbooks, "all hosts are ready")
    assert trace.checks == {host: 3 if host == "h2" else 2 for host in trace.recap[-1][0]}
    assert trace.rc == expected.rc == status
    assert trace.events == expected.events
    assert without_checks(trace.recap, trace.checks) == expected.recap
    assert trace.facts == expected.facts


def test_under_free_each_task_has_one_line(guarded):
    """The stdout callback knows free by its name. Otherwise it prints a line for each host."""
    guarded.local_hosts(ready="h1 h2 h3")
    play = (
        f"- hosts: all\n  strategy: {guarded.strategy('free')}\n  gather_facts: false\n"
        "  tasks: [ansible.builtin.debug: ]\n"
    )
    guarded.write("play.yml", play)
    run = guarded.run("play.yml")
    assert run.stdout.count("TASK [") == 1
    assert run.stdout.count("ok: [") == 3


@pytest.mark.claims(
    "who runs `ansible` instead of `ansible-playbook` | no rule covers the play `Ansible Ad-Hoc`,"
    " or only the callback is on | the same"
)
def test_ad_hoc_commands_run_as_without_the_guard(project):
    project.local_hosts(missing="h1 h2")
    project.configure("none")
    plain = project.run("ansible", "all", "-m", "ping", "--forks", "1")
    for entry_point in ("strategy", "callback", "both"):
        project.configure(entry_point)
        run = project.run(
            "ansible",
            "all",
            "-m",
            "ping",
            "--forks",
            "1",
            env={"ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"},
        )
        assert run.rc == plain.rc == 0
        assert run.stdout == plain.stdout
        assert run.stderr == plain.stderr


def test_ansible_pull_runs_as_without_the_guard(guarded):
    source = guarded.directory / "source"
    guarded.write(
        "source/local.yml",
        "- hosts: localhost\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: }]\n",
    )
    commit_all(source)
    checkout = str(guarded.directory / "checkout")
    command = ["ansible-pull", "-U", str(source), "-d", checkout, "-i", "localhost,"]
    run = guarded.run(*command, env={"ANSIBLE_PYTHON_INTERPRETER": sys.executable})
    assert run.rc == 0, run.output
    assert "Precheck" not in run.output and "PRECHECK" not in run.output


@pytest.mark.each_release
@pytest.mark.parametrize("playbook", ["site.yml", "pgsql.yml"])
def test_an_action_may_be_a_template(guarded, playbook):
    """Since 2.19.4 ansible-core warns if somebody asks too early which action that is."""
    guarded.local_hosts(ready="h1")
    task = {"action": "{{ which }}", "vars": {"which": "ansible.builtin.debug"}}
    guarded.write(playbook, json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
    run = guarded.run(playbook)
    assert run.rc == 0
    assert "WARNING" not in run.output
