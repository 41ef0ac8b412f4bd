# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may break while the guard works, on a node or on the control node, and the outcome.

Nothing of the play runs, and the operator reads which host it is and what is wrong with it.
docs/contract.md has the same as a table, which test_tables compares with this file.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import BIN, Run, clean_environment, run_command
from support.nodes import ADDRESSES, GREETING, MUTE, STALLED, STOPPED
from support.output import assert_stopped_for, is_printed
from support.policies import policy, rule
from support.project import IS_2_10, RELEASE
from support.requirements import lacking

AS_EVER = "the node passes if it is ready, and is reported not ready if it is not"
AT_ONCE = (
    "the run ends at once with the exit status of ansible-core, and leaves no process and no"
    " temporary file behind"
)

FAULTS: dict[str, str] = {
    "the node is down": "unverified: the connection is refused",
    "the node hangs while connecting": "unverified: the connection timed out",
    "the node hangs after its SSH greeting": "unverified: it timed out",
    "the node hangs during authentication": "unverified: no answer within the timeout",
    "the node never answers": (
        "unverified: no answer within the timeout, which is 30 s by default"
    ),
    "the node hangs in the middle of its answer": "unverified: no answer within the timeout",
    "the node sends an endless answer": "unverified: no answer within the timeout",
    "the node comes up while ssh retries": (
        "the node passes if it is ready: the timeout grows with `timeout` and `retries`"
    ),
    "the connection is cut in the middle of the answer": "unverified: the node is unreachable",
    "the node's SSH host key changed": (
        "unverified: the node is unreachable, with the warning of ssh"
    ),
    "the login shell is nologin": "unverified, with the output of nologin",
    "permission denied on the way to the path": (
        "unverified, with that reason: the path is not reported missing"
    ),
    "a connection variable is undefined": "unverified, with its name",
    "the node's disk is full": AS_EVER,
    "the node's disk is read-only": AS_EVER,
    "`/tmp` on the node is not writable": AS_EVER,
    "the user has no home directory": AS_EVER,
    "the login shell is fish": AS_EVER,
    "the login shell is csh": AS_EVER,
    "the login shell is tcsh": AS_EVER,
    "the login shell prints 1 MB first": AS_EVER,
    "no Python on the node": AS_EVER,
    "the node's clock is in 1970": AS_EVER,
    "no working sudo on the node": AS_EVER,
    "the path to check is dated 1970, or in the future": "the node passes: dates do not matter",
    "the node goes down between two plays": (
        "it was already verified: the second play's own tasks fail"
    ),
    "SIGINT while 50 hosts are checked": AT_ONCE,
    "SIGTERM while 50 hosts are checked": AT_ONCE,
    "the run is stopped for longer than the timeout, and continued (`Ctrl-Z`, `fg`)": (
        "the nodes pass if they are ready: the time does not count"
    ),
    "a worker of ansible-core is killed": (
        "unverified: the process that checked the host was killed"
    ),
    "the control node cannot start all workers": (
        "the nodes are checked by those that it can start; unverified if it can start none"
    ),
    "nobody reads the output for some seconds": "the run waits: no result is lost",
    "stdout is closed": "stopped: the reason is on stderr",
    "the control node is out of file descriptors": (
        "the run ends with an error, or the hosts are unverified"
    ),
    "the control node is out of space for ssh sockets": (
        "unverified: the hosts are unreachable, with that reason"
    ),
    "the control node is out of space for temporary files": "the run ends with an error",
    "the control node is out of space for its output": "the run ends with an error",
    "the control node is out of space for the report": (
        "a warning; the run ends as it would without a report"
    ),
    "an error inside the guard": "the run ends with an error that names the play",
    "the callback cannot install the guard": "the run ends with an error that names the play",
}

PLAY = """
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  {keywords}
  tasks:
    - ansible.builtin.raw: {task}
"""
F_SETPIPE_SZ = 1031  # of Linux; Python has the name since 3.10
TIMEOUT = "8"  # seconds, which are enough for the nodes without a fault
EVERY_NODE = " ".join(ADDRESSES)


def prepare(project, nodes, missing="", keywords="serial: 2", task="touch /etc/pki/witness"):
    """Write a play whose last batch ends with n5. Every node is ready but ``missing``."""
    nodes.reset(ready=EVERY_NODE.replace(missing, "") if missing else EVERY_NODE)
    project.write("pgsql.yml", PLAY.format(keywords=keywords, task=task))


def assert_stopped(run, nodes, reason, host="n5"):
    """Assert that nothing ran, because of one host, for this reason, a regular expression."""
    assert_stopped_for(run, nodes, host, reason)
    assert not any("witness" in nodes.commands(name) for name in ADDRESSES)
    assert run.stdout.count("PLAY [") == run.stdout.count("TASK [") == 1
    state = "unverified" if reason.startswith("unverified") else "not ready"
    assert f": 1 of 5 hosts is {state}.\n" in run.stderr


