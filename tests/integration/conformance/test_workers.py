# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Workers that stay: each checks host after host, and nothing of one host gets to the next."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from support.output import is_printed
from support.policies import policy, rule
from support.project import CALLBACKS, RELEASE

HOSTS = [f"h{number}" for number in range(1, 9)]
PLAY = """
- name: Covered
  hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.debug: }]
"""
EVENTS = Path(__file__).parent / "playbooks/callbacks"
# A lookup runs in the worker, whose parent is the control process.
WORKER = {
    "that": "lookup('ansible.builtin.pipe', 'echo $(cut -d\\  -f1,4 /proc/$PPID/stat) '"
    " ~ inventory_hostname ~ ' >> workers') == ''"
}


def prepare(project, *checks, more="", **keys):
    """Write a play for all hosts, and a rule with these checks that covers it."""
    project.local_hosts(ready=" ".join(HOSTS))
    project.write("site.yml", PLAY)
    project.write("precheck.yml", policy(rule(*checks, **keys)))
    project.configure(project.entry_point, more)


def hosts_by_worker(project):
    """Return how many hosts each worker checked, sorted."""
    path = project.directory / "workers"
    lines = {tuple(line.split()) for line in path.read_text().splitlines()}
    path.unlink()
    # The control process works out what the first host needs, too. Its parent is this process.
    own = str(os.getpid())
    return sorted(Counter(worker for worker, parent, _host in lines if parent != own).values())


@pytest.mark.each_release
def test_workers_stay_on_each_release(guarded):
    """With one fork, one worker checks all hosts: one for each task."""
    prepare(guarded, WORKER, {"task": {"ansible.builtin.debug": {}, "failed_when": WORKER["that"]}})
    run = guarded.run("site.yml", "--forks", "1")
    assert run.rc == 2, run.output
    assert hosts_by_worker(guarded) == [len(HOSTS)] * 2
    run = guarded.run("site.yml", "--forks", "3")
    counts = hosts_by_worker(guarded)
    assert sum(counts) == 2 * len(HOSTS)
    assert len(counts) <= 6


def events(project, *options, **env):
    """Run the play. Return the events of its checks: name, hosts, content."""
    settings = f"callback_plugins = {EVENTS}\n{CALLBACKS} = precheck.guard.enforce, events"
    project.configure("none", settings)
    path = project.directory / "events"
    run = project.run("site.yml", "--tags", "precheck", *options, env={"EVENTS": str(path), **env})
    lines = path.read_text().splitlines()
    path.unlink()
    return run, [json.loads(line) for line in lines]


@pytest.mark.each_release
def test_events_of_a_host_are_in_order(project):
    """That a task starts on it comes first, once, also before those of loops."""
    check = {"task": {"ansible.builtin.raw": "echo {{ item }}", "loop": [1, 2]}}
    prepare(project, {"path": "/etc/pki/ca.crt"}, check)
    for forks in ("1", "3", "20"):
        run, events_of_run = events(project, "--forks", forks)
        assert run.rc == 0, run.output
        for name in HOSTS:
            assert [
                event
                for event, hosts, _content in events_of_run
                if hosts[:1] == [name] and event.startswith("v2_runner_")
            ] == [
                "v2_runner_on_start",
                "v2_runner_on_ok",
                "v2_runner_on_start",
                "v2_runner_item_on_ok",
                "v2_runner_item_on_ok",
                "v2_runner_on_ok",
            ], name


@pytest.mark.each_release
def test_a_host_that_hangs_holds_one_worker(project):
    """Its result is the last one, and the other worker checks all others."""
    hang = "test {{ inventory_hostname }} != h1 || sleep 300"
    prepare(project, {"command": hang}, {"that": WORKER["that"]})
    run, events_of_run = events(project, "--forks", "2", ANSIBLE_PRECHECK_TIMEOUT="8")
    assert run.rc == 2
    assert "  h1  unverified: timed out: no answer within 8 s" in run.stderr
    results = [hosts[0] for event, hosts, _content in events_of_run if event == "v2_runner_on_ok"]
    assert sorted(results) == HOSTS[1:]
    failed = [event for event, _hosts, _content in events_of_run if "_on_failed" in event]
    assert len(failed) == 1
    assert hosts_by_worker(project)[-1] == len(HOSTS) - 1


@pytest.mark.each_release
def test_each_host_has_the_whole_time(guarded):
    """One worker checks them one after the other, for longer than the limit together."""
    prepare(guarded, {"command": "sleep 1"})
    run = guarded.run("site.yml", "--forks", "1", "--tags", "precheck", env=TIMEOUT)
    assert run.rc == 0, run.output


TIMEOUT = {"ANSIBLE_PRECHECK_TIMEOUT": "6"}


