# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The claims of docs/security.md that no other test shows."""

from __future__ import annotations

import functools
import hashlib
import json

import pytest

from support import policies
from support.commands import REPOSITORY
from support.corpus import vaulted
from support.nodes import STOPPED
from support.output import on_one_line
from support.policies import policy
from support.project import LOCAL_HOST, UNREACHABLE_HOST

PLAY = """
- name: {name}
  hosts: all
  gather_facts: {facts}
  tasks:
    - ansible.builtin.debug:
        msg: "{name} ran, stage is {{{{ stage | default('unknown') }}}}"
"""
CHECK = "TASK [Precheck "


rule = functools.partial(policies.rule, covers={"playbook": "pgsql.yml"})
NEVER = {"that": False}


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
    python = project.script("python", f"#!/bin/sh\ncat > /dev/null\necho '{answer}'\n")
    host = LOCAL_HOST | {"ansible_python_interpreter": python, "stage": "production"}
    project.inventory({"h1": host})
    with project.changed_inventory() as inventory:
        inventory["children"] = {"databases": {"hosts": {"h1": {}}}}
    project.write("earlier.yml", PLAY.format(name="Earlier", facts="true"))
    project.write("pgsql.yml", PLAY.format(name="Covered", facts="false"))
    cache = "fact_caching = ansible.builtin.jsonfile\nfact_caching_connection = facts"
    project.configure("callback", cache)
    return project


@pytest.fixture
def conditional(liar):
    """A project with a rule for each variable that facts can change, and a rule for all hosts."""
    conditions = (
        "stage == 'production'",
        "'databases' in group_names",
        "inventory_hostname == 'h1'",
    )
    rules = [rule(NEVER, name=f"r{number}", when=when) for number, when in enumerate(conditions)]
    everywhere = rule({"command": "true"}, name="everywhere")  # the host is where it was
    liar.write("precheck.yml", policy(*rules, everywhere))
    return liar


@pytest.mark.claims(
    "A node whose facts were gathered earlier in the run, or are in a cache, can change the values"
    " of variables: facts take precedence over the inventory.",
    "So it can exclude itself from a rule with a `when`, even if the `when` uses `group_names` or"
    " `inventory_hostname`.",
    "A node cannot change through its facts how it is reached: ansible-core removes `ansible_host`"
    " and similar variables from facts.",
    "Variables of plays, of the inventory and of hosts cannot name a policy or a report.",
    "a node | facts that make a `when` false | not at all: see above",
)
def test_a_node_can_change_variables_by_its_facts(conditional):
    run = conditional.run("earlier.yml", "pgsql.yml")
    assert run.rc == 0, run.output
    assert "Covered ran, stage is test" in run.stdout
    assert run.stdout.count(CHECK) == run.stdout.count("TASK [Precheck everywhere]") == 1
    run = conditional.run("pgsql.yml")  # with the facts in the cache
    assert run.rc == 0, run.output
    assert run.stdout.count(CHECK) == 1


@pytest.mark.claims(
    "With `inject_facts_as_vars = false` in `ansible.cfg` it cannot do so: facts are then only in"
    " `ansible_facts`."
)
def test_facts_that_are_not_injected_change_no_variables(conditional):
    run = conditional.run("earlier.yml", "pgsql.yml", env={"ANSIBLE_INJECT_FACT_VARS": "false"})
    assert run.rc == 2
    assert run.stdout.count(CHECK) == 4
    assert "Covered ran" not in run.stdout


@pytest.mark.claims("The answer of a node to a check sets no variable of the play.")
def test_facts_of_a_check_are_not_those_of_the_play(liar):
    liar.write("precheck.yml", policy(rule({"task": {"ansible.builtin.service_facts": None}})))
    run = liar.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count(CHECK) == 1
    assert "Covered ran, stage is production" in run.stdout
    assert not (liar.directory / "facts/h1").exists()


