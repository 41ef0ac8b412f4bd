# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A remedy, pasted into a shell, does what it says on exactly the hosts that are not ready."""

from __future__ import annotations

import json
import re
import stat

import pytest

from support.commands import BIN, run_command
from support.policies import policy, rule

PLAY = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: }]}\n"
READY = {"that": "inventory_hostname not in bad"}
SITE = {"playbook": "site.yml"}
REMEDY = "./node.yml -l {{ precheck_limit }}"

# Each of these names means something else to a shell, to an option parser or as a pattern, or is
# also that of a group.
ODD = [
    "web 1",
    "a,b",
    "-x",
    "@inventory.py",
    "!web",
    "&a",
    "~h.",
    "x:y",
    "h[1]",
    "h[0:1]",
    "h*",
    "h?",
    " h1",
    "h2 ",
    "2001:db8::1",
    "$HOME",
    "it's",
    "größe",
    "database",
    "nodes 1",
]
# What they would select as patterns, and the hosts of these groups.
OTHERS = ["web", "1", "a", "b", "x", "y", "h1", "h2", "h3", "n1"]
GROUPS = {"database": {"hosts": ["h1", "h2"]}, "nodes 1": {"hosts": ["n1"]}}


@pytest.fixture
def odd(guarded):
    """A project with hosts that have odd names. Those in the variable bad are not ready."""
    inventory = {"all": {"hosts": ODD + OTHERS}, "_meta": {"hostvars": {}}, **GROUPS}
    guarded.write("inventory.txt", json.dumps(inventory))
    guarded.script("inventory.py", '#!/bin/sh\ncat "$(dirname "$0")/inventory.txt"\n')
    guarded.write("site.yml", PLAY)
    guarded.script("node.yml", f"#!{BIN}/ansible-playbook\n{PLAY}")
    guarded.write("precheck.yml", policy(rule(READY, covers=SITE, remedy=REMEDY)))
    (guarded.directory / "temporary").mkdir()
    return guarded


def run(project, *command, **env):
    """Run a command in the project's directory, with a directory for its temporary files."""
    env = {
        "ANSIBLE_CONFIG": f"{project.directory}/ansible.cfg",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_INVENTORY": f"{project.directory}/inventory.py",
        "ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS": "ignore",
        "TMPDIR": f"{project.directory}/temporary",
        **env,
    }
    return run_command(command, project.directory, **env)


def remedy_for(project, bad, **env):
    """Return the remedy that is printed when these hosts are not ready."""
    extra = json.dumps({"bad": bad})
    stopped = run(project, BIN / "ansible-playbook", "site.yml", "-e", extra, **env)
    assert stopped.rc == 2, stopped.output
    [remedy] = re.findall(r"^    (\./node\.yml .*)$", stopped.stderr, re.MULTILINE)
    return remedy


def hosts_of(project, command):
    """Return the hosts on which the play of this command does its task."""
    done = run(project, "sh", "-c", command)
    assert done.rc == 0, done.output
    return sorted(re.findall(r"^ok: \[(.*)\] => ", done.stdout, re.MULTILINE))


def limit_files(project):
    return list((project.directory / "temporary").glob("precheck-*.limit"))


@pytest.mark.claims("Only its owner can read the file of hosts that a message or remedy may name.")
@pytest.mark.each_release
def test_a_pasted_remedy_selects_the_hosts_that_are_not_ready_and_no_others(odd):
    remedy = remedy_for(odd, ODD)
    [path] = limit_files(odd)
    assert remedy == f"./node.yml -l @{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hosts_of(odd, remedy) == sorted(ODD)


@pytest.mark.each_release
@pytest.mark.parametrize(
    "names", [["!web"], ["&a", "!web"], ["-x"], [" h1"], ["@inventory.py"]], ids=" ".join
)
def test_names_that_look_like_operators_are_selected_without_others(odd, names):
    assert hosts_of(odd, remedy_for(odd, names)) == sorted(names)


