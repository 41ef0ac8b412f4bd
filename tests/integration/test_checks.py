# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kinds of checks in real runs: what passes, what does not, and the reasons printed."""

from __future__ import annotations

import functools
import getpass
import grp
import json
import os
import re
import subprocess
import time

import pytest

from support import policies
from support.commands import BIN, clean_environment
from support.corpus import vaulted
from support.nodes import ADDRESSES, STOPPED
from support.output import reasons
from support.policies import policy
from support.project import LOCAL_HOST, UNREACHABLE_HOST

WITNESS = (
    "- name: Covered\n  hosts: all\n  gather_facts: false\n"
    "  tasks: [{ansible.builtin.raw: 'touch {{ witness }}'}]\n"
)
NOWHERE = {"ansible_connection": "ssh", "ansible_host": STOPPED, "ansible_port": 1}

# Runs the command as the same user, and writes a line to the file beside it.
SUDO = """#!/bin/sh
echo "$*" >> "$0.log"
while [ "$1" != /bin/sh ]; do shift; done
exec env AS_ROOT=yes "$@"
"""


rule = functools.partial(policies.rule, covers={"play": "Covered"})


def covered(project, *rules, hosts="h1", **variables):
    """Give the project a play that ``rules`` cover. Each host has a directory as its root."""
    project.configure("callback")
    project.write("play.yml", WITNESS)
    project.write("precheck.yml", policy(*rules))
    own = {"witness": f"{project.directory}/witness"} | variables
    project.inventory(
        {
            name: LOCAL_HOST | {"precheck_root": f"{project.directory}/{name}"} | own
            for name in hosts.split()
        }
    )


def reasons_of_stopped_run(project, *arguments):
    """Run the covered play, which the guard must stop, and return the reasons by host."""
    run = project.run("play.yml", *arguments)
    assert run.rc == 2, run.output
    assert not (project.directory / "witness").exists()
    return reasons(run)


def run_unstopped(project, *arguments):
    """Run the covered play, which the guard must not stop."""
    run = project.run("play.yml", *arguments)
    assert run.rc == 0, run.output
    assert (project.directory / "witness").exists() != ("--check" in arguments)
    return run


def make_files(project, host, file_mode, directory_mode):
    """Give a host /there, /file and /directory, the last two with these modes."""
    for name in ("there", "file"):
        project.write(f"{host}/{name}", "")
    (project.directory / host / "directory").mkdir()
    (project.directory / host / "file").chmod(file_mode)
    (project.directory / host / "directory").chmod(directory_mode)


def test_a_path_passes_with_each_option(project):
    user, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    checks = [
        {"path": "/there"},
        {"path": "/file", "type": "file"},
        {"path": "/directory", "type": "directory"},
        {"path": "/file", "mode": "0640"},
        {"path": "/directory", "mode": "{{ most }}"},
        {"path": "/file", "owner": user},
        {"path": "/{{ what }}", "group": group},
        {"path": "/file", "owner": str(os.getuid()), "group": str(os.getgid()), "mode": "7777"},
    ]
    covered(project, rule(*checks), most="0750", what="file")
    make_files(project, "h1", 0o600, 0o750)
    run_unstopped(project)


def test_each_option_of_a_path_has_its_own_reason(project):
    see = "see {{ nowhere_defined }}"
    message = "{{ what }} is not {{ inventory_hostname }}'s"
    checks = [
        {"path": "/there"},
        {"path": "/file", "type": "directory"},
        {"path": "/directory", "type": "file"},
        {"path": "/file", "mode": "0640"},
        {"path": "/directory", "mode": "{{ most }}"},
        {"path": "/file", "owner": "daemon"},
        {"path": "/file", "owner": "{{ 1 }}"},
        {"path": "/file", "group": "daemon"},
        {"path": "/file", "name": "the owner", "owner": "daemon"},
        {"path": "/file", "message": message, "owner": "daemon"},
        {"path": "/file", "name": "both", "message": see, "owner": "daemon"},
    ]
    covered(project, rule(*checks), hosts="h2", most="0750", what="file")
    make_files(project, "h2", 0o664, 0o755)
    root = f"{project.directory}/h2"
    (project.directory / "h2/there").unlink()
    (project.directory / "h2/there").symlink_to("nowhere")
    assert reasons_of_stopped_run(project) == {
        "h2": [
            f"not ready: {root}/there is missing",
            f"{root}/file is not a directory",
            f"{root}/directory is not a file",
            f"{root}/file has more permissions than 0640",
            f"{root}/directory has more permissions than 0750",
            f"{root}/file does not belong to daemon",
            f"{root}/file does not belong to 1",
            f"{root}/file does not belong to the group daemon",
            f"the owner: {root}/file does not belong to daemon",
            "file is not h2's",
            "both: see {{ nowhere_defined }}",
        ]
    }