def equip(nodes, name, commands, shell=""):
    """Let a node prepare itself with ``commands``, with the script ``shell`` as its login shell."""
    if shell:
        nodes.path(name, "shell").write_text(f"#!/bin/sh\n{shell}\n")
        nodes.path(name, "shell").chmod(0o755)
        commands = f"SHELL=$NODE/shell\n{commands}"
    nodes.path(name, "prepare").write_text(commands)


def at(address: str) -> Callable[..., dict[str, object]]:
    """The node is at another address."""
    return lambda nodes: {"ansible_host": address}


def never_answers(nodes):
    nodes.path("n5", "hang").touch()
    return {}


def breaks_off(then: str) -> Callable[..., dict[str, object]]:
    """The node sends half of its answer, and waits until it is certainly sent."""

    def broken(nodes):
        equip(nodes, "n5", "", f'sh "$@" | head -c 15\nsleep 0.5\n{then}')
        return {}

    return broken


def answers_without_end(nodes):
    equip(nodes, "n5", "", "while :; do echo yes; sleep 0.1; done")
    return {}


def has_another_key(nodes):
    known_hosts = nodes.path("n5", "known_hosts")
    known_hosts.write_text(
        f"[{ADDRESSES['n5']}]:{nodes.port} {(nodes.directory / 'client_key.pub').read_text()}"
    )
    options = (
        nodes.host("n5")["ansible_ssh_common_args"]
        .replace("=no", "=yes")
        .replace("/dev/null", str(known_hosts))
    )
    # Use a new connection: an open one does not check the key.
    return {
        "ansible_ssh_common_args": options,
        "ansible_host_key_checking": True,
        "ansible_ssh_args": "-o ControlMaster=no",
    }


def denies_permission(nodes):
    nodes.path("n5", "nobody").touch()
    nodes.path("n5", "pki").chmod(0o700)
    # That of the tests may be in a closed directory.
    return {"ansible_python_interpreter": "/usr/bin/python3"}


# The fault of n5, a function that returns variables for it, and the reason that is printed.
UNVERIFIED = {
    "the node is down": (at(STOPPED), "unreachable: .*Connection refused"),
    "the node hangs while connecting": (at(MUTE), "unreachable: .*timed out"),
    "the node hangs after its SSH greeting": (at(GREETING), "(unreachable: .*)?timed out"),
    "the node hangs during authentication": (
        at(STALLED),
        f"timed out: no answer within {TIMEOUT} s, the limit of task_timeout\n",
    ),
    "the node never answers": (
        never_answers,
        f"timed out: no answer within {TIMEOUT} s, the limit of task_timeout\n",
    ),
    "the node hangs in the middle of its answer": (
        breaks_off("sleep 300"),
        f"timed out: no answer within {TIMEOUT} s, the limit of task_timeout\n",
    ),
    "the node sends an endless answer": (
        answers_without_end,
        f"timed out: no answer within {TIMEOUT} s, the limit of task_timeout\n",
    ),
    "the connection is cut in the middle of the answer": (
        breaks_off("kill -9 $SSHD"),
        "unreachable: .*closed",
    ),
    "the node's SSH host key changed": (
        has_another_key,
        "unreachable: .*REMOTE HOST IDENTIFICATION HAS CHANGED!",
    ),
    "the login shell is nologin": (
        lambda nodes: {"ansible_user": "nologin"},
        "cannot tell whether /etc/pki/ca.crt exists: This account is currently not available",
    ),
    "permission denied on the way to the path": (
        denies_permission,
        "cannot tell whether /etc/pki/ca.crt exists: Permission denied",
    ),
    "a connection variable is undefined": (
        lambda nodes: {"ansible_host": "{{ nowhere_defined }}"},
        ".*'nowhere_defined' is undefined",
    ),
}


@pytest.mark.claims(
    "A node that does not answer is unverified after its timeout.",
    "It cannot hold up the run.",
    "A node that sends an endless answer is unverified after its timeout, too.",
)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            fault,
            marks=[pytest.mark.each_release]
            * (fault in ("the node is down", "the node never answers")),
        )
        for fault in UNVERIFIED
    ],
)
def test_a_node_that_cannot_be_checked_is_unverified(guarded, nodes, fault):
    assert fault in FAULTS
    if IS_2_10 and fault == "the node's SSH host key changed":
        pytest.skip("2.10 does not know the variable that has ssh check the key")
    break_it, reason = UNVERIFIED[fault]
    prepare(guarded, nodes)
    guarded.inventory(
        {name: nodes.host(name) for name in ADDRESSES} | {"n5": nodes.host("n5") | break_it(nodes)}
    )
    begin = time.monotonic()
    run = guarded.run("pgsql.yml", "--timeout", "3", env={"ANSIBLE_TASK_TIMEOUT": TIMEOUT})
    assert time.monotonic() - begin < 60
    assert_stopped(run, nodes, f"unverified: {reason}")


@pytest.mark.one_release
def test_the_timeout_is_30_seconds(guarded, nodes):
    """It does not depend on that of the play's own tasks."""
    assert "30 s" in FAULTS["the node never answers"]
    prepare(guarded, nodes, keywords="timeout: 120")
    never_answers(nodes)
    begin = time.monotonic()
    run = guarded.run("pgsql.yml")
    assert 28 < time.monotonic() - begin < 80
    reason = r"timed out: no answer within 30 s, the default of \[precheck\] timeout"
    assert_stopped(run, nodes, f"unverified: {reason}\n")


