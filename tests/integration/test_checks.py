# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The kinds of checks in real runs: what passes, what does not, and the reason that the operator reads."""

from __future__ import annotations

import getpass
import grp
import json
import os
import re
import subprocess
import time

import pytest
from conftest import BIN
from nodes import ADDRESSES, STOPPED

WITNESS = "- name: Covered\n  hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.raw: 'touch {{ witness }}'}]\n"
NOWHERE = {"ansible_connection": "ssh", "ansible_host": STOPPED, "ansible_port": 1}

# Does what it is told as the same user, and leaves a line in the file beside it.
SUDO = """#!/bin/sh
echo "$*" >> "$0.log"
while [ "$1" != /bin/sh ]; do shift; done
exec env AS_ROOT=yes "$@"
"""


def rule(*checks, name="only", **more):
    return {"name": name, "plays": [{"play": "Covered"}], "checks": list(checks), **more}


def covered(project, *rules, hosts="h1", **variables):
    """Make a play that ``rules`` cover. Each host has a folder for its root directory."""
    project.configure("callback")
    project.write("play.yml", WITNESS)
    project.write("precheck.yml", json.dumps({"rules": rules}))
    project.inventory(
        {
            name: {
                "ansible_connection": "local",
                "precheck_root": f"{project.folder}/{name}",
                "witness": f"{project.folder}/witness",
            }
            | variables
            for name in hosts.split()
        }
    )


def reasons(run):
    """Return what the closing block tells of each host, a line for each check."""
    found = {}
    lines = []
    for line in run.stderr.splitlines():
        if match := re.match(r"  (\w+) +(not ready|unverified): (.*)", line):
            lines = found.setdefault(match[1], [])
            lines.append(f"{match[2]}: {match[3]}")
        elif re.match(r" {10}", line) and lines:
            lines.append(line.strip())
        else:
            lines = []
    return found


def stopped(project, *arguments, witness="witness"):
    """Run the covered play, which does nothing, and return the reasons."""
    run = project.run("play.yml", *arguments)
    assert run.rc == 2, run.output
    assert not (project.folder / witness).exists()
    return reasons(run)


def passed(project, *arguments, witness="witness"):
    run = project.run("play.yml", *arguments)
    assert run.rc == 0, run.output
    assert (project.folder / witness).exists() != ("--check" in arguments)
    return run


def test_each_option_of_path(project):
    user, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    checks = [
        {"path": "/there"},
        {"path": "/file", "type": "file"},
        {"path": "/folder", "type": "directory"},
        {"path": "/file", "mode": "0640"},
        {"path": "/folder", "mode": "{{ most }}"},
        {"path": "/file", "owner": user},
        {"path": "/{{ what }}", "group": group},
        {"path": "/file", "owner": str(os.getuid()), "group": str(os.getgid()), "mode": "7777"},
    ]
    bad = [
        {"path": "/file", "owner": "daemon"},
        {"path": "/file", "owner": "{{ 1 }}"},
        {"path": "/file", "group": "daemon"},
        {"path": "/file", "name": "the owner", "owner": "daemon"},
        {"path": "/file", "message": "{{ what }} is not {{ inventory_hostname }}'s", "owner": "daemon"},
        {"path": "/file", "name": "both", "message": "see {{ nowhere_defined }}", "owner": "daemon"},
    ]
    covered(project, rule(*checks), rule(*bad, name="bad", when="'bad' in group_names"), hosts="h1 h2", most="0750", what="file")
    for name in ("h1", "h2"):
        (project.folder / name / "folder").mkdir(parents=True)
        for file in ("there", "file"):
            (project.folder / name / file).touch()
    for path, mode in {"h1/file": 0o600, "h1/folder": 0o750, "h2/file": 0o664, "h2/folder": 0o755}.items():
        (project.folder / path).chmod(mode)
    passed(project, "--limit", "h1")
    (project.folder / "witness").unlink()

    root = f"{project.folder}/h2"
    (project.folder / "h2/there").rename(f"{root}/file2")
    (project.folder / "h2/there").symlink_to("nowhere")
    checks[1:3] = [{"path": "/file", "type": "directory"}, {"path": "/folder", "type": "file"}]
    project.write("precheck.yml", json.dumps({"rules": [rule(*checks, *bad)]}))
    assert stopped(project, "--limit", "h2") == {
        "h2": [
            f"not ready: {root}/there is missing",
            f"{root}/file is not a directory",
            f"{root}/folder is not a file",
            f"{root}/file has more permissions than 0640",
            f"{root}/folder has more permissions than 0750",
            f"{root}/file does not belong to daemon",
            f"{root}/file does not belong to 1",
            f"{root}/file does not belong to the group daemon",
            f"the owner: {root}/file does not belong to daemon",
            "file is not h2's",
            "both: see {{ nowhere_defined }}",
        ]
    }