def test_senseless_values_of_options_are_not_ignored(project):
    checks = [
        {"path": "/file", "mode": "{{ value }}"},
        {"path": "/file", "owner": "{{ value }}"},
        {"path": "/file", "group": "{{ value }}"},
        {"path": "/file", "same_as": "{{ value }}"},
        {"path": "{{ value }}"},
        {"command": "{{ value }}"},
    ]
    covered(project, rule(*checks), hosts="h1 h2")
    with project.changed_inventory() as inventory:
        for name, value in {"h1": "-1", "h2": ""}.items():
            inventory["hosts"][name]["value"] = value
            project.write(f"{name}/file", "")
    by_host = reasons_of_stopped_run(project)
    assert by_host["h1"][0].endswith("/file cannot be checked: its mode is not an octal number")
    assert len(by_host["h2"]) == 6, by_host["h2"]


PASSWORD = ("--vault-password-file", "password")


@pytest.fixture
def compared(project):
    """A project whose policy compares two files of each host with files of the control node.

    ``own`` has the same files, ``other`` those of another installation, and ``empty`` an empty file
    and a directory.
    """
    absolute = "{{ directory }}/absolute.crt"
    checks = [
        {"path": "/ca.crt", "same_as": "beside_policy.crt"},
        {"path": "/ca.crt", "same_as": "ca/in_files.crt"},
        {"path": "/ca.crt", "same_as": "beside_playbook.crt"},
        {"path": "/ca.crt", "same_as": "in_files_beside_playbook.crt"},
        {"path": "/ca.crt", "same_as": f"{project.directory}/absolute.crt"},
        {"path": "/ca.crt", "same_as": "ca/{{ which }}.crt"},
        {"path": "/ca.crt", "same_as": absolute, "name": "the certificate", "message": "renew it"},
        {"path": "/key", "same_as": "key"},
    ]
    variables = {"which": "in_files", "directory": str(project.directory)}
    covered(project, rule(*checks), hosts="own other empty", **variables)
    project.configure("callback", "[precheck]\npolicy = policies/company.yml")
    for source, target in {"precheck": "policies/company", "play": "books/play"}.items():
        project.write(f"{target}.yml", (project.directory / f"{source}.yml").read_text())
        (project.directory / f"{source}.yml").unlink()
    for location in (
        "policies/beside_policy",
        "policies/files/ca/in_files",
        "books/beside_playbook",
        "books/files/in_files_beside_playbook",
        "absolute",
    ):
        project.write(f"{location}.crt", "ours\n")
    for host, text in {"own": "ours\n", "other": "theirs\n"}.items():
        project.write(f"{host}/ca.crt", text)
        project.write(f"{host}/key", "the key\n")
    project.write("empty/ca.crt", "")
    (project.directory / "empty/key").mkdir()
    project.write("books/key", vaulted("the key\n").decode())
    project.write("password", "a password\n")
    return project


def test_same_as_passes_where_the_content_is_equal(compared):
    assert compared.run("books/play.yml", *PASSWORD, "--limit", "own").rc == 0
    assert (compared.directory / "witness").exists()


def test_same_as_reports_files_whose_content_differs(compared):
    run = compared.run("books/play.yml", *PASSWORD)
    assert run.rc == 2, run.output
    by_host = reasons(run)
    assert by_host.keys() == {"other", "empty"}
    differs = "exists, but it is not this installation's: its content differs from "
    other = f"{compared.directory}/other/ca.crt {differs}"
    assert len(by_host["other"]) == 7
    assert by_host["other"][0].startswith(f"not ready: {other}")
    assert by_host["other"][5] == f"{other}{compared.directory}/policies/files/ca/in_files.crt"
    assert by_host["other"][6] == "the certificate: renew it"
    assert len(by_host["empty"]) == 8
    assert by_host["empty"][7].startswith(f"{compared.directory}/empty/key {differs}")


def test_same_as_is_unverified_where_its_file_does_not_exist(compared):
    options = (*PASSWORD, "-e", "which=nowhere", "--limit", "own,other")
    run = compared.run("books/play.yml", *options)
    assert run.rc == 2
    by_host = reasons(run)
    [own] = by_host["own"]
    missing = "there is no file ca/nowhere.crt on the control node"
    assert own.startswith(f"unverified: /ca.crt cannot be checked: {missing}")
    assert len(by_host["other"]) == 7


def test_same_as_of_a_vaulted_file_requires_its_password(compared):
    assert compared.run("books/play.yml", "--limit", "own").rc != 0
    assert not (compared.directory / "witness").exists()


def test_a_node_without_a_tool_for_digests_gets_the_right_verdict(project, nodes):
    same = {"path": "/etc/pki/ca.crt", "same_as": "ca.crt"}
    covered(project, rule(same, {"path": "/etc/pki", "type": "directory"}))
    no_python = {"ansible_python_interpreter": "/nowhere/python"}
    hosts = {name: nodes.host(name) | {"witness": "/etc/pki/witness"} for name in ADDRESSES}
    project.inventory(hosts | {"n4": hosts["n4"] | no_python, "n5": hosts["n5"] | no_python})
    nodes.reset(ready="n1 n2 n3 n4")
    for name in ("n1", "n2", "n4", "n5"):
        nodes.path(name, "no_digest").touch()
    nodes.path("n2", "pki/ca.crt").write_text("another certificate\n")
    project.write("ca.crt", "a certificate\n")
    by_host = reasons_of_stopped_run(project)
    assert by_host.keys() == {"n2", "n4", "n5"}
    [n2] = by_host["n2"]
    differs = "/etc/pki/ca.crt exists, but it is not this installation's: "
    assert n2.startswith(f"not ready: {differs}")
    [n4] = by_host["n4"]
    assert n4.startswith("unverified: cannot tell whether /etc/pki/ca.crt exists: ")
    missing = "/etc/pki/ca.crt is missing (as far as its shell can tell)"
    assert by_host["n5"] == [f"not ready: {missing}"]
    assert number_of_commands(nodes, "n3") == 1
    assert nodes.having("pki/witness") == ""
    project.inventory({name: hosts[name] for name in ("n1", "n3")})
    assert project.run("play.yml").rc == 0
    assert nodes.having("pki/witness") == "n1 n3"