def come_up_later(address, seconds):
    """Let the sshd at an address also be at another port, which opens after so many seconds.

    Return the port, and the server, which the caller closes.
    """
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))  # refuses connections until it listens

    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def serve():
        time.sleep(seconds)
        with contextlib.suppress(OSError):  # it was closed
            server.listen()
            while True:
                client, sshd = server.accept()[0], socket.create_connection(address)
                for pair in ((client, sshd), (sshd, client)):
                    threading.Thread(target=copy, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return port, server


LIMITS = """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'limits'
    def v2_playbook_on_task_start(self, task, is_conditional):
        self._display.display(f'limit {task.timeout}')
"""


@pytest.mark.each_release
def test_a_node_that_comes_up_while_ssh_retries_passes(guarded, nodes):
    """Its connection is refused at first. With too short a limit it is unverified."""
    assert "the node comes up while ssh retries" in FAULTS
    prepare(guarded, nodes)
    retries = {"ANSIBLE_SSH_RETRIES": "12"}
    guarded.configure(guarded.entry_point, more="callback_plugins = callbacks")
    guarded.write("callbacks/limits.py", LIMITS)
    port, server = come_up_later((ADDRESSES["n5"], nodes.port), 2)
    with server:
        late = nodes.host("n5", "127.0.0.1") | {"ansible_port": port}
        guarded.inventory({name: nodes.host(name) for name in ADDRESSES} | {"n5": late})
        run = guarded.run("pgsql.yml", "--tags", "precheck", "--timeout", "5", env=retries)
    assert run.rc == 0, run.output
    assert "\nlimit 321\n" in run.stdout  # 13 * 5 s to connect, 236 s between, 20 s to answer
    never = late | {"ansible_port": 1}
    guarded.inventory({name: nodes.host(name) for name in ADDRESSES} | {"n5": never})
    run = guarded.run("pgsql.yml", env=retries | {"ANSIBLE_PRECHECK_TIMEOUT": TIMEOUT})
    reason = rf"no answer within {TIMEOUT} s, the limit of \[precheck\] timeout"
    assert_stopped(run, nodes, f"unverified: timed out: {reason}\n")


# Each of these ends with an attempt that must fail. So a fault that has no effect fails the test.
FULL = """
mount -t tmpfs -o size=8k tmpfs /etc/pki && cp "$NODE"/pki/* /etc/pki
mount -t tmpfs -o size=4k tmpfs /var/tmp && mount -t tmpfs -o size=4k tmpfs /root && cd /root
mount -t tmpfs -o size=4k tmpfs /tmp
for full in /etc/pki /var/tmp /root /tmp; do
    head -c 9000 /dev/zero > $full/filling
    ! echo more >> $full/filling || exit 1
done 2> /dev/null
"""
READ_ONLY = """
while read -r device point more; do
    mount -o remount,bind,ro "$point"
done < /proc/mounts 2> /dev/null
for directory in /etc/pki /var/tmp /root /tmp; do
    ! touch $directory/new || exit 1
done 2> /dev/null
"""
NO_TMP = "mount --bind -o ro /tmp /tmp; ! touch /tmp/new 2> /dev/null || exit 1"
NO_HOME = '[ "$HOME" = /nowhere ] && [ ! -e /nowhere ] || exit 1'
FISH = "SHELL=$(command -v fish)"
FAKETIME = "*/faketime/libfaketime.so.1"
CLOCK = f"""
for library in /usr/lib/{FAKETIME}; do LD_PRELOAD=$library; done
FAKETIME='@1970-01-01 12:00:00' FAKETIME_DONT_FAKE_MONOTONIC=1
export LD_PRELOAD FAKETIME FAKETIME_DONT_FAKE_MONOTONIC
[ "$(date +%Y)" = 1970 ] || exit 1
"""
LOUD = "head -c 1000000 /dev/zero | tr '\\0' x\nexec sh \"$@\""

# The commands that prepare the node, its login shell, and its variables.
TROUBLES: dict[str, tuple[str, str, dict[str, object]]] = {
    "the node's disk is full": (FULL, "", {}),
    "the node's disk is read-only": (READ_ONLY, "", {}),
    "`/tmp` on the node is not writable": (NO_TMP, "", {}),
    "the user has no home directory": (NO_HOME, "", {"ansible_user": "homeless"}),
    "the login shell is fish": (FISH, "", {}),
    "the login shell prints 1 MB first": ("", LOUD, {}),
    "no Python on the node": ("", "", {"ansible_python_interpreter": "/nowhere/python"}),
    "the node's clock is in 1970": (CLOCK, "", {}),
}


def trouble(nodes, name, fault, python):
    """Give a node this trouble, and return its variables."""
    if TROUBLES[fault][0] == CLOCK and not list(Path("/usr/lib").glob(FAKETIME)):
        lacking("a wrong clock on one node requires Debian's package libfaketime")
    if TROUBLES[fault][0] == FISH and not shutil.which("fish"):
        lacking("fish is not installed")
    commands, shell, variables = TROUBLES[fault]
    equip(nodes, name, commands, shell)
    return nodes.host(name) | {"ansible_python_interpreter": python} | variables


@pytest.mark.parametrize(
    "faults",
    [list(TROUBLES)[:5], list(TROUBLES)[5:]],
    ids=["disk, home and fish", "shell, Python and clock"],
)
def test_ready_nodes_in_trouble_pass(guarded, nodes, faults):
    """The shell answers, as no module can run. The markers of two nodes have a strange date."""
    assert set(faults) <= set(FAULTS)
    prepare(guarded, nodes, task="echo done")
    hosts = {name: nodes.host(name) for name in ADDRESSES}
    guarded.inventory(
        hosts
        | {name: trouble(nodes, name, fault, "/nowhere") for name, fault in zip(ADDRESSES, faults)}
    )
    if len(faults) < len(ADDRESSES) - 1:
        assert "the path to check is dated 1970, or in the future" in FAULTS
        os.utime(nodes.path("n4", "pki/ca.crt"), (0, 0))
        os.utime(nodes.path("n5", "pki/ca.crt"), (2**32, 2**32))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert len(re.findall("^n[1-5] +: ok=2 ", run.stdout, re.MULTILINE)) == 5
    assert "PRECHECK" not in run.output


@pytest.mark.parametrize("fault", TROUBLES)
def test_a_node_in_trouble_without_the_marker_is_not_ready(guarded, nodes, fault):
    prepare(guarded, nodes, missing="n5")
    guarded.inventory(
        {name: nodes.host(name) for name in ADDRESSES}
        | {"n5": trouble(nodes, "n5", fault, "/usr/bin/python3")}
    )
    run = guarded.run("pgsql.yml")
    by_shell = re.escape(" (as far as its shell can tell)")
    assert_stopped(
        run,
        nodes,
        f"not ready: /etc/pki/ca.crt is missing({by_shell}){'' if 'Python' in fault else '?'}\n",
    )


AWKWARD = [
    {"path": "/etc/pki/ca.crt"},
    {"command": "if true\nthen test ! -e /nowhere && printf '%s' '\\!\\\\' > /dev/null\nfi"},
    {"path": "/etc/pki/it's\none!"},
]


@pytest.mark.parametrize(
    ("fault", "login_shell"),
    [
        ("the login shell is fish", "fish"),
        ("the login shell is csh", "bsd-csh"),
        pytest.param("the login shell is tcsh", "tcsh", marks=pytest.mark.each_release),
    ],
    ids=["fish", "csh", "tcsh"],
)
def test_a_login_shell_that_is_no_posix_shell_distorts_no_check(guarded, nodes, fault, login_shell):
    """Not even one with a line break, an exclamation mark or a backslash."""
    assert FAULTS[fault] == AS_EVER
    if not shutil.which(login_shell):
        lacking(f"{login_shell} is not installed")
    prepare(guarded, nodes, task="echo done")
    guarded.write("precheck.yml", policy(rule(*AWKWARD, name="pigsty-node")))
    guarded.inventory(
        {name: nodes.host(name) | {"ansible_python_interpreter": "/nowhere"} for name in ADDRESSES}
    )
    for name in ADDRESSES:
        equip(nodes, name, f"SHELL=$(command -v {login_shell})")
        nodes.path(name, "pki/it's\none!").touch()
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    nodes.path("n5", "pki/it's\none!").unlink()
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    by_shell = "(as far as its shell can tell)"
    missing = f"  n5  not ready: /etc/pki/it's one! is missing {by_shell}\n"
    assert missing in run.stderr, run.output


def test_a_check_does_not_use_a_broken_sudo(guarded, nodes):
    assert FAULTS["no working sudo on the node"] == AS_EVER
    prepare(guarded, nodes, missing="n5", keywords="become: true\n  become_method: sudo")
    become = "ansible_become_exe=/nowhere/sudo ansible_become=true ansible_become_user=nobody"
    run = guarded.run("pgsql.yml", "--become", "-e", become)
    assert_stopped(run, nodes, "not ready: /etc/pki/ca.crt is missing\n")
    run = guarded.run(
        "pgsql.yml", "--become", "-e", become, "--limit", "n1,n2", "--tags", "precheck"
    )
    assert run.rc == 0


@pytest.mark.claims("Later changes of the host are not noticed, unless the rule has `check_every`.")
def test_a_node_that_goes_down_between_two_plays_fails_in_the_second_play(guarded, nodes):
    assert "the node goes down between two plays" in FAULTS
    prepare(guarded, nodes)
    between = """
- hosts: localhost
  connection: local
  gather_facts: false
  tags: no_precheck
  tasks:
    - ansible.builtin.file: {path: "{{ hang }}", state: touch}
"""
    play = PLAY.format(keywords=f"timeout: {TIMEOUT}", task="touch /etc/pki/witness")
    guarded.write("pgsql.yml", play + between + play)
    run = guarded.run(
        "pgsql.yml", "-e", f"hang={nodes.path('n4', 'hang')}", env={"ANSIBLE_TASK_TIMEOUT": TIMEOUT}
    )
    assert run.rc == 2
    assert "PRECHECK" not in run.stderr
    assert run.stdout.count("TASK [Precheck") == 1


def begin(project, *arguments, before=(), **env):
    """Start ansible-playbook, with the command ``before`` if there is one, and do not wait for it.

    It has a session of its own, as in a terminal. It writes to the files stdout and stderr.
    """
    own = {"ANSIBLE_CONFIG": f"{project.directory}/ansible.cfg", "ANSIBLE_NOCOLOR": "1"}
    # A background job of a shell ignores this signal, and so would its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    streams = [(project.directory / name).open("w") for name in ("stdout", "stderr")]
    try:
        return subprocess.Popen(
            [*before, str(BIN / "ansible-playbook"), *arguments],
            cwd=project.directory,
            env=clean_environment(**own | env),
            stdin=subprocess.DEVNULL,
            stdout=streams[0],
            stderr=streams[1],
            start_new_session=True,
        )
    finally:
        for stream in streams:
            stream.close()


def end(project, process, seconds=60):
    """Wait for what ``begin`` started. Return its exit status, its stdout and its stderr."""
    try:
        status = process.wait(timeout=seconds)
    finally:
        process.kill()
    return (
        status,
        (project.directory / "stdout").read_text(),
        (project.directory / "stderr").read_text(),
    )


def running(project):
    """Return the ids of all processes of a run of the project. They have its environment."""
    processes = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                f"ANSIBLE_CONFIG={project.directory}/ansible.cfg\0".encode()
                in (directory / "environ").read_bytes()
            ):
                processes.append(int(directory.name))
    return processes