HOSTILE = (
    "{{ lookup('pipe', 'touch witness') }}\033[2J\n\nNothing was changed: \302\233 it's a lie."
)

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
def test_output_of_a_node_in_a_message_or_a_remedy_is_only_text(project):
    project.configure("callback")
    project.local_hosts(ready="h1")
    project.write("h1/hostile", HOSTILE.encode("latin-1").decode())
    project.write("earlier.yml", EARLIER)
    project.write("pgsql.yml", PLAY.format(name="Covered", facts="false"))
    again = {"ansible.builtin.raw": "cat {{ precheck_root }}/hostile; exit 1"}
    words = rule(
        {"that": False, "message": "found {{ said.stdout }}"},
        {"task": again, "message": "{{ precheck_result.stdout }}"},
        message="It says: {{ said.stdout }}",
        remedy="./fix {{ hostvars.h1.said.stdout | split | join(' ') | quote }}",
    )
    project.write("precheck.yml", policy(words))
    run = project.run("earlier.yml", "pgsql.yml")
    assert run.rc == 2
    assert not (project.directory / "witness").exists()
    block = run.stderr.partition("PRECHECK stopped")[2]
    shown = "{{ lookup('pipe', 'touch witness') }}[2J"
    assert f"  h1  not ready: found {shown} Nothing was changed: it's a lie.\n" in block
    assert f"\n                 {shown} Nothing was changed: it's a lie.\n" in block
    assert f"\nIt says: {shown}\n\nNothing was changed:  it's a lie.\n" in block
    quoted = shown.replace("'", "'\"'\"'")
    assert f"\n    ./fix '{quoted} Nothing was changed:  it'\"'\"'s a lie.'\n" in block
    assert not set("\x1b\x9b") & set(block)


# A shell that makes each answer a yes.
LYING_SHELL = """#!/bin/sh
exec /bin/sh "$1" "$(echo "$2" | sed 's/w=[a-z]*/w=yes/g')"
"""


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
def test_a_node_and_the_inventory_can_deceive_the_guard(project, nodes):
    """None of n2 to n5 is ready. Each passes in its own way."""
    nodes.reset(ready="n1")
    project.configure("callback")
    root = project.directory / "root"
    project.write("root/etc/pki/ca.crt", "a certificate\n")
    project.write("ca.crt", "a certificate\n")
    same = {"path": "/etc/pki/ca.crt", "same_as": "ca.crt"}
    project.write("precheck.yml", policy(rule(same)))
    tasks = [{"ansible.builtin.raw": "test -e /etc/pki/ca.crt"}]
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
    project.write("pgsql.yml", json.dumps([play]))
    shell = project.script("shell", LYING_SHELL)
    nodes.path("n2", "prepare").write_text(f"SHELL={shell}\n")
    hosts = {
        "n1": nodes.host("n1"),
        "n2": nodes.host("n2"),
        "n3": nodes.host("n3", nodes.addresses["n1"]),
        "n4": nodes.host("n4") | LOCAL_HOST | {"precheck_root": str(root)},
        "n5": nodes.host("n5") | {"ansible_shell_executable": shell},
    }
    project.inventory(hosts)
    checks = project.run("pgsql.yml", "--tags", "precheck")
    assert checks.rc == 0, checks.output
    assert nodes.commands("n3") == nodes.commands("n4") == ""
    run = project.run("pgsql.yml")
    assert run.rc == 2  # because of the playbook's own task, which ignores precheck_root
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
def test_which_secrets_reach_a_node_and_that_none_stays_there(project, nodes):
    """The stat module must decide. Without pipelining it is copied to the node."""
    nodes.reset(ready="n1")
    project.configure("callback", "local_tmp = local")
    project.write("secret", vaulted("open sesame\n").decode())
    project.write("password", "a password\n")
    digest = hashlib.sha256(b"open sesame\n").hexdigest()
    same = {"path": "/etc/pki/ca.crt", "same_as": "secret"}
    project.write("precheck.yml", policy(rule(same, {"command": "test {{ word }} = other"})))
    project.write("pgsql.yml", PLAY.format(name="Covered", facts="false"))
    variables = {"word": "swordfish", "ansible_remote_tmp": "/etc/pki/tmp"}
    project.inventory({"n1": nodes.host("n1") | variables})
    more = "ansible_pipelining=false ansible_python_interpreter=/usr/bin/python3"
    run = project.run("pgsql.yml", "--vault-password-file", "password", "-e", more)
    assert run.rc == 2
    assert f"its content differs from {project.directory}/secret\n" in run.stderr
    assert "/etc/pki/tmp" in nodes.commands("n1")
    left = [nodes.path("n1", "pki/ca.crt"), nodes.path("n1", "pki/tmp")]
    assert list(nodes.path("n1", "pki").rglob("*")) == left
    assert "test {{ word }} = other ended with exit status 1" in run.stderr
    assert "swordfish" not in run.output
    assert digest in nodes.commands("n1") and "swordfish" in nodes.commands("n1")
    for path in [*nodes.path("n1", ".").rglob("*"), *(project.directory / "local").rglob("*")]:
        assert path.is_dir() or "sesame" not in path.read_text()


