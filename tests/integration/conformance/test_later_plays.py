# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts of later plays are checked before an earlier one, and which wait for their play.

docs/contract.md has the same as a table, which test_tables compares with this file.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from support.output import is_printed
from support.plays import WITNESS, play
from support.policies import policy, rule
from support.project import IS_2_10

AHEAD, WAITS = "before the first play", "before their own play"

TABLE: dict[str, str] = {}  # the table in docs/contract.md: the hosts, and when they are checked


def shows(hosts: str, when: str) -> Callable[[Any], Any]:
    """Add the line of the table that a test shows."""
    TABLE[hosts] = when
    return lambda test: test


MARKER = {"path": "/etc/pki/ca.crt"}
NOTHING_CHANGED = "\nNothing was changed: no task of this play ran on any host.\n"
FIVE = "".join(play(f"n{number}", name=f"play {number}") for number in range(1, 6))
NODE = play("n5", name="node", tasks="- ansible.builtin.raw: touch /etc/pki/ca.crt")


def checks_in(run) -> list[tuple[str, str]]:
    """Return before which play each check ran, and for which play, in order."""
    found, current = [], ""
    for line in run.stdout.splitlines():
        if match := re.match(r"PLAY \[(.*)\]", line):
            current = match[1]
        elif match := re.match(r"TASK \[Precheck [\w-]+(?: \(for (.*)\))?\]", line):
            found.append((current, match[1] or current))
    return found


RUNS = {
    "nothing special": ("", ()),
    "serial": ("serial: 1", ()),
    "tags": ("tags: [some]", ("-t", "some")),
    "limit": ("", ("-l", "n1,n2,n5")),
    "start at task": ("", ("--start-at-task", "second task")),
    "free": ("strategy: free", ()),
    "host_pinned": ("strategy: host_pinned", ()),
    "debug": ("strategy: debug", ()),
}


@pytest.mark.parametrize(("keywords", "options"), RUNS.values(), ids=RUNS)
def test_the_last_play_is_checked_before_the_first(guarded, nodes, keywords, options):
    nodes.reset(ready="n1 n2 n3 n4")
    if keywords.startswith("strategy"):
        keywords = f"strategy: {guarded.strategy(keywords.partition(' ')[2])}"
    tasks = f"- name: first task\n  {WITNESS}\n- name: second task\n  {WITNESS}"
    plays = [play(f"n{number}", tasks, keywords, name=f"play {number}") for number in range(1, 6)]
    guarded.write("pgsql.yml", "".join(plays))
    run = guarded.run("pgsql.yml", *options)
    assert run.rc == 2, run.output
    assert nodes.having("pki/witness") == ""
    path = f"{guarded.directory}/pgsql.yml"
    hosts = 3 if "-l" in options else 5
    assert (
        f'PRECHECK stopped the run before play "play 1" ({path}:1): 1 of {hosts} hosts is not ready'
    ) in run.stderr
    assert f'Rule pigsty-node: 1 of 1 host is not ready for play "play 5" ({path}:' in run.stderr
    assert NOTHING_CHANGED in run.stderr
    numbers = (1, 2, 5) if "-l" in options else range(1, 6)
    assert checks_in(run) == [("play 1", f"play {number}") for number in numbers]


