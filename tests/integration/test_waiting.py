# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Rules that wait for hosts that do not answer."""

from __future__ import annotations

import functools
import re
import signal
import subprocess

import pytest

from support import policies
from support.commands import BIN, Run, clean_environment
from support.plays import play
from support.policies import policy

rule = functools.partial(policies.rule, covers={"play": "Site"})
LONG = 3600  # nobody waits for so long: the test would fail
READY = {"command": "test ! -e {{ directory }}/not_ready"}
SITE = play(name="Site", tasks="- ansible.builtin.debug: {msg: 'on {{ inventory_hostname }}'}")

# Runs the command of a node here, unless the file down/NODE is there, and notes who was asked.
SSH = """#!/bin/sh
cd {directory} || exit 1
for last; do node=$previous; previous=$last; done
case " $* " in *" -O "*) echo "$last" >> reset; exit 0;; esac
echo "$node" >> asked
[ ! -e "down/$node" ] || {{ echo "ssh: connect to host $node: Connection refused" >&2; exit 255; }}
exec sh -c "$last"
"""
WAITING = r"^Precheck: 1 host does not answer, and will be checked again for \d+ s: h2$"


@pytest.fixture
def down(guarded):
    """A project with h1 and h2, of which h2 is down."""
    ssh = guarded.script("ssh", SSH.format(directory=guarded.directory))
    host = {"ansible_ssh_executable": ssh, "directory": str(guarded.directory)}
    guarded.inventory({name: host | {"ansible_host": name} for name in ("h1", "h2")})
    guarded.write("down/h2", "")
    guarded.write("site.yml", SITE)
    guarded.write("precheck.yml", policy(rule(READY, wait=LONG)))
    return guarded


