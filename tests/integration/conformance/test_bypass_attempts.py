# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Attempts to get a play past the guard, by how it is written or started, and their outcome.

docs/contract.md has the same as a table, which test_tables compares with this file.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from support import plays
from support.commands import REPOSITORY
from support.output import assert_stopped_for, is_printed
from support.plays import WITNESS
from support.policies import policy, rule
from support.project import CALLBACKS_VARIABLE, IS_2_10, LOCAL_HOST

STOPPED = "stopped"

TABLE: dict[str, str] = {}  # the table in docs/contract.md: the attempt and its outcome


def shows(attempt: str, outcome: str) -> Callable[[Any], Any]:
    """Add the line of the table that a test shows."""
    TABLE[attempt] = outcome
    return lambda test: test


def play(
    tasks: str = f"- {WITNESS}",
    keywords: str = "",
    hosts: str = "all",
    facts: str = "false",
    serial: bool = True,
) -> str:
    """Return a playbook: the play Set up PostgreSQL, which has a handler, and a later play.

    ``tasks`` and ``keywords`` may have several lines.
    """
    if serial and "serial" not in keywords:
        keywords = f"{keywords}\nserial: 2".strip()
    covered = plays.play(hosts, tasks, keywords, facts, name="Set up PostgreSQL")
    return f"{covered}  handlers:\n    - name: handler\n      {WITNESS}\n{plays.play()}"


@dataclass
class Attempt:
    """A project in which n5 is not ready, and how to run it."""

    playbook: str = field(default_factory=play)
    options: str = ""
    stdin: str = ""
    env: dict[str, str] = field(default_factory=dict)
    earlier: str = ""  # a playbook before the covered one
    files: dict[str, str] = field(default_factory=dict)
    start: str = "pgsql.yml"


FIRST = f"- name: first\n  tags: something\n  {WITNESS}\n  notify: handler"
RESCUED = f"- block:\n    - {WITNESS}\n  rescue:\n    - {WITNESS}\n  always:\n    - {WITNESS}"
ON_LOCALHOST = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"

ITEM = "item is defined or inventory_hostname != 'n5'"

ATTEMPTS: dict[str, Attempt] = {"nothing special": Attempt()}

for keyword in """
    ignore_errors: true
    ignore_unreachable: true
    any_errors_fatal: false
    max_fail_percentage: 100
    force_handlers: true
    throttle: 1
    run_once: true
    order: reverse_sorted
    order: shuffle
    become: true
    debugger: on_failed
    check_mode: true
    diff: true
    no_log: true
    timeout: 1
    environment: {PATH: /nowhere}
    vars: {precheck_waive: pigsty-node}
    module_defaults: {precheck.guard.check: {path: /}}
    serial: 1
    serial: [1, "20%", 5]
    strategy: @linear
    strategy: @free
    strategy: @host_pinned
    strategy: @debug
""".strip().splitlines():
    ATTEMPTS[f"`{keyword.strip().replace('@', '')}`"] = Attempt(play(FIRST, keyword.strip()))

for option in """
    --tags something
    --tags tagged
    --tags precheck:pigsty-node,tagged
    --skip-tags other
    --start-at-task first
    --check
    --diff
    -C -D
    --force-handlers
    --forks 1
    --become --become-user nobody
    -e ignore_errors=true
""".strip().splitlines():
    ATTEMPTS[f"`{option.strip()}`"] = Attempt(play(FIRST), option.strip())

