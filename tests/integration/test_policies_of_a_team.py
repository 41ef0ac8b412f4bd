# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The way of a team's policy: from a collection, through tests and a commit, to a run."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml

from support.commands import REPOSITORY
from support.output import reasons
from support.project import LOCAL_HOST

COLLECTION = "collections/ansible_collections/acme/base"

# What all teams have in common, and its cases.
COMPANY = """
vars:
  least: 50
rules:
  - name: space
    plays: [{play: "*"}]
    checks:
      - command: test {{ free }} -ge {{ least }}
        message: "{{ free }} GB of {{ least }} GB free"
"""
COMPANY_CASES = """
cases:
  - name: as much as all teams need
    play: {playbook: site.yml}
    hosts: {h1: {vars: {free: 50}}}
    answers: [{command: test 50 -ge 50}]
    expect: {space: {ready: h1}}
"""

# What one team makes of it.
TEAM = """
extends: acme.base.hosts
vars:
  least: 10
rules:
  - name: databases
    plays: [{playbook: "db*.yml"}]
    checks:
      - that: db is defined
"""
TEAM_CASES = """
cases:
  - name: this team needs less
    play: {playbook: db.yml}
    hosts:
      h1: {vars: {free: 10, db: main}}
      h2: {vars: {free: 9}, answers: [{command: test 9 -ge 10, status: 1}]}
    answers: [{command: test 10 -ge 10}]
    expect:
      space: {ready: h1, not_ready: {h2: 9 GB of 10 GB free}}
      databases: {ready: h1, not_ready: {h2: db is defined does not hold}}
"""

PLAY = """
- name: Covered
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch {{ playbook_dir }}/witness
"""


@pytest.fixture
def team(guarded):
    """A repository with a policy that extends the one of a collection."""
    galaxy = {"namespace": "acme", "name": "base", "version": "1.0.0"}
    guarded.write(f"{COLLECTION}/galaxy.yml", json.dumps(galaxy))
    guarded.write(f"{COLLECTION}/policies/hosts.yml", COMPANY)
    guarded.write(f"{COLLECTION}/policies/hosts.test.yml", COMPANY_CASES)
    guarded.write("precheck.yml", TEAM)
    guarded.write("precheck.test.yml", TEAM_CASES)
    guarded.write("db.yml", PLAY)
    variables = {"h1": {"free": 20, "db": "main"}, "h2": {"free": 5, "db": "main"}}
    guarded.inventory({name: LOCAL_HOST | own for name, own in variables.items()})
    return guarded


def git(project, command):
    identity = "-c user.name=tests -c user.email=tests@localhost"
    run = subprocess.run(
        ["git", *identity.split(), *command.split()],
        cwd=project.directory,
        check=True,
        capture_output=True,
        text=True,
    )
    return run.stdout.splitlines()


def hooks(project):
    """Return what each hook makes of the files of a commit, as pre-commit runs it."""
    git(project, "add -A")
    names = git(project, "diff --cached --name-only")
    done = {}
    for hook in yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text()):
        # As the page tells a team to name policies that have other names.
        files = rf"{hook['files']}|/policies/.*\.yml$"
        chosen = [name for name in names if re.search(files, name)]
        if "exclude" in hook:
            chosen = [name for name in chosen if not re.search(hook["exclude"], name)]
        done[hook["id"]] = project.run(*hook["entry"].split(), *chosen)
    return done["precheck-validate"], done["precheck-test"]


def test_a_policy_goes_from_a_collection_through_a_commit_to_a_run(team):
    git(team, "init -q")
    validated, tested = hooks(team)
    assert (validated.rc, tested.rc) == (0, 0), validated.output + tested.output
    assert tested.stdout.endswith("2 cases, 0 failed\n")
    run = team.run("db.yml")
    assert run.rc == 2, run.output
    assert reasons(run) == {"h2": ["not ready: 5 GB of 10 GB free"]}
    assert not (team.directory / "witness").exists()
    assert team.run("db.yml", "--limit", "h1").rc == 0
    assert (team.directory / "witness").exists()


def test_a_commit_that_breaks_a_policy_fails(team):
    """Also if it does not change the test file."""
    git(team, "init -q")
    git(team, "add -A")
    git(team, "commit -q -m all")
    team.write("precheck.yml", TEAM.replace("least: 10", "least: 5"))
    validated, tested = hooks(team)
    assert (validated.rc, tested.rc) == (0, 1), validated.output + tested.output
    assert "precheck.test.yml:3: FAILED this team needs less\n" in tested.stdout
    team.write("precheck.yml", TEAM.replace("acme.base.hosts", "acme.base.host"))
    for run in hooks(team):
        assert run.rc == 1
        assert "/precheck.yml:2: extends: there is no file /" in run.output