@pytest.fixture
def elsewhere(project):
    """A function that runs the guarded playbook of a project in another directory.

    It runs it without the project's ansible.cfg, and passes what ansible-core requires instead.
    """
    project.configure("both", "[precheck]\npolicy = policies/strict.yml")
    project.local_hosts(missing="h1")
    project.write("pgsql.yml", PLAY.format(name="Covered", facts="false"))
    project.write("policies/strict.yml", policy(rule(NEVER, name="strict")))
    config = (project.directory / "ansible.cfg").read_text().partition("[precheck]")[0]
    project.write("public/ansible.cfg", config)
    (project.directory / "public").chmod(0o777)
    (project.directory / "other").mkdir()
    required = {
        "ANSIBLE_COLLECTIONS_PATH": f"{REPOSITORY}/collections",
        "HOME": str(project.directory),
        "ANSIBLE_CONFIG": "/nowhere",
    }

    def run(directory: str, **env: str):
        options = ("-i", "../inventory.json")
        return project.run("../pgsql.yml", *options, cwd=directory, env=required | env)

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
@pytest.mark.parametrize("directory", ["other", "public"])
def test_the_guard_is_off_in_another_directory(elsewhere, directory):
    run = elsewhere(directory)
    assert run.rc == 0
    assert "Covered ran" in run.stdout
    assert CHECK not in run.stdout
    warned = "world writable directory" in on_one_line(run.stderr)
    assert warned == (directory == "public")


@pytest.mark.claims("With these lines the guard is on in any directory and with any `ansible.cfg`.")
@pytest.mark.one_release
@pytest.mark.parametrize("directory", ["other", "public"])
def test_environment_variables_enable_the_guard_everywhere(elsewhere, project, directory):
    text = (REPOSITORY / "docs/security.md").read_text()
    lines = text.partition("```sh\n")[2].partition("```")[0]
    lines = lines.replace("/etc/precheck/policy.yml", "../policies/strict.yml")
    env = dict(line.split("=") for line in lines.split())
    assert len(env) == 2
    config = "[defaults]\nstrategy = free\ncallbacks_enabled = ansible.builtin.junit\n"
    project.write("other/ansible.cfg", config)
    run = elsewhere(directory, **env)
    assert run.rc == 2
    assert "Rule strict: " in run.stderr


@pytest.mark.claims(
    "ansible-core reads the file that `ANSIBLE_CONFIG` names even in a world-writable directory,"
    " and Precheck then uses a `precheck.yml` that anybody puts beside it."
)
@pytest.mark.one_release
def test_a_policy_beside_the_file_that_ansible_config_names_is_used(elsewhere, project):
    project.write("public/precheck.yml", policy(rule(NEVER, name="planted")))
    run = elsewhere("other", ANSIBLE_CONFIG="../public/ansible.cfg")
    assert run.rc == 2
    assert "Rule planted: " in run.stderr


BY_A_SECRET = "table[db_password] == 1"
EXPRESSIONS = {  # keys of the rule and the check
    "condition": ({}, {"that": BY_A_SECRET}),
    "condition that runs once": ({}, {"that": BY_A_SECRET, "once": True}),
    "path": ({}, {"path": "/{{ table[db_password] }}"}),
    "command": ({}, {"command": "true {{ table[db_password] }}"}),
    "when": ({"when": BY_A_SECRET}, {"that": True}),
    "message": ({"message": "{{ table[db_password] }}"}, {"that": False}),
    "remedy": ({"remedy": "./fix {{ table[db_password] }}"}, {"that": False}),
}