ATTEMPTS |= {
    "`gather_facts: true`": Attempt(play(facts="true")),
    "`tags: never`, with `--tags never`": Attempt(play(keywords="tags: never"), "--tags never"),
    "`--step`, answered with no": Attempt(options="--step", stdin="n\n" * 20),
    "`ignore_errors` and `ignore_unreachable` on a block": Attempt(
        play(f"- ignore_errors: true\n  ignore_unreachable: true\n  block:\n    - {WITNESS}")
    ),
    "`ignore_errors` and `any_errors_fatal: false` on a role": Attempt(
        "- hosts: all\n  gather_facts: false\n  roles: [{role: any, ignore_errors: true,"
        " any_errors_fatal: false}]\n",
        files={"roles/any/tasks/main.yml": f"- {WITNESS}\n"},
    ),
    "`rescue` and `always`": Attempt(play(RESCUED)),
    "`run_once` on the first task": Attempt(play(f"- {WITNESS}\n  run_once: true\n- {WITNESS}")),
    "`no_precheck:pigsty-node` on a task": Attempt(
        play(f"- {WITNESS}\n  tags: no_precheck:pigsty-node")
    ),
    "`throttle: 1` on a task": Attempt(play(f"- {WITNESS}\n  throttle: 1")),
    "the task debugger, enabled by `ANSIBLE_ENABLE_TASK_DEBUGGER`": Attempt(
        stdin="c\n" * 20, env={"ANSIBLE_ENABLE_TASK_DEBUGGER": "1"}
    ),
    "prompts, `vars_prompt`": Attempt(
        play(keywords="vars_prompt: [{name: answer, prompt: Which, default: some}]")
    ),
    "`hosts` from a variable": Attempt(play(hosts="'{{ target }}'"), "-e target=all"),
    "`hosts`: a group that `add_host` created earlier in the run": Attempt(
        play(hosts="database"),
        earlier=ON_LOCALHOST
        + (
            "    - ansible.builtin.add_host: {name: '{{ item }}', groups: database}\n"
            "      loop: [n1, n2, n3, n4, n5]\n"
        ),
    ),
    "`hosts`: a group that `group_by` created earlier in the run": Attempt(
        play(hosts="database_yes"),
        earlier="- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.group_by:"
        " {key: \"database_{{ 'yes' }}\"}}]\n",
    ),
    "all tasks delegated to a host that is ready": Attempt(play(f"- {WITNESS}\n  delegate_to: n1")),
    "`include_role` by a computed name": Attempt(
        play("- ansible.builtin.include_role: {name: '{{ which }}'}", "vars: {which: any}"),
        files={"roles/any/tasks/main.yml": f"- {WITNESS}\n"},
    ),
    "nested `import_playbook`": Attempt(
        start="site.yml",
        files={
            "site.yml": "- import_playbook: deeper/all.yml\n",
            "deeper/all.yml": "- import_playbook: ../pgsql.yml\n",
        },
    ),
    "a condition of `import_playbook` that uses the variable of a loop": Attempt(
        play(f"- {WITNESS}\n  loop: [1]"),
        start="site.yml",
        files={"site.yml": f"- import_playbook: pgsql.yml\n  when: {ITEM}\n"},
    ),
    "a playbook run by the name of its collection": Attempt(
        start="acme.db.pgsql",
        files={"collections/ansible_collections/acme/db/playbooks/pgsql.yml": play()},
        env={"ANSIBLE_COLLECTIONS_PATH": f"{REPOSITORY}/collections:{{directory}}/collections"},
    ),
    "several playbooks on the command line": Attempt(
        start="pgsql.yml later.yml", files={"later.yml": play()}
    ),
    "the same playbook twice": Attempt(start="pgsql.yml pgsql.yml"),
    "leading `meta: end_host` for other hosts": Attempt(
        play(f"- meta: end_host\n  when: inventory_hostname != 'n5'\n- {WITNESS}")
    ),
    "leading `meta: end_play` with a false condition": Attempt(
        play(f"- meta: end_play\n  when: false\n- {WITNESS}")
    ),
    "leading `meta: end_batch` in an earlier batch": Attempt(
        play(f"- meta: end_batch\n  when: \"'n1' in ansible_play_batch\"\n- {WITNESS}")
    ),
    "leading `meta: clear_host_errors`": Attempt(play(f"- meta: clear_host_errors\n- {WITNESS}")),
    "leading `meta: refresh_inventory`": Attempt(play(f"- meta: refresh_inventory\n- {WITNESS}")),
    (
        "`ANSIBLE_ERROR_ON_UNDEFINED_VARS=false`, `ANSIBLE_TASK_TIMEOUT=20`,"
        " `ANSIBLE_ANY_ERRORS_FATAL=false`"
    ): Attempt(
        env={
            "ANSIBLE_ERROR_ON_UNDEFINED_VARS": "false",
            "ANSIBLE_TASK_TIMEOUT": "20",
            "ANSIBLE_ANY_ERRORS_FATAL": "false",
        }
    ),
}
TABLE |= dict.fromkeys(ATTEMPTS, STOPPED)

