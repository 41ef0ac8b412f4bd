# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shell's yes is never given where the stat module, the slow way, would not find a path as required."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ansible.plugins import loader  # noqa: F401 - before 2.15 it must come before any part of a collection
from ansible_collections.precheck.guard.plugins.plugin_utils import checking
from ansible_collections.precheck.guard.plugins.plugin_utils.policy import Check
from ansible_collections.precheck.guard.plugins.plugin_utils.question import (
    YES,
    PathQuestion,
    scripts,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import READY

from support.requirements import lacking

TEXT = "a certificate\n"
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()
DIGEST_OF_NOTHING = hashlib.sha256(b"").hexdigest()
NOBODY = 65534

# States that are there for an unprivileged user, and those that are not, or of which it cannot tell.
THERE = {
    "file": "file",
    "empty file": "empty",
    "no permission to read": "unreadable",
    "no permission at all": "closed",
    "directory": "directory",
    "directory and a slash": "directory/",
    "directory without permission": "shut",
    "in a directory that cannot be listed": "unlisted/file",
    "link": "link",
    "link to an empty file": "link to empty",
    "link to a directory": "link to directory",
    "link to what cannot be read": "link to unreadable",
    "through a link": "link to directory/file",
    "pipe": "pipe",
    "device": "/dev/null",
    "device without an end": "/dev/zero",
    "set user id": "setuid",
    "sticky directory": "sticky",
    "long name": "x" * 255,
    "not UTF-8": b"\xff\xfe".decode(errors="surrogateescape"),
    "line end": "a\nb\n",
    "space": " ",
    "of another owner": "nobody's",
}
NOT_THERE = {
    "nothing": "gone",
    "nothing in a directory": "directory/gone",
    "dangling link": "dangling",
    "link loop": "loop",
    "in a directory without permission": "shut/file",
    "link into a directory without permission": "link to shut",
    "through a file": "file/below",
    "file and a slash": "file/",
    "through a link loop": "loop/file",
    "name too long": "x" * 256,
    "path too long": "directory/" + "./" * 2100 + "file",
    "not UTF-8 and not there": b"\xfe\xff".decode(errors="surrogateescape"),
}
REQUIRED = [
    {},
    {"type": "file"},
    {"type": "directory"},
    {"mode": "0000"},
    {"mode": "0400"},
    {"mode": "0600"},
    {"mode": "0644"},
    {"mode": "0755"},
    {"mode": "0777"},
    {"mode": "7777"},
    {"owner": "root"},
    {"owner": "0"},
    {"owner": "65534"},
    {"owner": "no such user"},
    {"group": "root"},
    {"group": "0"},
    {"group": "65534"},
    {"digest": DIGEST},
    {"digest": DIGEST_OF_NOTHING},
    {"type": "file", "mode": "0644", "owner": "root", "group": "root", "digest": DIGEST},
    {"type": "file", "mode": "0600", "owner": "65534", "group": "65534", "digest": DIGEST},
]

# Runs the stat module for each list of arguments on stdin, as the user that it is told. What it needs, it has loaded
# before that, as the user may not be allowed to read it.
STAT = """
import contextlib, io, json, os, sys
from ansible.module_utils import basic
from ansible.modules import stat
calls = json.loads(sys.stdin.buffer.read())
def call(arguments):
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments | {"_ansible_no_log": True}}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    output = io.TextIOWrapper(io.BytesIO(), write_through=True)
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        stat.main()
    return json.loads(output.buffer.getvalue())
call({"path": "/"})
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(json.dumps([call(arguments) for arguments in calls]))
"""


@pytest.fixture(scope="module")
def directory():
    """All states. Not in pytest's own directory, which an unprivileged user cannot enter."""
    if os.geteuid() != 0:
        pytest.skip("files of several owners need root")
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    for name in ("file", "unreadable", "closed", "setuid", "x" * 255, "a\nb\n", " ", "nobody's"):
        (path / name).write_text(TEXT)
    (path / THERE["not UTF-8"]).write_text(TEXT)
    (path / "empty").touch()
    for name in ("directory", "shut", "unlisted", "sticky"):
        (path / name).mkdir()
        (path / name / "file").write_text(TEXT)
    for name in ("file", "empty", "directory", "unreadable"):
        (path / f"link to {name}").symlink_to(name)
    (path / "link").symlink_to("file")
    (path / "link to shut").symlink_to("shut/file")
    (path / "dangling").symlink_to("gone")
    (path / "loop").symlink_to("loop")
    os.mkfifo(path / "pipe")
    os.chown(path / "nobody's", NOBODY, NOBODY)
    modes = {
        "unreadable": 0o600,
        "closed": 0,
        "shut": 0o700,
        "unlisted": 0o711,
        "setuid": 0o4755,
        "sticky": 0o1777,
        "nobody's": 0o600,
    }
    for name, mode in modes.items():
        (path / name).chmod(mode)
    tools = path / "busybox"
    tools.mkdir()
    if shutil.which("busybox"):
        subprocess.run(["busybox", "--install", "-s", tools], check=True)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def questions(directory):
    """A question for each cell of the table, by the state and the number of what is required."""
    return {
        (state, number): PathQuestion(os.path.join(directory, name), **required)
        for state, name in (THERE | NOT_THERE).items()
        for number, required in enumerate(REQUIRED)
    }


@pytest.fixture(scope="module")
def slow(questions):
    """Whether the stat module finds each path as required."""
    stats = {}
    for question in questions.values():
        stats[question.path, bool(question.digest)] = {
            "path": question.path,
            "follow": True,
            "get_checksum": bool(question.digest),
            "checksum_algorithm": "sha256",
            "get_mime": False,
            "get_attributes": False,
        }
    done = subprocess.run(
        [sys.executable, "-c", STAT],
        input=json.dumps(list(stats.values())),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found = dict(zip(stats, json.loads(done.stdout)))

    def ready(question):
        stat = found[question.path, bool(question.digest)].get("stat")
        return (
            stat is not None
            and checking._of_stat(Check("path", question.path), question, stat).state == READY
        )

    return {key: ready(question) for key, question in questions.items()}


@pytest.mark.one_release
@pytest.mark.parametrize("tools", ["the machine's", "busybox", "no sha256sum"])
def test_the_shell_is_as_strict_as_the_stat_module(directory, questions, slow, tools):
    environment = dict(os.environ)
    shell = "/bin/sh"
    if tools == "busybox":
        if not shutil.which("busybox"):
            lacking("busybox is not installed")
        environment, shell = {"PATH": str(directory / "busybox")}, str(directory / "busybox/sh")
    elif tools == "no sha256sum":
        (directory / "broken").mkdir(exist_ok=True)
        (directory / "broken/sha256sum").write_text("#!/bin/sh\nexit 1\n")
        (directory / "broken/sha256sum").chmod(0o755)
        environment["PATH"] = f"{directory}/broken:{environment['PATH']}"
    user = [shutil.which("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    limit = [shutil.which("timeout"), "-s", "KILL", "5"]  # it ends all that the shell started, too
    too_lenient, too_strict = [], []
    for state in THERE | NOT_THERE:
        keys = [key for key in questions if key[0] == state]
        answers = []
        for script in scripts([questions[key] for key in keys]):
            done = subprocess.run(
                [*limit, *user, shell, "-c", script.text],
                env=environment,
                capture_output=True,
                check=False,
            )
            answers += script.answers(done.stdout.decode())
        for key, answer in zip(keys, answers):
            fast = answer is not None and answer[0] == YES
            if fast and not slow[key]:
                too_lenient.append((state, REQUIRED[key[1]]))
            if slow[key] and not fast:
                too_strict.append((state, REQUIRED[key[1]]))
    assert too_lenient == []
    assert too_strict == []  # it may be, but then each such host costs a run of the stat module


def test_what_the_stat_module_says_of_each_state(slow):
    """So that the comparison is with what is expected, on each release."""
    by_state = {
        state: [REQUIRED[number] for number in range(len(REQUIRED)) if slow[state, number]]
        for state in THERE | NOT_THERE
    }
    assert [state for state, ready in by_state.items() if {} in ready] == list(THERE)
    assert [state for state in NOT_THERE if by_state[state]] == []
    for state, mode in {
        "file": "0644",
        "no permission to read": "0600",
        "no permission at all": "0000",
    }.items():
        assert {"mode": mode} in by_state[state]
        assert ({"digest": DIGEST} in by_state[state]) == (state == "file")
    assert [state for state in THERE if {"digest": DIGEST_OF_NOTHING} in by_state[state]] == [
        "empty file",
        "link to an empty file",
    ]
    assert [state for state in THERE if {"owner": "65534"} in by_state[state]] == [
        "of another owner"
    ]
    assert REQUIRED[-2] in by_state["file"]
    assert REQUIRED[-2] in by_state["link"]
    # It is not the unprivileged user's to read, but here it is its own.
    assert REQUIRED[-1] in by_state["of another owner"]
    assert {"mode": "0777"} not in by_state["set user id"]
    assert {"mode": "0777"} not in by_state["sticky directory"]


PLAY = (
    "- name: Files\n  hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.raw:"
    " touch /etc/pki/witness}]\n"
)
POLICY = """
rules:
  - name: files
    plays: [{play: Files}]
    checks: [{path: /etc/pki/ca.crt, same_as: ca.crt}]
"""


@pytest.mark.parametrize("python", ["/usr/bin/python3", "/nowhere/python"])
def test_states_that_an_operator_meets(project, nodes, python):
    project.configure("callback")
    project.write("play.yml", PLAY)
    project.write("precheck.yml", POLICY)
    project.write("ca.crt", "a certificate\n")
    nodes.reset(ready="n1 n2 n4")
    for name in ("n1", "n2", "n4"):
        nodes.path(name, "nobody").touch()
    nodes.path("n1", "pki").chmod(0o700)
    nodes.path("n2", "pki/ca.crt").chmod(0o600)
    nodes.path("n3", "pki/ca.crt").symlink_to("ca.crt")
    run = project.run("play.yml", "-e", f"ansible_python_interpreter={python}")
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert "  n4  " not in run.stderr
    unverified = "  {}  unverified: cannot {}"
    missing = "  {}  not ready: /etc/pki/ca.crt is missing"
    assert (
        unverified.format(
            "n2", "read /etc/pki/ca.crt to compare it with " if "usr" in python else "tell whether "
        )
        in run.stderr
    )
    if "usr" in python:
        assert (
            unverified.format("n1", "tell whether /etc/pki/ca.crt is there: Permission denied\n")
            in run.stderr
        )
        assert unverified.format("n3", "tell whether /etc/pki/ca.crt is there: ") in run.stderr
        assert missing.format("n5") + "\n" in run.stderr
    else:
        for name in ("n1", "n3", "n5"):
            assert missing.format(name) + " (as far as its shell can tell)\n" in run.stderr
