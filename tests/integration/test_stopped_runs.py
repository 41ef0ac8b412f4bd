# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a stopped run ends: its events, its last lines, its retry file, and in other programs."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from support.commands import BIN, clean_environment, run_command
from support.output import CLOSING_BLOCK
from support.plays import play
from support.policies import policy, rule
from support.project import UNREACHABLE_HOST

PLAY = """\
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  {keywords}
  tasks:
    - ansible.builtin.raw: touch {{{{ precheck_root }}}}/ran
"""


@pytest.fixture
def stopped(guarded):
    """A project in which pgsql.yml is stopped for h3 and h1."""
    guarded.local_hosts(ready="h2", missing="h3 h1")
    guarded.write("pgsql.yml", PLAY.format(keywords=""))
    return guarded


RETRIES = {"no batches": "", "batches of two": "serial: 2", "batches of one": "serial: 1"}


@pytest.mark.each_release
@pytest.mark.parametrize("keywords", RETRIES.values(), ids=RETRIES)
def test_the_retry_file_has_all_hosts_of_the_play(guarded, keywords):
    """Without batches ansible-core itself writes all of them. h0 failed in an earlier play."""
    guarded.local_hosts(ready="h0 h1 h2 h3 h4", missing="h5 other")
    fail = "{ansible.builtin.fail: , when: inventory_hostname == 'h0' and mended is undefined}"
    earlier = f"- hosts: h0,other\n  gather_facts: false\n  tasks: [{fail}]\n"
    play = PLAY.format(keywords=keywords).replace("hosts: all", "hosts: all:!other")
    guarded.write("pgsql.yml", play)
    guarded.write("site.yml", f"{earlier}- import_playbook: pgsql.yml\n")
    run = guarded.run("site.yml", env={"ANSIBLE_RETRY_FILES_ENABLED": "true"})
    assert run.rc == 2, run.output
    assert run.stderr.count("PRECHECK stopped the run before") == 1
    retry = guarded.directory / "site.retry"
    assert retry.read_text().split() == ["h0", "h1", "h2", "h3", "h4", "h5"]
    assert f"--limit @{retry}" in run.stdout
    recap = run.stdout.partition("PLAY RECAP")[2]
    assert [line.split()[0] for line in recap.splitlines() if "failed=1" in line] == ["h0", "h5"]

    guarded.write("h5/etc/pki/ca.crt", "a certificate\n")
    run = guarded.run("site.yml", "--limit", f"@{retry}", "-e", "mended=true")
    assert run.rc == 0, run.output
    ran = sorted(path.parent.name for path in guarded.directory.glob("*/ran"))
    assert ran == ["h0", "h1", "h2", "h3", "h4", "h5"]


@pytest.mark.one_release
def test_a_stopped_run_writes_no_retry_file_unless_ansible_core_does(stopped):
    assert stopped.run("pgsql.yml").rc == 2
    assert not list(stopped.directory.glob("*.retry"))


PROGRAM = """
import sys
from ansible import context
from ansible.executor.playbook_executor import PlaybookExecutor
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.plugins import loader as plugins
from ansible.vars.manager import VariableManager

if hasattr(plugins, "init_plugin_loader"):  # since 2.15
    plugins.init_plugin_loader()
context.CLIARGS = ImmutableDict(syntax=False, start_at_task=None)
loader = DataLoader()
inventory = InventoryManager(loader, sources=["inventory.json"])
parts = {"inventory": inventory, "loader": loader, "passwords": {}}
parts["variable_manager"] = VariableManager(loader, inventory)

def manager_after_its_run():
    manager = TaskQueueManager(**parts)
    play = Playbook.load("pgsql.yml", parts["variable_manager"], loader).get_plays()[0]
    assert manager.run(play) == 10
    return manager

"""
# What the rest of the program does, and whether the block comes before the program's last line.
PROGRAMS = {
    "a playbook": ('assert PlaybookExecutor(playbooks=["pgsql.yml"], **parts).run() == 2', True),
    "a play": ("manager_after_its_run().cleanup()", True),
    "a play, with the last event": (
        "manager = manager_after_its_run()\n"
        'manager.send_callback("v2_playbook_on_stats", manager._stats)\n'
        "manager.cleanup()",
        True,
    ),
    "two plays": ("manager_after_its_run().cleanup()\nmanager_after_its_run().cleanup()", True),
    "a play, without the end": ("manager = manager_after_its_run()", False),
}