def test_values_of_options_that_make_no_sense_are_not_passed_over(project):
    checks = [
        {"path": "/file", "mode": "{{ value }}"},
        {"path": "/file", "owner": "{{ value }}"},
        {"path": "/file", "group": "{{ value }}"},
        {"path": "/file", "same_as": "{{ value }}"},
        {"path": "{{ value }}"},
        {"command": "{{ value }}"},
    ]
    covered(project, rule(*checks), hosts="h1 h2")
    inventory = json.loads((project.folder / "inventory.json").read_text())
    for name, value in {"h1": "-1", "h2": ""}.items():
        inventory["all"]["hosts"][name]["value"] = value
        (project.folder / name).mkdir()
        (project.folder / name / "file").touch()
    (project.folder / "inventory.json").write_text(json.dumps(inventory))
    found = stopped(project)
    assert found["h1"][0].endswith("/file cannot be asked: its mode is not an octal number")
    assert len(found["h2"]) == 6, found["h2"]


def test_same_as(project):
    """Another installation's certificate is there, but it is not this one's."""
    checks = [
        {"path": "/ca.crt", "same_as": "beside_policy.crt"},
        {"path": "/ca.crt", "same_as": "ca/in_files.crt"},
        {"path": "/ca.crt", "same_as": "beside_playbook.crt"},
        {"path": "/ca.crt", "same_as": "in_files_beside_playbook.crt"},
        {"path": "/ca.crt", "same_as": f"{project.folder}/absolute.crt"},
        {"path": "/ca.crt", "same_as": "ca/{{ which }}.crt"},
        {"path": "/ca.crt", "same_as": "{{ folder }}/absolute.crt", "name": "the certificate", "message": "run ./node.yml"},
        {"path": "/key", "same_as": "key"},
    ]
    covered(project, rule(*checks), hosts="own other empty", which="in_files", folder=str(project.folder))
    (project.folder / "policies").mkdir()
    (project.folder / "precheck.yml").rename(project.folder / "policies/company.yml")
    (project.folder / "books").mkdir()
    (project.folder / "play.yml").rename(project.folder / "books/play.yml")
    places = ["policies/beside_policy", "policies/files/ca/in_files", "books/beside_playbook", "absolute"]
    for place in [*places, "books/files/in_files_beside_playbook"]:
        project.write(f"{place}.crt", "ours\n")
    for host, text in {"own": "ours\n", "other": "theirs\n"}.items():
        project.write(f"{host}/ca.crt", text)
        project.write(f"{host}/key", "the key\n")
    project.write("empty/ca.crt", "")
    (project.folder / "empty/key").mkdir()
    project.write("books/key", "the key\n")
    project.write("password", "secret\n")
    assert project.run("ansible-vault", "encrypt", "--vault-password-file", "password", "books/key").rc == 0
    options = ("-e", "precheck_policy=policies/company.yml", "--vault-password-file", "password")
    run = project.run("books/play.yml", *options)
    assert run.rc == 2, run.output
    other = f"{project.folder}/other/ca.crt is there, but it is not this installation's: its content differs from "
    found = reasons(run)
    assert found.keys() == {"other", "empty"}
    assert len(found["other"]) == 7
    assert found["other"][0].startswith(f"not ready: {other}")
    assert found["other"][5] == f"{other}ca/in_files.crt"
    assert found["other"][6] == "the certificate: run ./node.yml"
    assert len(found["empty"]) == 8
    assert found["empty"][7].startswith(f"{project.folder}/empty/key is there, but it is not this installation's: ")
    assert project.run("books/play.yml", *options, "--limit", "own").rc == 0

    run = project.run("books/play.yml", *options, "-e", "which=nowhere", "--limit", "own,other")
    assert run.rc == 2
    found = reasons(run)
    [own] = found["own"]
    assert own.startswith("unverified: /ca.crt cannot be asked: there is no file ca/nowhere.crt on the control node")
    assert len(found["other"]) == 7
    assert project.run("books/play.yml", *options[:2]).rc != 0  # without the password
    assert (project.folder / "witness").exists()