def begin(project, *command):
    """Begin a run of ansible-playbook. The caller ends it."""
    return subprocess.Popen(
        [BIN / "ansible-playbook", *command],
        cwd=project.directory,
        env=clean_environment(
            ANSIBLE_CONFIG=f"{project.directory}/ansible.cfg",
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_LOCAL_TEMP=f"{project.directory}/temporary",
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_until_waiting(project, act, *command):
    """Run ansible-playbook, and call ``act`` with the process when it says that it waits."""
    process = begin(project, *command)
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if re.match(WAITING, line):
                act(process)
                break
        stdout, stderr = process.communicate(timeout=120)
        return Run(
            subprocess.CompletedProcess(
                command, process.returncode, stdout, "".join(lines) + stderr
            )
        )
    finally:
        process.kill()
        process.wait()


def comes_up(project):
    return lambda _process: (project.directory / "down/h2").unlink()


def asked(project) -> list[str]:
    return (project.directory / "asked").read_text().split()


def ran_on(run):
    return sorted(re.findall(r'"on (\w+)"', run.stdout))


@pytest.mark.each_release
def test_a_host_that_comes_up_passes(down):
    run = run_until_waiting(down, comes_up(down), "site.yml")
    assert run.rc == 0, run.output
    assert ran_on(run) == ["h1", "h2"]
    assert len(re.findall(WAITING, run.stderr, re.MULTILINE)) == 1
    assert "PRECHECK" not in run.stderr
    recap = run.stdout.partition("PLAY RECAP")[2]
    for name in ("h1", "h2"):
        assert re.search(rf"^{name} +: ok=2 .* unreachable=0 +failed=0 ", recap, re.MULTILINE)
    assert run.stdout.count("TASK [Precheck only]") == 2  # not once for each attempt
    assert asked(down).count("h1") == 1 and asked(down).count("h2") >= 2
    # What ssh keeps open may lead nowhere, so it is asked over a new connection.
    assert set((down.directory / "reset").read_text().split()) == {"h2"}


def test_a_host_that_comes_up_is_checked(down):
    def act(process):
        down.write("not_ready", "")
        comes_up(down)(process)

    run = run_until_waiting(down, act, "site.yml")
    assert run.rc == 2, run.output
    assert "Rule only: 1 of 2 hosts is not ready.\n  h2  not ready: " in run.stderr
    assert "unverified" not in run.stderr
    recap = run.stdout.partition("PLAY RECAP")[2]
    assert re.search(r"^h2 .* unreachable=0 +failed=1 ", recap, re.MULTILINE)


@pytest.mark.parametrize("severity", ["error", "exclude", "warn"])
def test_a_host_that_does_not_come_up_is_unverified(down, severity):
    down.write("precheck.yml", policy(rule(READY, wait=1, severity=severity)))
    run = down.run("site.yml")
    assert run.rc == {"error": 2, "exclude": 2, "warn": 0}[severity], run.output
    assert ran_on(run) == {"error": [], "exclude": ["h1"], "warn": ["h1", "h2"]}[severity]
    assert "Rule only: 1 of 2 hosts could not be checked, and is unverified." in run.stderr
    assert asked(down).count("h1") == 1 and asked(down).count("h2") == 2
    counts = {"error": "unreachable=1", "exclude": "unreachable=1", "warn": "unreachable=0"}
    recap = run.stdout.partition("PLAY RECAP")[2]
    assert re.search(rf"^h2 .* {counts[severity]} ", recap, re.MULTILINE)
    assert run.stdout.count("unverified: 1 host") == 2  # the first attempt, and the last


def test_nobody_waits_for_a_host_that_answered(down):
    """What it answers does not change by itself: a variable is undefined, say."""
    (down.directory / "down/h2").unlink()
    down.write("precheck.yml", policy(rule({"that": "nowhere_defined"}, READY, wait=LONG)))
    run = down.run("site.yml")
    assert run.rc == 2, run.output
    assert "Rule only: 2 of 2 hosts could not be checked, and are unverified." in run.stderr
    assert sorted(asked(down)) == ["h1", "h2"]


def test_a_host_is_checked_again_for_all_rules_that_it_did_not_answer(down):
    of_rules = [rule(READY, name="short"), rule(READY, name="long", wait=LONG)]
    down.write("precheck.yml", policy(*of_rules))
    run = run_until_waiting(down, comes_up(down), "site.yml")
    assert run.rc == 0, run.output
    assert ran_on(run) == ["h1", "h2"]


def test_facts_are_gathered_again(down):
    with_facts = rule({"that": "ansible_facts['kernel'] is defined"}, facts=["min"], wait=LONG)
    down.write("precheck.yml", policy(with_facts))
    run = run_until_waiting(down, comes_up(down), "site.yml")
    assert run.rc == 0, run.output
    assert ran_on(run) == ["h1", "h2"]


def test_nobody_waits_ahead_of_a_play(down):
    """The play on the way may start the host, which is checked before its own play."""
    start = play("h1", name="Start", tasks=f"- ansible.builtin.raw: rm {down.directory}/down/h2")
    down.write("site.yml", start + SITE)
    down.write("precheck.yml", policy(rule(READY, wait=LONG, prepared_by=[])))
    run = down.run("site.yml")
    assert run.rc == 0, run.output
    assert ran_on(run) == ["h1", "h2"]
    assert "Precheck: " not in run.stderr


def test_an_audit_does_not_wait(down):
    run = down.run("precheck.guard.audit")
    assert run.rc == 2, run.output
    assert "h2  unverified: unreachable: " in run.stdout
    assert asked(down).count("h2") == 1


@pytest.mark.each_release
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_waiting(down, name):
    number = getattr(signal, name)
    run = run_until_waiting(down, lambda process: process.send_signal(number), "site.yml")
    assert run.rc in (-number, 128 + number, 99), run.output
    assert "Traceback" not in run.output and ran_on(run) == []
    assert list((down.directory / "temporary").rglob("*")) == []


@pytest.mark.one_release
def test_explain_and_rules_say_how_long_a_rule_waits(down):
    for words in (["explain", "site.yml"], ["rules", "h2"]):
        assert f"waits {LONG} s for hosts" in down.run("ansible-precheck", *words).stdout