@pytest.mark.each_release
def test_an_error_does_not_print_the_value_of_a_variable_that_a_policy_uses_as_a_key(guarded):
    """The policy has the name of the variable, which is printed."""
    secret = {"db_password": "sesame", "table": {}}
    guarded.inventory(dict.fromkeys(("h1", "h2"), LOCAL_HOST | secret))
    guarded.write("pgsql.yml", PLAY.format(name="Play", facts="false"))
    for name, (keys, check) in EXPRESSIONS.items():
        guarded.write("precheck.yml", policy(rule(check, **keys)))
        run = guarded.run("pgsql.yml", "-e", "precheck_report=report.json")
        assert run.rc in (1, 2), name
        assert "Play ran" not in run.stdout, name
        assert "table[db_password]" in on_one_line(run.stderr), name
        assert "sesame" not in run.output, (name, run.output)
        assert "sesame" not in (guarded.directory / "report.json").read_text(), name


@pytest.mark.each_release
def test_names_in_a_policy_are_text_and_no_templates(guarded):
    guarded.inventory({"h1": LOCAL_HOST})
    guarded.write("pgsql.yml", PLAY.format(name="Play", facts="false"))
    name = "{{ lookup('pipe', 'touch executed') }}"
    task = {"task": {"ansible.builtin.ping": None}, "name": name}
    guarded.write("precheck.yml", policy(rule({"that": True, "name": name}, task, name=name)))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert f"TASK [Precheck {name}]" in run.stdout
    assert f"TASK [Precheck {name}: {name}]" in run.stdout
    assert not (guarded.directory / "executed").exists()


COUNTER = """#!/bin/sh
echo '{"changed": false, "ansible_stats": {"data": {"counted": 1}, "aggregate": true}}'
"""


@pytest.mark.each_release
def test_statistics_that_a_check_returns_are_not_those_of_the_run(guarded):
    guarded.configure(guarded.entry_point, "show_custom_stats = true\nlibrary = modules")
    guarded.inventory({"h1": LOCAL_HOST})
    guarded.script("modules/counter", COUNTER)
    own = "    - ansible.builtin.set_stats: {data: {mine: 7}}\n"
    first = PLAY.format(name="First", facts="false") + own
    guarded.write("pgsql.yml", first + PLAY.format(name="Second", facts="false"))
    guarded.write(
        "precheck.yml", policy(rule({"task": {"counter": None}}, covers={"play": "Second"}))
    )
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count(CHECK) == 1
    assert '"mine": 7' in run.stdout
    assert "counted" not in run.stdout


COPIES = {  # of the entry points: plugins that only look like them
    "callback/enforce": (
        "from ansible.plugins.callback import CallbackBase\n"
        "class CallbackModule(CallbackBase):\n"
        "    CALLBACK_VERSION, CALLBACK_NAME = 2.0, 'precheck.guard.enforce'\n"
        "    CALLBACK_TYPE, CALLBACK_NEEDS_ENABLED = 'aggregate', True\n"
    ),
    "strategy/linear": "from ansible.plugins.strategy.linear import StrategyModule\n",
}


@pytest.mark.claims(
    "who writes a playbook | a copy of the collection in"
    " `collections/ansible_collections/precheck/guard` beside it, perhaps a leftover one: it takes"
    " the place of the installed one | `ansible-doc -t callback precheck.guard.enforce"
    " --playbook-dir DIRECTORY` prints the path of the copy"
)
def test_a_copy_of_the_collection_beside_the_playbook_takes_its_place(guarded):
    guarded.local_hosts(missing="h1")
    guarded.write("beside/pgsql.yml", PLAY.format(name="Covered", facts="false"))
    assert guarded.run("beside/pgsql.yml").rc == 2
    copy = "beside/collections/ansible_collections/precheck/guard/plugins"
    for plugin, code in COPIES.items():
        kind, name = plugin.split("/")
        about = "short_description: a copy\ndescription: a copy\n"
        documentation = f'DOCUMENTATION = """\nname: {name}\ntype: {kind}\n{about}"""\n'
        guarded.write(f"{copy}/{plugin}.py", documentation + code)
    run = guarded.run("beside/pgsql.yml")
    assert run.rc == 0, run.output
    assert CHECK not in run.stdout
    shown = guarded.run(
        "ansible-doc", "-t", "callback", "precheck.guard.enforce", "--playbook-dir", "beside"
    )
    assert f"{guarded.directory}/{copy}/callback/enforce.py" in shown.stdout


# Each lets the node say "sesame", in its own way.
SAYING = {
    "command": {"command": "echo sesame; exit 3"},
    "task": {"task": {"ansible.builtin.fail": {"msg": "sesame"}}},
    "message": {"that": False, "message": "{{ inventory_hostname }} has a message"},
}