def test_plain_names_need_no_file(odd):
    remedy = remedy_for(odd, ["h1", "database", "1"])
    assert remedy == "./node.yml -l 1,database,h1"
    assert limit_files(odd) == []
    assert hosts_of(odd, remedy) == ["1", "database", "h1"]


@pytest.mark.each_release
def test_a_message_and_a_variable_of_the_policy_have_the_limit_too(odd):
    """They name one file, as the remedy does."""
    own = rule(READY, covers=SITE, message="Choose -l {{ precheck_limit }}.", remedy="{{ mend }}")
    odd.write("precheck.yml", policy(own) + f'vars: {{mend: "{REMEDY}"}}\n')
    for bad in (["h1", "1"], ["web 1"]):
        extra = json.dumps({"bad": bad})
        stopped = run(odd, BIN / "ansible-playbook", "site.yml", "-e", extra)
        files = [f"@{path}" for path in limit_files(odd)]
        [limit] = files or ["1,h1"]
        assert f"\nChoose -l {limit}.\n" in stopped.stderr
        assert f"\n    ./node.yml -l {limit}\n" in stopped.stderr
    assert files


@pytest.mark.each_release
def test_the_file_is_beside_the_report(odd):
    """Its directory has a space and a colon, at which ansible-core would split the path."""
    reports = odd.directory / "our reports: 1"
    reports.mkdir()
    remedy = remedy_for(odd, ["web 1"], ANSIBLE_PRECHECK_REPORT=f"{reports}/%Y.json")
    [path] = reports.glob("precheck-*.limit")
    assert remedy == f"./node.yml -l '@{path},'"
    assert hosts_of(odd, remedy) == ["web 1"]
    assert limit_files(odd) == []


def test_hosts_for_more_than_three_lines_are_in_a_file(guarded, odd):
    names = [f"node-{number:02}.example.com" for number in range(20)]
    inventory = {"all": {"hosts": [*names, "h1"]}, "_meta": {"hostvars": {}}}
    guarded.write("inventory.txt", json.dumps(inventory))
    remedy = remedy_for(odd, names)
    assert remedy == f"./node.yml -l @{limit_files(odd)[0]}"
    assert hosts_of(odd, remedy) == names


@pytest.mark.each_release
def test_a_remedy_is_without_a_localhost_that_is_in_no_inventory(odd):
    """No --limit can select it. If it is the only one, there is no remedy."""
    odd.write("site.yml", PLAY.replace("all", "'localhost,h1'"))
    assert remedy_for(odd, ["h1", "localhost"]) == "./node.yml -l h1"
    extra = json.dumps({"bad": ["localhost"]})
    stopped = run(odd, BIN / "ansible-playbook", "site.yml", "-e", extra)
    assert stopped.rc == 2, stopped.output
    assert "  localhost  not ready: " in stopped.stderr
    assert "node.yml" not in stopped.stderr and "precheck_limit" not in stopped.stderr

    remedy = "{{ '-l ' ~ precheck_limit if precheck_limit is defined else './mend' }}"
    odd.write("precheck.yml", policy(rule(READY, covers=SITE, remedy=remedy)))
    stopped = run(odd, BIN / "ansible-playbook", "site.yml", "-e", extra)
    assert "\n    ./mend\n" in stopped.stderr


def test_without_a_place_for_the_file_the_remedy_says_so(odd):
    directory = odd.directory / "with,comma"
    directory.mkdir()
    extra = json.dumps({"bad": ["web 1"]})
    command = [BIN / "ansible-playbook", "site.yml", "-e", extra]
    stopped = run(odd, *command, TMPDIR=str(directory))
    assert stopped.rc == 2, stopped.output
    reason = "the file for --limit cannot be written: there is no directory whose path has no comma"
    assert f"\n    {REMEDY} ('precheck_limit' is undefined; {reason})\n" in stopped.stderr