def kill_all(processes):
    """Kill these processes, as far as they still exist."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def wait_for(happened, seconds=120.0):
    """Wait until something ``happened``. Return whether it did."""
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(happened())


def interrupted(project, nodes, send):
    """Call ``send`` with the process of a run that waits for 50 hosts, none of which answers.

    Return its exit status, the number of processes that it leaves, and the number of files.
    """
    temporary = project.directory / f"temporary{project.entry_point}"
    nodes.reset(ready=EVERY_NODE)
    for name in ADDRESSES:
        nodes.path(name, "hang").touch()
    project.inventory({f"h{index:02}": nodes.host(f"n{index % 5 + 1}") for index in range(50)})
    own = {
        "ANSIBLE_LOCAL_TEMP": str(temporary),
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=no",
        "ANSIBLE_TASK_TIMEOUT": "120",
    }
    process = begin(project, "pgsql.yml", "--forks", "50", **own)
    try:
        assert wait_for(lambda: sum(nodes.commands(name).count("\n") for name in ADDRESSES) == 50)
        assert list(temporary.iterdir())
        send(process.pid)
        status, _stdout, stderr = end(project, process, 10)
        assert "Traceback" not in stderr
        wait_for(lambda: not running(project), 3)
        return status, len(running(project)), len(list(temporary.rglob("*")))
    finally:
        process.kill()
        kill_all(running(project))


@pytest.mark.parametrize(
    ("name", "send"),
    [
        ("SIGINT", os.kill),
        ("SIGINT", os.killpg),
        pytest.param("SIGTERM", os.kill, marks=pytest.mark.each_release),
    ],
    ids=["SIGINT", "SIGINT from a terminal", "SIGTERM"],
)
def test_a_signal_ends_the_run_at_once_and_leaves_nothing_behind(guarded, nodes, name, send):
    """A terminal sends it to each process of the run.

    At SIGTERM ansible-core alone leaves a temporary directory, and before 2.19 also its workers and
    what they have started.
    """
    assert FAULTS[f"{name} while 50 hosts are checked"] == AT_ONCE

    def send_it(process):
        send(process, getattr(signal, name))

    entry_point = guarded.entry_point
    guarded.configure("none")
    guarded.write("pgsql.yml", PLAY.format(keywords="", task="touch /etc/pki/witness"))
    status, _processes, _files = interrupted(guarded, nodes, send_it)
    guarded.configure(entry_point)
    guarded.write("pgsql.yml", PLAY.format(keywords="serial: 1", task="touch /etc/pki/witness"))
    assert interrupted(guarded, nodes, send_it) == (status, 0, 0)
    assert not any("witness" in nodes.commands(one) for one in ADDRESSES)
    assert "TASK [ansible.builtin.raw]" not in (guarded.directory / "stdout").read_text()


@pytest.mark.each_release
def test_the_time_for_which_a_run_is_stopped_does_not_count(guarded, nodes):
    """Not for a check of the kind task either."""
    assert (
        "the run is stopped for longer than the timeout, and continued (`Ctrl-Z`, `fg`)" in FAULTS
    )
    prepare(guarded, nodes)
    checks = [{"path": "/etc/pki/ca.crt"}, {"task": {"ansible.builtin.raw": "test -e /etc/pki"}}]
    guarded.write("precheck.yml", policy(rule(*checks, covers={"playbook": "pgsql.yml"})))

    for name in ADDRESSES:
        wait = """
