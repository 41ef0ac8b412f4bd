# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ways in which a play is written or started that might get it past the guard, and what becomes of each.

docs/contract.md has the same as a table, which is compared with this file by test_tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from conftest import REPOSITORY
from nodes import ADDRESSES

STOPPED = "stopped"
WITNESS = "ansible.builtin.raw: touch /etc/pki/witness"

TABLE: dict[str, str] = {}  # what docs/contract.md says: the way, what happens


def shows(way: str, happens: str) -> Callable[[Any], Any]:
    """Tell which line of the table a test is for."""
    TABLE[way] = happens
    return lambda test: test


def play(tasks: str = f"- {WITNESS}", keywords: str = "", hosts: str = "all", facts: str = "false", serial: bool = True) -> str:
    """Return a play as YAML, with a handler and a later play; ``tasks`` and ``keywords`` may have several lines."""
    if serial and "serial" not in keywords:
        keywords += "\nserial: 2"
    lines = ["- name: Set up PostgreSQL", f"  hosts: {hosts}", f"  gather_facts: {facts}"]
    lines += [f"  {line}" for line in keywords.splitlines()]
    lines += ["  tasks:", *(f"    {line}" for line in tasks.splitlines())]
    lines += ["  handlers:", "    - name: handler", f"      {WITNESS}"]
    return "\n".join(lines) + f"\n- hosts: all\n  gather_facts: false\n  tasks: [{{{WITNESS}}}]\n"


@dataclass
class Way:
    """A project in which n5 is not ready, and how it is run."""

    playbook: str = field(default_factory=play)
    options: str = ""
    stdin: str = ""
    env: dict[str, str] = field(default_factory=dict)
    earlier: str = ""  # a playbook before the covered one
    files: dict[str, str] = field(default_factory=dict)
    start: str = "pgsql.yml"


FIRST = f"- name: first\n  tags: something\n  {WITNESS}\n  notify: handler"
RESCUED = f"- block:\n    - {WITNESS}\n  rescue:\n    - {WITNESS}\n  always:\n    - {WITNESS}"
BESIDES = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"

WAYS: dict[str, Way] = {"nothing special": Way()}

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
    module_defaults: {precheck.guard.check: {path: /}}
    serial: 1
    serial: [1, "20%", 5]
    strategy: @linear
    strategy: @free
    strategy: @host_pinned
    strategy: @debug
""".strip().splitlines():
    WAYS[f"`{keyword.strip().replace('@', '')}`"] = Way(play(FIRST, keyword.strip()))

for option in """
    --tags something
    --tags tagged
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
    WAYS[f"`{option.strip()}`"] = Way(play(FIRST), option.strip())