def test_a_node_without_a_tool_for_digests_gets_the_right_verdict(project, nodes):
    covered(project, rule({"path": "/etc/pki/ca.crt", "same_as": "ca.crt"}, {"path": "/etc/pki", "type": "directory"}))
    no_python = {"ansible_python_interpreter": "/nowhere/python"}
    hosts = {name: nodes.host(name) | {"witness": "/etc/pki/witness"} for name in ADDRESSES}
    project.inventory(hosts | {"n4": hosts["n4"] | no_python, "n5": hosts["n5"] | no_python})
    nodes.reset(ready="n1 n2 n3 n4")
    for name in ("n1", "n2", "n4", "n5"):
        nodes.path(name, "no_digest").touch()
    nodes.path("n2", "pki/ca.crt").write_text("another certificate\n")
    project.write("ca.crt", "a certificate\n")
    found = stopped(project)
    assert found.keys() == {"n2", "n4", "n5"}
    [n2] = found["n2"]
    assert n2.startswith("not ready: /etc/pki/ca.crt is there, but it is not this installation's: ")
    [n4] = found["n4"]
    assert n4.startswith("unverified: cannot tell whether /etc/pki/ca.crt is ")
    assert found["n5"] == ["not ready: /etc/pki/ca.crt is missing (as far as its shell can tell)"]
    assert asked(nodes, "n3") == 1
    assert nodes.having("pki/witness") == ""
    project.inventory({name: hosts[name] for name in ("n1", "n3")})
    assert project.run("play.yml").rc == 0
    assert nodes.having("pki/witness") == "n1 n3"


def asked(nodes, name):
    """Return how many commands came to a node; those of ansible-core that look around and copy modules count as well."""
    return len(nodes.commands(name).splitlines())


@pytest.mark.claims(
    "In a command given as a list, each word stays one word.",
    "In a command given as a string, a variable becomes part of the command unless it has the"
    " filter `quote`.",
)
@pytest.mark.parametrize("mode", ["", "--check"])
def test_commands(project, mode):
    odd = 'it\'s $(touch witness) "so" *'
    good = [
        {"command": "test -e {{ precheck_root }}"},
        {"command": ["test", "{{ odd }}", "=", odd]},
        {"command": ["sh", "-c", "exit 0"]},
        {"command": "echo out; echo err >&2; read line && exit 1; true", "timeout": 20},
        {"command": "exit 0\n"},
        {"command": "test {{ odd | quote }} = {{ odd | quote }}"},
        {"command": "true {{ '; exit 0; false' }}; exit 1"},
    ]
    covered(project, rule(*good), odd=odd)
    (project.folder / "h1").mkdir()
    passed(project, *filter(None, [mode]))
    (project.folder / "witness").unlink(missing_ok=True)
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
        {"command": "echo out; exit 1", "message": "{{ inventory_hostname }} needs {{ odd }}"},
        {"command": "exit 1", "name": "named", "message": "told"},
    ]
    covered(project, rule(*good, *bad), odd=odd)
    begin = time.monotonic()
    found = stopped(project, *filter(None, [mode]))["h1"]
    assert time.monotonic() - begin < 15
    assert [line for line in found if "no-such-program" not in line] == [
        "not ready: last",
        "only",
        "exit 4 ended with exit status 4",
        "test 'a b' = '{{ odd }}' ended with exit status 1",
        "0" * 200,
        "exit 5 ended with exit status 5",
        "sleep 20 was killed, as after its 1 s",
        "named: out",
        f"h1 needs {odd}",
        "named: told",
    ]
    assert len(found) == 11