number=$(wc -l < "$NODE/commands")
touch "$NODE/waits$number"
while [ "$number" -lt 3 ] && [ ! -e "$NODE/go$number" ]; do sleep 0.1; done"""
        equip(nodes, name, wait)
    process = begin(guarded, "pgsql.yml", ANSIBLE_TASK_TIMEOUT="10")
    try:
        for check in ("1", "2"):
            assert wait_for(lambda check=check: nodes.having(f"waits{check}") == EVERY_NODE, 30)
            os.killpg(process.pid, signal.SIGSTOP)
            for name in ADDRESSES:
                nodes.path(name, f"go{check}").touch()
            time.sleep(11)
            os.killpg(process.pid, signal.SIGCONT)
        status, stdout, stderr = end(guarded, process)
    finally:
        kill_all(running(guarded))
    assert status == 0, stdout + stderr


def children(parent):
    """Return the ids of the child processes of a process."""
    processes = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if path.read_text().rpartition(")")[2].split()[1] == str(parent):
                processes.append(int(path.parent.name))
    return processes


def worker_on(process, address):
    """Return the id of the worker whose ssh is connected to an address."""
    for worker in children(process.pid):
        for child in children(worker):
            with contextlib.suppress(OSError):
                if address.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                    return worker
    return None


@pytest.mark.parametrize(
    ("forks", "name"),
    [pytest.param("10", "n5", marks=pytest.mark.each_release), ("1", "n1")],
    ids=["the last worker", "a worker that is replaced"],
)
def test_the_host_of_a_killed_worker_is_unverified(guarded, nodes, forks, name):
    """With one fork, workers for the other hosts replace the one that is killed."""
    assert "a worker of ansible-core is killed" in FAULTS
    prepare(guarded, nodes)
    nodes.path(name, "hang").touch()
    process = begin(guarded, "pgsql.yml", "--forks", forks, ANSIBLE_TASK_TIMEOUT="60")
    try:
        assert wait_for(lambda: worker_on(process, ADDRESSES[name]))
        os.kill(worker_on(process, ADDRESSES[name]), signal.SIGKILL)
        run = Run(subprocess.CompletedProcess([], *end(guarded, process, 30)))
    finally:
        kill_all(running(guarded))
    assert "Traceback" not in run.output
    assert_stopped(
        run, nodes, "unverified: the process on the control node that checked it was killed", name
    )


DEADLY = """
import multiprocessing, os, signal
try:
    from ansible.executor.task_queue_manager import FinalQueue
    METHOD = "send_task_result"
