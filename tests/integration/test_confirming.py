# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks of the kind ``confirm``: the operator types how many hosts a run concerns."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess

import pytest

from support.commands import BIN, Run, clean_environment
from support.policies import policy, rule
from support.project import AUDIT, LOCAL_HOST, UNREACHABLE_HOST

PRODUCTION = rule(
    {"confirm": "{{ precheck_play }} changes production."},
    name="production",
    covers={"play": "Change *"},
    when="'production' in group_names",
)

PLAYS = """
- name: Look
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch {{ playbook_dir }}/looked
- name: Change one
  hosts: h1:h4
  gather_facts: false
  serial: 1
  tasks:
    - ansible.builtin.raw: touch {{ playbook_dir }}/one
- name: Change all
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch {{ playbook_dir }}/all
"""

BY_HAND = "run it at a terminal, or pass -e precheck_confirm="


@pytest.fixture
def production(guarded):
    """Three hosts in production and one elsewhere."""
    guarded.write("site.yml", PLAYS)
    guarded.write("precheck.yml", policy(PRODUCTION))
    guarded.inventory({name: LOCAL_HOST | {"seq": 1} for name in ("h1", "h2", "h3", "h4")})
    with guarded.changed_inventory() as everything:
        everything["children"] = {"production": {"hosts": {"h1": {}, "h2": {}, "h3": {}}}}
    return guarded


def done(project):
    """Return which plays did something."""
    names = ("looked", "one", "all")
    return [name for name in names if (project.directory / name).exists()]


QUESTION = "Type the number to go on:"


def run_at_terminal(project, *typed):
    """Run site.yml; ``typed`` is what the operator types when asked, "\\x04" being Ctrl-D."""
    terminal, end = pty.openpty()
    try:
        with subprocess.Popen(
            [BIN / "ansible-playbook", "site.yml"],
            cwd=project.directory,
            env=clean_environment(
                ANSIBLE_CONFIG=f"{project.directory}/ansible.cfg", ANSIBLE_NOCOLOR="1"
            ),
            stdin=end,
            stdout=subprocess.PIPE,
            stderr=end,
            text=True,
        ) as process:
            os.write(terminal, b"99\n")  # before there is a question
            seen = ""
            for number, answer in enumerate(typed, 1):
                while seen.count(QUESTION) < number:
                    assert select.select([terminal], [], [], 120)[0], seen
                    seen += os.read(terminal, 100_000).decode()
                os.write(terminal, answer.encode())
            stdout, _nothing = process.communicate(timeout=120)
        os.set_blocking(terminal, False)
        seen += os.read(terminal, 100_000).decode()
    finally:
        os.close(end)
        os.close(terminal)
    return Run(subprocess.CompletedProcess([], process.returncode, stdout, seen.replace("\r", "")))


def test_the_question_comes_once_before_the_first_play(production):
    run = run_at_terminal(production, "3\n")
    assert run.rc == 0, run.output
    assert done(production) == ["looked", "one", "all"]
    assert (
        f'PRECHECK asks before play "Look" ({production.directory}/site.yml:2):\n\n'
        "Rule production:\nLook changes production.\n  3 hosts: h1, h2, h3\n\n"
        f"This is about 3 hosts in all. {QUESTION}\n"
    ) in run.stderr
    assert run.stderr.count("PRECHECK asks") == 1
    assert "PRECHECK" not in run.stdout


@pytest.mark.parametrize("typed", ["4\n", "\n", "yes\n", "three\n", "\x04"])
def test_another_answer_stops_the_run(production, typed):
    run = run_at_terminal(production, typed)
    assert run.rc == 2, run.output
    assert done(production) == []
    assert "it was not confirmed by the number of its hosts, which is 3" in run.stderr
    assert "Rule production: the play is not ready for 3 hosts." in run.stderr
    assert "Nothing was changed: no task of this play ran on any host." in run.stderr


@pytest.mark.parametrize("value", ["3", " 3 ", 3])
def test_the_number_may_be_on_the_command_line(production, value):
    run = production.run("site.yml", "-e", json.dumps({"precheck_confirm": value}))
    assert run.rc == 0, run.output
    assert done(production) == ["looked", "one", "all"]
    assert "asks" not in run.output


@pytest.mark.parametrize(
    "value", ["4", "", True, 3.5, [3], "{{ groups['production'] | length }}", "yes"], ids=repr
)
def test_another_value_stops_the_run(production, value):
    run = production.run("site.yml", "-e", json.dumps({"precheck_confirm": value}))
    assert run.rc == 2, run.output
    assert done(production) == []
    assert "it was not confirmed by the number of its hosts, which is 3" in run.stderr


def test_nothing_else_answers(production):
    """Without a terminal, neither what is piped in nor a variable of another kind counts."""
    with production.changed_inventory() as everything:
        everything["vars"]["precheck_confirm"] = 3
    run = production.run("site.yml", stdin="3\n", env={"precheck_confirm": "3"})
    assert run.rc == 2, run.output
    assert done(production) == []
    assert f"nobody has confirmed it: {BY_HAND}3" in run.stderr
    assert "  Look changes production.:" not in run.stderr
    assert "-e precheck_waive=production" in run.stderr


