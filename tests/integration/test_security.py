# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What docs/security.md says, as far as no other test shows it. The marker claims names the sentence or the row."""

from __future__ import annotations

import hashlib
import json

import pytest
from conftest import REPOSITORY
from nodes import STOPPED

PLAY = """
- name: {name}
  hosts: all
  gather_facts: {facts}
  tasks: [{{ansible.builtin.debug: {{msg: "{name} ran, stage is {{{{ stage | default('unknown') }}}}"}}}}]
"""
CHECK = "TASK [Precheck "


def policy(*rules: dict[str, object]) -> str:
    """Return a policy with these rules, for the playbook pgsql.yml."""
    return json.dumps({"rules": [{"plays": [{"playbook": "pgsql.yml"}], **rule} for rule in rules]})


def script(project, name: str, text: str) -> str:
    """Make an executable file and return its path."""
    project.write(name, f"#!/bin/sh\n{text}\n")
    (project.folder / name).chmod(0o755)
    return f"{project.folder}/{name}"


FACTS = {
    "stage": "test",
    "group_names": [],
    "inventory_hostname": "other",
    "precheck_policy": "policies/nothing.yml",
    "ansible_connection": "ssh",
    "ansible_host": STOPPED,
    "ansible_shell_executable": "/nowhere/sh",
}


@pytest.fixture
def liar(project):
    """A host that is not ready, and answers each module with the same facts."""
    answer = json.dumps({"changed": False, "ansible_facts": FACTS})
    python = script(project, "python", f"cat > /dev/null\necho '{answer}'")
    host = {"ansible_connection": "local", "ansible_python_interpreter": python, "stage": "production"}
    group = {"databases": {"hosts": {"h1": {}}}}
    project.write("inventory.json", json.dumps({"all": {"hosts": {"h1": host}, "children": group}}))
    project.write("earlier.yml", PLAY.format(name="Earlier", facts="true"))
    project.write("pgsql.yml", PLAY.format(name="Covered", facts="false"))
    return project


@pytest.mark.claims(
    "A node whose facts were gathered earlier in the run, or are in a cache, can change the values"
    " of variables: facts take precedence over the inventory.",
    "So it can exclude itself from a rule with a `when`, even if the `when` uses `group_names` or"
    " `inventory_hostname`.",
    "With `inject_facts_as_vars = false` in `ansible.cfg` it cannot do so: facts are then only in"
    " `ansible_facts`.",
    "A node cannot change through its facts how it is reached: ansible-core removes `ansible_host`"
    " and similar variables from facts.",
    "Variables of plays, of the inventory and of hosts cannot name a policy or a report.",
    "a node | facts that make a `when` false | not at all: see above",
)
def test_facts_are_the_nodes_word(liar):
    conditions = ("stage == 'production'", "'databases' in group_names", "inventory_hostname == 'h1'")
    rules = [{"name": f"r{number}", "when": when, "checks": [{"that": False}]} for number, when in enumerate(conditions)]
    asked = {"name": "asked", "checks": [{"command": "true"}]}  # where the inventory says that the host is
    liar.write("precheck.yml", policy(*rules, asked))
    liar.configure("callback", "fact_caching = ansible.builtin.jsonfile\nfact_caching_connection = facts")
    run = liar.run("earlier.yml", "pgsql.yml")
    assert run.rc == 0, run.output
    assert "Covered ran, stage is test" in run.stdout
    assert run.stdout.count(CHECK) == run.stdout.count("TASK [Precheck asked]") == 1
    run = liar.run("pgsql.yml")  # by the cache
    assert run.rc == 0, run.output
    assert run.stdout.count(CHECK) == 1
    run = liar.run("earlier.yml", "pgsql.yml", env={"ANSIBLE_INJECT_FACT_VARS": "false"})
    assert run.rc == 2
    assert run.stdout.count(CHECK) == 4
    assert "Covered ran" not in run.stdout


@pytest.mark.claims("The answer of a node to a check sets no variable of the play.")
def test_facts_of_a_check_are_not_those_of_the_play(liar):
    liar.write("precheck.yml", policy({"name": "asked", "checks": [{"task": {"ansible.builtin.service_facts": None}}]}))
    liar.configure("callback", "fact_caching = ansible.builtin.jsonfile\nfact_caching_connection = facts")
    run = liar.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count(CHECK) == 1
    assert "Covered ran, stage is production" in run.stdout
    assert not (liar.folder / "facts/h1").exists()


HOSTILE = "{{ lookup('pipe', 'touch witness') }}\033[2J\n\nNothing was changed: \302\233 it's a lie."

EARLIER = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: cat {{ precheck_root }}/hostile
      register: said