except ImportError:  # before 2.11
    from multiprocessing.queues import Queue as FinalQueue
    METHOD = "put"
from ansible.plugins.vars import BaseVarsPlugin

DOCUMENTATION = '''
name: deadly
short_description: Kills the worker that works out the variables of a host
options: {}
'''

class VarsModule(BaseVarsPlugin):
    def get_vars(self, loader, path, entities):
        super().get_vars(loader, path, entities)
        if multiprocessing.parent_process():
            names.extend(entity.name for entity in entities)
            if os.environ["DEADLY"] in names:
                os.kill(os.getpid(), signal.SIGKILL)
        return {}

names, send = [], getattr(FinalQueue, METHOD)

def send_or_lose(queue, *arguments, **keywords):
    # As a thread that sends results may do, if its process is killed.
    if os.environ.get("LOST") in names and not os.path.exists("lost"):
        return open("lost", "w").close()
    return send(queue, *arguments, **keywords)

setattr(FinalQueue, METHOD, send_or_lose)
"""


@pytest.mark.each_release
@pytest.mark.parametrize(
    ("forks", "killed_at", "lost"),
    [("1", "n1", ""), ("1", "n3", ""), ("3", "n3", ""), ("1", "n3", "n2")],
)
def test_the_host_for_which_a_killed_worker_prepared_is_unverified(guarded, forks, killed_at, lost):
    """Another worker checks the other hosts, also those whose results the killed one had."""
    assert "a worker of ansible-core is killed" in FAULTS
    prepare_here(guarded)
    guarded.write("vars_plugins/deadly.py", DEADLY)
    guarded.configure(guarded.entry_point, "vars_plugins = vars_plugins")
    run = guarded.run("pgsql.yml", "--forks", forks, env={"DEADLY": killed_at, "LOST": lost})
    assert run.rc == 2
    reason = "the process on the control node that checked it was killed"
    assert f"  {killed_at}  unverified: {reason}" in run.stderr
    assert ": 1 of 5 hosts is unverified.\n" in run.stderr
    assert (guarded.directory / "lost").exists() == bool(lost)
    assert witnesses(guarded) == []


FEW_WORKERS = """
import os
from ansible.executor.process.worker import WorkerProcess
from ansible.plugins.callback import CallbackBase

start, left = WorkerProcess.start, int(os.environ["WORKERS"])

def start_few(self):
    global left
    left -= 1
    if left < 0:
        raise OSError("Resource temporarily unavailable")
    start(self)