def test_it_comes_before_any_host_is_asked(production):
    """Neither the connection nor another check of a rule is tried."""
    checks = [{"command": "true"}, {"that": False, "once": True}]
    other = rule(*checks, name="other")
    production.write("precheck.yml", policy(other, PRODUCTION))
    with production.changed_inventory() as everything:
        everything["hosts"]["h2"] = UNREACHABLE_HOST
    run = production.run("site.yml")
    assert run.rc == 2, run.output
    assert "Rule production: the play is not ready" in run.stderr
    assert "Rule other" not in run.stderr
    assert "TASK" not in run.stdout


def test_all_rules_are_confirmed_by_the_number_of_their_hosts(production):
    some = rule({"confirm": "Some are slow."}, name="slow", when="inventory_hostname in slow")
    production.write("precheck.yml", policy(PRODUCTION, some))
    slow = {"slow": ["h3", "h4"]}
    run = production.run("site.yml", "-e", json.dumps(slow))
    assert run.rc == 2, run.output
    assert run.stderr.count(f"{BY_HAND}4") == 2
    run = production.run("site.yml", "-e", json.dumps(slow | {"precheck_confirm": 4}))
    assert run.rc == 0, run.output


def test_hosts_that_nobody_knew_of_are_confirmed_at_their_play(production):
    production.write(
        "site.yml",
        """
- name: Change one
  hosts: h1
  gather_facts: false
  tasks:
    - ansible.builtin.add_host: {name: h5, groups: production, ansible_connection: local}
    - ansible.builtin.raw: touch {{ playbook_dir }}/one
- name: Change all
  hosts: production
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch {{ playbook_dir }}/all
""",
    )
    run = production.run("site.yml", "-e", "precheck_confirm=3")
    assert run.rc == 2, run.output
    assert done(production) == ["one"]
    assert "it was not confirmed by the number of its hosts, which is 4" in run.stderr
    run = run_at_terminal(production, "3\n", "4\n")
    assert run.rc == 0, run.output
    assert done(production) == ["one", "all"]
    assert "  1 host: h5\n\nThis is about 4 hosts in all." in run.stderr


def test_a_role_that_nobody_knew_of_is_confirmed_before_it(production):
    production.write("roles/danger/tasks/main.yml", "- ansible.builtin.raw: 'true'\n")
    production.write(
        "site.yml",
        """
- name: Change one
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch {{ playbook_dir }}/one
    - ansible.builtin.include_role: {name: "{{ which }}"}
    - ansible.builtin.raw: touch {{ playbook_dir }}/all
""",
    )
    asking = rule({"confirm": "Danger."}, covers={"role": "danger"})
    production.write("precheck.yml", policy(asking))
    run = production.run("site.yml", "-e", "which=danger")
    assert run.rc == 2, run.output
    assert done(production) == ["one"]
    assert f"{BY_HAND}4" in run.stderr
    run = production.run("site.yml", "-e", "which=danger", "-e", "precheck_confirm=4")
    assert run.rc == 0, run.output
    assert done(production) == ["one", "all"]


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ((), True),
        (("--check",), True),
        (("-l", "h4"), False),
        (("-e", "precheck_waive=production"), False),
        (("--skip-tags", "precheck"), False),
    ],
)
def test_it_is_asked_if_the_rule_applies(production, options, asked):
    run = production.run("site.yml", *options)
    assert (run.rc == 2) == asked, run.output
    assert ("nobody has confirmed it" in run.stderr) == asked


def test_a_message_and_a_remedy_are_the_rules_own(production):
    check = {
        "confirm": "Go?",
        "name": "on call",
        "message": "ask {{ boss | default('the head of operations') }}",
    }
    production.write(
        "precheck.yml",
        policy(
            rule(check, name="a", message="Not on {{ inventory_hostname }}.", remedy="./ask.sh")
        ),
    )
    run = production.run("site.yml", "-l", "h1,h2")
    assert run.rc == 2, run.output
    for text in (
        "  not ready: on call: ask the head of operations\n",
        "Not on h1.\nNot on h2.\n",
        "\n    ./ask.sh\n",
    ):
        assert text in run.stderr


def test_the_report_says_what_was_confirmed(production):
    production.configure(production.entry_point, "[precheck]\nreport = report.json")

    def checks():
        report = json.loads((production.directory / "report.json").read_text())
        return [
            (play["name"], check["verdict"]) for play in report["plays"] for check in play["checks"]
        ]

    production.run("site.yml")
    assert checks() == [("Change one", "not_ready")]
    assert production.run("site.yml", "-e", "precheck_confirm=3").rc == 0
    assert checks() == [("Change one", "ready"), ("Change all", "ready")]


def test_explaining_asks_nothing(production):
    run = production.run("ansible-precheck", "explain", "site.yml")
    assert run.rc == 0, run.output
    assert "once      {{ precheck_play }} changes production. (for 3 hosts)" in run.stdout


def test_an_audit_asks_nothing(production):
    production.write("precheck.yml", policy(PRODUCTION, rule({"that": True}, name="other")))
    run = production.run(AUDIT)
    assert run.rc == 0, run.output
    assert "confirm" not in run.stderr
    assert "production" in run.stdout  # among the rules that are not audited