@pytest.mark.each_release
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_runs_plays_itself_prints_the_reason_once(stopped, program):
    """ansible-core asks a program for neither the last event of a playbook nor for a clean-up."""
    statements, is_before = PROGRAMS[program]
    text = f'{PROGRAM}{statements}\nprint("the last line", file=sys.stderr)\n'
    stopped.write("program.py", text)
    env = {"ANSIBLE_CONFIG": f"{stopped.directory}/ansible.cfg", "ANSIBLE_NOCOLOR": "1"}
    run = run_command([sys.executable, "program.py"], stopped.directory, **env)
    assert run.rc == 0, run.output
    assert "Traceback" not in run.output
    block = CLOSING_BLOCK.format(directory=stopped.directory) * (2 if program == "two plays" else 1)
    last = "the last line\n"
    assert run.stderr.endswith(block + last if is_before else last + block), run.stderr
    assert run.stderr.count("PRECHECK") == block.count("PRECHECK")
    assert not list(stopped.directory.glob("*/ran"))


def test_the_last_lines_name_plays_that_ran_unguarded(project):
    """The play names a strategy of ansible-core, and only the strategy line is there."""
    project.configure("strategy")
    project.local_hosts(missing="h1 h2")
    free = play("h1", "- ansible.builtin.debug:", name="free", keywords="strategy: free")
    idle = play("h1", "[]", name="idle", keywords="strategy: free")
    nobody = play("h9", "- ansible.builtin.debug:", name="nobody", keywords="strategy: free")
    project.write("pgsql.yml", free + idle + nobody + play("h2", name="last"))
    run = project.run("pgsql.yml")
    assert run.rc == 2
    path = f"{project.directory}/pgsql.yml"
    assert f'are not undone:\n  play "free" ({path}:1)\n\n    ./node' in run.stderr, run.stderr
    assert "Nothing was changed" not in run.stderr
    run = project.run("pgsql.yml", "--tags", "precheck")
    assert "Nothing was changed" in run.stderr


ONE_BY_ONE = """
from ansible.utils.display import Display
Display().verbosity = 1
manager = TaskQueueManager(**parts)
first, second = Playbook.load("pgsql.yml", parts["variable_manager"], loader).get_plays()
assert (manager.run(first), manager.run(second)) == (0, 10)
manager.cleanup()
"""


@pytest.mark.each_release
def test_where_later_plays_are_not_shown_each_is_checked_at_its_turn(guarded):
    """The program has no PlaybookExecutor."""
    guarded.local_hosts(ready="h1", missing="h2")
    nothing = "- ansible.builtin.debug:"
    guarded.write("pgsql.yml", play("h1", nothing) + play("h2", nothing, name="second"))
    guarded.write("program.py", PROGRAM + ONE_BY_ONE)
    env = {"ANSIBLE_CONFIG": f"{guarded.directory}/ansible.cfg", "ANSIBLE_NOCOLOR": "1"}
    run = run_command([sys.executable, "program.py"], guarded.directory, **env)
    assert run.rc == 0, run.output
    assert run.stdout.count("ansible-core does not show later plays") == 2
    assert 'PRECHECK stopped the run before play "second"' in run.stderr


def test_ansible_console_prints_the_reason_of_each_command(project):
    """It does not send the last event of a playbook. It loads no callbacks."""
    project.configure("strategy")
    project.local_hosts(ready="h2", missing="h1")
    project.write("precheck.yml", policy(rule({"path": "/etc/pki/ca.crt"}, name="any")))
    run = project.run("ansible-console", "all", stdin="ansible.builtin.debug\nping\nexit\n")
    assert "Hello world!" not in run.stdout
    assert run.stderr.count('PRECHECK stopped the run before play "Ansible Shell": ') == 2
    assert run.stderr.count("  h1  not ready: ") == 2


def test_the_event_of_a_host_says_what_is_wrong_and_what_to_type(guarded):
    guarded.local_hosts(ready="h1", missing="h2")
    guarded.inventory(guarded.hosts() | {"away": UNREACHABLE_HOST})
    guarded.write("pgsql.yml", play(name="Set up"))
    run = guarded.run("pgsql.yml", "-v")
    assert run.rc == 2
    reason = f"{guarded.directory}/h2/etc/pki/ca.crt is missing"
    [failed] = re.findall(r"^fatal: \[h2\]: FAILED! => (.*)$", run.stdout, re.MULTILINE)
    assert json.loads(failed) == {
        "changed": False,
        "rule": "pigsty-node",
        "verdict": "not_ready",
        "reasons": [reason],
        "remedy": "./node.yml -l h2",
        "msg": f"h2 is not managed by Pigsty: {reason}. Run ./node.yml -l h2",
    }
    assert "[ERROR]" not in run.output and "Origin:" not in run.output