WAYS |= {
    "`gather_facts: true`": Way(play(facts="true")),
    "`tags: never`, with `--tags never`": Way(play(keywords="tags: never"), "--tags never"),
    "`--step`, answered with no": Way(options="--step", stdin="n\n" * 20),
    "`ignore_errors` and `ignore_unreachable` on a block": Way(
        play(f"- ignore_errors: true\n  ignore_unreachable: true\n  block:\n    - {WITNESS}")
    ),
    "`ignore_errors` and `any_errors_fatal: false` on a role": Way(
        "- hosts: all\n  gather_facts: false\n  roles: [{role: any, ignore_errors: true, any_errors_fatal: false}]\n",
        files={"roles/any/tasks/main.yml": f"- {WITNESS}\n"},
    ),
    "`rescue` and `always`": Way(play(RESCUED)),
    "`run_once` on the first task": Way(play(f"- {WITNESS}\n  run_once: true\n- {WITNESS}")),
    "`throttle: 1` on a task": Way(play(f"- {WITNESS}\n  throttle: 1")),
    "the task debugger, enabled by `ANSIBLE_ENABLE_TASK_DEBUGGER`": Way(
        stdin="c\n" * 20, env={"ANSIBLE_ENABLE_TASK_DEBUGGER": "1"}
    ),
    "prompts, `vars_prompt`": Way(play(keywords="vars_prompt: [{name: answer, prompt: Which, default: some}]")),
    "`hosts` from a variable": Way(play(hosts="'{{ target }}'"), "-e target=all"),
    "`hosts`: a group that `add_host` created earlier in the run": Way(
        play(hosts="database"),
        earlier=BESIDES
        + "    - ansible.builtin.add_host: {name: '{{ item }}', groups: database}\n      loop: [n1, n2, n3, n4, n5]\n",
    ),
    "`hosts`: a group that `group_by` created earlier in the run": Way(
        play(hosts="database_yes"),
        earlier="- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.group_by: {key: \"database_{{ 'yes' }}\"}}]\n",
    ),
    "all tasks delegated to a host that is ready": Way(play(f"- {WITNESS}\n  delegate_to: n1")),
    "`include_role` by a computed name": Way(
        play("- ansible.builtin.include_role: {name: '{{ which }}'}", "vars: {which: any}"),
        files={"roles/any/tasks/main.yml": f"- {WITNESS}\n"},
    ),
    "nested `import_playbook`": Way(
        start="site.yml",
        files={"site.yml": "- import_playbook: deeper/all.yml\n", "deeper/all.yml": "- import_playbook: ../pgsql.yml\n"},
    ),
    "a playbook run by the name of its collection": Way(
        start="acme.db.pgsql",
        files={"collections/ansible_collections/acme/db/playbooks/pgsql.yml": play()},
        env={"ANSIBLE_COLLECTIONS_PATH": f"{REPOSITORY}/collections:{{folder}}/collections"},
    ),
    "several playbooks on the command line": Way(start="pgsql.yml later.yml", files={"later.yml": play()}),
    "the same playbook twice": Way(start="pgsql.yml pgsql.yml"),
    "leading `meta: end_host` for other hosts": Way(play(f"- meta: end_host\n  when: inventory_hostname != 'n5'\n- {WITNESS}")),
    "leading `meta: end_play` with a false condition": Way(play(f"- meta: end_play\n  when: false\n- {WITNESS}")),
    "leading `meta: end_batch` in an earlier batch": Way(
        play(f"- meta: end_batch\n  when: \"'n1' in ansible_play_batch\"\n- {WITNESS}")
    ),
    "leading `meta: clear_host_errors`": Way(play(f"- meta: clear_host_errors\n- {WITNESS}")),
    "leading `meta: refresh_inventory`": Way(play(f"- meta: refresh_inventory\n- {WITNESS}")),
    "`ANSIBLE_ERROR_ON_UNDEFINED_VARS=false`, `ANSIBLE_TASK_TIMEOUT=20`, `ANSIBLE_ANY_ERRORS_FATAL=false`": Way(
        env={"ANSIBLE_ERROR_ON_UNDEFINED_VARS": "false", "ANSIBLE_TASK_TIMEOUT": "20", "ANSIBLE_ANY_ERRORS_FATAL": "false"}
    ),
}
TABLE |= dict.fromkeys(WAYS, STOPPED)

# No release has treated these in a way of its own.
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

# These meet what a release may do in a way of its own: batches, the start of a play, its strategy, a terminal.
ON_EACH_RELEASE = [
    '`serial: [1, "20%", 5]`',
    "`strategy: free`",
    "`--start-at-task first`",
    "`--step`, answered with no",
    "the task debugger, enabled by `ANSIBLE_ENABLE_TASK_DEBUGGER`",
]


def marks(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.one_release] * (name in ON_ONE_RELEASE) + [pytest.mark.each_release] * (name in ON_EACH_RELEASE)


