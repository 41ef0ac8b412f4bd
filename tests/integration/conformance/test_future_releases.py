# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Releases of ansible-core newer than the tested ones: the guard works, or a message says why not.

If it does not work, no task runs. The callback in the directory future_releases simulates these
releases: something that Precheck uses is missing, or has another meaning.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from support.commands import run_command
from support.plugin_code import modules, private_names
from support.policies import policy, rule
from support.project import PRECHECK, Project

pytestmark = pytest.mark.one_release  # future releases come after the newest

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

# The second host is not ready, so there is a batch before it and a batch after it.
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

STOPPED = "PRECHECK stopped the run before play"
SIMULATION = f"callback_plugins = {Path(__file__).parent}/future_releases"

NEWER = "ansible-core 2.99.1 is newer than 2.21"
NOT_CHECKED = "Precheck could not check the play"
NOT_GUARDED = "Precheck could not guard the play"

# What the guard uses of ansible-core, and the message of a release in which it is missing.
MISSING = {
    "ansible._internal._datatag._tags:Origin": STOPPED,
    "ansible._internal._task:TaskContext": STOPPED,
    "ansible.constants:_ACTION_META": NOT_CHECKED,
    "ansible.constants:config": "Precheck cannot use its policy",
    "ansible.constants:CONFIG_FILE": NOT_CHECKED,
    "ansible.constants:RETRY_FILES_ENABLED": NOT_CHECKED,
    "ansible.constants:TASK_TIMEOUT": NOT_CHECKED,
    "ansible.context:CLIARGS": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator": NOT_GUARDED,
    "ansible.executor.play_iterator:PlayIterator._blocks": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator._play": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator.all_tasks": STOPPED,
    "ansible.executor.play_iterator:PlayIterator.get_failed_hosts": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator.host_states": STOPPED,
    "ansible.executor.play_iterator:PlayIterator.is_failed": NOT_CHECKED,
    "ansible.executor.play_iterator:PlayIterator.mark_host_failed": NOT_CHECKED,
    "ansible.executor.playbook_executor:PlaybookExecutor._generate_retry_inventory": NOT_CHECKED,
    "ansible.executor.playbook_executor:PlaybookExecutor._get_serialized_batches": NOT_CHECKED,
    "ansible.executor.process.worker:WorkerProcess": STOPPED,
    "ansible.executor.process.worker:WorkerProcess._host": STOPPED,
    "ansible.executor.process.worker:WorkerProcess._run": STOPPED,
    "ansible.executor.task_queue_manager:TaskQueueManager._callback_plugins": STOPPED,
    "ansible.executor.task_queue_manager:TaskQueueManager._connection_lockfile": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._failed_hosts": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._forks": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._initialize_processes": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._start_at_done": STOPPED,
    "ansible.executor.task_queue_manager:TaskQueueManager._stats": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._terminated": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._unreachable_hosts": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager._workers": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager.RUN_FAILED_BREAK_PLAY": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager.cleanup": NOT_CHECKED,
    "ansible.executor.task_queue_manager:TaskQueueManager.send_callback": NOT_CHECKED,
    "ansible.inventory.manager:InventoryManager._restriction": NOT_CHECKED,
    "ansible.inventory.manager:InventoryManager.get_hosts": NOT_CHECKED,
    "ansible.inventory.manager:InventoryManager.restrict_to_hosts": NOT_CHECKED,
    "ansible.parsing.dataloader:DataLoader._FILE_CACHE": NOT_CHECKED,
    "ansible.parsing.dataloader:DataLoader._get_file_contents": NOT_CHECKED,
    "ansible.parsing.dataloader:DataLoader.get_real_file": NOT_CHECKED,
    "ansible.parsing.dataloader:DataLoader.load_from_file": NOT_CHECKED,
    "ansible.playbook.block:Block.get_tasks": STOPPED,
    "ansible.playbook:Playbook._basedir": STOPPED,
    "ansible.playbook.play:Play._included_conditional": NOT_CHECKED,
    "ansible.playbook.play:Play._included_path": STOPPED,
    "ansible.playbook.play:Play._uuid": NOT_CHECKED,
    "ansible.playbook.play:Play._variable_manager": NOT_CHECKED,
    "ansible.playbook.play:Play.compile": NOT_CHECKED,
    "ansible.playbook.play:Play.get_path": STOPPED,
    "ansible.playbook.play:Play.only_tags": NOT_CHECKED,
    "ansible.playbook.role:Role._role_path": NOT_CHECKED,
    "ansible.playbook.role.include:RoleInclude._role_collection": NOT_CHECKED,
    "ansible.playbook.role.include:RoleInclude.load": NOT_CHECKED,
    "ansible.playbook.role_include:IncludeRole._role_name": NOT_CHECKED,
    "ansible.playbook.role_include:IncludeRole._from_files": STOPPED,
    "ansible.playbook.task:Task._parent": STOPPED,
    "ansible.playbook.task:Task._role": NOT_CHECKED,
    "ansible.playbook.task:Task.get_vars": NOT_CHECKED,
    "ansible.playbook.task:Task.implicit": STOPPED,
    "ansible.playbook.task:Task.loop": NOT_CHECKED,
    "ansible.playbook.task:Task.register": NOT_CHECKED,
    "ansible.plugins.action:ActionBase._connection": STOPPED,
    "ansible.plugins.action:ActionBase._execute_module": STOPPED,
    "ansible.plugins.action:ActionBase._loader": STOPPED,
    "ansible.plugins.action:ActionBase._low_level_execute_command": STOPPED,
    "ansible.plugins.action:ActionBase._play_context": STOPPED,
    "ansible.plugins.callback.default:CallbackModule._last_task_banner": STOPPED,
    "ansible.plugins.callback.default:CallbackModule._print_task_banner": STOPPED,
    "ansible.plugins.connection:ConnectionBase._shell": STOPPED,
    "ansible.plugins.connection:ConnectionBase.set_become_plugin": STOPPED,
    "ansible.plugins.loader:action_loader": NOT_CHECKED,
    "ansible.plugins.loader:callback_loader": NOT_GUARDED,
    "ansible.plugins.loader:strategy_loader": NOT_GUARDED,
    "ansible.plugins.strategy.linear:StrategyModule._get_next_task_lockstep": STOPPED,
    "ansible.plugins.strategy:StrategyBase": NOT_GUARDED,
    "ansible.plugins.strategy:StrategyBase._blocked_hosts": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._cur_worker": STOPPED,
    "ansible.plugins.strategy:StrategyBase._final_q": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._hosts_cache": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._hosts_cache_all": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._inventory": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._loader": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._pending_results": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._process_pending_results": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._queue_task": STOPPED,
    "ansible.plugins.strategy:StrategyBase._queued_task_cache": STOPPED,
    "ansible.plugins.strategy:StrategyBase._set_hosts_cache": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._tqm": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._variable_manager": NOT_CHECKED,
    "ansible.plugins.strategy:StrategyBase._workers": NOT_CHECKED,
    "ansible.template:Templar": NOT_GUARDED,
    "ansible.utils.fqcn:add_internal_fqcns": NOT_GUARDED,
    "ansible.utils.hashing:secure_hash": NOT_GUARDED,
    "ansible.utils.path:cleanup_tmp_file": NOT_CHECKED,
    "ansible.vars.manager:VariableManager._nonpersistent_fact_cache": NOT_CHECKED,
    "ansible.vars.manager:VariableManager.extra_vars": NOT_CHECKED,
    "ansible.vars.manager:VariableManager.get_vars": NOT_CHECKED,
    (
        "ansible.playbook.conditional:Conditional.evaluate_conditional and"
        " ansible.playbook.task:Task._resolve_conditional"
    ): ("Precheck cannot tell whether rule all kinds of checks"),
    # The callback prints its last words otherwise.
    ("ansible.plugins.loader:strategy_loader and ansible.utils.display:Display.error"): NOT_GUARDED,
    # Without staying workers there is one for each host.
    (
        "ansible.executor.process.worker:WorkerProcess and"
        " ansible.plugins.strategy:StrategyBase._queue_task"
    ): NOT_CHECKED,
}