# All releases treat these in the same way.
ON_ONE_RELEASE = [
    "`ignore_unreachable: true`",
    "`throttle: 1`",
    "`order: reverse_sorted`",
    "`check_mode: true`",
    "`diff: true`",
    "`no_log: true`",
    "`timeout: 1`",
    "`environment: {PATH: /nowhere}`",
    "`module_defaults: {precheck.guard.check: {path: /}}`",
    "`serial: 1`",
    "`strategy: linear`",
    "`--tags tagged`",
    "`--check`",
    "`--diff`",
    "`--forks 1`",
    "`-e ignore_errors=true`",
    "`throttle: 1` on a task",
    "the same playbook twice",
]

# Releases may treat these differently: batches, the start of a play, its strategy, a terminal.
ON_EACH_RELEASE = [
    '`serial: [1, "20%", 5]`',
    "`strategy: free`",
    "`--start-at-task first`",
    "`--step`, answered with no",
    "the task debugger, enabled by `ANSIBLE_ENABLE_TASK_DEBUGGER`",
]


def marks(name: str) -> list[pytest.MarkDecorator]:
    """Return the marks of an attempt: on which releases it runs."""
    if name in ON_ONE_RELEASE:
        return [pytest.mark.one_release]
    return [pytest.mark.each_release] if name in ON_EACH_RELEASE else []


def assert_stopped(run, nodes) -> None:
    """Assert that the guard stopped the play for n5, which is not ready, and that nothing ran."""
    assert_stopped_for(run, nodes, "n5")
    of_play = run.stdout.rpartition("PLAY [Set up PostgreSQL]")[2]
    assert not re.search(r"TASK \[(?!Precheck )", of_play)
    assert "HANDLER" not in run.stdout
    assert "(debug)" not in run.stdout
    assert "ignoring" not in run.stdout


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in ATTEMPTS])
def test_the_attempt_is_stopped(guarded, nodes, name):
    attempt = ATTEMPTS[name]
    if IS_2_10 and name == "a playbook run by the name of its collection":
        pytest.skip("2.10 does not know it by that")
    nodes.reset(ready="n1 n2 n3 n4")
    files = {"pgsql.yml": attempt.playbook, "earlier.yml": attempt.earlier, **attempt.files}
    for path, text in files.items():
        guarded.write(path, re.sub(r"@(\w+)", lambda match: guarded.strategy(match[1]), text))
    env = {key: value.format(directory=guarded.directory) for key, value in attempt.env.items()}
    earlier = ["earlier.yml"] if attempt.earlier else []
    run = guarded.run(
        *earlier, *attempt.start.split(), *attempt.options.split(), stdin=attempt.stdin, env=env
    )
    assert_stopped(run, nodes)
    assert run.stdout.count("PLAY [") == len(earlier) + 1
    assert "pgsql.yml:1): " in run.stderr


