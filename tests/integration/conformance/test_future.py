# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases of ansible-core newer than the tested ones: the guard works there, or nothing is run and a message says why.

The futures are made by the callback in the folder of that name: something that Precheck uses is gone, or has another meaning.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Project

pytestmark = pytest.mark.one_release  # what is to come comes after the newest

PLAY = """
- name: Set up PostgreSQL
  hosts: all
  serial: 1
  gather_facts: false
  pre_tasks:
    - ansible.builtin.meta: end_host
      when: inventory_hostname == 'nobody'
  roles: [thing]
  tasks:
    - ansible.builtin.include_role: {name: thing}
    - ansible.builtin.raw: touch {{ precheck_root }}/ran
- name: A later play
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch {{ precheck_root }}/ran_later
"""

# The second host is the one that is not ready, so that a batch comes before it and one after it.
POLICY = """
rules:
  - name: all kinds of checks
    plays: [{role: thing}]
    when: inventory_hostname != 'nobody'
    checks:
      - {path: /etc/pki/ca.crt, same_as: ca.crt}
      - command: "true"
      - that: inventory_hostname != 'h2'
      - that: ansible_play_hosts_all is defined
        once: true
      - task: {ansible.builtin.raw: "true"}
    message: "{{ inventory_hostname }} is not ready"
    remedy: "make {{ precheck_hosts | join(',') }} ready"
"""

BLOCK = "PRECHECK stopped the run before play"
NOT_CHECKED = "Precheck could not check the play"
NOT_GUARDED = "Precheck could not guard the play"

# What the guard uses of ansible-core, and what is told when it is gone.
GONE = {
    "ansible.constants:CONFIG_FILE": NOT_CHECKED,
    "ansible.constants:TASK_TIMEOUT": NOT_CHECKED,
    "ansible.constants:_ACTION_META": NOT_CHECKED,
    "ansible.constants:config": "Precheck cannot use its policy",
    "ansible.context:CLIARGS": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator": NOT_GUARDED,
    "ansible.executor.play_iterator:PlayIterator._blocks": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator._play": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator.all_tasks": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator.get_failed_hosts": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator.host_states": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator.is_failed": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator.mark_host_failed": NOT_CHECKED,
    "ansible.executor.process.worker:WorkerProcess._host": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager.RUN_FAILED_BREAK_PLAY": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._failed_hosts": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._initialize_processes": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._unreachable_hosts": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._workers": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager.send_callback": NOT_CHECKED,
    "ansible.inventory.manager:InventoryManager._restriction": NOT_CHECKED,
    "ansible.inventory.manager:InventoryManager.get_hosts": NOT_CHECKED,
    "ansible.inventory.manager:InventoryManager.restrict_to_hosts": NOT_CHECKED,
    "ansible.module_utils.common.arg_spec:ArgumentSpecValidator": NOT_GUARDED,
    "ansible.parsing.dataloader:DataLoader._get_file_contents": NOT_CHECKED,
    "ansible.parsing.dataloader:DataLoader.get_real_file": NOT_CHECKED,
    "ansible.parsing.dataloader:DataLoader.load_from_file": NOT_CHECKED,
    "ansible.playbook.block:Block.get_tasks": NOT_CHECKED,
    "ansible.playbook.conditional:Conditional.evaluate_conditional and ansible.playbook.task:Task._resolve_conditional": (
        "Precheck cannot tell whether rule all kinds of checks"
    ),
    "ansible.playbook.play:Play._included_conditional": NOT_CHECKED,
    "ansible.playbook.play:Play._uuid": NOT_CHECKED,
    "ansible.playbook.play:Play.compile": NOT_CHECKED,
    "ansible.playbook.play:Play.get_path": NOT_CHECKED,
    "ansible.playbook.play:Play.only_tags": NOT_CHECKED,
    "ansible.playbook.role.include:RoleInclude.load": NOT_CHECKED,
    "ansible.playbook.role_include:IncludeRole._role_name": NOT_CHECKED,
    "ansible.playbook.task:Task._role": NOT_CHECKED,
    "ansible.playbook.task:Task.implicit": NOT_CHECKED,
    # The last two are used in the workers, where a task fails by it.
    "ansible.plugins.action:ActionBase._low_level_execute_command": BLOCK,
    "ansible.plugins.connection:ConnectionBase.set_become_plugin": BLOCK,
    "ansible.plugins.loader:action_loader": NOT_CHECKED,
    "ansible.plugins.loader:callback_loader": NOT_GUARDED,
    "ansible.plugins.loader:strategy_loader": NOT_GUARDED,
    "ansible.plugins.strategy:StrategyBase": NOT_GUARDED,
    "ansible.plugins.strategy:StrategyBase._blocked_hosts": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._final_q": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._hosts_cache": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._process_pending_results": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._queue_task": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._set_hosts_cache": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._tqm": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._variable_manager": NOT_CHECKED,
    "ansible.template:Templar": NOT_GUARDED,
    "ansible.utils.fqcn:add_internal_fqcns": NOT_GUARDED,
    "ansible.utils.hashing:secure_hash": NOT_CHECKED,
    "ansible.utils.path:cleanup_tmp_file": NOT_GUARDED,
    "ansible.vars.manager:VariableManager.extra_vars": NOT_CHECKED,
    "ansible.vars.manager:VariableManager.get_vars": NOT_CHECKED,
}