@pytest.mark.each_release
def test_the_event_of_a_task_says_the_same(guarded):
    """What the module of a check says is the reason."""
    guarded.local_hosts(missing="h1 h2")
    guarded.inventory(guarded.hosts() | {"away": UNREACHABLE_HOST})
    fail = {
        "ansible.builtin.raw": "exit 1",
        "failed_when": "inventory_hostname == 'h2'",
    }
    own = {
        "message": "{{ inventory_hostname }} is not for this.",
        "remedy": "./free {{ precheck_hosts[0] }}",
    }
    guarded.write("precheck.yml", policy(rule({"task": fail}, name="space", **own)))
    guarded.write("pgsql.yml", play())
    run = guarded.run("pgsql.yml", "-v")
    events = {}
    for name, event in re.findall(r"^fatal: \[(\w+)\]: [A-Z]+! => (.*)$", run.stdout, re.MULTILINE):
        events.setdefault(name, []).append(json.loads(event))
    ours = ("msg", "rule", "verdict", "reasons", "remedy")
    assert [{key: event.get(key) for key in ours} for event in events["h2"]] == [
        {
            "msg": "h2 is not for this: non-zero return code. Run ./free h2",
            "rule": "space",
            "verdict": "not_ready",
            "reasons": ["non-zero return code"],
            "remedy": "./free h2",
        }
    ]
    [away] = events["away"]
    assert away["msg"].startswith("away is unverified: unreachable: ssh: connect to host"), away
    assert (away["rule"], away["verdict"], "remedy" in away) == ("space", "unverified", False)
    assert "h1" not in events