def stopped(run, nodes, told: str = "n5") -> None:
    assert run.rc == 2, run.output
    assert nodes.having("pki/witness") == ""
    assert run.stdout.rpartition("PLAY [Set up PostgreSQL]")[2].count("TASK [") <= 1
    assert "HANDLER" not in run.stdout
    assert "(debug)" not in run.stdout
    assert "ignoring" not in run.stdout
    assert run.stderr.count("PRECHECK stopped the run") == 1
    assert f"  {told}  not ready: /etc/pki/ca.crt is missing\n" in run.stderr
    assert f"    ./node.yml -l {told}\n" in run.stderr
    assert "Nothing was changed" in run.stderr


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in WAYS])
def test_is_stopped(guarded, nodes, name):
    way = WAYS[name]
    nodes.reset(ready="n1 n2 n3 n4")
    files = {"pgsql.yml": way.playbook, "earlier.yml": way.earlier, **way.files}
    for path, text in files.items():
        guarded.write(path, re.sub(r"@(\w+)", lambda found: guarded.strategy(found[1]), text))
    env = {key: value.format(folder=guarded.folder) for key, value in way.env.items()}
    earlier = ["earlier.yml"] if way.earlier else []
    run = guarded.run(*earlier, *way.start.split(), *way.options.split(), stdin=way.stdin, env=env)
    stopped(run, nodes)
    assert run.stdout.count("PLAY [") == len(earlier) + 1
    assert "pgsql.yml:1)." in run.stderr