def number_of_commands(nodes, name):
    """Return how many commands a node was sent, those of ansible-core's own modules included."""
    return len(nodes.commands(name).splitlines())


check_mode_too = pytest.mark.parametrize(
    "mode", [(), ("--check",)], ids=["normal mode", "check mode"]
)
ODD = 'it\'s $(touch witness) "so" *'
GOOD_COMMANDS = [
    {"command": "test -e {{ precheck_root }}"},
    {"command": ["test", "{{ odd }}", "=", ODD]},
    {"command": ["sh", "-c", "exit 0"]},
    {"command": "echo out; echo err >&2; read line && exit 1; true", "timeout": 20},
    {"command": "exit 0\n"},
    {"command": "test {{ odd | quote }} = {{ odd | quote }}"},
    {"command": "true {{ '; exit 0; false' }}; exit 1"},
]


@pytest.mark.claims(
    "In a command given as a list, each word stays one word.",
    "In a command given as a string, a variable becomes part of the command unless it has the"
    " filter `quote`.",
)
@check_mode_too
def test_commands_that_pass(project, mode):
    covered(project, rule(*GOOD_COMMANDS), odd=ODD)
    (project.directory / "h1").mkdir()
    run_unstopped(project, *mode)


@check_mode_too
def test_commands_that_fail_have_a_reason(project, mode):
    needs = "{{ inventory_hostname }} needs {{ odd }}"
    bad = [
        {"command": "echo first; echo last; exit 3"},
        {"command": "echo only >&2; exit 1"},
        {"command": "exit 4"},
        {"command": ["test", "a b", "=", "{{ odd }}"]},
        {"command": ["echo", ""]},
        {"command": "no-such-program"},
        {"command": "printf '%0300d' 0; exit 1"},
        {"command": "exit 5", "timeout": 20},
        {"command": "sleep 20", "timeout": 1},
        {"command": "echo out; exit 1", "name": "named"},
        {"command": "echo out; exit 1", "message": needs},
        {"command": "exit 1", "name": "named", "message": "a message"},
    ]
    covered(project, rule(*GOOD_COMMANDS, *bad), odd=ODD)
    (project.directory / "h1").mkdir()
    begin = time.monotonic()
    lines = reasons_of_stopped_run(project, *mode)["h1"]
    assert time.monotonic() - begin < 15
    assert [line for line in lines if "no-such-program" not in line] == [
        "not ready: last",
        "only",
        "exit 4 ended with exit status 4",
        "test 'a b' = '{{ odd }}' ended with exit status 1",
        "0" * 200,
        "exit 5 ended with exit status 5",
        "sleep 20 was killed, as after its 1 s",
        "named: out",
        f"h1 needs {ODD}",
        "named: a message",
    ]
    assert len(lines) == 11


AS_ROOT = 'test -n "$AS_ROOT"'