# What the strategy uses before the guard does, and one thing that it uses later.
MISSING_FOR_THE_STRATEGY = [
    "ansible.executor.play_iterator:PlayIterator._play",
    "ansible.plugins.loader:strategy_loader",
    "ansible.plugins.strategy:StrategyBase",
    "ansible.plugins.strategy:StrategyBase._queue_task",
    "ansible.plugins.strategy:StrategyBase._tqm",
    "ansible.template:Templar",
    "ansible.utils.fqcn:add_internal_fqcns",
]

CHANGED = {
    "results of another kind": NOT_CHECKED,
    "results are lost": STOPPED,
    "other parameters": NOT_CHECKED,
    "no block comes before the play": NOT_CHECKED,
    "no exit code ends a run": STOPPED,
    "hosts that failed end no run": "Precheck stopped the run",
    "no exit code ends a run and hosts that failed end no run": "Precheck stopped the run",
    "a newer release and ansible.plugins.strategy:StrategyBase._process_pending_results": NEWER,
    "a newer release and ansible.template:Templar": NEWER,
    "nothing": STOPPED,
}

# With these the guard would not reach the play where only the callback is enabled.
CHANGED_FOR_THE_CALLBACK = {
    "classes are made anew": NOT_GUARDED,
    "no play is announced": "Precheck could not guard any play",
}