@pytest.mark.claims(
    "They run as the user of the connection, without `become` unless the check requests it."
)
def test_become_only_where_a_check_says_so(project, nodes):
    nodes.reset(ready="n1 n2 n3 n4 n5")
    plain, root = 'test -z "$AS_ROOT"', 'test -n "$AS_ROOT"'
    covered(
        project,
        rule({"command": plain}, {"path": "/etc/pki/ca.crt"}, {"that": "true"}),
        rule({"command": root, "become": True}, {"command": plain}, {"path": "/etc/pki", "become": True}, name="other"),
        rule({"command": root, "become": True}, name="third", when="inventory_hostname == 'n1'"),
        rule({"path": "/etc/pki/gone"}, name="one", when="inventory_hostname == 'n2'", severity="warn"),
    )
    project.write("sudo", SUDO)
    (project.folder / "sudo").chmod(0o755)
    become = {"ansible_become_exe": f"{project.folder}/sudo", "ansible_become_user": "daemon", "witness": "/etc/pki/witness"}
    project.inventory({name: nodes.host(name) | become for name in ("n1", "n2")})
    run = project.run("play.yml", "--tags", "precheck")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [") == run.stdout.count("TASK [Precheck ") == 4
    assert asked(nodes, "n1") == 2
    assert len((project.folder / "sudo.log").read_text().splitlines()) == 2
    for name in ("n1", "n2"):
        assert nodes.commands(name).count("/etc/pki/ca.crt") >= 1

    # What cannot be done is told, and the rest too.
    project.inventory({"n1": nodes.host("n1") | become | {"ansible_become_exe": "/nowhere/sudo"}})
    project.write("precheck.yml", json.dumps({"rules": [rule({"path": "/gone"}, {"command": root, "become": True})]}))
    found = stopped(project)["n1"]
    assert found[0] == "not ready: /gone is missing"
    assert found[1].startswith(f"{root} could not be run: ")


def test_one_remote_command_for_all_rules_of_a_host(project, nodes):
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
    project.inventory({name: nodes.host(name) | {"witness": "/etc/pki/witness"} for name in ("n1", "n2")})
    run = project.run("play.yml", "--tags", "precheck")
    assert run.rc == 0, run.output
    assert (asked(nodes, "n1"), asked(nodes, "n2")) == (1, 1)
    assert re.findall(r"TASK \[(.*)\]", run.stdout) == [f"Precheck {name}" for name in ("only", "second", "third", "fourth")]


def test_hosts_are_asked_in_parallel_even_under_serial_1(project):
    """Up to the number of forks: no host's check ends before the last one's begins."""
    begun, ended = (f"touch {project.folder}/{word}-{{{{ inventory_hostname }}}}" for word in ("begun", "ended"))
    covered(project, rule({"command": f"{begun}; sleep 3; {ended}"}), hosts="h1 h2 h3 h4 h5")
    project.write("play.yml", WITNESS.replace("hosts: all", "hosts: all\n  serial: 1"))
    passed(project)
    times = {word: [path.stat().st_mtime for path in project.folder.glob(f"{word}-*")] for word in ("begun", "ended")}
    assert len(times["begun"]) == len(times["ended"]) == 5
    assert max(times["begun"]) < min(times["ended"])


def test_conditions_need_no_connection(project):
    checks = [
        {"that": ["number > 1", "inventory_hostname in groups['all']"]},
        {"that": "lookup('ansible.builtin.file', playbook_dir ~ '/freeze') == 'no'"},
        {"that": True},
    ]
    covered(project, rule(*checks), hosts="h1 h2", number=2, **NOWHERE)
    project.write("freeze", "no\n")
    run = project.run("play.yml", "--tags", "precheck")
    assert run.rc == 0, run.output

    more = [
        {"that": ["number < 2", "number == 2", "number > 5"]},
        {"that": "nowhere_defined > 1"},
        {"that": "number > 5", "name": "enough", "message": "{{ number }} is too few"},
        {"that": False, "name": "never"},
    ]
    project.write("precheck.yml", json.dumps({"rules": [rule(*checks, *more)]}))
    found = stopped(project, "--limit", "h1")["h1"]
    assert found[0] == "not ready: number < 2 does not hold; number > 5 does not hold"
    assert re.fullmatch("nowhere_defined > 1 cannot be evaluated: .*'nowhere_defined' is undefined.*", found[1])
    assert found[2:] == ["enough: 2 is too few", "never: False does not hold"]


@pytest.mark.claims("A check of the kind `task` can hide its result with `no_log`.")
def test_tasks(project):
    """Each in a rule of its own, for the verdicts on one host are told together."""
    no_log = {"ansible.builtin.command": "echo the secret", "no_log": True, "failed_when": True}
    tasks = {
        "wait": {"ansible.builtin.wait_for": {"host": STOPPED, "port": 1, "timeout": 1}},
        "when": {"ansible.builtin.stat": {"path": "{{ precheck_root }}"}, "failed_when": "not precheck_result.stat.exists"},
        "hidden": no_log,
        "loop": {"ansible.builtin.assert": {"that": "item < 3", "fail_msg": "{{ item }} is too much"}, "loop": [1, 5]},
        "retries": {
            "ansible.builtin.command": "sh -c 'echo x >> {{ witness }}.tries; test $(wc -l < {{ witness }}.tries) = 3'",
            "retries": 5,
            "delay": 0,
            "until": "precheck_result.rc == 0",
        },
        "delegated": {"ansible.builtin.raw": "echo here >&2; exit 1", "delegate_to": "localhost"},
    }
    rules = [rule({"task": task, "name": name}, name=name) for name, task in tasks.items()]
    rules.append(
        rule({"task": {"ansible.builtin.fail": {"msg": "oops"}}, "message": "{{ inventory_hostname }}: told"}, name="told")
    )
    covered(project, *rules, hosts="h1 nowhere")
    inventory = json.loads((project.folder / "inventory.json").read_text())
    inventory["all"]["hosts"]["nowhere"] |= NOWHERE
    inventory["all"]["hosts"]["localhost"] = {"ansible_connection": "local", "witness": "/dev/null"}
    (project.folder / "inventory.json").write_text(json.dumps(inventory))
    run = project.run("play.yml", "--limit", "h1")
    assert run.rc == 2
    found = reasons(run)["h1"]
    assert found[0].startswith("not ready: wait: Timeout when waiting for ")
    assert found[1].startswith("not ready: when: ")
    assert found[2] == "not ready: hidden: the task failed (its output is hidden by no_log)"
    assert found[3].startswith("not ready: loop: ")
    assert found[4].startswith("not ready: delegated: ")
    assert found[5:] == ["not ready: h1: told"]
    assert "the secret" not in run.output
    assert run.stdout.count("TASK [") == 7
    assert not (project.folder / "witness").exists()

    (project.folder / "h1").mkdir()
    project.write("precheck.yml", json.dumps({"rules": [rules[1], rule({"task": tasks["delegated"]}, name="delegated")]}))
    found = stopped(project, "--limit", "h1,nowhere")
    assert len(found["h1"]) == 1
    assert found["nowhere"][0].startswith("unverified: unreachable: ")
    project.write("precheck.yml", json.dumps({"rules": [rule({"task": tasks["delegated"] | {"failed_when": False}})]}))
    run = project.run("play.yml", "--limit", "nowhere", "--tags", "precheck")
    assert run.rc == 0, run.output


@pytest.mark.claims(
    "They run as the user of the connection, without `become` unless the check requests it."
)
def test_neither_check_mode_nor_become_of_the_run_reach_a_task(project):
    """In check mode ansible-core would skip the command, and the sudo here would refuse."""
    covered(project, rule({"task": {"ansible.builtin.command": "true"}}))
    (project.folder / "sudo").write_text("#!/bin/sh\nexit 1\n")
    (project.folder / "sudo").chmod(0o755)
    become = f"ansible_become=true ansible_become_exe={project.folder}/sudo ansible_become_user=nobody"
    run = project.run("play.yml", "--check", "--tags", "precheck", "-e", become)
    assert run.rc == 0, run.output
    assert "ok: [h1]" in run.stdout or "changed: [h1]" in run.stdout


def test_a_rule_reports_all_that_fails(project):
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
    root = f"{project.folder}/h1"
    found = reasons(run)["h1"]
    expected = [
        f"not ready: {root}/gone is missing",
        "down",
        "1 > 2 does not hold",
        f"{root}/file is not a directory",
        "exit 7 ended with exit status 7",
        "nowhere_defined cannot be evaluated: ",
        "failed",
    ]
    assert len(found) == len(expected)
    assert all(line.startswith(text) for line, text in zip(found, expected))
    assert run.stderr.count("PRECHECK stopped") == 1


HOSTILE = b"{{ lookup('pipe', 'touch witness') }} {% if true %}\033[31mred\033[0m\033]0;title\007\b\b {# #} \377\376 \342\200\256"


@pytest.mark.claims(
    "Output of a node is never evaluated as a template, not even if a message or a remedy contains"
    " it through a variable.",
    "Precheck prints text from a node as one line of printable characters of limited length: no"
    " node can control the operator's terminal or forge lines of the report.",
)
def test_hostile_output_is_only_text(project):
    checks = [{"command": "cat {{ precheck_root }}/hostile; exit 1"}, {"command": "printf '\\r\\033[2J'; exit 1"}]
    covered(project, rule(*checks))
    project.write("h1/hostile", "")
    (project.folder / "h1/hostile").write_bytes(HOSTILE)
    for verbosity in ("-v", "-vvv"):
        run = project.run("play.yml", verbosity)
        assert run.rc == 2
        assert not (project.folder / "witness").exists()
        [first, _second] = reasons(run)["h1"]
        assert first.startswith("not ready: {{ lookup('pipe', 'touch witness') }} {% if true %}[31mred[0m]0;title {# #}")
        assert not set("\x1b\x07\x08\u202e") & set(run.stderr)
        assert not set("\x1b\x07\x08") & set(run.stdout)


def memory_of(project):
    """Return how many KiB ansible-playbook and its workers had at most."""
    environment = dict(os.environ) | {"ANSIBLE_CONFIG": f"{project.folder}/ansible.cfg"}
    with open(os.devnull, "w") as nothing:
        process = subprocess.Popen(
            [BIN / "ansible-playbook", "play.yml"], cwd=project.folder, env=environment, stdout=nothing, stderr=nothing
        )
        _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 2
    return usage.ru_maxrss


@pytest.mark.one_release
def test_much_output_takes_no_memory(project):
    covered(project, rule({"command": "yes | head -c {{ size }}; exit 1"}), size=10)
    little = memory_of(project)
    covered(project, rule({"command": "yes | head -c {{ size }}; exit 1"}), size=10_000_000)
    assert memory_of(project) < little + 3000


@pytest.mark.claims(
    "Precheck does not print the value of a variable unless the policy includes it by a template."
)
def test_a_variable_that_is_undefined_is_the_hosts_own_trouble(project):
    checks = [
        {"path": "/{{ file }}"},
        {"command": "test -n {{ file }}"},
        {"command": ["test", "-n", "{{ file }}"]},
        {"path": "/there", "same_as": "{{ file }}.crt"},
        {"path": "/there", "owner": "{{ secrets.owner }}"},
        {"path": "/there", "mode": "{{ secrets | no_such_filter }}"},
        {"path": "/there"},
    ]
    covered(project, rule(*checks), hosts="h1 h2", secrets={"password": "hunter2"})
    inventory = json.loads((project.folder / "inventory.json").read_text())
    inventory["all"]["hosts"]["h2"] |= {"file": "there", "secrets": {"owner": getpass.getuser()}}
    (project.folder / "inventory.json").write_text(json.dumps(inventory))
    for name in ("h1", "h2"):
        project.write(f"{name}/there", "")
    project.write("there.crt", "")
    checks.pop(5)
    project.write("precheck.yml", json.dumps({"rules": [rule(*checks)]}))
    run = project.run("play.yml", "-vvv")
    assert run.rc == 2
    found = reasons(run)
    assert found.keys() == {"h1"}
    assert len(found["h1"]) == 5
    for line, label in zip(found["h1"], ["/{{ file }}", "test -n {{ file }}", "test -n {{ file }}", "/there", "/there"]):
        assert f"{label} cannot be asked: " in line
        assert ("'file' is undefined" in line) or ("has no attribute 'owner'" in line)
    assert found["h1"][0].startswith("unverified: ")
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


def test_a_connection_without_a_posix_shell(project):
    """Like winrm and psrp."""
    checks = [
        {"path": "/etc/hosts"},
        {"command": "touch {{ witness }}", "name": "named", "message": "not said"},
        {"that": "true"},
        {"task": {"ansible.builtin.debug": {"msg": "fine"}}},
        {"task": {"ansible.builtin.raw": "Get-Date"}},
    ]
    covered(project, rule(*checks), ansible_connection="device", ansible_shell_type="powershell")
    attributes = (
        "module_implementation_preferences = ('.ps1', '.exe', '')\n    allow_executable = False\n    _shell_type = 'powershell'"
    )
    log = f"{project.folder}/log"
    project.write("connection_plugins/device.py", CONNECTION.format(name="device", attributes=attributes, log=log))
    project.configure("callback", more="connection_plugins = connection_plugins")
    reason = "a device connection has no POSIX shell to ask: of the kinds of checks only that and task work there"
    assert stopped(project) == {"h1": [f"unverified: {reason}", f"named: {reason}"]}
    assert (project.folder / "log").read_text().splitlines() == ["Get-Date"]

    project.write("precheck.yml", json.dumps({"rules": [rule(*checks[2:])]}))
    run = project.run("play.yml", "--tags", "precheck")
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
  persistent_log_messages: {type: boolean, default: false, vars: [{name: ansible_persistent_log_messages}]}
'''
from ansible.plugins.connection import NetworkConnectionBase, ensure_connect

class Connection(NetworkConnectionBase):
    transport = 'appliance'
    has_pipelining = True
    force_persistence = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._sub_plugin = {'type': 'external'}  # what belongs to one platform comes from nowhere else

    def _connect(self):
        self._connected = True
        return self

    @ensure_connect
    def exec_command(self, cmd, in_data=None, sudoable=True):
        with open(LOG, 'a') as log:
            print(cmd, file=log)
        return 0, b'', b''
"""


def test_a_connection_to_a_device(project):
    """Like network_cli: it has no shell at all, and modules for it are run on the control node."""
    checks = [{"path": "/etc/hosts"}, {"command": "touch {{ witness }}"}, {"that": "true"}]
    covered(project, rule(*checks), ansible_connection="appliance")
    log = f"{project.folder}/log"
    project.write("connection_plugins/appliance.py", PERSISTENT.replace("LOG", repr(log)))
    project.configure("callback", more="connection_plugins = connection_plugins")
    reason = "a appliance connection has no POSIX shell to ask: of the kinds of checks only that and task work there"
    assert stopped(project) == {"h1": [f"unverified: {reason}", reason]}
    assert not (project.folder / "log").exists()
    project.write("precheck.yml", json.dumps({"rules": [rule(checks[2], {"task": {"ansible.builtin.debug": {"msg": "fine"}}})]}))
    run = project.run("play.yml", "--tags", "precheck")
    assert run.rc == 0, run.output


TASKS = """
- hosts: all
  gather_facts: false
  vars:
    braces: "{{ '{{ 1 + 1 }}' }}"
    # As if it came from a node: it is not to become a template.
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
          - {that: "1 > 2", message: "told {{ inventory_hostname }}"}
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
    - precheck.guard.check: {command: "test {{ number }} = 5", timeout: "{{ number }}", become: "{{ number != 5 }}"}
      vars: {number: 5}
    - ansible.builtin.copy:
        content: "{{ {'path': path, 'several': several, 'command': command, 'condition': condition} | to_json }}"
        dest: "{{ witness }}"
      check_mode: false
"""


@pytest.mark.parametrize("mode", ["", "--check"])
def test_the_action_as_a_task_of_any_play(project, mode):
    covered(project, rule({"that": False}), owner=str(os.getuid()), same="ours")
    project.write("play.yml", TASKS)
    project.write("h1/file", "ours\n")
    (project.folder / "h1/file").chmod(0o644)
    project.write("files/ours", "ours\n")
    run = project.run("play.yml", *filter(None, [mode]))
    assert run.rc == 0, run.output
    told = json.loads((project.folder / "witness").read_text())
    assert (told["path"]["verdict"], told["path"]["msg"]) == ("ready", "all checks passed")
    assert told["path"]["checks"] == [{"check": "/file", "verdict": "ready", "msg": ""}]
    assert not told["path"]["changed"]
    root = f"{project.folder}/h1"
    several = [(one["check"], one["verdict"], one["msg"]) for one in told["several"]["checks"]]
    assert several == [
        ("/gone", "not_ready", f"{root}/gone is missing"),
        ("a name", "not_ready", "a name: exit 3 ended with exit status 3"),
        ("1 > 2", "not_ready", "told h1"),
        ("/file", "not_ready", f"{root}/file is not a directory"),
        ("test {{ 1 + 1 }} = {{ 1 + 1 }}", "ready", ""),
        ("echo '{{ 1 + 1 }}'; exit 1", "not_ready", "{{ 1 + 1 }}"),
        ("/{{ 1 + 1 }}", "not_ready", f"{root}/{{{{ 1 + 1 }}}} is missing"),
        ("/gone", "not_ready", "{{ lookup('pipe', 'touch witness') }}"),
        ("True inventory_hostname == 'h1'", "ready", ""),
    ]
    assert told["several"]["verdict"] == "not_ready"
    assert told["several"]["msg"].startswith(f"{root}/gone is missing; a name: ")
    assert (told["command"]["verdict"], told["command"]["msg"], told["command"]["failed"]) == ("not_ready", "out", True)
    assert told["condition"]["verdict"] == "unverified"
    assert "'nowhere_defined' is undefined" in told["condition"]["msg"]


WRONG = {
    "": "expected one of path, command, that",
    "paht=/etc": "unknown key 'paht'",
    "path=/etc command=true": "expected only one of path|command|that",
    "path=/etc type=link": "type",
    "path=/etc mode=rw": "mode: expected an octal number",
    "path=/etc timeout=soon": "timeout: expected a number of whole seconds",
    "path=/etc timeout=0": "timeout: expected a number of whole seconds from 1 to 86400",
    "path=/etc become=perhaps": "become: expected true or false",
    "command=true owner=root": "owner needs path",
    "path=/etc same_as=nowhere": "same_as: there is no file nowhere on the control node",
    "task=true": "unknown key 'task'",
}


@pytest.mark.one_release
def test_wrong_arguments_of_the_action(project):
    covered(project, rule({"that": True}))
    tasks = [f"{{precheck.guard.check: {arguments!r}, ignore_errors: true}}" for arguments in WRONG]
    tasks += ["{precheck.guard.check: {checks: []}, ignore_errors: true}"]
    tasks += ["{precheck.guard.check: {checks: [{path: /etc}, {that: 'a ==='}, /etc]}, ignore_errors: true}"]
    project.write("play.yml", f"- hosts: all\n  gather_facts: false\n  tasks: [{', '.join(tasks)}]\n")
    run = project.run("play.yml")
    assert run.rc == 0, run.output
    messages = [json.loads(line)["msg"] for line in re.findall(r"FAILED! => (\{.*\})", run.stdout)]
    assert len(messages) == len(tasks)
    for text, message in zip(WRONG.values(), messages):
        assert text in message
    assert "not a valid expression" in messages[-1]
    assert "expected a mapping, not text" in messages[-1]


def test_the_action_from_the_command_line(project):
    """There all arguments are text."""
    covered(project, rule({"that": True}))
    project.write("h1/file", "")
    for arguments in ("path=/file become=false", "path=/file become=no timeout=10", "command='test a = a'", "that='1 < 2'"):
        run = project.run("ansible", "all", "-m", "precheck.guard.check", "-a", arguments)
        assert run.rc == 0, run.output
        assert '"verdict": "ready"' in run.stdout
    project.write("sudo", SUDO)
    (project.folder / "sudo").chmod(0o755)
    become = ("-e", f"ansible_become_exe={project.folder}/sudo ansible_become_user=daemon")
    command = "command='echo =$AS_ROOT=; exit 1'"
    for arguments, ran in {"": "yes", " become=true": "yes", " become=false": ""}.items():
        run = project.run("ansible", "all", "--become", "-m", "precheck.guard.check", "-a", command + arguments, *become)
        assert run.rc == 2, run.output
        assert f'"msg": "={ran}="' in run.stdout
    # What it cannot do is not passed over.
    run = project.run("ansible", "all", "-m", "precheck.guard.check", "-a", "command=true become=true", *become)
    assert run.rc == 2, run.output
    assert "become" in run.stdout