WorkerProcess.start = start_few

class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'few_workers'
"""


@pytest.mark.each_release
def test_hosts_are_checked_by_the_workers_that_can_be_started(guarded):
    """Root may start any number of processes. So the test lets the others fail."""
    assert "the control node cannot start all workers" in FAULTS
    prepare_here(guarded)
    guarded.write("callbacks/few_workers.py", FEW_WORKERS)
    guarded.configure(guarded.entry_point, "callback_plugins = callbacks")
    run = guarded.run("pgsql.yml", "--tags", "precheck", env={"WORKERS": "2"})
    assert run.rc == 0, run.output
    run = guarded.run("pgsql.yml", env={"WORKERS": "0"})
    assert run.rc == 2
    assert "the control node could not start its check" in run.stderr
    assert ": 5 of 5 hosts are unverified.\n" in run.stderr
    assert witnesses(guarded) == []


def test_results_behind_output_that_nobody_reads_are_not_lost(guarded):
    """With -vvvv the workers print their command.

    This output takes the way of their results, which have to wait until the pipe has room for it.
    """
    assert "nobody reads the output for some seconds" in FAULTS
    prepare_here(guarded)
    long = {"command": f"true {'x' * 9000}"}
    guarded.write("precheck.yml", policy(rule(long, covers={"playbook": "pgsql.yml"})))
    out, into = os.pipe()
    fcntl.fcntl(into, F_SETPIPE_SZ, 4096)
    config = f"{guarded.directory}/ansible.cfg"
    env = clean_environment(ANSIBLE_CONFIG=config, PYTHONUNBUFFERED="1")
    command = [str(BIN / "ansible-playbook"), "pgsql.yml", "-vvvv"]
    with subprocess.Popen(
        command, cwd=guarded.directory, env=env, stdin=subprocess.DEVNULL, stdout=into, stderr=into
    ) as process:
        os.close(into)
        with open(out, encoding="utf-8") as reader:
            output = ""
            while "TASK [Precheck" not in output:
                output += reader.readline()
            time.sleep(6)
            output += reader.read()
    assert process.returncode == 0, output
    assert "PRECHECK" not in output
    assert sorted(witnesses(guarded)) == list(ADDRESSES)


@pytest.mark.each_release
def test_the_reason_comes_out_when_stdout_is_closed(guarded):
    """At its end, ansible-core fails on the stdout that is not there."""
    assert "stdout is closed" in FAULTS
    prepare_here(guarded, missing="n5")
    command = ["sh", "-c", f"exec {BIN}/ansible-playbook pgsql.yml >&-"]
    config = f"{guarded.directory}/ansible.cfg"
    run = run_command(command, guarded.directory, ANSIBLE_CONFIG=config)
    assert "PRECHECK stopped the run before play" in run.stderr, run.stderr
    assert "    ./node.yml -l n5\n" in run.stderr
    assert run.rc != 0
    assert witnesses(guarded) == []


def prepare_here(project, missing=""):
    """Do the same as ``prepare``, with hosts on this machine."""
    project.local_hosts(ready=" ".join(sorted(set(ADDRESSES) - {missing})), missing=missing)
    project.write(
        "pgsql.yml", PLAY.format(keywords="serial: 2", task='touch "{{ precheck_root }}/witness"')
    )


def witnesses(project):
    """Return the names of the hosts on which the play ran."""
    return [path.parent.name for path in project.directory.glob("*/witness")]


@pytest.mark.each_release
def test_without_file_descriptors_nothing_runs_unchecked(guarded):
    """With fewer than the first number ansible-playbook does not start. The last may be enough."""
    assert "the control node is out of file descriptors" in FAULTS
    prepare_here(guarded)
    for limit in (12, 16, 20, 24):
        process = begin(guarded, "pgsql.yml", before=["prlimit", f"--nofile={limit}"])
        status, stdout, stderr = end(guarded, process)
        assert "TASK [Precheck" in stdout, limit
        assert limit == 24 or status == 2
        if status == 0:
            assert len(witnesses(guarded)) == len(ADDRESSES)
            continue
        assert witnesses(guarded) == []
        if RELEASE >= (2, 12):  # workers of ansible-core print some before
            assert "Traceback" not in stderr
        assert re.search(
            "^  (n[1-5]  )?unverified: .*(Too many open files|out of file descriptors)",
            stderr,
            re.MULTILINE,
        ), stderr


def with_a_full_disk(directory, command='"$@"', size="nr_inodes=1"):
    """Return a command that runs another one while ``directory`` is full."""
    directory.mkdir()
    fill = (
        f"mount -t tmpfs -o {size} tmpfs {directory}; head -c 9000 /dev/zero > {directory}/filling"
    )
    return ["unshare", "--mount", "sh", "-c", f"{{ {fill}; }} 2> /dev/null; exec {command}", "sh"]


def test_without_space_for_temporary_files_the_run_ends_with_an_error(guarded, nodes):
    assert "the control node is out of space for temporary files" in FAULTS
    prepare_here(guarded)
    directory = guarded.directory / "full"
    process = begin(
        guarded, "pgsql.yml", before=with_a_full_disk(directory), ANSIBLE_LOCAL_TEMP=str(directory)
    )
    status, _stdout, stderr = end(guarded, process)
    assert status not in (0, 2)
    assert "No space left on device" in stderr
    assert witnesses(guarded) == []


def test_without_space_for_sockets_of_ssh_the_hosts_are_unverified(guarded, nodes):
    assert "the control node is out of space for ssh sockets" in FAULTS
    prepare(guarded, nodes)
    directory = guarded.directory / "full"
    process = begin(
        guarded,
        "pgsql.yml",
        before=with_a_full_disk(directory),
        ANSIBLE_SSH_CONTROL_PATH_DIR=str(directory),
    )
    status, _stdout, stderr = end(guarded, process)
    assert status == 2
    assert (
        len(
            re.findall(
                "^  n[1-5]  unverified: unreachable: .*No space left on device",
                stderr,
                re.MULTILINE,
            )
        )
        == 5
    )
    assert nodes.having("pki/witness") == ""


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_without_space_for_one_stream_the_other_has_the_reason(guarded, nodes, stream):
    """ansible-core itself may fail on it later."""
    assert "the control node is out of space for its output" in FAULTS
    prepare_here(guarded, missing="n5")
    directory = guarded.directory / "full"
    command = f'"$@" {"1" if stream == "stdout" else "2"}> {directory}/printed'
    # Files are buffered, unless the environment says otherwise.
    process = begin(
        guarded,
        "pgsql.yml",
        before=with_a_full_disk(directory, command, "size=4k"),
        PYTHONUNBUFFERED="",
    )
    status, stdout, stderr = end(guarded, process)
    assert status != 0
    if stream == "stdout":
        assert re.search("^  (n5  )?unverified: .*disk space", stderr, re.MULTILINE), stderr
    else:
        assert "n5/etc/pki/ca.crt is missing" in stdout
        assert stderr == ""
    assert witnesses(guarded) == []


def test_without_space_for_the_report_there_is_a_warning(guarded):
    assert "the control node is out of space for the report" in FAULTS
    prepare_here(guarded, missing="n5")
    directory, left = guarded.directory / "full", guarded.directory / "left"
    command = f"""sh -c '"$@"; status=$?; ls -A {directory} > {left}; exit $status' sh "$@\""""
    before = with_a_full_disk(directory, command, "size=4k")
    process = begin(
        guarded, "pgsql.yml", before=before, ANSIBLE_PRECHECK_REPORT=f"{directory}/it.json"
    )
    status, _stdout, stderr = end(guarded, process)
    assert status == 2
    warning = f"Precheck could not write its report: {directory}/it.json: No space left on device"
    assert is_printed(warning, stderr)
    assert "  n5  not ready: " in stderr
    assert left.read_text() == "filling\n"
    assert witnesses(guarded) == []