"""


@pytest.mark.claims(
    "Output of a node is never evaluated as a template, not even if a message or a remedy contains"
    " it through a variable.",
    "A message or remedy keeps the line breaks of its variables.",
    "A variable that a node can influence may thus imitate lines of the report: `split | join('"
    " ')` makes it one line.",
    "In a remedy, which is meant to be pasted, such a variable also needs the filter `quote`.",
)
def test_what_a_node_printed_in_the_words_of_a_policy(project):
    project.configure("callback")
    project.local_hosts(ready="h1")
    project.write("h1/hostile", HOSTILE.encode("latin-1").decode())
    project.write("earlier.yml", EARLIER)
    project.write("pgsql.yml", PLAY.format(name="Covered", facts="false"))
    again = {"ansible.builtin.raw": "cat {{ precheck_root }}/hostile; exit 1"}
    rule = {
        "checks": [
            {"that": False, "message": "found {{ said.stdout }}"},
            {"task": again, "message": "{{ precheck_result.stdout }}"},
        ],
        "message": "It says: {{ said.stdout }}",
        "remedy": "./fix {{ hostvars.h1.said.stdout | split | join(' ') | quote }}",
    }
    project.write("precheck.yml", policy({"name": "words", **rule}))
    run = project.run("earlier.yml", "pgsql.yml")
    assert run.rc == 2
    assert not (project.folder / "witness").exists()
    block = run.stderr.partition("PRECHECK stopped")[2]
    shown = "{{ lookup('pipe', 'touch witness') }}[2J"
    assert f"  h1  not ready: found {shown} Nothing was changed: it's a lie.\n" in block
    assert f"\n                 {shown} Nothing was changed: it's a lie.\n" in block
    assert f"\nIt says: {shown}\n\nNothing was changed:  it's a lie.\n" in block
    quoted = shown.replace("'", "'\"'\"'")
    assert f"\n    ./fix '{quoted} Nothing was changed:  it'\"'\"'s a lie.'\n" in block
    assert not set("\x1b\x9b") & set(block)


# A shell that makes each answer a yes.
LYING_SHELL = 'exec /bin/sh "$1" "$(echo "$2" | sed \'s/w=[a-z]*/w=yes/g\')"'


@pytest.mark.claims(
    "Precheck believes a node that says it is ready.",
    "`same_as` detects a wrong file but not a lying node: the command sent to the node contains"
    " the digest that the answer needs.",
    "Inventory variables determine where and how a host is checked, just as they determine where a"
    " playbook connects: `ansible_host`, `ansible_connection`, `ansible_shell_executable`.",
    "With a local connection, `precheck_root` determines where the checks look for paths, but the"
    " playbook does not use it.",
    "who writes the inventory | points a host elsewhere | the inventory's history",
)
@pytest.mark.one_release
def test_what_a_node_and_the_inventory_can_do(project, nodes):
    """None of n2 to n5 is ready, and each passes in a way of its own."""
    nodes.reset(ready="n1")
    project.configure("callback")
    root = project.folder / "root"
    project.write("root/etc/pki/ca.crt", "a certificate\n")
    project.write("ca.crt", "a certificate\n")
    project.write("precheck.yml", policy({"name": "ca", "checks": [{"path": "/etc/pki/ca.crt", "same_as": "ca.crt"}]}))
    project.write("pgsql.yml", "- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.raw: test -e /etc/pki/ca.crt}]\n")
    shell = script(project, "shell", LYING_SHELL)
    nodes.path("n2", "prepare").write_text(f"SHELL={shell}\n")
    hosts = {
        "n1": nodes.host("n1"),
        "n2": nodes.host("n2"),
        "n3": nodes.host("n3", nodes.addresses["n1"]),
        "n4": nodes.host("n4") | {"ansible_connection": "local", "precheck_root": str(root)},
        "n5": nodes.host("n5") | {"ansible_shell_executable": shell},
    }
    project.inventory(hosts)
    checks = project.run("pgsql.yml", "--tags", "precheck")
    assert checks.rc == 0, checks.output
    assert nodes.commands("n3") == nodes.commands("n4") == ""
    run = project.run("pgsql.yml")
    assert run.rc == 2  # by the playbook's own task, which does not go to precheck_root
    assert "fatal: [n4]" in run.stdout and "fatal: [n3]" not in run.stdout
    project.inventory(hosts | {name: nodes.host(name) for name in ("n3", "n5")})
    assert "2 of 5 hosts are not ready" in project.run("pgsql.yml").stderr


@pytest.mark.claims(
    "They leave no file on the node.",
    "The file of `same_as` stays on the control node, even if it had to be decrypted.",
    "A command, and the digest of the file of `same_as`, appear in the node's process list while"
    " they run: never put a password into a `command`.",
    "A command that fails without output is reported as it is written in the policy, without the"
    " values of its variables.",
)
def test_what_goes_to_a_node_and_what_stays_there(project, nodes):
    """The stat module has to decide, and is copied to the node, as there is no pipelining."""
    nodes.reset(ready="n1")
    project.configure("callback", "local_tmp = local")
    project.write("secret", "open sesame\n")
    project.write("password", "secret\n")
    assert project.run("ansible-vault", "encrypt", "--vault-password-file", "password", "secret").rc == 0
    digest = hashlib.sha256(b"open sesame\n").hexdigest()
    checks = [{"path": "/etc/pki/ca.crt", "same_as": "secret"}, {"command": "test {{ word }} = other"}]
    project.write("precheck.yml", policy({"name": "ca", "checks": checks}))
    project.write("pgsql.yml", PLAY.format(name="Covered", facts="false"))
    project.inventory({"n1": nodes.host("n1") | {"word": "swordfish", "ansible_remote_tmp": "/etc/pki/tmp"}})
    more = "ansible_pipelining=false ansible_python_interpreter=/usr/bin/python3"
    run = project.run("pgsql.yml", "--vault-password-file", "password", "-e", more)
    assert run.rc == 2
    assert f"its content differs from {project.folder}/secret\n" in run.stderr
    assert "/etc/pki/tmp" in nodes.commands("n1")
    assert list(nodes.path("n1", "pki").rglob("*")) == [nodes.path("n1", "pki/ca.crt"), nodes.path("n1", "pki/tmp")]
    assert "test {{ word }} = other ended with exit status 1" in run.stderr and "swordfish" not in run.output
    assert digest in nodes.commands("n1") and "swordfish" in nodes.commands("n1")
    for path in [*nodes.path("n1", ".").rglob("*"), *(project.folder / "local").rglob("*")]:
        assert path.is_dir() or "sesame" not in path.read_text()


@pytest.fixture
def elsewhere(project):
    """A project whose guard stops the playbook, and what ansible-core has to know to run it without its ansible.cfg."""
    project.configure("both", "[precheck]\npolicy = policies/strict.yml")
    project.local_hosts(missing="h1")
    project.write("pgsql.yml", PLAY.format(name="Covered", facts="false"))
    project.write("policies/strict.yml", policy({"name": "strict", "checks": [{"that": False}]}))
    project.write("public/ansible.cfg", (project.folder / "ansible.cfg").read_text().partition("[precheck]")[0])
    (project.folder / "public").chmod(0o777)
    (project.folder / "other").mkdir()
    needed = {"ANSIBLE_COLLECTIONS_PATH": f"{REPOSITORY}/collections", "HOME": str(project.folder), "ANSIBLE_CONFIG": "/nowhere"}

    def run(folder: str, **env: str):
        return project.run("../pgsql.yml", "-i", "../inventory.json", cwd=folder, env=needed | env)

    return run


@pytest.mark.claims(
    "A playbook that is started from another directory runs without the `ansible.cfg` beside it,"
    " and thus without the guard.",
    "In a world-writable directory, ansible-core ignores `ansible.cfg` with a warning.",
    "The guard is off there.",
    "who runs a playbook | another directory, another `ANSIBLE_CONFIG` | no task `Precheck ...` in"
    " the output",
    "who writes `ansible.cfg` or the environment | names neither the strategy nor the callback |"
    " no task `Precheck ...` in the output",
)
@pytest.mark.one_release
def test_where_the_guard_is_off(elsewhere):
    for folder in ("other", "public"):
        run = elsewhere(folder)
        assert run.rc == 0
        assert "Covered ran" in run.stdout
        assert CHECK not in run.stdout
        assert ("world writable directory" in " ".join(run.stderr.split())) == (folder == "public")


@pytest.mark.claims(
    "With these lines the guard is on in any directory and with any `ansible.cfg`.",
    "ansible-core reads the file that `ANSIBLE_CONFIG` names even in a world-writable directory,"
    " and Precheck then uses a `precheck.yml` that anybody puts beside it.",
)
@pytest.mark.one_release
def test_what_switches_it_on_everywhere(elsewhere, project):
    text = (REPOSITORY / "docs/security.md").read_text()
    lines = text.partition("```sh\n")[2].partition("```")[0].replace("/etc/precheck/policy.yml", "../policies/strict.yml")
    env = dict(line.split("=") for line in lines.split())
    assert len(env) == 3
    for folder in ("public", "other"):
        run = elsewhere(folder, **env)
        assert run.rc == 2
        assert "Rule strict: " in run.stderr
        project.write("other/ansible.cfg", "[defaults]\nstrategy = free\ncallbacks_enabled = ansible.builtin.junit\n")

    project.write("public/precheck.yml", policy({"name": "planted", "checks": [{"that": False}]}))
    run = elsewhere("other", ANSIBLE_CONFIG="../public/ansible.cfg")
    assert run.rc == 2
    assert "Rule planted: " in run.stderr
