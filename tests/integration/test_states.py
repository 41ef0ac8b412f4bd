# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The shell says yes only where the slower stat module would find the path as required."""

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
from ansible_collections.precheck.guard.plugins.plugin_utils.checks import path as path_kind
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.script import (
    YES,
    PathQuestion,
    scripts,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import READY

from support.output import reasons
from support.plays import play
from support.policies import policy, rule
from support.requirements import lacking

TEXT = "a certificate\n"
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()
DIGEST_OF_NOTHING = hashlib.sha256(b"").hexdigest()
NOBODY = 65534

# States that exist for an unprivileged user. Those in NOT_THERE do not, or it cannot tell.
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

# Runs the stat module for each list of arguments on stdin, as an unprivileged user. It first loads
# what it requires, as this user may not read it.
STAT = """
import contextlib, io, json, os, sys
from ansible.module_utils import basic
from ansible.modules import stat
calls = json.loads(sys.stdin.buffer.read())
def call(arguments):
    arguments = {"ANSIBLE_MODULE_ARGS": arguments | {"_ansible_no_log": True}}
    basic._ANSIBLE_ARGS = json.dumps(arguments).encode()
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
    """A directory with all states. An unprivileged user can enter it, unlike pytest's own."""
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
    """A question for each cell of the table, by the state and the number of the requirement."""
    return {
        (state, number): PathQuestion(os.path.join(directory, name), **required)
        for state, name in (THERE | NOT_THERE).items()
        for number, required in enumerate(REQUIRED)
    }


@pytest.fixture(scope="module")
def slow(questions):
    """Whether the stat module finds each path as required, by the key of its question."""
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
    results = dict(zip(stats, json.loads(done.stdout)))

    def ready(question):
        stat = results[question.path, bool(question.digest)].get("stat")
        if stat is None:
            return False
        return path_kind._verdict_by_stat(question, stat, question, "").state == READY

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
    limit = [shutil.which("timeout"), "-s", "KILL", "5"]  # it also ends what the shell started
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
            fast = answer is not None and answer.word == YES
            if fast and not slow[key]:
                too_lenient.append((state, REQUIRED[key[1]]))
            if slow[key] and not fast:
                too_strict.append((state, REQUIRED[key[1]]))
    assert too_lenient == []
    assert too_strict == []  # it may be, but each such host costs a run of the stat module


def test_the_stat_module_finds_each_state_as_expected(slow):
    """So the comparison above is with the right verdicts, on each release."""
    by_state = {
        state: [REQUIRED[number] for number in range(len(REQUIRED)) if slow[state, number]]
        for state in THERE | NOT_THERE
    }

    def passing(requirement):
        return [state for state, ready in by_state.items() if requirement in ready]

    assert passing({}) == list(THERE)
    assert [state for state in NOT_THERE if by_state[state]] == []
    modes = {"file": "0644", "no permission to read": "0600", "no permission at all": "0000"}
    for state, mode in modes.items():
        assert {"mode": mode} in by_state[state]
        assert ({"digest": DIGEST} in by_state[state]) == (state == "file")
    assert passing({"digest": DIGEST_OF_NOTHING}) == ["empty file", "link to an empty file"]
    assert passing({"owner": "65534"}) == ["of another owner"]
    assert REQUIRED[-2] in by_state["file"]
    assert REQUIRED[-2] in by_state["link"]
    # The unprivileged user owns it.
    assert REQUIRED[-1] in by_state["of another owner"]
    assert {"mode": "0777"} not in by_state["set user id"]
    assert {"mode": "0777"} not in by_state["sticky directory"]


POLICY = policy(rule({"path": "/etc/pki/ca.crt", "same_as": "ca.crt"}))
MISSING = "not ready: /etc/pki/ca.crt is missing"
UNKNOWN = "unverified: cannot tell whether /etc/pki/ca.crt exists: "
BY_SHELL = f"{MISSING} (as far as its shell can tell)\n"
REASONS = {  # by Python, the beginnings of the reasons of nodes
    "/usr/bin/python3": {
        "n1": f"{UNKNOWN}Permission denied\n",
        "n2": "unverified: cannot read /etc/pki/ca.crt to compare it with ",
        "n3": UNKNOWN,
        "n5": f"{MISSING}\n",
    },
    "/nowhere/python": {
        "n1": BY_SHELL,
        "n2": "unverified: cannot tell whether ",
        "n3": BY_SHELL,
        "n5": BY_SHELL,
    },
}


@pytest.mark.parametrize("python", REASONS)
def test_states_that_the_shell_cannot_decide(project, nodes, python):
    """n1 denies access to the directory, n2 to the file. n3 has a link loop, n5 no file."""
    project.configure("callback")
    project.write("play.yml", play())
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
    found = {name: "".join(f"{line}\n" for line in lines) for name, lines in reasons(run).items()}
    assert sorted(found) == sorted(REASONS[python])
    for name, reason in REASONS[python].items():
        assert found[name].startswith(reason)