@pytest.mark.each_release
def test_nothing_of_a_host_gets_to_the_next(guarded):
    """Not its arguments, its loop or its delegation. And each host keeps its groups and variables,
    which the next ones may look at.
    """
    next_name = "{{ groups['all'][(groups['all'].index(inventory_hostname) + 1) % 8] }}"
    task = {
        "ansible.builtin.raw": "echo {{ item }} {{ inventory_hostname }} {{ precheck_root }}",
        "loop": "{{ [inventory_hostname, number] }}",
        "delegate_to": next_name,
        "changed_when": False,
        "failed_when": "item ~ ' ' ~ inventory_hostname not in precheck_result.stdout",
    }
    alone = {
        "ansible.builtin.raw": "echo {{ inventory_hostname }}",
        "delegate_to": next_name,
        "failed_when": "inventory_hostname not in precheck_result.stdout",
    }
    others = (
        "hostvars[inventory_hostname].group_names == ['ungrouped'] and"
        " groups['all'] | map('extract', hostvars, 'number') | list == range(1, 9) | list and"
        " groups['all'] | map('extract', hostvars, 'group_names') | unique == [['ungrouped']]"
    )
    own = f"test {{{{ precheck_root }}}} = {guarded.directory}/{{{{ inventory_hostname }}}}"
    prepare(guarded, {"that": others}, {"command": own}, {"task": task}, {"task": alone})
    with guarded.changed_inventory() as group:
        for number, name in enumerate(HOSTS, 1):
            group["hosts"][name]["number"] = number
    run = guarded.run("site.yml", "--forks", "1", "--tags", "precheck", "-v")
    assert run.rc == 0, run.output
    # 2.10 does not print to whom it delegated.
    delegated = r"^(?:ok|changed): \[h\d( -> h\d)?\] => \(item=h\d\)"
    assert len(re.findall(delegated, run.stdout, re.MULTILINE)) == 8


PRINTING = """
class FilterModule:
    def filters(self):
        return {'printed': lambda text: print('from a plugin') or text}
"""


@pytest.mark.each_release
def test_what_a_plugin_prints_for_a_host_is_not_taken_for_that_of_the_next(guarded):
    """Since 2.19 ansible-core warns of it."""
    check = {"command": "true {{ 'x' | printed if inventory_hostname == 'h2' }}"}
    prepare(guarded, check)
    guarded.write("filter_plugins/printing.py", PRINTING)
    run = guarded.run("site.yml", "--forks", "1", "--tags", "precheck")
    assert run.rc == 0, run.output
    warned = re.findall(r"WorkerProcess for \[(h\d)", run.output)
    assert warned in ([], ["h2"])
    assert "from a plugin" in run.output


VARS_PLUGIN = """
from ansible.plugins.vars import BaseVarsPlugin

DOCUMENTATION = '''
name: breaking
short_description: Breaks for one host
options: {}
'''

class VarsModule(BaseVarsPlugin):
    def get_vars(self, loader, path, entities):
        super().get_vars(loader, path, entities)
        if any(entity.name == 'h3' for entity in entities):
            raise ValueError('out of order')
        return {}
"""


@pytest.mark.each_release
def test_an_error_in_the_variables_of_a_host_ends_the_run(guarded):
    """ansible-core says which, as it does without the guard."""
    prepare(guarded, {"path": "/etc/pki/ca.crt"})
    guarded.write("vars_plugins/breaking.py", VARS_PLUGIN)
    guarded.configure(guarded.entry_point, "vars_plugins = vars_plugins")
    run = guarded.run("site.yml")
    assert run.rc == 1
    assert "out of order" in run.stderr
    assert "TASK [ansible.builtin.debug]" not in run.stdout


@pytest.mark.one_release  # there is such a setting since 2.21
def test_a_host_that_needs_the_session_of_the_run_has_a_worker_in_it(guarded):
    session = "cut -d' ' -f6 /proc/$$/stat >> {{ playbook_dir }}/{{ inventory_hostname }}.session"
    prepare(guarded, {"command": session}, WORKER)
    with guarded.changed_inventory() as group:
        group["hosts"]["h3"]["ansible_worker_session_isolation"] = False
    run = guarded.run("site.yml", "--tags", "precheck", "--forks", "1")
    assert run.rc == 0, run.output
    sessions = {name: (guarded.directory / f"{name}.session").read_text().strip() for name in HOSTS}
    assert len(hosts_by_worker(guarded)) == 2
    assert sessions["h3"] == str(os.getsid(0))
    assert len(set(sessions.values())) == 2


# From the one that takes precedence over all others, how many hosts are checked at once.
FORKS = {"extra": 4, "environment": 3, "config": 2, "command line": 1}


@pytest.mark.parametrize("source", FORKS)
def test_an_option_says_how_many_hosts_are_checked_at_once(guarded, source):
    """The play itself has as many as ever: ``forks`` of the command line."""
    present = list(FORKS)[list(FORKS).index(source) :]
    number = FORKS[source]
    # Each waits until so many are there.
    meet = (
        "touch {{ playbook_dir }}/$$.here;"
        f" while [ $(ls {{{{ playbook_dir }}}} | grep -c here) -lt {number} ]; do sleep 0.1; done"
    )
    config = "[precheck]\nforks = 2" * ("config" in present)
    prepare(guarded, {"command": meet}, WORKER, more=config)
    guarded.write("site.yml", PLAY + "  vars: {precheck_forks: 7}\n")
    guarded.write("group_vars/all.yml", "precheck_forks: 7\n")
    options = ("-e", "precheck_forks=4") if "extra" in present else ()
    env = {"ANSIBLE_PRECHECK_FORKS": "3"} if "environment" in present else {}
    run = guarded.run("site.yml", "--forks", "1", *options, env=env)
    assert run.rc == 0, run.output
    assert len(hosts_by_worker(guarded)) == number


@pytest.mark.each_release
@pytest.mark.parametrize("value", ["many", "0", "-1", "1.5", "10001"])
def test_a_wrong_number_of_forks_is_an_error(guarded, value):
    prepare(guarded, {"path": "/etc/pki/ca.crt"})
    run = guarded.run("site.yml", "-e", f"precheck_forks={value}")
    assert run.rc == 1
    assert run.stderr.count("ERROR") == 1
    assert is_printed("the option forks ", run.stderr)
    if RELEASE >= (2, 13):  # before, ansible-core does not say where a wrong type comes from
        assert is_printed("precheck_forks", run.stderr)
    assert "TASK" not in run.stdout