def rows(text: str) -> int:
    """Return how many rows of 80 columns a text takes."""
    return sum(max(1, -(-len(line) // 80)) for line in text.rstrip("\n").split("\n"))


@pytest.mark.each_release
def test_many_hosts_fit_on_two_screens(guarded):
    """The default callback prints a line or more for each host of any other task."""
    names = [f"h{number:02}" for number in range(1, 61)]
    guarded.local_hosts(ready=" ".join(names[40:]), missing=" ".join(names[:40]))
    guarded.write(
        "precheck.yml",
        policy(rule({"that": "inventory_hostname > 'h40'"}, remedy="./x -l {{ precheck_limit }}")),
    )
    guarded.write("pgsql.yml", play())
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    before, _recap, hosts = run.stdout.partition("PLAY RECAP")
    assert hosts.count("failed=1") == 40
    assert before.endswith("\nok: 20 hosts\nnot ready: 40 hosts\n\n")
    block = run.stderr[run.stderr.index("PRECHECK stopped") :]
    assert rows(before) + rows(block) <= 60
    assert "Origin:" not in run.output and "interpreter" not in run.output


@pytest.mark.parametrize("strategy", ["linear", "free"])
@pytest.mark.parametrize("shows_ok_hosts", [True, False])
def test_counts_come_below_the_name_of_the_check(guarded, strategy, shows_ok_hosts):
    guarded.configure(guarded.entry_point, more=f"display_ok_hosts = {shows_ok_hosts}")
    guarded.local_hosts(ready="h1", missing="h2")
    check = {"path": "/etc/pki/ca.crt"}
    rules = [rule(check, name=name, severity="warn") for name in ("one", "two")]
    guarded.write("precheck.yml", policy(*rules))
    prefix = "precheck.guard." if guarded.entry_point == "strategy" else ""
    guarded.write(
        "pgsql.yml",
        play(tasks="- ansible.builtin.debug:", keywords=f"strategy: {prefix}{strategy}"),
    )
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    ok = "ok: 1 host\n" if shows_ok_hosts else ""
    counts = re.findall(r"TASK \[Precheck (\w+)\] \*+\n((?:.+\n)+)", run.stdout)
    assert counts == [(name, f"{ok}not ready: 1 host\n") for name in ("one", "two")]


@pytest.mark.each_release
def test_an_unverified_host_has_a_remedy_of_its_own(guarded):
    """A node that is only down must not be initialised again."""
    guarded.local_hosts(missing="h1 h2")
    guarded.inventory(guarded.hosts() | {"away": UNREACHABLE_HOST})
    guarded.write("pgsql.yml", play(name="Set up"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    block = run.stderr.partition("PRECHECK stopped")[2]
    assert ": 2 of 3 hosts are not ready, 1 unverified.\n" in block
    refused = "ssh: connect to host 127.0.0.1 port 1: Connection refused"
    assert f"\n  away  unverified: unreachable: {refused}\n" in block
    assert "\n    ./node.yml -l h1,h2\n" in block
    run = guarded.run("pgsql.yml", "-l", "away")
    block = run.stderr.partition("PRECHECK stopped")[2]
    assert ": 1 of 1 host is unverified.\n" in block
    assert "Pigsty" not in block.replace("pigsty-node", "") and "node.yml" not in block


@pytest.mark.each_release
def test_templates_have_the_unverified_hosts(guarded):
    guarded.local_hosts(missing="h1")
    guarded.inventory(guarded.hosts() | {"away": UNREACHABLE_HOST})
    hosts = "{{ precheck_hosts | join }} and not {{ precheck_unverified_hosts | join }}"
    guarded.write(
        "precheck.yml",
        policy(rule({"path": "/etc/pki/ca.crt"}, message=f"say {hosts}", remedy=f"fix {hosts}")),
    )
    guarded.write("pgsql.yml", play())
    block = guarded.run("pgsql.yml").stderr.partition("PRECHECK stopped")[2]
    assert "\nsay h1 and not away\n" in block
    assert "\n    fix h1 and not away\n" in block


def test_the_last_lines_say_what_had_run_before(guarded):
    guarded.local_hosts(ready="h1", missing="h2")
    nothing = "- ansible.builtin.debug:"
    covers = {"play": "third"}
    guarded.write(
        "precheck.yml", policy(rule({"path": "/etc/pki/ca.crt"}, covers=covers, remedy="./x"))
    )
    guarded.write(
        "pgsql.yml",
        play("h1", nothing, name="first")
        + play("h1", "[]", name="idle")
        + play("h1,h2", nothing, name="third"),
    )
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    path = f"{guarded.directory}/pgsql.yml"
    assert (
        "\nNo task of this play ran on any host. These plays had run before, and are not undone:\n"
        f'  play "first" ({path}:1)\n\n    ./x'
    ) in run.stderr
    assert "Nothing was changed" not in run.stderr


@pytest.mark.each_release
def test_the_command_has_the_inventory_of_the_run(guarded):
    guarded.local_hosts(missing="h1")
    guarded.write("other/hosts of mine.json", (guarded.directory / "inventory.json").read_text())
    guarded.write("pgsql.yml", play())
    run = guarded.run("pgsql.yml", "-i", "other/hosts of mine.json", "-v")
    assert "\n    ./node.yml -l h1 -i 'other/hosts of mine.json'\n" in run.stderr
    assert "Run ./node.yml -l h1 -i 'other/hosts of mine.json'" in run.stdout
    run = guarded.run("pgsql.yml", "-i", "inventory.json")
    assert "\n    ./node.yml -l h1\n" in run.stderr


@pytest.mark.parametrize("callback", ["default", "oneline"])
def test_a_log_of_stdout_says_what_to_do(guarded, callback):
    """stderr is a terminal, as in a shell, and stdout is a pipe to tee."""
    guarded.local_hosts(missing="h1")
    guarded.write("pgsql.yml", play())
    terminal, stderr = pty.openpty()
    try:
        run = subprocess.run(
            [BIN / "ansible-playbook", "pgsql.yml"],
            cwd=guarded.directory,
            env=clean_environment(
                ANSIBLE_CONFIG=f"{guarded.directory}/ansible.cfg",
                ANSIBLE_NOCOLOR="1",
                ANSIBLE_STDOUT_CALLBACK=callback,
            ),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
        )
        seen = os.read(terminal, 100_000).decode()
    finally:
        os.close(stderr)
        os.close(terminal)
    assert run.returncode == 2
    assert seen.count("PRECHECK stopped") == 1
    assert run.stdout.count("PRECHECK stopped") == (1 if callback == "default" else 0)
    if callback == "default":
        assert "\n    ./node.yml -l h1\n" in run.stdout
