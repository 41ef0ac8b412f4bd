# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host that is not ready stops the run, and nothing that a playbook or the command line says changes that."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

PLAY = """
- name: Set up PostgreSQL
  hosts: all
  serial: 2
  gather_facts: {facts}
  {keywords}
  tasks:
    {tasks}
  handlers:
    - name: handler
      ansible.builtin.raw: touch /etc/pki/witness
- name: A later play
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch /etc/pki/witness
"""

FIRST_TASK = """
    - name: first
      tags: something
      ansible.builtin.raw: touch /etc/pki/witness
      notify: handler
"""

RESCUED = """
    - block:
        - ansible.builtin.raw: touch /etc/pki/witness
      rescue:
        - ansible.builtin.raw: touch /etc/pki/witness
      always:
        - ansible.builtin.raw: touch /etc/pki/witness
"""


@dataclass
class Way:
    """A way in which the play is written or started."""

    keywords: str = ""
    options: tuple[str, ...] = ()
    stdin: str = ""
    tasks: str = FIRST_TASK
    facts: str = "false"


WAYS = {
    "as it is": Way(),
    "-t": Way(options=("-t", "something")),
    "--skip-tags": Way(options=("--skip-tags", "other")),
    "--start-at-task": Way(options=("--start-at-task", "first")),
    "--step, no": Way(options=("--step",), stdin="n\n" * 20),
    "--check": Way(options=("--check",)),
    "--diff": Way(options=("--diff",)),
    "--force-handlers": Way(options=("--force-handlers",)),
    "--forks": Way(options=("--forks", "1")),
    "--become": Way(options=("--become", "--become-user", "nobody")),
    "ignore_errors": Way("ignore_errors: true"),
    "ignore_unreachable": Way("ignore_unreachable: true"),
    "any_errors_fatal": Way("any_errors_fatal: false"),
    "max_fail_percentage": Way("max_fail_percentage: 100"),
    "force_handlers": Way("force_handlers: true"),
    "throttle": Way("throttle: 1"),
    "run_once": Way("run_once: true"),
    "order": Way("order: reverse_sorted"),
    "become": Way("become: true"),
    "debugger": Way("debugger: on_failed"),
    "check_mode": Way("check_mode: true"),
    "module_defaults": Way("module_defaults: {precheck.guard.check: {path: /}}"),
    "environment": Way("environment: {PATH: /nowhere}"),
    "timeout": Way("timeout: 1"),
    "no_log": Way("no_log: true"),
    "tags": Way("tags: never", options=("-t", "never")),
    "gather_facts": Way(facts="true"),
    "rescue": Way(tasks=RESCUED),
}


# Keywords that no release has treated in a way of its own.
ON_ONE_RELEASE = [
    "--diff",
    "--forks",
    "ignore_unreachable",
    "throttle",
    "order",
    "check_mode",
    "module_defaults",
    "environment",
    "timeout",
    "no_log",
    "tags",
]


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, id=name, marks=[pytest.mark.one_release] * (name in ON_ONE_RELEASE)) for name, way in WAYS.items()],
)
def test_two_of_five_in_the_last_batches(guarded, nodes, way):
    nodes.reset(ready="n1 n2 n3")
    if way.keywords.startswith("order"):
        nodes.reset(ready="n3 n4 n5")
    missing = [name for name in ("n1", "n2", "n3", "n4", "n5") if name not in nodes.having("pki/ca.crt")]
    guarded.write("pgsql.yml", PLAY.format(facts=way.facts, keywords=way.keywords, tasks=way.tasks))
    run = guarded.run("pgsql.yml", *way.options, stdin=way.stdin)
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert run.stdout.count("PLAY [") == 1
    assert run.stdout.count("TASK [") == 1
    assert "HANDLER" not in run.stdout
    assert run.stderr.count("PRECHECK stopped the run") == 1
    assert f'play "Set up PostgreSQL" ({guarded.folder}/pgsql.yml:2)' in run.stderr
    assert "2 of 5 hosts are not ready" in run.stderr
    for name in missing:
        assert f"  {name}  not ready: /etc/pki/ca.crt is missing\n" in run.stderr
    assert f"    ./node.yml -l {','.join(missing)}\n" in run.stderr
    assert "Nothing was changed" in run.stderr


