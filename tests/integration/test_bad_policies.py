# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A policy that cannot be used ends the run with one message before anything runs, whatever is wrong with it."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.commands import BIN, Run
from support.corpus import BAD, MADE, RULES, expected, make

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command: touch {{ playbook_dir }}/{{ witness | default('witness') }}
"""

# Starting ansible-playbook takes longer than all else that it does here. So it is started once, up to where it reads its
# command line, and forks for each policy.
FORKING = """
import json, os, sys, tempfile
from ansible.cli.playbook import PlaybookCLI
from ansible.executor import playbook_executor
for path in sys.argv[1:]:
    with tempfile.TemporaryFile("w+", errors="replace") as out, tempfile.TemporaryFile("w+", errors="replace") as err:
        if not (child := os.fork()):
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            PlaybookCLI.cli_executor(["ansible-playbook", "site.yml", "-e", "precheck_policy=" + path, "-e", "witness=other"])
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        print(json.dumps([code, out.read(), err.read()]))
"""

HEADER = "Precheck cannot use its policy, so nothing was run:"


def run_each(project, files):
    """Run the playbook with each of the policy files."""
    command = [sys.executable, "-c", FORKING, *(str(path) for path, _told in files)]
    quicker = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_INVENTORY_ENABLED": "ansible.builtin.yaml"}
    env = os.environ | {"ANSIBLE_CONFIG": str(project.directory / "ansible.cfg")} | quicker
    done = subprocess.run(
        command,
        cwd=project.directory,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    results = map(json.loads, done.stdout.splitlines())
    return [Run(subprocess.CompletedProcess(command, code, out, err)) for code, out, err in results]


@pytest.fixture
def playbook(project):
    """A project through one door, with a playbook that none of the policies here covers unless they say so."""
    project.configure("callback")
    project.local_hosts(missing="h1 h2")
    project.write("site.yml", PLAY)
    return project


def flat(text):
    return re.sub(r"\s", "", text)  # ansible-core before 2.19 breaks lines


def ended(run, project, *told, rc=1):
    """Return nothing when all is well: what is wrong would be drowned out by the hundreds of other runs."""
    assert run.rc == rc, run.output
    assert run.stderr.count("ERROR") == 1, run.output
    assert "TASK" not in run.stdout and "PLAY RECAP" not in run.stdout, run.output
    assert not (project.directory / "witness").exists(), "the play was run"
    for text in told:
        assert flat(text) in flat(run.stderr), (text, run.stderr)


@pytest.mark.one_release
def test_each_bad_file(playbook):
    # The unit tests look at every file; some of them are enough to see that ansible-playbook passes on what they say.
    files = [(path, expected(path)) for path in BAD[::18]] + [
        make(name, playbook.directory) for name in MADE
    ]
    with ThreadPoolExecutor(2) as pool:
        [first, second] = pool.map(functools.partial(run_each, playbook), [files[::2], files[1::2]])
    wrong = []
    for (path, told), run in [*zip(files[::2], first), *zip(files[1::2], second)]:
        try:
            ended(run, playbook, HEADER, *told)
            assert run.stderr.count(f"{path}:") == len(told), run.stderr
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
    ended(
        playbook.run("site.yml", "-e", f"precheck_policy={path}"), playbook, HEADER, *expected(path)
    )


def test_a_vaulted_policy_without_its_password(playbook):
    path, _told = make("vaulted", playbook.directory)
    run = playbook.run("site.yml", "-e", f"precheck_policy={path}")
    ended(run, playbook, HEADER, f"{path}: ", "vault")
    playbook.write("password", "a password\n")
    assert (
        playbook.run(
            "site.yml", "-e", f"precheck_policy={path}", "--vault-password-file", "password"
        ).rc
        == 0
    )


@pytest.mark.one_release
def test_a_file_that_may_not_be_read(playbook):
    playbook.write("policy.yml", RULES)
    (playbook.directory / "policy.yml").chmod(0)
    command = [str(BIN / "ansible-playbook"), "site.yml", "-e", "precheck_policy=policy.yml"]
    if os.geteuid() == 0:  # who may read all, but for these capabilities
        if not shutil.which("setpriv"):
            pytest.skip("root can read all files; to be another needs setpriv")
        command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]
    env = os.environ | {"ANSIBLE_CONFIG": str(playbook.directory / "ansible.cfg")}
    run = subprocess.run(
        command,
        cwd=playbook.directory,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert f"{HEADER}\n  {playbook.directory}/policy.yml: " in run.stderr
    assert "ermission denied" in run.stderr
    assert "Traceback" not in run.stderr and "TASK" not in run.stdout
    assert not (playbook.directory / "witness").exists()


@pytest.mark.one_release
def test_the_problems_of_all_files_are_told_at_once(playbook):
    playbook.write("company.yml", RULES.replace("- name: r", "- name: r\n    severity: fatal"))
    playbook.write("project.yml", RULES + "    mandatory: 1\n")
    playbook.write("good.yml", RULES)
    playbook.write("again.yml", "\n" + RULES)
    run = playbook.run(
        "site.yml", "-e", "precheck_policy=company.yml,project.yml,good.yml,again.yml,nowhere.yml"
    )
    directory = playbook.directory
    lines = [
        (
            f"{directory}/company.yml:3: rule r: value of severity must be one of: error, warn,"
            " got: fatal"
        ),
        f"{directory}/project.yml:5: rule r: mandatory: expected true or false, not a number",
        f"{directory}/again.yml:3: rule r: there is a rule of this name at {directory}/good.yml:2",
        f"{directory}/nowhere.yml: there is no such file",
    ]
    ended(run, playbook, "\n  ".join([HEADER, *lines]))
    assert run.stderr.count(f"{directory}/") == 5


def test_syntax_check_and_listing_need_no_policy(playbook):
    playbook.write("precheck.yml", "rules: [")
    for option in ("--syntax-check", "--list-tasks"):
        run = playbook.run("site.yml", option)
        assert run.rc == 0
        assert "precheck" not in run.output.lower().replace(str(playbook.directory).lower(), "")
    ended(
        playbook.run("site.yml"),
        playbook,
        HEADER,
        f"{playbook.directory}/precheck.yml:1: not valid YAML",
    )


def test_a_play_that_the_policy_does_not_cover_is_ended_too(playbook):
    """Nobody can tell what a policy covers that cannot be read. Nor does an opt-out help."""
    playbook.write("site.yml", PLAY.replace("hosts: all", "hosts: all\n  tags: no_precheck"))
    playbook.write("precheck.yml", RULES + "    colour: red\n")
    told = (
        f"{playbook.directory}/precheck.yml:5: rule r: a rule: unknown key 'colour':"
        " expected name, plays, when, checks"
    )
    ended(playbook.run("site.yml", "--skip-tags", "precheck"), playbook, HEADER, told)


def policy(**keys):
    checks = keys.pop("checks", "[{that: true}]")
    more = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    return f"rules:\n  - name: r\n    plays: [{{play: '*'}}]\n    checks: {checks}\n{more}"


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("[true, no_such_thing > 5]", "'no_such_thing' is undefined"),
        ("groups.no_such_group | length", "has no attribute 'no_such_group'"),
        ("a is defined | no_such_filter", "'no_such_filter'"),
        ("a is no_such_test", "'no_such_test'"),
        ("round == 1", "ecursive loop"),
    ],
)
def test_a_when_that_has_no_value_ends_the_run(playbook, when, why):
    playbook.write("precheck.yml", policy(when=when))
    run = playbook.run(
        "site.yml", "-e", '{"round": "{{ and_round }}", "and_round": "{{ round }}", "a": 1}'
    )
    expression = when.strip("[]").split(", ")[-1]
    told = (
        f"rule r ({playbook.directory}/precheck.yml:2) applies to h1, so nothing was run: in"
        f" its when, {expression}: "
    )
    ended(run, playbook, told)
    assert flat(why) in flat(run.stderr)


LOOP = '{"round": "{{ and_round }}", "and_round": "{{ round }}", "itself": "a {{ itself }}"}'


def test_templates_without_an_end_in_what_is_checked(playbook):
    """Each such check is unverified, which ends the run as well; the others are reported all the same."""
    checks = """
      - path: "/{{ round }}"
      - path: /a
        owner: "{{ itself }}"
      - path: /a
        same_as: "{{ itself }}"
      - command: "{{ itself }}"
      - command: ["true", "{{ round }}"]
      - that: round == 1
      - that: no_such_thing
      - that: itself
        once: true
      - path: "{{ no_such_thing }}"
      - path: /no/such/file
      - task: {ansible.builtin.debug: {msg: "{{ no_such_thing }}"}}
        name: a task"""
    playbook.write("precheck.yml", policy(checks=checks))
    run = playbook.run("site.yml", "-e", LOOP)
    assert run.rc == 2
    assert not (playbook.directory / "witness").exists()
    assert "2 of 2 hosts are not ready" in run.stderr
    for text in (
        "/{{ round }} cannot be asked: ",
        "/a cannot be asked: ",
        "{{ itself }} cannot be asked: ",
        "true {{ round }} cannot be asked: ",
        "round == 1 cannot be evaluated: ",
        "no_such_thing cannot be evaluated: 'no_such_thing' is undefined",
        "itself cannot be evaluated: ",
        "{{ no_such_thing }} cannot be asked: 'no_such_thing' is undefined",
        "/no/such/file is missing",
        "a task: ",
    ):
        assert text in run.stderr, text


def test_templates_without_an_end_in_what_is_told(playbook):
    """The operator reads the template instead, and the reason all the same."""
    playbook.write(
        "precheck.yml",
        policy(
            checks="""
      - {path: /no/such/file, message: "the file {{ itself }}"}
      - {that: false, message: "the condition {{ no_such_thing }}"}
      - {that: false, once: true, message: "the play {{ itself }}"}""",
            message='"all of {{ round }}"',
            remedy='"./node.yml {{ itself }}"',
        ),
    )
    run = playbook.run("site.yml", "-e", LOOP)
    assert run.rc == 2
    assert not (playbook.directory / "witness").exists()
    told = [
        "file {{ itself }}",
        "condition {{ no_such_thing }}",
        "play {{ itself }}",
        "all of {{ round }} (",
        "./node.yml {{ itself }} (",
    ]
    for text in told:
        assert text in run.stderr, text