# What the strategy door comes by before the guard does, and one of what comes after that.
GONE_FOR_THE_STRATEGY = [
    "ansible.executor.play_iterator:PlayIterator._play",
    "ansible.plugins.loader:strategy_loader",
    "ansible.plugins.strategy:StrategyBase",
    "ansible.plugins.strategy:StrategyBase._queue_task",
    "ansible.plugins.strategy:StrategyBase._tqm",
    "ansible.template:Templar",
    "ansible.utils.fqcn:add_internal_fqcns",
]

ANOTHER = {
    "results of another kind": NOT_CHECKED,
    "results are lost": BLOCK,
    "other parameters": NOT_CHECKED,
    "no block comes before the play": NOT_CHECKED,
    "no exit code ends a run": BLOCK,
    "hosts that failed end no run": "Precheck stopped the run",
    "no exit code ends a run and hosts that failed end no run": "Precheck stopped the run",
    "a newer release and ansible.plugins.strategy:StrategyBase._queue_task": "ansible-core 2.99.1 is newer than 2.21",
    "a newer release and ansible.template:Templar": "ansible-core 2.99.1 is newer than 2.21",
    "nothing": BLOCK,
}

# By these no guard would get to the play where only the callback is on.
ANOTHER_FOR_THE_CALLBACK = {"classes are made anew": NOT_GUARDED, "no play is announced": "Precheck could not guard any play"}


def prepare(project: Project) -> None:
    project.local_hosts(ready="h1 h2 h3")
    project.write("ca.crt", "a certificate\n")
    project.write("precheck.yml", POLICY)
    project.write("roles/thing/tasks/main.yml", "- ansible.builtin.raw: touch {{ precheck_root }}/ran_role\n")
    project.write("play.yml", PLAY)
    project.write("site.yml", "- import_playbook: play.yml\n  when: inventory_hostname != 'nobody'\n")


def outcomes(project: Project, futures: list[str], *options: str) -> dict[str, dict[str, Any]]:
    """Return what becomes of the run in each of the futures: its exit status, its output, and the files of tasks that ran."""
    project.configure(project.door, f"callback_plugins = {Path(__file__).parent}/futures")
    project.write("futures.json", json.dumps(futures))
    run = project.run("site.yml", "--skip-tags", "other", *options, env={"FUTURES": "futures.json"})
    found = json.loads((project.folder / "futures.json").read_text())
    assert set(found) == set(futures), run.output
    return found


# Since 2.19 workers that have just begun may have the signal handler of ansible-core's main process, when an error ends them.
ENDED_EARLY = re.compile(r"Process WorkerProcess-\d+:\nTraceback.*?can only test a child process\n", re.DOTALL)


def wrong(found: dict[str, dict[str, Any]], expected: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the outcomes in which something was run, or not ``expected`` was told, by one message."""
    return {
        future: outcome
        for future, outcome in found.items()
        if outcome["ran"]
        or outcome["rc"] not in (1, 2)
        or expected[future] not in outcome["output"]
        or "Traceback" in ENDED_EARLY.sub("", outcome["output"])
        or outcome["output"].count("ERROR") > 1 + outcome["output"].count("[ERROR]: Task failed")
    }


@pytest.mark.claims(
    "the guard cannot be loaded | the run ends with an error | the run ends with an error | the run ends with an error"
)
def test_something_is_gone(project):
    prepare(project)
    project.configure("callback")
    assert wrong(outcomes(project, list(GONE)), GONE) == {}


@pytest.mark.claims(
    "the guard cannot be loaded | the run ends with an error | the run ends with an error | the run ends with an error"
)
def test_something_is_gone_that_the_strategy_door_needs(project):
    prepare(project)
    for door in ("strategy", "both"):
        project.configure(door)
        assert wrong(outcomes(project, GONE_FOR_THE_STRATEGY), GONE) == {}


def test_something_has_another_meaning(guarded):
    prepare(guarded)
    expected = ANOTHER | (ANOTHER_FOR_THE_CALLBACK if guarded.door == "callback" else {})
    assert wrong(outcomes(guarded, list(expected)), expected) == {}


def test_the_callback_cannot_be_made(project):
    """ansible-core passes over such a callback with a warning."""
    prepare(project)
    project.configure("callback", f"callback_plugins = {Path(__file__).parent}/futures")
    project.write("futures.json", '["nothing"]')
    run = project.run("site.yml", env={"FUTURES": "futures.json", "CALLBACKS_NEED_MORE": "1"})
    outcome = json.loads((project.folder / "futures.json").read_text())
    assert (run.rc, outcome) == (1, ["nothing"]), outcome  # it does not get as far as to the playbook
    assert "Precheck could not guard" in run.output


@pytest.mark.claims(
    "an ansible-core that refuses third-party strategies | ansible-core ends the run with an error"
    " | guarded | ansible-core ends the run with an error"
)
def test_strategies_from_outside_are_refused(project):
    """The callback guards as it does today, and lets a play run whose hosts are ready. A strategy line in ansible.cfg ends
    the run by ansible-core's own error, with the callback and without it.
    """
    prepare(project)
    refused = "strategies from outside are refused"
    project.configure("callback")
    assert wrong(outcomes(project, [refused]), {refused: BLOCK}) == {}
    ready = outcomes(project, [refused], "--limit", "h1:h3")[refused]
    assert (ready["rc"], ready["ran"]) == (
        0,
        [f"{host}/{name}" for host in ("h1", "h3") for name in ("ran", "ran_later", "ran_role")],
    )
    for door in ("strategy", "both"):
        project.configure(door)
        assert wrong(outcomes(project, [refused], "--limit", "h1:h3"), {refused: "not included in ansible-core"}) == {}