@shows("localhost, outside the inventory and in it", STOPPED)
@pytest.mark.parametrize("inventory", ["implicit", "explicit"])
def test_localhost_is_checked(guarded, nodes, inventory):
    if inventory == "explicit":
        guarded.inventory({"localhost": LOCAL_HOST})
    touch = "ansible.builtin.raw: touch {{ playbook_dir }}/witness"
    keywords = "connection: local\nvars: {precheck_root: '{{ playbook_dir }}/nowhere'}"
    guarded.write("pgsql.yml", play(f"- {touch}", keywords, hosts="localhost"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert not (guarded.directory / "witness").exists()
    assert "  localhost  not ready: " in run.stderr
    # No --limit matches a localhost that is not in the inventory.
    assert ("-l localhost" in run.stderr) == (inventory == "explicit")


@shows(
    "tasks delegated to a host outside the play",
    "that host is not checked: it is not a host of the play",
)
def test_a_host_that_only_delegated_tasks_reach_is_not_checked(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write("pgsql.yml", plays.play("n1,n2", f"- {WITNESS}\n  delegate_to: n5"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0
    assert nodes.having("pki/witness") == "n5"
    assert "test" not in nodes.commands("n5")


@shows(
    "a covered role included by a computed name, in a play that nothing else covers",
    "stopped before the role: what the play did before is not undone",
)
def test_the_hosts_of_a_covered_role_with_a_computed_name_are_checked_before_it(guarded, nodes):
    guarded.write("roles/pgsql/tasks/main.yml", f"- {WITNESS}\n")
    include = "- ansible.builtin.include_role: {name: '{{ which }}'}"
    guarded.write("play.yml", play(include, "vars: {which: pgsql}"))
    run = guarded.run("play.yml")
    assert run.rc == 2
    assert is_printed("PRECHECK stopped the run before the role pgsql in play", run.stderr)
    assert nodes.having("pki/witness") == ""


@shows(
    "playbooks that no rule covers, before a covered one",
    ("they run; then the covered one is stopped, and nothing runs after it"),
)
def test_playbooks_before_it_run_and_those_after_it_do_not(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4")
    touch = "- ansible.builtin.raw: touch /etc/pki/earlier"
    guarded.write("earlier.yml", plays.play(tasks=touch))
    guarded.write("pgsql.yml", play())
    run = guarded.run("earlier.yml", "pgsql.yml", "earlier.yml")
    assert_stopped(run, nodes)
    assert run.stdout.count("PLAY [") == 2
    assert nodes.having("pki/earlier") == "n1 n2 n3 n4 n5"


@shows("the same playbook twice, all hosts ready", "runs twice; each host is checked once")
@pytest.mark.one_release
def test_the_same_playbook_twice_checks_each_host_once(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    guarded.write("pgsql.yml", play(tasks="- ansible.builtin.debug:"))
    run = guarded.run("pgsql.yml", "pgsql.yml")
    assert run.rc == 0
    assert run.stdout.count("TASK [Precheck") == 1
    assert nodes.commands("n5").count("ca.crt") == 1


@shows("handlers notified by an earlier play", "they have already run; no other handler runs")
def test_handlers_of_an_earlier_play_have_run(guarded, nodes):
    guarded.write(
        "earlier.yml",
        """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch /etc/pki/earlier
      notify: handler
  handlers:
    - name: handler
      ansible.builtin.raw: touch /etc/pki/handled
""",
    )
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write("pgsql.yml", play(keywords="force_handlers: true"))
    run = guarded.run("earlier.yml", "pgsql.yml")
    assert run.rc == 2
    assert nodes.having("pki/handled") == "n1 n2 n3 n4 n5"
    assert nodes.having("pki/witness") == ""


LOST = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.fail:
      when: inventory_hostname == 'n1'
    - ansible.builtin.raw: 'true'
      vars: {{ansible_port: "{{{{ 1 if inventory_hostname == 'n2' else {port} }}}}"}}
"""

# With two playbooks on the command line ansible-core would end after the first, which loses hosts.
AFTER_EARLIER = "- import_playbook: earlier.yml\n- import_playbook: pgsql.yml\n"


@pytest.mark.each_release
@shows(
    "hosts that failed or became unreachable in an earlier play",
    "they stay out, are not checked, and stop no other host",
)
def test_hosts_that_an_earlier_play_lost_are_not_checked(guarded, nodes):
    """n1 and n2 are not ready either.

    PlaybookExecutor counts the failures of a batch. The lost hosts must not change the count.
    """
    guarded.write("earlier.yml", LOST.format(port=nodes.port))
    guarded.write("site.yml", AFTER_EARLIER)
    guarded.write("pgsql.yml", play())
    nodes.reset(ready="n3 n4")
    run = guarded.run("site.yml")
    assert_stopped(run, nodes)
    assert run.stdout.count("PLAY [") == 2
    assert "1 of 3 hosts is not ready" in run.stderr

    nodes.reset(ready="n3 n4 n5")
    run = guarded.run("site.yml")
    assert "PRECHECK" not in run.stderr
    assert nodes.having("pki/witness") == "n3 n4 n5"
    assert nodes.commands("n1") == nodes.commands("n2") == ""


@shows("the same, with a rule that requires all hosts by `that` and `once`", STOPPED)
def test_a_rule_can_require_that_no_host_was_lost(guarded, nodes):
    condition = "ansible_play_hosts | length == ansible_play_hosts_all | length"
    nobody_lost = rule({"that": condition, "once": True}, covers={"playbook": "pgsql.yml"})
    guarded.write("precheck.yml", policy(nobody_lost))
    guarded.write("pgsql.yml", play(serial=False))
    guarded.write("earlier.yml", LOST.format(port=nodes.port))
    guarded.write("site.yml", AFTER_EARLIER)
    run = guarded.run("site.yml")
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert f"  not ready: {condition} does not hold\n" in run.stderr

    nodes.reset()
    assert guarded.run("pgsql.yml").rc == 0


@shows("a host that `meta: refresh_inventory` added in an earlier play", STOPPED)
def test_a_host_that_a_refresh_of_the_inventory_adds_is_checked(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4")
    variables = {"ansible_python_interpreter": sys.executable}

    def script_output(hosts):
        group = {"hosts": list(hosts), "vars": variables}
        return json.dumps({"_meta": {"hostvars": hosts}, "all": group})

    guarded.write("all.json", script_output(nodes.hosts()))
    guarded.write("now.json", script_output({"n1": nodes.host("n1")}))
    guarded.script("inventory.sh", f"#!/bin/sh\ncat {guarded.directory}/now.json\n")
    copy = "    - ansible.builtin.raw: cp all.json now.json\n"
    refresh = "    - ansible.builtin.meta: refresh_inventory\n"
    guarded.write("earlier.yml", ON_LOCALHOST + copy + refresh)
    guarded.write("pgsql.yml", play())
    assert guarded.run("-i", "inventory.sh", "pgsql.yml", "--tags", "precheck").rc == 0  # n1 alone
    run = guarded.run("-i", "inventory.sh", "earlier.yml", "pgsql.yml")
    assert_stopped(run, nodes)
    assert "1 of 5 hosts is not ready" in run.stderr


@pytest.mark.claims(
    "who runs a playbook | `ANSIBLE_STRATEGY`, if only the strategy line is in `ansible.cfg` | the"
    " same",
    "`ANSIBLE_STRATEGY` names another strategy | not guarded | guarded | guarded",
    "who runs a playbook | `ANSIBLE_CALLBACKS_ENABLED`, if only the callback is on | the same",
    "`ANSIBLE_CALLBACKS_ENABLED` names other callbacks | guarded | not guarded | guarded",
)
@shows("`ANSIBLE_STRATEGY` names a built-in strategy, with the callback on", STOPPED)
@shows(
    "`ANSIBLE_STRATEGY` names a built-in strategy, with only the strategy in `ansible.cfg`",
    "runs: the environment switched the guard off",
)
@shows("`ANSIBLE_CALLBACKS_ENABLED` names other callbacks, with the strategy on", STOPPED)
@shows(
    "`ANSIBLE_CALLBACKS_ENABLED` names other callbacks, with only the callback in `ansible.cfg`",
    "runs: the environment switched the guard off",
)
@pytest.mark.parametrize(
    ("setting", "survivor"),
    [
        ({"ANSIBLE_STRATEGY": "free"}, "callback"),
        ({CALLBACKS_VARIABLE: "ansible.builtin.junit"}, "strategy"),
    ],
    ids=["ANSIBLE_STRATEGY", "ANSIBLE_CALLBACKS_ENABLED"],
)
def test_the_environment_can_disable_one_entry_point_and_not_the_other(
    guarded, nodes, setting, survivor
):
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write("pgsql.yml", play())
    run = guarded.run("pgsql.yml", env=setting)
    if guarded.entry_point == survivor:
        assert_stopped(run, nodes)
    else:
        assert run.rc == 0
        assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"


@shows(
    "`ansible_connection` changed by the play's `vars`",
    "the host that the play would connect to is checked",
)
def test_the_check_uses_the_connection_of_the_play(guarded, nodes):
    """The inventory says that each host is a directory of this machine, which is ready."""
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write("root/etc/pki/ca.crt", "a certificate\n")
    root = {"precheck_root": f"{guarded.directory}/root"}
    guarded.inventory(nodes.hosts(**LOCAL_HOST, **root))
    guarded.write("pgsql.yml", play(keywords="vars: {ansible_connection: ssh}"))
    assert_stopped(guarded.run("pgsql.yml"), nodes)


SUDO = "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n"


@pytest.fixture
def no_sudo(guarded):
    """Options that replace sudo by one that requires a password."""
    sudo = guarded.script("sudo", SUDO)
    guarded.write("pgsql.yml", play(keywords="become: true\nbecome_method: sudo"))
    user = "ansible_become_user=nobody ansible_become=true"
    return ["-e", f"ansible_become_exe={sudo} {user}"]


@shows(
    "the play's become password is missing",
    "the checks do not need it; the play itself fails if all hosts are ready",
)
def test_the_checks_do_not_use_the_become_of_the_play(guarded, nodes, no_sudo):
    nodes.reset(ready="n1 n2 n3 n4")
    assert_stopped(guarded.run("pgsql.yml", *no_sudo), nodes)

    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = guarded.run("pgsql.yml", *no_sudo)
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert "PRECHECK" not in run.stderr


@shows(
    "the become password of a check with `become` is missing",
    "stopped: all these hosts are unverified",
)
def test_a_check_with_become_is_unverified_without_its_password(guarded, nodes, no_sudo):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    check = {"path": "/etc/pki/ca.crt", "become": True}
    guarded.write("precheck.yml", policy(rule(check, covers={"playbook": "pgsql.yml"})))
    run = guarded.run("pgsql.yml", *no_sudo)
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert "5 of 5 hosts are unverified" in run.stderr
    missing = "  unverified: .*(Missing sudo password|a password is required)"
    assert re.search(missing, run.stderr), run.stderr


@shows(
    "`--list-tasks`, `--list-hosts`, `--list-tags`, `--syntax-check`",
    "they list and check as usual; the guard prints nothing",
)
@pytest.mark.parametrize(
    "option", ["--list-tasks", "--list-hosts", "--list-tags", "--syntax-check"]
)
def test_options_that_only_list_print_nothing_of_the_guard(guarded, option):
    guarded.local_hosts(missing="h1")
    guarded.write("pgsql.yml", play())
    run = guarded.run("pgsql.yml", option)
    assert run.rc == 0
    assert "precheck" not in run.output.lower()


@pytest.mark.claims(
    "a play that names a third-party strategy, such as Mitogen's | not guarded | guarded | guarded"
)
@shows(
    "a third-party strategy, with the callback on",
    STOPPED,
)
def test_a_strategy_from_elsewhere_is_guarded_and_runs_as_without_the_guard(project, nodes):
    project.configure("callback", more="strategy_plugins = strategies")
    project.write(
        "strategies/elsewhere.py",
        """
from ansible.plugins.strategy.free import StrategyModule as Free

class StrategyModule(Free):
    def run(self, iterator, play_context):
        state = len(self._inventory.get_hosts()), len(self._tqm._workers), self._hosts_cache
        self._display.display(f"elsewhere runs on {state}")
        return super().run(iterator, play_context)
""",
    )
    project.write("pgsql.yml", play(keywords="strategy: elsewhere"))
    nodes.reset(ready="n1 n2 n3 n4")
    run = project.run("pgsql.yml")
    assert_stopped(run, nodes)
    assert "elsewhere runs" not in run.stdout

    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = project.run("pgsql.yml")
    assert run.rc == 0
    states = re.findall("elsewhere runs on (.*)", run.stdout)
    assert states == ["(2, 2, [])", "(2, 2, [])", "(1, 1, [])"]  # as without the guard
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"
    assert run.stdout.count("[Precheck pigsty-node]") == 1


@pytest.mark.claims("a play that names no strategy | guarded | guarded | guarded, once")
@shows("strategy and callback both on", "stopped once; checked once")
def test_with_both_entry_points_each_host_is_checked_once(project, nodes):
    project.configure("both")
    nodes.reset(ready="n1 n2 n3 n4 n5")
    # The strategy of the second play inherits from that of the first, which is guarded by then.
    project.write("pgsql.yml", play(keywords="strategy: linear") + play())
    run = project.run("pgsql.yml")
    assert run.rc == 0
    assert run.stdout.count("TASK [Precheck") == 1
    nodes.reset(ready="n1 n2 n3 n4")
    assert_stopped(project.run("pgsql.yml"), nodes)