# These names exist in older releases only.
NOT_IN_THE_NEWEST = {
    *("_data_source", "_host_states", "_line_number", "_result", "_return_data", "_task")
}
# Without the first of these names, hosts are checked again at each play. The second is of argparse,
# and the third a method that ansible-precheck doctor extends to take over what it returns.
NOT_NECESSARY = {"_load_name", "_actions", "_play_prereqs"}

# What ansible-precheck explain uses: its own names, and some that it shares with the guard.
MISSING_FOR_EXPLAIN = [
    "ansible.executor.play_iterator:PlayIterator._play",
    "ansible.executor.task_queue_manager:TaskQueueManager._variable_manager",
    "ansible.playbook:Playbook._file_name",
    "ansible.playbook.play:Play._uuid",
    "ansible.plugins.strategy:StrategyBase._tqm",
]
# Runs ansible-precheck on a future release: the first argument is what is missing in it.
EXPLAIN_ON_A_FUTURE_RELEASE = f"""
import runpy, sys
sys.path.insert(0, "{Path(__file__).parent}/future_releases")
import future_release
future_release.remove(sys.argv.pop(1))
runpy.run_path("{PRECHECK}", run_name="__main__")
"""


def prepare(project: Project) -> None:
    """Give the project a playbook, its policy and local hosts, all of them with the marker."""
    project.local_hosts(ready="h1 h2 h3")
    project.write("ca.crt", "a certificate\n")
    project.write("precheck.yml", POLICY)
    project.write(
        "roles/thing/tasks/main.yml", "- ansible.builtin.raw: touch {{ precheck_root }}/ran_role\n"
    )
    project.write("play.yml", PLAY)
    project.write(
        "site.yml", "- import_playbook: play.yml\n  when: inventory_hostname != 'nobody'\n"
    )


def outcomes(project: Project, releases: list[str], *options: str) -> dict[str, dict[str, Any]]:
    """Return the outcome of the run on each future release.

    That is its exit status, its output, and the files of tasks that ran.
    """
    project.configure(project.entry_point, SIMULATION)
    project.write("future_releases.json", json.dumps(releases))
    env = {"FUTURE_RELEASES": "future_releases.json", "ANSIBLE_RETRY_FILES_ENABLED": "true"}
    run = project.run("site.yml", "--skip-tags", "other", *options, env=env)
    results = json.loads((project.directory / "future_releases.json").read_text())
    assert set(results) == set(releases), run.output
    return results


# Since 2.19 a worker that has just begun may still have the signal handler of ansible-core's main
# process when an error ends it.
ENDED_EARLY = re.compile(
    r"Process WorkerProcess-\d+:\nTraceback.*?can only test a child process\n", re.DOTALL
)


def wrong(results: dict[str, dict[str, Any]], expected: dict[str, str]) -> dict[str, Any]:
    """Return the outcomes in which a task ran, or in which the one message is not ``expected``."""
    return {
        release: outcome
        for release, outcome in results.items()
        if outcome["ran"]
        or outcome["rc"] not in (1, 2)
        or expected[release] not in outcome["output"]
        or "Traceback" in ENDED_EARLY.sub("", outcome["output"])
        or outcome["output"].count("ERROR") > 1 + outcome["output"].count("[ERROR]: Task failed")
    }


@pytest.mark.claims(
    "the guard cannot be loaded | the run ends with an error | the run ends with an error | the"
    " run ends with an error"
)
def test_the_callback_ends_the_run_when_something_that_the_guard_needs_is_missing(project):
    prepare(project)
    project.configure("callback")
    assert wrong(outcomes(project, list(MISSING)), MISSING) == {}


