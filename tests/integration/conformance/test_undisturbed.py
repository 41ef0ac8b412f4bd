# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the guard must not change: plays that no rule covers, plays whose hosts are ready, and other commands."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

PLAY = """
- name: First
  hosts: all
  serial: 3
  {strategy}
  gather_facts: false
  vars: {{word: play}}
  pre_tasks:
    - ansible.builtin.set_fact: {{seen: "{{{{ inventory_hostname }}}} {{{{ word }}}} {{{{ ansible_play_batch }}}}"}}
  roles: [thing]
  tasks:
    - name: loop
      ansible.builtin.debug: {{msg: "{{{{ item }}}} {{{{ seen }}}}"}}
      loop: [1, 2]
    - name: once
      ansible.builtin.debug: {{msg: "{{{{ ansible_play_hosts_all }}}}"}}
      run_once: {once}
    - block:
        - ansible.builtin.command: /bin/false
          when: inventory_hostname == 'h2'
      rescue:
        - ansible.builtin.debug: {{msg: rescued}}
      always:
        - ansible.builtin.debug: {{msg: always}}
    - ansible.builtin.include_tasks: more.yml
    - ansible.builtin.meta: flush_handlers
    - name: fails on one
      ansible.builtin.command: /bin/false
      when: inventory_hostname == 'h3'
    - ansible.builtin.command: /bin/false
      ignore_errors: true
    - ansible.builtin.debug: {{msg: to the end}}
  handlers:
    - name: changed
      ansible.builtin.debug: {{msg: handled}}
- name: Second
  hosts: h1,h3
  {strategy}
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {{msg: "{{{{ seen }}}}"}}
"""


def prepare(project, name: str, strategy: str, once: str = "true") -> None:
    project.write("roles/thing/tasks/main.yml", "- ansible.builtin.command: /bin/true\n  notify: changed\n")
    project.write("more.yml", "- ansible.builtin.debug: {msg: included}\n")
    project.write(name, PLAY.format(strategy=f"strategy: {strategy}" if strategy else "", once=once))


# Under free and host_pinned the order of hosts is a matter of chance, so one host must do.
STRATEGIES = [("linear", "true", "all"), ("free", "false", "h3"), ("host_pinned", "false", "h3")]


def normal(text: str) -> str:
    """Return the output without what differs from run to run: the times of commands."""
    return re.sub(r'"(start|end|delta)": "[^"]*"', r'"\1": ""', text)


@pytest.mark.parametrize(("strategy", "once", "hosts"), STRATEGIES)
def test_a_play_that_no_rule_covers(guarded, strategy, once, hosts):
    """Output and exit status are the built-in strategy's, to the byte. One fork makes the order of results certain."""
    guarded.local_hosts(ready="h1 h2", missing="h3 h4 h5")
    prepare(guarded, "play.yml", guarded.strategy(strategy), once)
    through = guarded.run("play.yml", "--forks", "1", "--limit", hosts)
    guarded.configure("none")
    prepare(guarded, "play.yml", strategy, once)
    plain = guarded.run("play.yml", "--forks", "1", "--limit", hosts)
    assert through.rc == plain.rc == 2
    assert normal(through.stdout) == normal(plain.stdout)
    assert normal(through.stderr) == normal(plain.stderr)


EVENTS = """
import json, os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'events'
    CALLBACK_TYPE = 'aggregate'
    def write(self, *event):
        with open(os.environ['EVENTS'], 'a') as log:
            log.write(json.dumps(event) + '\\n')
    def v2_playbook_on_play_start(self, play):
        self.write('play', play.get_name(), play.strategy)
    def v2_playbook_on_task_start(self, task, is_conditional):
        self.write('task', task.get_name())
    def v2_playbook_on_handler_task_start(self, task):
        self.write('handler', task.get_name())
    def v2_runner_on_ok(self, result):
        self.write('ok', result._host.name, result.task_name, result._result.get('msg'), result._result.get('changed'))
    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.write('failed', result._host.name, result.task_name, ignore_errors)
    def v2_runner_on_skipped(self, result):
        self.write('skipped', result._host.name, result.task_name)
    def v2_playbook_on_stats(self, stats):
        for host in sorted(stats.processed):
            self.write('stats', host, stats.summarize(host))
"""


def events(project, *options: str) -> tuple[int, list[list[object]]]:
    project.write("callbacks/events.py", EVENTS)
    log = project.folder / "events"
    log.unlink(missing_ok=True)
    run = project.run("pgsql.yml", "--forks", "1", *options, env={"EVENTS": str(log)})
    return run.rc, [json.loads(line) for line in log.read_text().splitlines()]


@pytest.mark.parametrize(("strategy", "once", "hosts"), STRATEGIES)
def test_a_play_whose_hosts_are_ready(guarded, strategy, once, hosts):
    """The same tasks, order, results, exit status and recap, but for the check itself."""
    guarded.local_hosts(ready="h1 h2 h3 h4 h5")
    guarded.configure(guarded.door, more="callback_plugins = callbacks")
    prepare(guarded, "pgsql.yml", guarded.strategy(strategy), once)
    rc, seen = events(guarded, "--limit", hosts)
    checks = [event for event in seen if "Precheck pigsty-node" in event]
    assert [event[0] for event in checks] == ["task"] + ["ok"] * (5 if hosts == "all" else 1)
    seen = [event for event in seen if event not in checks]
    guarded.configure("none", more="callback_plugins = callbacks")
    prepare(guarded, "pgsql.yml", strategy, once)
    plain_rc, expected = events(guarded, "--limit", hosts)
    for event in expected:
        if event[0] == "stats":
            event[2]["ok"] += 1  # the check
    for event in seen:
        if event[0] == "play":  # at its start it still has the name that the playbook gives
            event[2] = event[2].rpartition(".")[2]
    assert seen == expected
    assert rc == plain_rc == 2


def test_ad_hoc_commands(project):
    project.local_hosts(missing="h1 h2")
    project.configure("none")
    plain = project.run("ansible", "all", "-m", "ping", "--forks", "1")
    for door in ("strategy", "callback", "both"):
        project.configure(door)
        run = project.run("ansible", "all", "-m", "ping", "--forks", "1", env={"ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"})
        assert run.rc == plain.rc == 0
        assert run.stdout == plain.stdout
        assert run.stderr == plain.stderr


def test_ansible_pull(guarded):
    source = guarded.folder / "source"
    guarded.write("source/local.yml", "- hosts: localhost\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: }]\n")
    identity = ["-c", "user.name=tests", "-c", "user.email=tests@localhost"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "a playbook"]):
        subprocess.run(["git", *command], cwd=source, check=True)
    command = ["ansible-pull", "-U", str(source), "-d", str(guarded.folder / "checkout"), "-i", "localhost,"]
    run = guarded.run(*command, env={"ANSIBLE_PYTHON_INTERPRETER": sys.executable})
    assert run.rc == 0, run.output
    assert "Precheck" not in run.output and "PRECHECK" not in run.output


@pytest.mark.parametrize("option", ["--list-tasks", "--list-hosts", "--list-tags", "--syntax-check"])
def test_listings_are_silent(guarded, option):
    guarded.local_hosts(missing="h1")
    guarded.write("pgsql.yml", "- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: }]\n")
    run = guarded.run("pgsql.yml", option)
    assert run.rc == 0
    assert "precheck" not in run.output.lower()