@pytest.fixture
def saying(guarded, nodes):
    """A project whose nodes say "sesame": h1 to each check, h2 in place of all answers."""
    shell = guarded.script("shell", "#!/bin/sh\necho sesame >&2; exit 4\n")
    nodes.path("n1", "prepare").write_text(f"SHELL={shell}\n")
    guarded.inventory({"h1": LOCAL_HOST, "h2": nodes.host("n1")})
    guarded.write("pgsql.yml", PLAY.format(name="Play", facts="false"))
    return guarded


@pytest.mark.claims(
    "With `no_log = true` in `ansible.cfg`, or `ANSIBLE_NO_LOG`, no reason contains output of a"
    " node, neither on the terminal nor in a report: it says that the output is hidden.",
    "`no_log` hides no `message` and no `remedy`, which contain output only if the policy says so.",
)
@pytest.mark.each_release
def test_no_log_in_the_configuration_hides_what_nodes_say(saying):
    report = saying.directory / "report.json"
    checks = [check for name, check in SAYING.items() if name != "task"]
    saying.write("precheck.yml", policy(rule(*checks, {"path": "/nowhere"}, remedy="./fix")))
    arguments = ("pgsql.yml", "-e", "precheck_report=report.json")
    command = SAYING["command"]["command"]
    run = saying.run(*arguments)
    assert "  h1  not ready: sesame\n" in run.stderr
    assert f"{command} could not be run: sesame\n" in run.stderr
    run = saying.run(*arguments, env={"ANSIBLE_NO_LOG": "1"})
    assert run.rc == 2
    hidden = "its output is hidden by no_log"
    assert f"  h1  not ready: {command} ended with exit status 3 ({hidden})\n" in run.stderr
    assert "h1 has a message\n" in run.stderr and "    ./fix\n" in run.stderr
    assert "/nowhere is missing\n" in run.stderr
    assert f"{command} could not be run: {hidden}\n" in run.stderr
    assert f"cannot tell whether /nowhere exists: {hidden}\n" in run.stderr
    said = (run.output + report.read_text()).replace(command, "")
    assert "sesame" not in said

    saying.write("precheck.yml", policy(rule({"path": "/"}, SAYING["task"])))
    saying.inventory({"h1": LOCAL_HOST, "h2": UNREACHABLE_HOST})
    run = saying.run(*arguments, env={"ANSIBLE_NO_LOG": "1"})
    assert f"  h1  not ready: the task failed ({hidden})\n" in run.stderr
    assert f"  h2  unverified: unreachable: {hidden}\n" in run.stderr
    assert "refused" not in run.output + report.read_text()
    assert "sesame" not in run.output + report.read_text()


@pytest.mark.claims("For one check of the kind `task`, `no_log: true` does the same.")
def test_no_log_of_a_check_hides_what_the_node_says_to_it(saying):
    own = [{"task": SAYING["task"]["task"] | {"no_log": hides}} for hides in (True, "{{ 1 == 1 }}")]
    saying.write("precheck.yml", policy(rule(*own)))
    run = saying.run("pgsql.yml", "-l", "h1")
    block = run.stderr.partition("PRECHECK stopped")[2]
    assert block.count("the task failed (its output is hidden by no_log)\n") == 2
    assert "sesame" not in block


@pytest.mark.claims("The `no_log` of a play has no effect on the checks.")
@pytest.mark.one_release
def test_no_log_of_a_play_hides_nothing_of_the_checks(saying):
    saying.write("pgsql.yml", PLAY.format(name="Play", facts="false\n  no_log: true"))
    saying.write("precheck.yml", policy(rule(SAYING["command"])))
    assert "  h1  not ready: sesame\n" in saying.run("pgsql.yml", "-l", "h1").stderr


@pytest.mark.each_release
def test_no_log_of_a_task_of_a_play_hides_what_the_node_says(project):
    project.inventory({"h1": LOCAL_HOST})
    check = {"precheck.guard.check": SAYING["command"], "no_log": True}
    project.write(
        "play.yml", json.dumps([{"hosts": "h1", "gather_facts": False, "tasks": [check]}])
    )
    run = project.run("play.yml")
    assert run.rc == 2
    assert "sesame" not in run.output.replace(SAYING["command"]["command"], "")