@pytest.mark.claims(
    "the guard cannot be loaded | the run ends with an error | the run ends with an error | the"
    " run ends with an error"
)
def test_the_strategy_ends_the_run_when_something_that_it_needs_is_missing(project):
    prepare(project)
    for entry_point in ("strategy", "both"):
        project.configure(entry_point)
        assert wrong(outcomes(project, MISSING_FOR_THE_STRATEGY), MISSING) == {}


def test_no_play_runs_unchecked_when_something_has_another_meaning(guarded):
    prepare(guarded)
    expected = CHANGED | (CHANGED_FOR_THE_CALLBACK if guarded.entry_point == "callback" else {})
    assert wrong(outcomes(guarded, list(expected)), expected) == {}


def test_the_run_ends_when_the_callback_cannot_be_made(project):
    """ansible-core skips such a callback with a warning."""
    prepare(project)
    project.configure("callback", SIMULATION)
    project.write("future_releases.json", '["nothing"]')
    env = {"FUTURE_RELEASES": "future_releases.json", "CALLBACKS_NEED_MORE": "1"}
    run = project.run("site.yml", env=env)
    outcome = json.loads((project.directory / "future_releases.json").read_text())
    assert (run.rc, outcome) == (1, ["nothing"]), outcome  # it does not reach the playbook
    assert "Precheck could not guard" in run.output


@pytest.mark.claims(
    "an ansible-core that refuses third-party strategies | ansible-core ends the run with an error"
    " | guarded | ansible-core ends the run with an error"
)
def test_where_strategies_from_outside_are_refused_the_callback_still_guards(project):
    """It lets a play run whose hosts are ready. A strategy line in ansible.cfg ends the run with
    ansible-core's own error, with and without the callback.
    """
    prepare(project)
    refused = "strategies from outside are refused"
    project.configure("callback")
    assert wrong(outcomes(project, [refused]), {refused: STOPPED}) == {}
    ready = outcomes(project, [refused], "--limit", "h1:h3")[refused]
    assert (ready["rc"], ready["ran"]) == (
        0,
        [f"{host}/{name}" for host in ("h1", "h3") for name in ("ran", "ran_later", "ran_role")],
    )
    for entry_point in ("strategy", "both"):
        project.configure(entry_point)
        assert (
            wrong(
                outcomes(project, [refused], "--limit", "h1:h3"),
                {refused: "not included in ansible-core"},
            )
            == {}
        )


@pytest.mark.parametrize(
    ("release", "workers"),
    [
        ("nothing", 1),
        ("ansible.executor.process.worker:WorkerProcess", 3),
        ("ansible.executor.process.worker:WorkerProcess._run", 3),
        ("ansible.plugins.strategy:StrategyBase._queued_task_cache", 3),
        ("workers need more", 3),
    ],
)
def test_each_host_has_a_worker_of_its_own_if_workers_cannot_stay(project, release, workers):
    prepare(project)
    project.configure("callback")
    count = "echo {{ lookup('pipe', 'echo $PPID') }} >> {{ playbook_dir }}/workers"
    checks = [{"task": {"ansible.builtin.raw": count}}, {"path": "/nowhere"}]
    project.write("precheck.yml", policy(rule(*checks)))
    assert wrong(outcomes(project, [release], "--forks", "1"), {release: STOPPED}) == {}
    processes = (project.directory / "workers").read_text().split()
    assert (len(processes), len(set(processes))) == (3, workers)


@pytest.mark.parametrize("missing", MISSING_FOR_EXPLAIN, ids=lambda name: name.partition(":")[2])
def test_explain_ends_with_an_error_when_something_that_it_needs_is_missing(project, missing):
    prepare(project)
    command = [sys.executable, "-c", EXPLAIN_ON_A_FUTURE_RELEASE, missing, "explain", "site.yml"]
    config = f"{project.directory}/ansible.cfg"
    run = run_command(command, project.directory, ANSIBLE_CONFIG=config)
    assert run.rc == 1, run.output
    assert "Precheck could not explain the play" in run.stderr
    assert missing.rpartition(".")[2] in run.stderr
    assert "Traceback" not in run.output


def test_every_private_name_that_is_used_is_missing_in_one_of_these_releases():
    tried = {
        name
        for missing in (*MISSING, *MISSING_FOR_EXPLAIN)
        for name in re.findall(r"\b_\w+", missing)
    }
    used = set().union(*map(private_names, modules().values()))
    assert len(used) > 40
    assert sorted(used - tried - NOT_IN_THE_NEWEST - NOT_NECESSARY) == []