BREAKING = """
import sys
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'breaking'
    def v2_playbook_on_start(self, playbook):
        def broken(*args):
            raise RuntimeError('out of order')
        {statements}
"""


def break_guard(project, statements):
    """Let a callback of the project run these statements when the playbook starts."""
    project.write("callbacks/breaking.py", BREAKING.format(statements=statements))
    project.configure(project.entry_point, more="callback_plugins = callbacks")


@pytest.mark.each_release
def test_an_error_inside_the_guard_ends_the_run(guarded, nodes):
    """The test breaks a part of the guard, which stands for any unforeseen error."""
    assert "an error inside the guard" in FAULTS
    prepare(guarded, nodes)
    break_guard(
        guarded,
        """
        from ansible_collections.precheck.guard.plugins.plugin_utils.guard import survey
        survey.covering = broken""",
    )
    run = guarded.run("pgsql.yml")
    assert run.rc != 0
    assert nodes.having("pki/witness") == ""
    play = f"the play at {guarded.directory}/pgsql.yml:2"
    assert f"Precheck could not check {play}, so nothing of it was run" in run.stderr
    assert "out of order" in run.stderr


@pytest.mark.claims(
    "the guard cannot be loaded | the run ends with an error | the run ends with an error | the"
    " run ends with an error"
)
def test_a_guard_that_the_callback_cannot_install_ends_the_run(project, nodes):
    """As if a later ansible-core had no strategy linear."""
    assert "the callback cannot install the guard" in FAULTS
    prepare(project, nodes)
    project.configure("callback")
    break_guard(project, "sys.modules['ansible.plugins.strategy.linear'] = None")
    run = project.run("pgsql.yml")
    assert run.rc == 1
    assert nodes.having("pki/witness") == ""
    error = "Precheck could not guard the play 'Set up PostgreSQL', so it was not run"
    assert run.stderr.count(error) == 1


def test_every_fault_of_the_table_has_a_test():
    """A test of this file names each of them."""
    named = Path(__file__).read_text().partition("\nPLAY = ")[2]
    assert [
        fault for fault in FAULTS if f'"{fault}"' not in named and not fault.startswith("SIG")
    ] == []
