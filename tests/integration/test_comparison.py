# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/comparison.md: what an assert in pre_tasks lets through, and the guard does not."""

from __future__ import annotations

import re

import pytest
import yaml

from support.commands import REPOSITORY

DOCUMENT = (REPOSITORY / "docs/comparison.md").read_text()

ASSERT = {
    "name": "The host is initialised",
    "ansible.builtin.assert": {"that": "(precheck_root ~ '/etc/pki/ca.crt') is exists"},
}
CHANGE = {"name": "Change", "ansible.builtin.debug": {"msg": "changed {{ inventory_hostname }}"}}
NOTHING = "nothing runs on any host"

# The rows of the table: keywords of the play, the arguments of the run, what the tasks let through,
# and the hosts that they change then.
ROWS = {
    "one host that is not ready": ({}, "", "the other hosts go on", "h1 h2"),
    "`serial: 1`, and the last host is not ready": (
        {"serial": 1},
        "",
        "all hosts before it are changed",
        "h1 h2",
    ),
    "`--tags`, without the tag `always` on the task": (
        {},
        "--tags change",
        "the task is skipped",
        "h1 h2 h3",
    ),
    "`ignore_errors: true` on the play": (
        {"ignore_errors": True},
        "",
        "the failure is ignored",
        "h1 h2 h3",
    ),
    "`--start-at-task`": ({}, "--start-at-task Change", "the task is passed over", "h1 h2 h3"),
    "an earlier play without the task": (
        {"pre_tasks": []},
        "",
        "the earlier play changes its hosts",
        "h1 h2 h3",
    ),
    "a host that is ready": ({"hosts": "h1"}, "-l h1", "the play runs", "h1"),
}


def write_playbook(project, keywords, pre_tasks):
    """Write a playbook of one play with these tasks; the ``keywords`` may take them out."""
    play = {"hosts": "all", "gather_facts": False, "tasks": [CHANGE | {"tags": "change"}]}
    later = play | {"pre_tasks": pre_tasks, "tasks": []}
    plays = [play | {"pre_tasks": pre_tasks} | keywords]
    project.write("pgsql.yml", yaml.safe_dump([*plays, later]))


def changed(run):
    return " ".join(sorted(set(re.findall(r"changed (h\d)", run.stdout))))


@pytest.mark.one_release
def test_the_table_is_that_of_these_tests():
    rows = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \|$", DOCUMENT, re.MULTILINE)[2:]
    of_tests = [
        (name, text, text if text == "the play runs" else NOTHING)
        for name, (_keywords, _arguments, text, _changed) in ROWS.items()
    ]
    assert rows == of_tests


@pytest.mark.parametrize("name", ROWS)
def test_what_the_task_lets_through(project, name):
    keywords, arguments, _text, hosts = ROWS[name]
    project.local_hosts(ready="h1 h2", missing="h3")
    write_playbook(project, keywords, [ASSERT])
    run = project.run("pgsql.yml", *arguments.split(maxsplit=1))
    assert changed(run) == hosts, run.output


@pytest.mark.parametrize("name", ROWS)
def test_what_the_guard_lets_through(guarded, name):
    keywords, arguments, text, hosts = ROWS[name]
    guarded.local_hosts(ready="h1 h2", missing="h3")
    write_playbook(guarded, keywords, [])
    run = guarded.run("pgsql.yml", *arguments.split(maxsplit=1))
    assert changed(run) == (hosts if text == "the play runs" else "")