@pytest.mark.parametrize("name", ["free", "host_pinned", "debug"])
def test_under_other_strategies(guarded, nodes, name):
    nodes.reset(ready="n1 n2 n3")
    keywords = f"strategy: {guarded.strategy(name)}"
    guarded.write("pgsql.yml", PLAY.format(facts="false", keywords=keywords, tasks=FIRST_TASK))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert run.stdout.count("PLAY [") == 1
    assert run.stdout.count("TASK [") == 1
    assert "./node.yml -l n4,n5\n" in run.stderr


def test_under_a_strategy_from_elsewhere(project, nodes):
    """The callback guards a strategy that neither ansible-core nor this collection brought."""
    project.configure("callback", more="strategy_plugins = strategies")
    project.write(
        "strategies/elsewhere.py",
        """
from ansible.plugins.strategy.free import StrategyModule as Free

class StrategyModule(Free):
    def run(self, iterator, play_context):
        self._display.display("elsewhere runs")
        return super().run(iterator, play_context)
""",
    )
    play = PLAY.format(facts="false", keywords="strategy: elsewhere", tasks=FIRST_TASK)
    project.write("pgsql.yml", play)
    nodes.reset(ready="n1 n2 n3")
    run = project.run("pgsql.yml")
    assert run.rc == 2
    assert "elsewhere runs" not in run.stdout
    assert nodes.having("pki/witness") == ""
    assert "./node.yml -l n4,n5\n" in run.stderr

    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = project.run("pgsql.yml")
    assert run.rc == 0
    assert "elsewhere runs" in run.stdout
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"
    assert run.stdout.count("[Precheck pigsty-node]") == 1


def test_both_doors_guard_once(project, nodes):
    project.configure("both")
    nodes.reset(ready="n1 n2 n3 n4 n5")
    other = PLAY.format(facts="false", keywords="strategy: linear", tasks=FIRST_TASK)
    # The second play's strategy inherits from the first's, on which the callback has put the guard by then.
    project.write("pgsql.yml", other + PLAY.format(facts="false", keywords="", tasks=FIRST_TASK))
    run = project.run("pgsql.yml")
    assert run.rc == 0
    assert run.stdout.count("TASK [Precheck") == 1
    for name in ("n1", "n5"):
        assert nodes.commands(name).count("ansible.modules.stat") <= 1
    nodes.reset(ready="n1 n2 n3 n4")
    run = project.run("pgsql.yml")
    assert run.rc == 2
    assert run.stdout.count("TASK [") == 1
    assert run.stderr.count("PRECHECK stopped the run") == 1


def test_no_later_playbook(guarded, nodes):
    guarded.write("pgsql.yml", PLAY.format(facts="false", keywords="", tasks=FIRST_TASK))
    guarded.write("other.yml", PLAY.format(facts="false", keywords="", tasks=FIRST_TASK))
    run = guarded.run("pgsql.yml", "other.yml")
    assert run.rc == 2
    assert run.stdout.count("PLAY [") == 1
    assert nodes.having("pki/witness") == ""


def test_an_earlier_plays_handler_has_run_and_no_later_one_does(guarded, nodes):
    """Handlers notified before the covered play belong to their own play."""
    earlier = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch /etc/pki/earlier
      notify: earlier handler
  handlers:
    - name: earlier handler
      ansible.builtin.raw: touch /etc/pki/handled
"""
    guarded.write("earlier.yml", earlier)
    guarded.write("pgsql.yml", PLAY.format(facts="false", keywords="force_handlers: true", tasks=FIRST_TASK))
    guarded.write("site.yml", "- import_playbook: earlier.yml\n- import_playbook: pgsql.yml\n")
    run = guarded.run("site.yml")
    assert run.rc == 2
    assert nodes.having("pki/handled") == "n1 n2 n3 n4 n5"
    assert nodes.having("pki/witness") == ""


def test_hosts_that_failed_earlier_do_not_let_a_further_batch_begin(guarded, nodes):
    """PlaybookExecutor counts the failures of a batch; hosts that were out before must not spoil the count."""
    nodes.reset(ready="n2 n3 n4")
    earlier = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.fail:
      when: inventory_hostname in ['n1', 'n3']
"""
    guarded.write("earlier.yml", earlier)
    guarded.write("pgsql.yml", PLAY.format(facts="false", keywords="", tasks=FIRST_TASK))
    guarded.write("site.yml", "- import_playbook: earlier.yml\n- import_playbook: pgsql.yml\n")
    run = guarded.run("site.yml")
    assert run.rc == 2
    assert run.stdout.count("PLAY [") == 2
    assert nodes.having("pki/witness") == ""
    assert "1 of 3 hosts is not ready" in run.stderr
    assert "./node.yml -l n5\n" in run.stderr