@shows("localhost, outside the inventory and in it", STOPPED)
@pytest.mark.parametrize("inventory", ["implicit", "explicit"])
def test_localhost(guarded, nodes, inventory):
    if inventory == "explicit":
        guarded.inventory({"localhost": {"ansible_connection": "local"}})
    touch = "ansible.builtin.raw: touch {{ playbook_dir }}/witness"
    keywords = "connection: local\nvars: {precheck_root: '{{ playbook_dir }}/nowhere'}"
    guarded.write("pgsql.yml", play(f"- {touch}", keywords, hosts="localhost"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert not (guarded.folder / "witness").exists()
    assert "    ./node.yml -l localhost\n" in run.stderr


@shows("tasks delegated to a host outside the play", "that host is not checked: it is not a host of the play")
def test_a_host_that_tasks_are_delegated_to(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write("pgsql.yml", f"- hosts: n1,n2\n  gather_facts: false\n  tasks: [{{{WITNESS}, delegate_to: n5}}]\n")
    run = guarded.run("pgsql.yml")
    assert run.rc == 0
    assert nodes.having("pki/witness") == "n5"
    assert "test" not in nodes.commands("n5")


@pytest.mark.claims("who writes a playbook | a covered role included by a computed name | the same")
@shows(
    "a covered role included by a computed name, in a play that nothing else covers",
    "runs: the name cannot be known in advance",
)
@pytest.mark.one_release
def test_a_computed_role_does_not_cover(guarded, nodes):
    guarded.write("roles/pgsql/tasks/main.yml", f"- {WITNESS}\n")
    guarded.write("play.yml", play("- ansible.builtin.include_role: {name: '{{ which }}'}", "vars: {which: pgsql}"))
    assert guarded.run("play.yml").rc == 0
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"


@shows(
    "playbooks that no rule covers, before a covered one",
    "they run; then the covered one is stopped, and nothing runs after it",
)
def test_between_playbooks(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write(
        "earlier.yml", "- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.raw: touch /etc/pki/earlier}]\n"
    )
    guarded.write("pgsql.yml", play())
    run = guarded.run("earlier.yml", "pgsql.yml", "earlier.yml")
    stopped(run, nodes)
    assert run.stdout.count("PLAY [") == 2
    assert nodes.having("pki/earlier") == "n1 n2 n3 n4 n5"


@shows("the same playbook twice, all hosts ready", "runs twice; each host is checked once")
@pytest.mark.one_release
def test_twice(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    guarded.write("pgsql.yml", play(tasks="- ansible.builtin.debug:"))
    run = guarded.run("pgsql.yml", "pgsql.yml")
    assert run.rc == 0
    assert run.stdout.count("TASK [Precheck") == 1
    assert nodes.commands("n5").count("ca.crt") == 1


@shows("handlers notified by an earlier play", "they have already run; no other handler runs")
def test_an_earlier_plays_handler(guarded, nodes):
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

# With two playbooks on the command line ansible-core would end after the first, as some of its hosts were lost.
AFTER_EARLIER = "- import_playbook: earlier.yml\n- import_playbook: pgsql.yml\n"


@pytest.mark.each_release
@shows(
    "hosts that failed or became unreachable in an earlier play",
    "they stay out, are not checked, and stop no other host",
)
def test_hosts_that_were_lost(guarded, nodes):
    """n1 and n2 are not ready either. PlaybookExecutor counts the failures of a batch: they must not spoil the count."""
    guarded.write("earlier.yml", LOST.format(port=nodes.port))
    guarded.write("site.yml", AFTER_EARLIER)
    guarded.write("pgsql.yml", play())
    nodes.reset(ready="n3 n4")
    run = guarded.run("site.yml")
    stopped(run, nodes)
    assert run.stdout.count("PLAY [") == 2
    assert "1 of 3 hosts is not ready" in run.stderr

    nodes.reset(ready="n3 n4 n5")
    run = guarded.run("site.yml")
    assert "PRECHECK" not in run.stderr
    assert nodes.having("pki/witness") == "n3 n4 n5"
    assert nodes.commands("n1") == nodes.commands("n2") == ""


@shows("the same, with a rule that requires all hosts by `that` and `once`", STOPPED)
def test_hosts_that_were_lost_and_a_rule_that_asks_for_them(guarded, nodes):
    condition = "ansible_play_hosts | length == ansible_play_hosts_all | length"
    rule = {"name": "nobody-lost", "plays": [{"playbook": "pgsql.yml"}], "checks": [{"that": condition, "once": True}]}
    guarded.write("precheck.yml", json.dumps({"rules": [rule]}))
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
def test_a_host_that_a_refresh_brought(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4")
    text = json.loads((guarded.folder / "inventory.json").read_text())
    hosts = text["all"]["hosts"]
    (guarded.folder / "all.json").write_text(
        json.dumps({"_meta": {"hostvars": hosts}, "all": {"hosts": list(hosts), "vars": text["all"]["vars"]}})
    )
    few = {"_meta": {"hostvars": {"n1": hosts["n1"]}}, "all": {"hosts": ["n1"], "vars": text["all"]["vars"]}}
    (guarded.folder / "now.json").write_text(json.dumps(few))
    guarded.write("inventory.sh", f"#!/bin/sh\ncat {guarded.folder}/now.json\n")
    (guarded.folder / "inventory.sh").chmod(0o755)
    guarded.write(
        "earlier.yml",
        BESIDES + "    - ansible.builtin.raw: cp all.json now.json\n    - ansible.builtin.meta: refresh_inventory\n",
    )
    guarded.write("pgsql.yml", play())
    assert guarded.run("-i", "inventory.sh", "pgsql.yml", "--tags", "precheck").rc == 0  # n1 alone
    run = guarded.run("-i", "inventory.sh", "earlier.yml", "pgsql.yml")
    stopped(run, nodes)
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
        ({"ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.junit"}, "strategy"),
    ],
    ids=["ANSIBLE_STRATEGY", "ANSIBLE_CALLBACKS_ENABLED"],
)
def test_another_door_by_the_environment(guarded, nodes, setting, survivor):
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write("pgsql.yml", play())
    run = guarded.run("pgsql.yml", env=setting)
    if guarded.door == survivor:
        stopped(run, nodes)
    else:
        assert run.rc == 0
        assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"


@shows(
    "`ansible_connection` changed by the play's `vars`",
    "the host that the play would connect to is checked",
)
def test_another_connection(guarded, nodes):
    """In the inventory each host is a folder of this machine, and ready there."""
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write("root/etc/pki/ca.crt", "a certificate\n")
    hosts = {name: nodes.host(name) for name in ADDRESSES}
    guarded.inventory(
        {
            name: host | {"ansible_connection": "local", "precheck_root": str(guarded.folder / "root")}
            for name, host in hosts.items()
        }
    )
    guarded.write("pgsql.yml", play(keywords="vars: {ansible_connection: ssh}"))
    stopped(guarded.run("pgsql.yml"), nodes)


SUDO = "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n"


@shows(
    "the play's become password is missing",
    "the checks do not need it; the play itself fails if all hosts are ready",
)
@shows("the become password of a check with `become` is missing", "stopped: all these hosts are unverified")
def test_a_become_password_is_missing(guarded, nodes):
    guarded.write("sudo", SUDO)
    (guarded.folder / "sudo").chmod(0o755)
    become = ["-e", f"ansible_become_exe={guarded.folder}/sudo ansible_become_user=nobody ansible_become=true"]
    guarded.write("pgsql.yml", play(keywords="become: true\nbecome_method: sudo"))
    nodes.reset(ready="n1 n2 n3 n4")
    stopped(guarded.run("pgsql.yml", *become), nodes)

    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = guarded.run("pgsql.yml", *become)
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert "PRECHECK" not in run.stderr

    check = {"path": "/etc/pki/ca.crt", "become": True}
    rule = {"name": "as-root", "plays": [{"playbook": "pgsql.yml"}], "checks": [check]}
    guarded.write("precheck.yml", json.dumps({"rules": [rule]}))
    run = guarded.run("pgsql.yml", *become)
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert "5 of 5 hosts are not ready" in run.stderr
    assert re.search(r"  n5  unverified: .*(Missing sudo password|a password is required)", run.stderr), run.stderr


@shows(
    "`--list-tasks`, `--list-hosts`, `--list-tags`, `--syntax-check`",
    "they list and check as usual; the guard prints nothing",
)
@pytest.mark.parametrize("option", ["--list-tasks", "--list-hosts", "--list-tags", "--syntax-check"])
def test_listings(guarded, option):
    guarded.local_hosts(missing="h1")
    guarded.write("pgsql.yml", play())
    run = guarded.run("pgsql.yml", option)
    assert run.rc == 0
    assert "precheck" not in run.output.lower()


@pytest.mark.claims(
    "a play that names a third-party strategy, such as Mitogen's | not guarded | guarded | guarded"
)
@shows("a third-party strategy, with the callback on", STOPPED)
def test_a_strategy_from_elsewhere(project, nodes):
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
    stopped(run, nodes)
    assert "elsewhere runs" not in run.stdout

    nodes.reset(ready="n1 n2 n3 n4 n5")
    run = project.run("pgsql.yml")
    assert run.rc == 0
    assert re.findall("elsewhere runs on (.*)", run.stdout) == ["(2, 2, [])", "(2, 2, [])", "(1, 1, [])"]  # as without the guard
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"
    assert run.stdout.count("[Precheck pigsty-node]") == 1


@pytest.mark.claims("a play that names no strategy | guarded | guarded | guarded, once")
@shows("strategy and callback both on", "stopped once; checked once")
def test_both_doors(project, nodes):
    project.configure("both")
    nodes.reset(ready="n1 n2 n3 n4 n5")
    # The second play's strategy inherits from the first's, on which the callback has put the guard by then.
    project.write("pgsql.yml", play(keywords="strategy: linear") + play())
    run = project.run("pgsql.yml")
    assert run.rc == 0
    assert run.stdout.count("TASK [Precheck") == 1
    nodes.reset(ready="n1 n2 n3 n4")
    stopped(project.run("pgsql.yml"), nodes)
