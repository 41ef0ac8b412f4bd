# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a stopped run ends: its retry file, and its reason in programs that run plays themselves."""

from __future__ import annotations

import sys

import pytest

from support.commands import run_command
from support.output import CLOSING_BLOCK
from support.policies import policy, rule

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


def test_ansible_console_prints_the_reason_of_each_command(project):
    """It does not send the last event of a playbook. It loads no callbacks."""
    project.configure("strategy")
    project.local_hosts(ready="h2", missing="h1")
    project.write("precheck.yml", policy(rule({"path": "/etc/pki/ca.crt"}, name="any")))
    run = project.run("ansible-console", "all", stdin="ansible.builtin.debug\nping\nexit\n")
    assert "Hello world!" not in run.stdout
    assert run.stderr.count('PRECHECK stopped the run before play "Ansible Shell".') == 2
    assert run.stderr.count("  h1  not ready: ") == 2