@pytest.mark.claims(
    "They run as the user of the connection, without `become` unless the check requests it."
)
def test_only_checks_with_become_are_run_with_it(project, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    plain, root = {"command": 'test -z "$AS_ROOT"'}, {"command": AS_ROOT, "become": True}
    covered(
        project,
        rule(plain, {"path": "/etc/pki/ca.crt"}, {"that": "true"}),
        rule(root, plain, {"path": "/etc/pki", "become": True}, name="other"),
        rule(root, name="third", when="inventory_hostname == 'n1'"),
        rule(
            {"path": "/etc/pki/gone"},
            name="one",
            when="inventory_hostname == 'n2'",
            severity="warn",
        ),
    )
    become = {
        "ansible_become_exe": project.script("sudo", SUDO),
        "ansible_become_user": "daemon",
        "witness": "/etc/pki/witness",
    }
    project.inventory({name: nodes.host(name) | become for name in ("n1", "n2")})
    run = project.run("play.yml", "--tags", "precheck")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [") == run.stdout.count("TASK [Precheck ") == 4
    assert number_of_commands(nodes, "n1") == 2
    assert len((project.directory / "sudo.log").read_text().splitlines()) == 2
    for name in ("n1", "n2"):
        assert nodes.commands(name).count("/etc/pki/ca.crt") >= 1


def test_a_check_whose_become_fails_is_reported_beside_the_others(project, nodes):
    covered(project, rule({"path": "/gone"}, {"command": AS_ROOT, "become": True}))
    become = {"ansible_become_exe": "/nowhere/sudo", "ansible_become_user": "daemon"}
    project.inventory({"n1": nodes.host("n1") | become | {"witness": "/etc/pki/witness"}})
    gone, root = reasons_of_stopped_run(project)["n1"]
    assert gone == "not ready: /gone is missing"
    assert root.startswith(f"{AS_ROOT} could not be run: ")


@pytest.mark.each_release
def test_a_host_runs_one_command_for_all_its_rules(project, nodes):
    nodes.reset(ready="n1 n2")
    some = [{"path": f"/etc/pki/{name}"} for name in ("ca.crt", ".", "../pki")]
    covered(
        project,
        rule(*some, {"command": "true"}, {"that": "true"}),
        rule(*some, {"command": "test -e /etc/pki/ca.crt"}, name="second"),
        rule({"that": "inventory_hostname in groups.all"}, name="third"),
        rule({"path": "/etc/pki/ca.crt"}, name="fourth", when="inventory_hostname == 'n2'"),
    )
    project.write("play.yml", WITNESS + WITNESS)
    witness = {"witness": "/etc/pki/witness"}
    project.inventory({name: nodes.host(name) | witness for name in ("n1", "n2")})
    run = project.run("play.yml", "--tags", "precheck")
    assert run.rc == 0, run.output
    assert [number_of_commands(nodes, name) for name in ("n1", "n2")] == [1, 1]
    tasks = [f"Precheck {name}" for name in ("only", "second", "third", "fourth")]
    assert re.findall(r"TASK \[(.*)\]", run.stdout) == tasks


@pytest.mark.each_release
@pytest.mark.parametrize("is_variable", [True, False], ids=["variable", "keyword"])
def test_a_rule_of_conditions_needs_no_connection_plugin(project, is_variable):
    """The conditions see the connection that the play would use."""
    conditions = ["ansible_connection == 'no.such.plugin'", "inventory_hostname == 'h2'"]
    rules = [rule({"that": one}, name=f"r{number}") for number, one in enumerate(conditions)]
    covered(project, *rules, rule({"path": "/"}, name="path"))
    variables = {"ansible_connection": "{{ plugin }}", "plugin": "no.such.plugin"}
    keyword = "  connection: no.such.plugin\n"
    project.inventory(dict.fromkeys(("h1", "h2"), variables if is_variable else {}))
    project.write("play.yml", WITNESS + ("" if is_variable else keyword))
    by_host = reasons_of_stopped_run(project)
    missing = "unverified: the connection plugin 'no.such.plugin' was not found"
    wrong = "not ready: inventory_hostname == 'h2' does not hold"
    since_2_19 = "Task failed: "  # how ansible-core begins its messages
    found = {name: [line.replace(since_2_19, "") for line in by_host[name]] for name in by_host}
    assert found == {"h1": [wrong, missing], "h2": [missing]}


@pytest.mark.each_release
def test_a_rule_of_conditions_reaches_its_verdict_on_an_unreachable_host(project):
    """So it does if a rule before it has lost the host."""
    conditions = {"wrong": "inventory_hostname == 'other'", "right": "true"}
    rules = [rule({"that": one}, name=name) for name, one in conditions.items()]
    covered(project, rule({"path": "/"}, name="path"), *rules)
    project.inventory({"away": UNREACHABLE_HOST})
    project.write("play.yml", WITNESS)
    lost, wrong = reasons_of_stopped_run(project)["away"]
    assert lost.startswith("unverified: unreachable: ")
    assert wrong == "not ready: inventory_hostname == 'other' does not hold"


def test_hosts_are_checked_in_parallel_even_under_serial_1(project):
    """Up to the number of forks, no check ends before the last one begins."""
    begun, ended = (
        f"touch {project.directory}/{word}-{{{{ inventory_hostname }}}}"
        for word in ("begun", "ended")
    )
    covered(project, rule({"command": f"{begun}; sleep 3; {ended}"}), hosts="h1 h2 h3 h4 h5")
    project.write("play.yml", WITNESS.replace("hosts: all", "hosts: all\n  serial: 1"))
    run_unstopped(project)
    times = {
        word: [path.stat().st_mtime for path in project.directory.glob(f"{word}-*")]
        for word in ("begun", "ended")
    }
    assert len(times["begun"]) == len(times["ended"]) == 5
    assert max(times["begun"]) < min(times["ended"])


TRUE_CONDITIONS = [
    {"that": ["number > 1", "inventory_hostname in groups['all']"]},
    {"that": "lookup('ansible.builtin.file', playbook_dir ~ '/freeze') == 'no'"},
    {"that": True},
]


def test_conditions_require_no_connection(project):
    covered(project, rule(*TRUE_CONDITIONS), hosts="h1 h2", number=2, **NOWHERE)
    project.write("freeze", "no\n")
    run = project.run("play.yml", "--tags", "precheck")
    assert run.rc == 0, run.output


def test_conditions_that_do_not_hold_have_a_reason(project):
    checks = [
        {"that": ["number < 2", "number == 2", "number > 5"]},
        {"that": "nowhere_defined > 1"},
        {"that": "number > 5", "name": "enough", "message": "{{ number }} is too few"},
        {"that": False, "name": "never"},
    ]
    covered(project, rule(*TRUE_CONDITIONS, *checks), number=2, **NOWHERE)
    project.write("freeze", "no\n")
    lines = reasons_of_stopped_run(project)["h1"]
    assert lines[0] == "not ready: number < 2 does not hold; number > 5 does not hold"
    undefined = "nowhere_defined > 1 cannot be evaluated: .*'nowhere_defined' is undefined.*"
    assert re.fullmatch(undefined, lines[1])
    assert lines[2:] == ["enough: 2 is too few", "never: False does not hold"]


TASKS = {
    "wait": {"ansible.builtin.wait_for": {"host": STOPPED, "port": 1, "timeout": 1}},
    "when": {
        "ansible.builtin.stat": {"path": "{{ precheck_root }}"},
        "failed_when": "not precheck_result.stat.exists",
    },
    "hidden": {
        "ansible.builtin.command": "echo the secret",
        "no_log": True,
        "failed_when": True,
    },
    "loop": {
        "ansible.builtin.assert": {"that": "item < 3", "fail_msg": "{{ item }} is too much"},
        "loop": [1, 5],
    },
    "retries": {
        "ansible.builtin.command": (
            "sh -c 'echo x >> {{ witness }}.tries; test $(wc -l < {{ witness }}.tries) = 3'"
        ),
        "retries": 5,
        "delay": 0,
        "until": "precheck_result.rc == 0",
    },
    "delegated": {"ansible.builtin.raw": "echo here >&2; exit 1", "delegate_to": "localhost"},
}


def with_nowhere_and_localhost(project, *rules):
    """Give the project the hosts h1, nowhere, which is unreachable, and localhost."""
    covered(project, *rules, hosts="h1 nowhere")
    with project.changed_inventory() as inventory:
        inventory["hosts"]["nowhere"] |= NOWHERE
        inventory["hosts"]["localhost"] = LOCAL_HOST | {"witness": "/dev/null"}


def test_tasks_that_fail_have_a_reason(project):
    """Each is in a rule of its own, as the verdicts on one host are printed together."""
    rules = [rule({"task": task, "name": name}, name=name) for name, task in TASKS.items()]
    oops = {"ansible.builtin.fail": {"msg": "oops"}}
    message = "{{ inventory_hostname }}: a message after {{ precheck_result.msg }}"
    own_message = {"task": oops, "message": message}
    with_nowhere_and_localhost(project, *rules, rule(own_message, name="message"))
    run = project.run("play.yml", "--limit", "h1")
    assert run.rc == 2
    lines = reasons(run)["h1"]
    assert lines[0].startswith("not ready: wait: Timeout when waiting for ")
    assert lines[1].startswith("not ready: when: ")
    assert lines[2] == "not ready: hidden: the task failed (its output is hidden by no_log)"
    assert lines[3].startswith("not ready: loop: ")
    assert lines[4].startswith("not ready: delegated: ")
    assert lines[5:] == ["not ready: h1: a message after oops"]
    assert "the secret" not in run.output
    assert run.stdout.count("TASK [") == 7
    assert not (project.directory / "witness").exists()


def test_a_message_that_uses_the_result_prints_it_despite_no_log(project):
    hidden = {"ansible.builtin.fail": {"msg": "oops"}, "no_log": True}
    covered(project, rule({"task": hidden, "message": "It says {{ precheck_result.msg }}."}))
    run = project.run("play.yml")
    assert run.rc == 2, run.output
    assert reasons(run)["h1"] == ["not ready: It says oops."]


def test_a_host_that_a_task_cannot_reach_is_unverified(project):
    when = rule({"task": TASKS["when"], "name": "when"}, name="when")
    delegated = rule({"task": TASKS["delegated"]}, name="delegated")
    with_nowhere_and_localhost(project, when, delegated)
    (project.directory / "h1").mkdir()
    by_host = reasons_of_stopped_run(project, "--limit", "h1,nowhere")
    assert len(by_host["h1"]) == 1
    assert by_host["nowhere"][0].startswith("unverified: unreachable: ")


def test_a_delegated_task_does_not_connect_to_the_host(project):
    with_nowhere_and_localhost(project, rule({"task": TASKS["delegated"] | {"failed_when": False}}))
    run = project.run("play.yml", "--limit", "nowhere", "--tags", "precheck")
    assert run.rc == 0, run.output


@pytest.mark.claims(
    "They run as the user of the connection, without `become` unless the check requests it."
)
def test_a_task_runs_without_the_check_mode_and_the_become_of_the_run(project):
    """In check mode ansible-core would skip the command, and this sudo would refuse it."""
    covered(project, rule({"task": {"ansible.builtin.command": "true"}}))
    sudo = project.script("sudo", "#!/bin/sh\nexit 1\n")
    become = f"ansible_become=true ansible_become_exe={sudo} ansible_become_user=nobody"
    run = project.run("play.yml", "--check", "--tags", "precheck", "-e", become)
    assert run.rc == 0, run.output
    assert "\nok: 1 host\n" in run.stdout


def test_a_rule_reports_all_its_checks_that_fail(project):
    checks = [
        {"path": "/gone"},
        {"command": "echo down; exit 1"},
        {"that": "1 > 2"},
        {"task": {"ansible.builtin.fail": {"msg": "failed"}}},
        {"path": "/file"},
        {"path": "/file", "type": "directory"},
        {"command": "exit 7"},
        {"that": "nowhere_defined"},
        {"task": {"ansible.builtin.debug": {"msg": "fine"}}},
        {"that": "true"},
    ]
    covered(project, rule(*checks))
    project.write("h1/file", "")
    run = project.run("play.yml")
    assert run.rc == 2
    root = f"{project.directory}/h1"
    lines = reasons(run)["h1"]
    expected = [
        f"not ready: {root}/gone is missing",
        "down",
        "1 > 2 does not hold",
        f"{root}/file is not a directory",
        "exit 7 ended with exit status 7",
        "nowhere_defined cannot be evaluated: ",
        "failed",
    ]
    assert len(lines) == len(expected)
    assert all(line.startswith(text) for line, text in zip(lines, expected))
    assert run.stderr.count("PRECHECK stopped") == 1


HOSTILE = (
    b"{{ lookup('pipe', 'touch witness') }} {% if true %}"
    b"\033[31mred\033[0m\033]0;title\007\b\b {# #} \377\376 \342\200\256"
)


@pytest.mark.claims(
    "Output of a node is never evaluated as a template, not even if a message or a remedy contains"
    " it through a variable.",
    "Precheck prints text from a node as one line of printable characters of limited length: no"
    " node can control the operator's terminal or forge lines of the report.",
)
def test_hostile_output_is_printed_as_text(project):
    checks = [
        {"command": "cat {{ precheck_root }}/hostile; exit 1"},
        {"command": "printf '\\r\\033[2J'; exit 1"},
    ]
    covered(project, rule(*checks))
    project.write("h1/hostile", "")
    (project.directory / "h1/hostile").write_bytes(HOSTILE)
    for verbosity in ("-v", "-vvv"):
        run = project.run("play.yml", verbosity)
        assert run.rc == 2
        assert not (project.directory / "witness").exists()
        [first, _second] = reasons(run)["h1"]
        assert first.startswith(
            "not ready: {{ lookup('pipe', 'touch witness') }} {% if true %}[31mred[0m]0;title {# #}"
        )
        assert not set("\x1b\x07\x08\u202e") & set(run.stderr)
        assert not set("\x1b\x07\x08") & set(run.stdout)


def memory_of(project):
    """Return the peak memory of ansible-playbook and its workers in KiB."""
    config = f"{project.directory}/ansible.cfg"
    process = subprocess.Popen(
        [BIN / "ansible-playbook", "play.yml"],
        cwd=project.directory,
        env=clean_environment(ANSIBLE_CONFIG=config),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 2
    return usage.ru_maxrss


@pytest.mark.one_release
def test_long_output_takes_no_memory(project):
    covered(project, rule({"command": "yes | head -c {{ size }}; exit 1"}), size=10)
    little = memory_of(project)
    covered(project, rule({"command": "yes | head -c {{ size }}; exit 1"}), size=10_000_000)
    assert memory_of(project) < little + 3000


@pytest.mark.claims(
    "Precheck does not print the value of a variable unless the policy includes it by a template."
)
def test_a_variable_that_is_undefined_on_one_host_makes_only_that_host_unverified(project):
    checks = [
        {"path": "/{{ file }}"},
        {"command": "test -n {{ file }}"},
        {"command": ["test", "-n", "{{ file }}"]},
        {"path": "/there", "same_as": "{{ file }}.crt"},
        {"path": "/there", "owner": "{{ secrets.owner }}"},
        {"path": "/there"},
    ]
    covered(project, rule(*checks), hosts="h1 h2", secrets={"password": "hunter2"})
    with project.changed_inventory() as inventory:
        owner = {"owner": getpass.getuser()}
        inventory["hosts"]["h2"] |= {"file": "there", "secrets": owner}
    for name in ("h1", "h2"):
        project.write(f"{name}/there", "")
    project.write("there.crt", "")
    run = project.run("play.yml", "-vvv")
    assert run.rc == 2
    by_host = reasons(run)
    assert by_host.keys() == {"h1"}
    labels = ["/{{ file }}", "test -n {{ file }}", "test -n {{ file }}", "/there", "/there"]
    assert len(by_host["h1"]) == len(labels)
    for line, label in zip(by_host["h1"], labels):
        assert f"{label} cannot be checked: " in line
        assert "'file' is undefined" in line or "has no attribute 'owner'" in line
    assert by_host["h1"][0].startswith("unverified: ")
    assert "hunter2" not in run.output


CONNECTION = """
DOCUMENTATION = '''
name: {name}
short_description: a connection of a test
description: Says what it was asked to do.
options: {{}}
'''
from ansible.plugins.connection import ConnectionBase

class Connection(ConnectionBase):
    transport = {name!r}
    {attributes}

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        with open({log!r}, 'a') as log:
            print(cmd, file=log)
        return 0, b'', b''

    def put_file(self, in_path, out_path):
        pass

    fetch_file = put_file

    def close(self):
        self._connected = False
"""


NO_SHELL = "connection has no POSIX shell: only checks of the kinds that and task work there"


@pytest.fixture
def device(project):
    """A function that gives the project a host whose connection, like winrm, has no POSIX shell."""

    def make(*checks):
        variables = {"ansible_connection": "device", "ansible_shell_type": "powershell"}
        covered(project, rule(*checks), **variables)
        attributes = (
            "module_implementation_preferences = ('.ps1', '.exe', '')\n"
            "    allow_executable = False\n    _shell_type = 'powershell'"
        )
        log = f"{project.directory}/log"
        plugin = CONNECTION.format(name="device", attributes=attributes, log=log)
        project.write("connection_plugins/device.py", plugin)
        project.configure("callback", more="connection_plugins = connection_plugins")
        return project

    return make


WITHOUT_SHELL = [
    {"that": "true"},
    {"task": {"ansible.builtin.debug": {"msg": "fine"}}},
    {"task": {"ansible.builtin.raw": "Get-Date"}},
]


def test_paths_and_commands_are_unverified_on_a_connection_without_a_posix_shell(device):
    command = {"command": "touch {{ witness }}", "name": "named", "message": "not printed"}
    project = device({"path": "/etc/hosts"}, command, *WITHOUT_SHELL)
    reason = f"a device {NO_SHELL}"
    expected = {"h1": [f"unverified: {reason}", f"named: {reason}"]}
    assert reasons_of_stopped_run(project) == expected
    assert (project.directory / "log").read_text().splitlines() == ["Get-Date"]


def test_conditions_and_tasks_work_on_a_connection_without_a_posix_shell(device):
    run = device(*WITHOUT_SHELL).run("play.yml", "--tags", "precheck")
    assert run.rc == 0, run.output


PERSISTENT = """
DOCUMENTATION = '''
name: appliance
short_description: a connection of a test
description: Has a process of its own, as network_cli has.
extends_documentation_fragment: [connection_pipelining]
options:
  persistent_connect_timeout: {type: int, default: 10, vars: [{name: ansible_connect_timeout}]}
  persistent_command_timeout: {type: int, default: 10, vars: [{name: ansible_command_timeout}]}
  persistent_log_messages:
    type: boolean
    default: false
    vars: [{name: ansible_persistent_log_messages}]
'''
from ansible.plugins.connection import NetworkConnectionBase, ensure_connect

class Connection(NetworkConnectionBase):
    transport = 'appliance'
    has_pipelining = True
    force_persistence = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._sub_plugin = {'type': 'external'}  # no plugin for a platform

    def _connect(self):
        self._connected = True
        return self

    @ensure_connect
    def exec_command(self, cmd, in_data=None, sudoable=True):
        with open(LOG, 'a') as log:
            print(cmd, file=log)
        return 0, b'', b''
"""


@pytest.fixture
def appliance(project):
    """A function that gives the project a host whose connection, like network_cli, has no shell.

    Modules for it run on the control node.
    """

    def make(*checks):
        covered(project, rule(*checks), ansible_connection="appliance")
        log = repr(f"{project.directory}/log")
        project.write("connection_plugins/appliance.py", PERSISTENT.replace("LOG", log))
        project.configure("callback", more="connection_plugins = connection_plugins")
        return project

    return make


def test_paths_and_commands_are_unverified_on_a_device(appliance):
    command = {"command": "touch {{ witness }}"}
    project = appliance({"path": "/etc/hosts"}, command, {"that": "true"})
    reason = f"a appliance {NO_SHELL}"
    assert reasons_of_stopped_run(project) == {"h1": [f"unverified: {reason}", reason]}
    assert not (project.directory / "log").exists()


def test_conditions_and_tasks_work_on_a_device(appliance):
    debug = {"task": {"ansible.builtin.debug": {"msg": "fine"}}}
    run = appliance({"that": "true"}, debug).run("play.yml", "--tags", "precheck")
    assert run.rc == 0, run.output


PLAY_WITH_CHECKS = """
- hosts: all
  gather_facts: false
  vars:
    braces: "{{ '{{ 1 + 1 }}' }}"
    # As if it came from a node: it must not become a template.
    lookup: !unsafe "{{ lookup('pipe', 'touch witness') }}"
  tasks:
    - precheck.guard.check:
        path: /file
        type: file
        mode: "0644"
        owner: "{{ owner }}"
        same_as: "{{ same }}"
      register: path
    - precheck.guard.check:
        checks:
          - {path: /gone}
          - {command: "exit {{ 2 + 1 }}", name: a name}
          - {that: "1 > 2", message: "on {{ inventory_hostname }}"}
          - {path: /file, type: directory, timeout: 5, become: false}
          - {command: [test, "{{ braces }}", "=", "{{ '{' + '{ 1 + 1 }' + '}' }}"]}
          - {command: "echo '{{ braces }}'; exit 1"}
          - {path: "/{{ braces }}"}
          - {path: /gone, message: "{{ lookup }}"}
          - {that: [true, "inventory_hostname == 'h1'"]}
      register: several
      failed_when: false
    - precheck.guard.check:
        command: echo out; exit 3
      register: command
      ignore_errors: true
    - precheck.guard.check: {that: "nowhere_defined"}
      register: condition
      ignore_errors: true
    - precheck.guard.check:
        command: "test {{ number }} = 5"
        timeout: "{{ number }}"
        become: "{{ number != 5 }}"
      vars: {number: 5}
    - ansible.builtin.copy:
        content: "{{ {'path': path, 'several': several, 'command': command, 'condition': condition}
          | to_json }}"
        dest: "{{ witness }}"
      check_mode: false
"""


@check_mode_too
def test_the_check_as_a_task_of_any_play_returns_its_verdicts(project, mode):
    covered(project, rule({"that": False}), owner=str(os.getuid()), same="ours")
    project.write("play.yml", PLAY_WITH_CHECKS)
    project.write("h1/file", "ours\n")
    (project.directory / "h1/file").chmod(0o644)
    project.write("files/ours", "ours\n")
    run = project.run("play.yml", *mode)
    assert run.rc == 0, run.output
    results = json.loads((project.directory / "witness").read_text())
    path, several, command, condition = (
        results[name] for name in ("path", "several", "command", "condition")
    )
    assert (path["verdict"], path["msg"]) == ("ready", "all checks passed")
    assert path["checks"] == [{"check": "/file", "verdict": "ready", "msg": ""}]
    assert not path["changed"]
    root = f"{project.directory}/h1"
    assert [(one["check"], one["verdict"], one["msg"]) for one in several["checks"]] == [
        ("/gone", "not_ready", f"{root}/gone is missing"),
        ("a name", "not_ready", "a name: exit 3 ended with exit status 3"),
        ("1 > 2", "not_ready", "on h1"),
        ("/file", "not_ready", f"{root}/file is not a directory"),
        ("test {{ 1 + 1 }} = {{ 1 + 1 }}", "ready", ""),
        ("echo '{{ 1 + 1 }}'; exit 1", "not_ready", "{{ 1 + 1 }}"),
        ("/{{ 1 + 1 }}", "not_ready", f"{root}/{{{{ 1 + 1 }}}} is missing"),
        ("/gone", "not_ready", "{{ lookup('pipe', 'touch witness') }}"),
        ("True inventory_hostname == 'h1'", "ready", ""),
    ]
    assert several["verdict"] == "not_ready"
    assert several["msg"].startswith(f"{root}/gone is missing; a name: ")
    assert (command["verdict"], command["msg"], command["failed"]) == ("not_ready", "out", True)
    assert condition["verdict"] == "unverified"
    assert "'nowhere_defined' is undefined" in condition["msg"]


WRONG = {
    "": "expected one of path, command, that",
    "paht=/etc": "unknown key 'paht'",
    "path=/etc command=true": "expected only one of path, command, that",
    "path=/etc type=link": "type",
    "path=/etc mode=rw": "mode: expected an octal number",
    "path=/etc timeout=soon": "timeout: expected a number of whole seconds",
    "path=/etc timeout=0": "timeout: expected a number of whole seconds from 1 to 86400",
    "path=/etc become=perhaps": "become: expected true or false",
    "command=true owner=root": "owner requires path",
    "path=/etc same_as=nowhere": "same_as: there is no file nowhere on the control node",
    "task=true": "unknown key 'task'",
}


@pytest.mark.one_release
def test_wrong_arguments_of_the_check_are_named(project):
    covered(project, rule({"that": True}))
    tasks = [{"precheck.guard.check": arguments} for arguments in WRONG]
    checks = [{"path": "/etc"}, {"that": "a ==="}, "/etc"]
    tasks += [{"precheck.guard.check": {"checks": some}} for some in ([], checks)]
    tasks = [task | {"ignore_errors": True} for task in tasks]
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
    project.write("play.yml", json.dumps([play]))
    run = project.run("play.yml")
    assert run.rc == 0, run.output
    messages = [json.loads(line)["msg"] for line in re.findall(r"FAILED! => (\{.*\})", run.stdout)]
    assert len(messages) == len(tasks)
    for text, message in zip(WRONG.values(), messages):
        assert text in message
    assert "not a valid expression" in messages[-1]
    assert "expected a mapping, not text" in messages[-1]


@pytest.fixture
def ad_hoc(project):
    """A function that runs the check as an ad hoc command, with a sudo that leaves a mark."""
    covered(project, rule({"that": True}))
    project.write("h1/file", "")
    sudo = project.script("sudo", SUDO)
    become = ("-e", f"ansible_become_exe={sudo} ansible_become_user=daemon")

    def run(arguments, *options):
        check = ("ansible", "all", "-m", "precheck.guard.check", "-a", arguments)
        return project.run(*check, *options, *become)

    return run


@pytest.mark.parametrize(
    "arguments",
    [
        "path=/file become=false",
        "path=/file become=no timeout=10",
        "command='test a = a'",
        "that='1 < 2'",
    ],
)
def test_the_check_runs_from_the_command_line(ad_hoc, arguments):
    """There all arguments are text."""
    run = ad_hoc(arguments)
    assert run.rc == 0, run.output
    assert '"verdict": "ready"' in run.stdout


BECOME = {"": "yes", " become=true": "yes", " become=false": ""}


@pytest.mark.parametrize("argument", BECOME, ids=["default", "become=true", "become=false"])
def test_the_argument_become_takes_precedence_over_that_of_the_command_line(ad_hoc, argument):
    run = ad_hoc(f"command='echo =$AS_ROOT=; exit 1'{argument}", "--become")
    assert run.rc == 2, run.output
    assert f'"msg": "={BECOME[argument]}="' in run.stdout


def test_the_argument_become_without_that_of_the_command_line_is_an_error(ad_hoc):
    run = ad_hoc("command=true become=true")
    assert run.rc == 2, run.output
    assert "become" in run.stdout
