# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A policy that cannot be used ends the run with one message before anything runs."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.commands import BIN, Run, run_command
from support.corpus import BAD, MADE, RULES, expected, make
from support.output import UNUSABLE_POLICY, assert_refused
from support.policies import policy, rule

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command: touch {{ playbook_dir }}/{{ witness | default('witness') }}
"""

# Starting ansible-playbook takes longer than everything else here. So it starts once, up to where
# it reads its command line, and forks for each policy.
FORKING = """
import json, os, sys, tempfile
from ansible.cli.playbook import PlaybookCLI
from ansible.executor import playbook_executor
for path in sys.argv[1:]:
    new_file = lambda: tempfile.TemporaryFile("w+", errors="replace")
    with new_file() as out, new_file() as err:
        if not (child := os.fork()):
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            options = ["-e", "precheck_policy=" + path, "-e", "witness=other"]
            PlaybookCLI.cli_executor(["ansible-playbook", "site.yml", *options])
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        print(json.dumps([code, out.read(), err.read()]))
"""


def run_each(project, files):
    """Run the playbook with each of the policy files."""
    command = [sys.executable, "-c", FORKING, *(str(path) for path, _messages in files)]
    faster = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml"}
    config = f"{project.directory}/ansible.cfg"
    done = run_command(command, project.directory, ANSIBLE_CONFIG=config, **faster)
    assert done.rc == 0, done.output
    results = map(json.loads, done.stdout.splitlines())
    return [Run(subprocess.CompletedProcess(command, code, out, err)) for code, out, err in results]


@pytest.fixture
def playbook(project):
    """A project with a playbook that these policies do not cover unless they say so."""
    project.configure("callback")
    project.local_hosts(missing="h1 h2")
    project.write("site.yml", PLAY)
    return project


def assert_nothing_ran(run, project, *texts):
    """Assert that the run ended before any task, with one error that has these texts."""
    assert_refused(run, *texts)
    assert not (project.directory / "witness").exists(), "the play was run"


@pytest.mark.one_release
def test_bad_files_end_the_run_with_their_messages(playbook):
    """Some of them are enough to show that ansible-playbook prints what the unit tests compare."""
    files = [(path, expected(path)) for path in BAD[::18]]
    files += [make(name, playbook.directory) for name in MADE]
    with ThreadPoolExecutor(2) as pool:
        [first, second] = pool.map(functools.partial(run_each, playbook), [files[::2], files[1::2]])
    wrong = []
    for (path, messages), run in [*zip(files[::2], first), *zip(files[1::2], second)]:
        try:
            assert_nothing_ran(run, playbook, UNUSABLE_POLICY, *messages)
            assert run.stderr.count(f"{path}:") == len(messages), run.stderr
            assert "Traceback" not in run.output
        except AssertionError as ex:
            wrong.append(f"{path.name}: {ex}")
    assert not wrong, "\n".join(wrong)
    assert not (playbook.directory / "other").exists()


@pytest.mark.parametrize(
    "name", ["several_problems", "tab", "task_with_unknown_module", "python_object"]
)
def test_bad_files_on_every_release(playbook, name):
    [path] = [path for path in BAD if path.stem == name]
    run = playbook.run("site.yml", "-e", f"precheck_policy={path}")
    assert_nothing_ran(run, playbook, UNUSABLE_POLICY, *expected(path))


def test_a_vaulted_policy_requires_its_password(playbook):
    path, _messages = make("vaulted", playbook.directory)
    options = ("site.yml", "-e", f"precheck_policy={path}")
    assert_nothing_ran(playbook.run(*options), playbook, UNUSABLE_POLICY, f"{path}: ", "vault")
    playbook.write("password", "a password\n")
    assert playbook.run(*options, "--vault-password-file", "password").rc == 0


@pytest.mark.one_release
def test_a_file_that_may_not_be_read(playbook):
    playbook.write("policy.yml", RULES)
    (playbook.directory / "policy.yml").chmod(0)
    command = [str(BIN / "ansible-playbook"), "site.yml", "-e", "precheck_policy=policy.yml"]
    if os.geteuid() == 0:  # root may read all files, unless it lacks these capabilities
        if not shutil.which("setpriv"):
            pytest.skip("root can read all files; to be another user requires setpriv")
        command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]
    config = f"{playbook.directory}/ansible.cfg"
    run = run_command(command, playbook.directory, ANSIBLE_CONFIG=config)
    assert run.rc == 1
    assert f"{UNUSABLE_POLICY}\n  {playbook.directory}/policy.yml: " in run.stderr
    assert "ermission denied" in run.stderr
    assert "Traceback" not in run.stderr and "TASK" not in run.stdout
    assert not (playbook.directory / "witness").exists()


@pytest.mark.one_release
def test_the_problems_of_all_files_are_in_one_error(playbook):
    playbook.write("company.yml", RULES.replace("- name: r", "- name: r\n    severity: fatal"))
    playbook.write("project.yml", RULES + "    waiver: 1\n")
    playbook.write("good.yml", RULES)
    playbook.write("again.yml", "\n" + RULES)
    files = "company.yml,project.yml,good.yml,again.yml,nowhere.yml"
    run = playbook.run("site.yml", "-e", f"precheck_policy={files}")
    directory = playbook.directory
    severity = "rule r: severity: expected error, exclude or warn, not 'fatal'"
    lines = [
        UNUSABLE_POLICY,
        f"{directory}/company.yml:3: {severity}",
        f"{directory}/project.yml:5: rule r: waiver: expected text, not a number",
        f"{directory}/again.yml:3: rule r: there is a rule of this name at {directory}/good.yml:2",
        f"{directory}/nowhere.yml: there is no such file",
    ]
    assert_nothing_ran(run, playbook, "\n  ".join(lines))
    assert run.stderr.count(f"{directory}/") == 5


def test_syntax_check_and_listing_require_no_policy(playbook):
    playbook.write("precheck.yml", "rules: [")
    for option in ("--syntax-check", "--list-tasks"):
        run = playbook.run("site.yml", option)
        assert run.rc == 0
        assert "precheck" not in run.output.lower().replace(str(playbook.directory).lower(), "")
    problem = f"{playbook.directory}/precheck.yml:1: not valid YAML"
    assert_nothing_ran(playbook.run("site.yml"), playbook, UNUSABLE_POLICY, problem)


def test_a_bad_policy_ends_also_plays_that_it_does_not_cover_or_that_opt_out(playbook):
    """What a policy covers that cannot be read is unknown."""
    playbook.write("site.yml", PLAY.replace("hosts: all", "hosts: all\n  tags: no_precheck"))
    playbook.write("precheck.yml", RULES + "    colour: red\n")
    problem = (
        f"{playbook.directory}/precheck.yml:5: rule r: a rule: unknown key 'colour':"
        " expected name, plays, when, checks"
    )
    run = playbook.run("site.yml", "--skip-tags", "precheck")
    assert_nothing_ran(run, playbook, UNUSABLE_POLICY, problem)


NO_VALUE = {  # the condition, and why it, or the last of a list, has no value
    "undefined variable": ([True, "no_such_thing > 5"], "'no_such_thing' is undefined"),
    "undefined attribute": ("groups.no_such_group | length", "has no attribute 'no_such_group'"),
    "unknown filter": ("a is defined | no_such_filter", "'no_such_filter'"),
    "unknown test": ("a is no_such_test", "'no_such_test'"),
    "recursive loop": ("round == 1", "ecursive loop"),
}


@pytest.mark.parametrize(("when", "why"), NO_VALUE.values(), ids=NO_VALUE)
def test_a_when_that_has_no_value_ends_the_run(playbook, when, why):
    playbook.write("precheck.yml", policy(rule({"that": True}, when=when)))
    variables = '{"round": "{{ and_round }}", "and_round": "{{ round }}", "a": 1}'
    run = playbook.run("site.yml", "-e", variables)
    expression = when[-1] if isinstance(when, list) else when
    error = (
        f"rule only ({playbook.directory}/precheck.yml:2) applies to h1, so nothing was run:"
        f" in its when, {expression}: "
    )
    assert_nothing_ran(run, playbook, error, why)


LOOP = '{"round": "{{ and_round }}", "and_round": "{{ round }}", "itself": "a {{ itself }}"}'


def test_endless_templates_in_checks_are_unverified(playbook):
    """Each such check is unverified. The others are reported too."""
    checks = [
        {"path": "/{{ round }}"},
        {"path": "/a", "owner": "{{ itself }}"},
        {"path": "/a", "same_as": "{{ itself }}"},
        {"command": "{{ itself }}"},
        {"command": ["true", "{{ round }}"]},
        {"that": "round == 1"},
        {"that": "no_such_thing"},
        {"that": "itself", "once": True},
        {"path": "{{ no_such_thing }}"},
        {"path": "/no/such/file"},
        {"task": {"ansible.builtin.debug": {"msg": "{{ no_such_thing }}"}}, "name": "a task"},
    ]
    playbook.write("precheck.yml", policy(rule(*checks)))
    run = playbook.run("site.yml", "-e", LOOP)
    assert run.rc == 2
    assert not (playbook.directory / "witness").exists()
    assert "2 of 2 hosts are not ready" in run.stderr
    for text in (
        "/{{ round }} cannot be checked: ",
        "/a cannot be checked: ",
        "{{ itself }} cannot be checked: ",
        "true {{ round }} cannot be checked: ",
        "round == 1 cannot be evaluated: ",
        "no_such_thing cannot be evaluated: 'no_such_thing' is undefined",
        "itself cannot be evaluated: ",
        "{{ no_such_thing }} cannot be checked: 'no_such_thing' is undefined",
        "/no/such/file is missing",
        "a task: ",
    ):
        assert text in run.stderr, text


def test_endless_templates_in_messages_are_printed_as_they_are(playbook):
    """The operator reads the template instead of its value, and the reason too."""
    checks = [
        {"path": "/no/such/file", "message": "the file {{ itself }}"},
        {"that": False, "message": "the condition {{ no_such_thing }}"},
        {"that": False, "once": True, "message": "the play {{ itself }}"},
    ]
    endless = rule(*checks, message="all of {{ round }}", remedy="./node.yml {{ itself }}")
    playbook.write("precheck.yml", policy(endless))
    run = playbook.run("site.yml", "-e", LOOP)
    assert run.rc == 2
    assert not (playbook.directory / "witness").exists()
    for text in (
        "file {{ itself }}",
        "condition {{ no_such_thing }}",
        "play {{ itself }}",
        "all of {{ round }} (",
        "./node.yml {{ itself }} (",
    ):
        assert text in run.stderr, text