@pytest.mark.each_release
def test_hosts_that_were_ready_ahead_are_not_checked_again(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    guarded.write("pgsql.yml", FIVE)
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert checks_in(run) == [("play 1", f"play {number}") for number in range(1, 6)]
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"
    assert run.stdout.count("ok=2") == 5  # the check, and the task


@pytest.mark.parametrize("wanted", [{}, {"waiver": "forbidden"}], ids=["allowed", "forbidden"])
def test_a_later_play_that_opts_out_is_not_checked_ahead(guarded, nodes, wanted):
    nodes.reset(ready="n1")
    guarded.write("precheck.yml", policy(rule(MARKER, **wanted)))
    later = play("n5", name="later", keywords="tags: no_precheck")
    guarded.write("site.yml", play("n1", name="first") + later)
    run = guarded.run("site.yml")
    assert run.rc == (2 if wanted else 0), run.output
    assert nodes.having("pki/witness") == ("" if wanted else "n1 n5")
    if wanted:
        assert "The play cannot be run unchecked: rule only cannot be waived." in run.stderr


def test_the_way_round_is_no_tag_of_the_play_at_hand(guarded, nodes):
    nodes.reset(ready="n1 n2 n3 n4")
    guarded.write("pgsql.yml", FIVE)
    run = guarded.run("pgsql.yml")
    assert "\nTo run it unchecked all the same: pass -e precheck_waive=pigsty-node\n" in run.stderr
    run = guarded.run("pgsql.yml", "-e", "precheck_waive=pigsty-node")
    assert run.rc == 0, run.output


def test_waiving_one_rule_leaves_another_to_be_checked_ahead(guarded, nodes):
    nodes.reset(ready="n1")
    guarded.write("precheck.yml", policy(rule({"that": False}, name="other"), rule(MARKER)))
    guarded.write("site.yml", play("n1", name="first") + play("n5", name="second"))
    run = guarded.run("site.yml", "-e", "precheck_waive=other", "-v")
    assert run.rc == 2, run.output
    assert checks_in(run) == [("first", "first"), ("first", "second")]
    assert "cannot be checked ahead" not in run.stdout


def test_a_play_that_opts_out_may_prepare_hosts(guarded, nodes):
    """As one that initialises nodes, in a file that the rule covers."""
    node = NODE.replace("  tasks:", "  tags: no_precheck\n  tasks:")
    guarded.write("pgsql.yml", node + play("n5", name="database"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert checks_in(run) == [("database", "database")]


def test_a_rule_that_only_warns_waits_for_its_play(guarded, nodes):
    guarded.write("precheck.yml", policy(rule(MARKER, severity="warn")))
    guarded.write("site.yml", play("n1", name="first") + play("n5", name="second"))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert checks_in(run) == [("first", "first"), ("second", "second")]


def test_checks_that_run_once_wait_for_their_play(guarded, nodes):
    condition = "inventory_hostname is defined or seen is defined"
    guarded.write("precheck.yml", policy(rule({"that": condition, "once": True}, MARKER)))
    nodes.reset(ready="n1 n5")
    set_fact = "- ansible.builtin.set_fact: {seen: true}"
    guarded.write("site.yml", play("n1", set_fact, name="first") + play("n5", name="second"))
    run = guarded.run("site.yml", "-e", "seen=1")
    assert run.rc == 0, run.output
    assert run.stderr.count("the checks that run once passed for") == 2
    assert checks_in(run) == [("first", "first"), ("first", "second")]


@pytest.mark.each_release
def test_a_later_play_that_is_not_guarded_is_not_checked_ahead(project, nodes):
    """Only the strategy line is there, and the play names another strategy."""
    project.configure("strategy")
    nodes.reset(ready="n1")
    guarded = play("n1", name="first")
    project.write("pgsql.yml", guarded + play("n5", name="free", keywords="strategy: free"))
    run = project.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert nodes.having("pki/witness") == "n1 n5"


# What a policy says about preparing plays, and before which play n5 is checked then.
PREPARED_BY = {
    "any play may": ({}, "second"),
    "no play may": ({"prepared_by": []}, "first"),
    "another play may": ({"prepared_by": [{"play": "other"}]}, "first"),
    "the play on the way may": ({"prepared_by": [{"play": "node"}]}, "second"),
    "its file may": ({"prepared_by": [{"playbook": "node*.yml"}]}, "second"),
    "it is exempt": (
        {"prepared_by": [{"playbook": "node*.yml", "not": {"play": "node"}}]},
        "first",
    ),
}


@pytest.mark.each_release
@pytest.mark.parametrize(("keys", "before"), PREPARED_BY.values(), ids=PREPARED_BY)
def test_which_plays_may_prepare_a_host(guarded, nodes, keys, before):
    nodes.reset(ready="n1")
    covers = {"play": ["first", "second"]}
    guarded.write("precheck.yml", policy(rule(MARKER, covers=covers, **keys)))
    guarded.write("node.yml", NODE)
    guarded.write(
        "site.yml",
        play("n1", name="first") + "- import_playbook: node.yml\n" + play("n5", name="second"),
    )
    run = guarded.run("site.yml")
    if before == "first":
        assert run.rc == 2, run.output
        assert nodes.having("pki/witness") == ""
        assert NOTHING_CHANGED in run.stderr
    else:
        assert run.rc == 0, run.output
        assert nodes.having("pki/witness") == "n1 n5"
    assert checks_in(run) == [("first", "first"), (before, "second")]


@shows("the other hosts of a play, if an earlier play may prepare some of them", AHEAD)
def test_a_play_prepares_only_the_hosts_that_it_has(guarded, nodes):
    nodes.reset(ready="n1")
    keys = {"covers": {"play": "database"}, "prepared_by": [{"play": "node"}]}
    guarded.write("precheck.yml", policy(rule(MARKER, **keys)))
    guarded.write("site.yml", NODE + play("n1,n4,n5", name="database"))
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert checks_in(run) == [("node", "database")]
    assert "\n  n4  not ready: " in run.stderr and "n5" not in run.stderr
    assert nodes.having("pki/ca.crt") == "n1"
    nodes.reset(ready="n1 n4")
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert checks_in(run) == [("node", "database"), ("database", "database")]


def test_a_play_that_has_no_task_to_run_prepares_nothing(guarded, nodes):
    nodes.reset(ready="n1")
    guarded.write("precheck.yml", policy(rule(MARKER, covers={"play": ["first", "last"]})))
    node = NODE.replace("  tasks:", "  tags: node\n  tasks:")
    first = play("n1", name="first", keywords="tags: db")
    last = play("n5", name="last", keywords="tags: db")
    guarded.write("site.yml", first + node + last)
    assert guarded.run("site.yml").rc == 0
    nodes.reset(ready="n1")
    run = guarded.run("site.yml", "-t", "db")
    assert run.rc == 2, run.output
    assert checks_in(run) == [("first", "first"), ("first", "last")]
    assert nodes.having("pki/witness") == ""


@dataclass
class Later:
    """A playbook with the plays first and second, and n5 in the second, which is not ready.

    ``name`` is what the second play is called in its check. The policy covers both plays.
    """

    second: str = field(default_factory=lambda: play("n5", name="second"))
    first: str = field(default_factory=lambda: play("n1", name="first"))
    keys: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    stdin: str = ""


def set_fact(text: str) -> str:
    return play("n1", f"- {WITNESS}\n- ansible.builtin.{text}", name="first")


COPY = """\
copy: {content: 'kind: db', dest: '{{ playbook_dir }}/kind.yml'}
  delegate_to: localhost
  connection: local"""
IMPORTED = {"later.yml": play("n5", name="second")}
LATER: dict[str, tuple[Later, str]] = {
    "hosts of the inventory": (Later(), AHEAD),
    "hosts of a play that `import_playbook` imports": (
        Later("- import_playbook: later.yml\n", files=IMPORTED),
        AHEAD,
    ),
    "the same with a `when` that is false": (
        Later("- import_playbook: later.yml\n  when: false\n", files=IMPORTED),
        "never",
    ),
    "the same with a `when` on facts": (
        Later(
            "- import_playbook: later.yml\n  when: ansible_facts.none is undefined\n",
            files=IMPORTED,
        ),
        WAITS,
    ),
    "the same with a `when` that is not defined yet": (
        Later(
            "- import_playbook: later.yml\n  when: hostvars.n1.go\n",
            set_fact("set_fact: {go: true}"),
            files=IMPORTED,
        ),
        WAITS,
    ),
    "hosts that `add_host` adds to a group earlier in the run": (
        Later(play("made", name="second"), set_fact("add_host: {name: n5, groups: made}")),
        WAITS,
    ),
    "hosts that `group_by` groups earlier in the run": (
        Later(
            play("made", name="second"),
            play("n1,n5", "- ansible.builtin.group_by: {key: made}", name="first"),
            keys={"when": "inventory_hostname != 'n5' or 'made' in group_names"},
        ),
        WAITS,
    ),
    "`hosts` from a variable that the run has": (
        Later(play("'{{ where }}'", name="second"), options=("-e", "where=n5")),
        AHEAD,
    ),
    "`hosts` from a variable that an earlier play sets": (
        Later(play("'{{ hostvars.n1.where }}'", name="second"), set_fact("set_fact: {where: n5}")),
        WAITS,
    ),
    "hosts of a play with prompts": (
        Later(
            play("n5", name="second", keywords="vars_prompt: [{name: really, private: false}]"),
            stdin="yes\n",
        ),
        WAITS,
    ),
    "the same if `-e` answers them": (
        Later(
            play("n5", name="second", keywords="vars_prompt: [{name: really, private: false}]"),
            options=("-e", "really=yes"),
        ),
        AHEAD,
    ),
    "hosts for which the `when` of the rule holds": (
        Later(keys={"when": "inventory_hostname is match('n')"}),
        AHEAD,
    ),
    "hosts for which the `when` of the rule depends on facts": (
        Later(keys={"when": "ansible_facts.none is undefined"}),
        WAITS,
    ),
    "hosts for which the `when` of the rule is not defined yet": (
        Later(
            first=set_fact("set_fact: {kind: db}"),
            keys={"when": "inventory_hostname == 'n1' or hostvars.n1.kind == 'db'"},
        ),
        WAITS,
    ),
    "hosts for which the `when` of the rule mentions a variable that an earlier play sets": (
        Later(
            first=set_fact("set_fact: {kind: db}"),
            keys={"when": "inventory_hostname == 'n1' or hostvars.n1.kind | default('db') == 'db'"},
        ),
        WAITS,
    ),
    "hosts of a rule whose checks mention a variable that an earlier play sets": (
        Later(
            first=set_fact("set_fact: {marker: /etc/pki/ca.crt}"),
            keys={"checks": [{"path": "{{ marker | default('/etc/pki/ca.crt') }}"}]},
        ),
        WAITS,
    ),
    "hosts that a leading `meta: end_host` leaves alone": (
        Later(
            play(
                "n5",
                "- ansible.builtin.meta: end_host\n  when: inventory_hostname == 'n5'\n"
                f"- {WITNESS}",
                name="second",
            )
        ),
        "never",
    ),
    "hosts of an imported play that reads files of its own directory": (
        Later(
            "- import_playbook: deeper/later.yml\n  vars: {wanted: db}\n",
            keys={"when": "inventory_hostname == 'n1' or kind == wanted"},
            files={
                "deeper/kind.yml": "kind: db\n",
                "deeper/later.yml": play("n5", name="second", keywords="vars_files: [kind.yml]"),
            },
        ),
        AHEAD,
    ),
    "hosts of a play with the keyword `vars_files`": (
        Later(
            play("n5", name="second", keywords="vars_files: [kind.yml]"),
            keys={"when": "inventory_hostname == 'n1' or kind == 'db'"},
            files={"kind.yml": "kind: db\n"},
        ),
        AHEAD,
    ),
    "the same if an earlier play writes the file": (
        Later(
            play("n5", name="second", keywords="vars_files: [kind.yml]"),
            set_fact(COPY),
            keys={"when": "inventory_hostname == 'n1' or kind == 'db'"},
        ),
        WAITS,
    ),
}
TABLE |= {hosts: when for hosts, (_later, when) in LATER.items()}


@pytest.mark.parametrize("hosts", LATER)
def test_when_the_hosts_of_a_later_play_are_checked(guarded, nodes, hosts):
    later, when = LATER[hosts]
    nodes.reset(ready="n1")
    covers = {"play": ["first", "second"]}
    guarded.write("precheck.yml", policy(rule(MARKER, covers=covers) | later.keys))
    for name, text in later.files.items():
        guarded.write(name, text)
    guarded.write("site.yml", later.first + later.second)
    run = guarded.run("site.yml", *later.options, stdin=later.stdin)
    checks = [check for check in checks_in(run) if check != ("first", "first")]
    if when == "never":
        assert (run.rc, checks) == (0, []), run.output
    elif when == AHEAD:
        assert (run.rc, checks) == (2, [("first", "second")]), run.output
        assert nodes.having("pki/witness") == ""
    else:
        assert (run.rc, checks) == (2, [("second", "second")]), run.output
        assert "n5" not in nodes.having("pki/witness")
        assert 'PRECHECK stopped the run before play "second"' in run.stderr
        assert "These plays had run before" in run.stderr
    # Nothing is said about what could not be known.
    warnings = re.findall(r"^\[WARNING\]: (.*)", run.output, re.MULTILINE)
    assert [text for text in warnings if not text.startswith(("Deprecation", "Not prompt"))] == []


@shows("hosts of a later playbook on the command line", WAITS)
def test_a_later_playbook_waits(guarded, nodes):
    nodes.reset(ready="n1")
    guarded.write("pgsql.yml", play("n1", name="first"))
    guarded.write("pgsql-db.yml", play("n5", name="second"))
    run = guarded.run("pgsql.yml", "pgsql-db.yml")
    assert run.rc == 2
    assert checks_in(run) == [("first", "first"), ("second", "second")]
    assert nodes.having("pki/witness") == "n1"


@pytest.mark.skipif(IS_2_10, reason="2.10 does not know the playbook by its name")
@shows("hosts of a later play of a collection's playbook", AHEAD)
def test_a_playbook_of_a_collection_is_looked_through(guarded, nodes):
    nodes.reset(ready="n1")
    later = "\n- ansible.builtin.import_playbook: acme.db.later\n"
    collection = "more/ansible_collections/acme/db"
    guarded.write(f"{collection}/playbooks/pgsql.yml", play("n1", name="first") + later)
    guarded.write(f"{collection}/playbooks/later.yml", play("n5", name="second"))
    guarded.write("precheck.yml", policy(rule(MARKER, covers={"play": "*"})))
    text = (guarded.directory / "ansible.cfg").read_text()
    more = f":{guarded.directory}/more\n"
    guarded.write("ansible.cfg", re.sub(r"(collections_path = .*)\n", rf"\g<1>{more}", text))
    run = guarded.run("acme.db.pgsql")
    assert run.rc == 2, run.output
    assert checks_in(run) == [("first", "first"), ("first", "second")]
    assert nodes.having("pki/witness") == ""


FORWARD = """
import os, socket, sys, threading
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if os.fork():
    os._exit(0)
os.setsid()  # at the end of a play, ansible-core may end a worker with its process group
def copy(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)
open(sys.argv[3], "w").write(str(os.getpid()))
for stream in (0, 1, 2):
    os.close(stream)
while True:
    client, _address = server.accept()
    node = socket.create_connection((sys.argv[4], int(sys.argv[2])))
    threading.Thread(target=copy, args=(client, node), daemon=True).start()
    threading.Thread(target=copy, args=(node, client), daemon=True).start()
"""


@shows("a node that is down, and that an earlier play starts", f"{AHEAD} and again {WAITS}")
def test_a_node_may_be_started_on_the_way(guarded, nodes):
    """It is unverified ahead, which is kept quiet."""
    nodes.reset(ready="n1 n5")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = nodes.addresses["n5"]
    guarded.inventory(
        nodes.hosts() | {"n5": nodes.host("n5", "127.0.0.1") | {"ansible_port": port}}
    )
    guarded.write("forward.py", FORWARD)
    pid = guarded.directory / "pid"
    start = f"{sys.executable} forward.py {port} {nodes.port} {pid} {address}"
    tasks = f"- ansible.builtin.command: {start}\n  args: {{chdir: '{{{{ playbook_dir }}}}'}}"
    first = play("n1", f"{tasks}\n  delegate_to: localhost\n  connection: local", name="first")
    guarded.write("pgsql.yml", first + play("n5", name="second"))
    try:
        run = guarded.run("pgsql.yml")
    finally:
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)
    assert run.rc == 0, run.output
    assert checks_in(run) == [("first", "first"), ("first", "second"), ("second", "second")]
    assert nodes.having("pki/witness") == "n5"
    assert "PRECHECK" not in run.stderr
    assert re.search(r"^n5 .* unreachable=0 +failed=0 ", run.stdout, re.MULTILINE)


@shows("a host that an earlier play creates", WAITS)
def test_a_host_may_be_created_on_the_way(guarded, nodes):
    nodes.reset(ready="n5")
    variables = json.dumps({"name": "new", "groups": "made"} | nodes.host("n5"))
    add = f"- ansible.builtin.add_host: {variables}"
    create = play("localhost", add, name="create", keywords="connection: local")
    guarded.write("site.yml", create + play("made", name="database"))
    guarded.write("precheck.yml", policy(rule(MARKER, covers={"play": "database"})))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert checks_in(run) == [("database", "database")]
    assert nodes.having("pki/witness") == "n5"


FORTY = "".join(play("n1", "- ansible.builtin.debug:", name=f"play {n}") for n in range(39))


@pytest.mark.parametrize(
    "prepared_by", [{}, {"prepared_by": [{"role": "node"}]}], ids=["", "named"]
)
def test_a_site_playbook_of_forty_plays(guarded, nodes, prepared_by):
    keys = {"covers": {"playbook": "pgsql.yml"}, **prepared_by}
    guarded.write("precheck.yml", policy(rule(MARKER, **keys)))
    guarded.write("pgsql.yml", play("n5", name="database"))
    guarded.write("site.yml", FORTY + "- import_playbook: pgsql.yml\n")
    run = guarded.run("site.yml")
    assert run.rc == 2
    ran_before = run.stdout.count("TASK [ansible.builtin.debug]") + run.stdout.count("TASK [debug]")
    if prepared_by:
        assert (checks_in(run), ran_before) == ([("play 0", "database")], 0)
        assert NOTHING_CHANGED in run.stderr
    else:
        assert (checks_in(run), ran_before) == ([("database", "database")], 39)
        assert "  ... and 29 more plays\n" in run.stderr


# The plays of Pigsty's deploy.yml, in order. The role node writes the marker.
PIGSTY = """\
- {name: ID, hosts: all, gather_facts: false, roles: [{role: node_id, tags: id}]}
- {name: NODE, hosts: all, gather_facts: false, roles: [{role: node, tags: node}]}
- {name: INFRA, hosts: n1, gather_facts: false, roles: [{role: infra, tags: infra}]}
- {name: ETCD, hosts: n2, gather_facts: false, roles: [{role: etcd, tags: etcd}]}
- {name: PGSQL, hosts: "n3,n4,n5", gather_facts: false, roles: [{role: pgsql, tags: pgsql}]}
"""


@pytest.mark.each_release
@pytest.mark.parametrize(
    "prepared_by", [{}, {"prepared_by": [{"role": "node"}]}], ids=["built-in", "named"]
)
def test_a_deployment_of_fresh_nodes_runs_through(guarded, nodes, prepared_by):
    guarded.write("deploy.yml", PIGSTY)
    for role in ("node_id", "infra", "etcd", "pgsql"):
        guarded.write(f"roles/{role}/tasks/main.yml", f"- {WITNESS}_{role}\n")
    guarded.write("roles/node/tasks/main.yml", "- ansible.builtin.raw: touch /etc/pki/ca.crt\n")
    if prepared_by:
        database = rule(MARKER, covers={"role": "pgsql"}, **prepared_by)
        guarded.write("precheck.yml", policy(database))
    run = guarded.run("deploy.yml", "-t", "pgsql")
    assert run.rc == 2
    assert checks_in(run) == [("PGSQL", "PGSQL")]  # the others have no task to run
    assert NOTHING_CHANGED in run.stderr
    assert nodes.having("pki/witness_pgsql") == ""
    dry = guarded.run("deploy.yml", "--check")
    if prepared_by:
        assert dry.rc == 0, dry.output
        assert is_printed(
            "Precheck only: 3 hosts are not judged in this dry run, as they would be prepared by"
            ' play "NODE"',
            dry.stderr,
        )
    else:
        assert (dry.rc, "This is a dry run" in dry.stderr) == (2, True)
    assert nodes.having("pki/ca.crt") == ""
    run = guarded.run("deploy.yml")
    assert run.rc == 0, run.output
    assert nodes.having("pki/witness_pgsql") == "n3 n4 n5"
    assert checks_in(run) == [("INFRA" if prepared_by else "PGSQL", "PGSQL")]


ROLLING = """\
- ansible.builtin.raw: touch /etc/pki/witness
- ansible.builtin.raw: rm /etc/pki/alive
  when: inventory_hostname == 'n2'
"""


@pytest.mark.each_release
@pytest.mark.parametrize("every", ["run", "play", "batch"])
def test_a_rolling_play_ends_when_a_node_does_not_come_back(guarded, nodes, every):
    """Each node must be alive before the next one is touched."""
    nodes.reset()
    for number in range(1, 6):
        nodes.path(f"n{number}", "pki/alive").write_text("")
    look = (
        "lookup('pipe', 'ls ' ~ (ansible_play_hosts_all | map('extract', hostvars, 'alive')"
        " | join(' ')))"
    )
    checks = [{"that": f"{look} is string", "once": True, "name": "all nodes are back"}]
    guarded.write("precheck.yml", policy(rule(*checks, check_every=every)))
    hosts = nodes.hosts()
    for name in hosts:
        hosts[name]["alive"] = str(nodes.path(name, "pki/alive"))
    guarded.inventory(hosts)
    guarded.write("site.yml", play("all", ROLLING, keywords="serial: 1", name="upgrade"))
    run = guarded.run("site.yml")
    if every == "batch":
        assert run.rc == 2, run.output
        assert nodes.having("pki/witness") == "n1 n2"
        assert "\n2 of 5 batches of this play had run, and are not undone.\n" in run.stderr
    else:
        assert run.rc == 0, run.output
        assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"


@shows("the machine that a later play connects to by its keywords and `vars`", AHEAD)
def test_a_later_play_decides_how_its_hosts_are_reached(guarded, nodes):
    nodes.reset(ready="n1")
    keywords = f"vars: {{ansible_host: {nodes.addresses['n5']}}}"
    second = play("n1", name="second", keywords=keywords)
    guarded.write("pgsql.yml", play("n1", name="first") + second)
    run = guarded.run("pgsql.yml")
    assert run.rc == 2, run.output
    assert checks_in(run) == [("first", "first"), ("first", "second")]
    assert nodes.having("pki/witness") == ""
    nodes.reset(ready="n1 n5")
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert checks_in(run) == [("first", "first"), ("first", "second")]


def test_a_host_is_named_once_for_the_first_play_that_needs_it(guarded, nodes):
    nodes.reset(ready="n1")
    plays = (play(hosts, name=name) for name, hosts in (("a", "n1"), ("b", "n5"), ("c", "n4,n5")))
    guarded.write("pgsql.yml", "".join(plays))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    block = run.stderr.partition("PRECHECK stopped")[2]
    assert ": 2 of 3 hosts are not ready.\n" in block
    assert re.findall(r"Rule pigsty-node: (.*) is not ready for play \"(\w)\"", block) == [
        ("1 of 1 host", "b"),
        ("1 of 1 host", "c"),
    ]
    assert re.findall(r"^  (n\d)  not ready", block, re.MULTILINE) == ["n5", "n4"]
    assert block.count("is built in") == 1


@pytest.mark.parametrize("file", ["n5", "n4"], ids=["changed", "new"])
def test_files_are_read_again_when_their_play_begins(guarded, nodes, file):
    """They were read when the hosts of the play were checked ahead."""
    nodes.reset(ready="n1 n5")
    guarded.write(f"host_vars/{file}.yml", "kind: old\n")
    show = "- ansible.builtin.debug: {msg: 'it is {{ kind }}'}"
    change = COPY.replace("kind: db", "kind: new").replace("kind.yml", "host_vars/n5.yml")
    guarded.write("site.yml", set_fact(change) + play("n5", show, name="second"))
    guarded.write("precheck.yml", policy(rule(MARKER, when="kind | default('') is string")))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert checks_in(run) == [("first", "first"), ("first", "second")]
    assert "it is new" in run.stdout


def test_hosts_of_later_plays_are_retried(guarded, nodes):
    nodes.reset(ready="n1 n2")
    plays = (play(hosts, name=name) for name, hosts in (("a", "n1"), ("b", "n2,n4"), ("c", "n5")))
    guarded.write("pgsql.yml", "".join(plays))
    assert guarded.run("pgsql.yml", env={"ANSIBLE_RETRY_FILES_ENABLED": "true"}).rc == 2
    assert (guarded.directory / "pgsql.retry").read_text().split() == ["n1", "n2", "n4", "n5"]
