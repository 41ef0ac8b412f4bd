# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What operators and programs read about hosts that a run leaves out."""

from __future__ import annotations

import functools
import json
import re

import pytest

from support import policies
from support.output import is_printed
from support.plays import play
from support.policies import policy
from support.project import LOCAL_HOST, UNREACHABLE_HOST
from support.reports import read_report

rule = functools.partial(policies.rule, covers={"playbook": "site.yml"}, severity="exclude")
FOUR = "h1 h2 h3 h4"
NOT_H2 = {"that": "inventory_hostname != 'h2'"}
SITE = play(name="Site", tasks="- ansible.builtin.debug: {msg: 'on {{ inventory_hostname }}'}")
BLOCK = """\
Precheck: 2 hosts are left out from play "Site" ({directory}/site.yml:1) on: away, h2
PRECHECK left hosts out from play "Site" ({directory}/site.yml:1) on: 1 of 3 hosts is not ready, 1\
 unverified.

Rule only: 1 of 3 hosts is not ready.
  h2  not ready: /ready is missing

h2 is not prepared.

Rule only: 1 of 3 hosts could not be checked, and is unverified.
  away  unverified: unreachable: {words}

Mend what kept them from being checked, and run again.

    ./fix.sh -l h2
"""


@pytest.fixture
def left(guarded):
    """A project in which h2 is not ready and away is unreachable, and both are left out."""
    only = rule(
        {"path": "/ready"},
        message="{{ inventory_hostname }} is not prepared.",
        remedy="./fix.sh -l {{ precheck_limit }}",
    )
    hosts = {"h1": {"precheck_root": str(guarded.directory)}, "h2": {}, "away": UNREACHABLE_HOST}
    guarded.inventory({name: LOCAL_HOST | variables for name, variables in hosts.items()})
    guarded.write("precheck.yml", policy(only))
    guarded.write("ready", "")
    guarded.write("site.yml", SITE)
    return guarded


def test_the_last_lines_say_who_was_left_out_and_why(left):
    run = left.run("site.yml", "-e", "precheck_report=report.json")
    assert run.rc == 2, run.output
    assert re.findall(r'"(on \w+)"', run.stdout) == ["on h1"]
    [words] = re.findall(r"away  unverified: unreachable: (.*)", run.stderr)
    assert run.stderr == BLOCK.format(directory=left.directory, words=words)
    recap = run.stdout.partition("PLAY RECAP")[2]
    assert re.search(r"^h2 .* unreachable=0 +failed=1 ", recap, re.MULTILINE)
    assert re.search(r"^away .* unreachable=1 +failed=0 ", recap, re.MULTILINE)
    report = read_report(left.directory / "report.json")
    [site] = report["plays"]
    assert (site["left_out"], site["stopped"], site["hosts"]) == (["away", "h2"], False, 3)
    assert (report["result"], report["rules"][0]["severity"]) == ("not_ready", "exclude")
    assert report["rules"][0]["remedy"] == "./fix.sh -l h2"


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_a_host_that_is_left_out_is_none_of_the_hosts_of_the_play(left, batch):
    """Also while the batches before its own run. The names of all are in another variable."""
    left.inventory(dict.fromkeys(FOUR.split(), LOCAL_HOST))
    left.write("precheck.yml", policy(rule({"that": "inventory_hostname not in ['h3', 'h4']"})))
    say = "{{ ansible_play_hosts | join(' ') }} of {{ ansible_play_hosts_all | join(' ') }}"
    tasks = f"- ansible.builtin.debug: {{msg: {json.dumps(say)}}}"
    left.write("site.yml", play(name="Site", tasks=tasks, keywords=f"serial: {batch}"))
    run = left.run("site.yml")
    assert run.rc == 2, run.output
    assert re.findall(r'"(h1.*) of (.*)"', run.stdout) == [("h1 h2", FOUR)] * 2


def test_the_reason_comes_before_that_of_a_later_stop(left):
    never = policies.rule({"that": False}, name="never", covers={"play": "Second"}, facts=["min"])
    left.write("precheck.yml", policy(rule(NOT_H2, covers={"play": "Site"}), never))
    left.write("site.yml", SITE + play(name="Second"))
    run = left.run("site.yml", "-l", "h1,h2")
    assert run.rc == 2, run.output
    left_out, stopped = (run.stderr.index(f"PRECHECK {what}") for what in ("left", "stopped"))
    assert left_out < stopped
    assert "Rule never: 1 of 1 host is not ready" in run.stderr


def test_an_audit_goes_on_with_all_hosts(left):
    run = left.run("precheck.guard.audit", "-l", "h1,h2")
    assert run.rc == 2, run.output
    assert "Rule only (leaves hosts out): 1 of 2 hosts is not ready." in run.stdout
    assert "left hosts out" not in run.output


@pytest.mark.one_release
def test_explain_says_that_a_rule_leaves_hosts_out(left):
    assert ", leaves hosts out\n" in left.run("ansible-precheck", "explain", "site.yml").stdout


@pytest.mark.parametrize("keywords", ["", "serial: 1", "serial: 2"])
def test_the_retry_file_has_the_hosts_that_were_left_out(left, keywords):
    left.write("site.yml", SITE.replace("  tasks:", f"  {keywords}\n  tasks:"))
    run = left.run("site.yml", "-l", "h1,h2", env={"ANSIBLE_RETRY_FILES_ENABLED": "true"})
    assert run.rc == 2, run.output
    assert (left.directory / "site.retry").read_text().split() == ["h2"]


def test_a_role_whose_name_the_play_computes_stops_the_run(left):
    """Its hosts are checked in the middle of the play, where none can be left out."""
    covers = {"role": "app"}
    left.write("precheck.yml", policy(rule(NOT_H2, covers=covers, remedy="./fix.sh")))
    left.write("roles/app/tasks/main.yml", "- ansible.builtin.debug: {msg: in the role}\n")
    include = "- ansible.builtin.include_role: {name: '{{ which }}'}"
    left.write("site.yml", play(name="Site", tasks=include, keywords="vars: {which: app}"))
    run = left.run("site.yml", "-l", "h1,h2")
    assert run.rc == 2, run.output
    assert "PRECHECK stopped the run before the role app in " in run.stderr
    assert "in the role" not in run.stdout


def test_a_when_that_cannot_be_evaluated_ends_the_run(left):
    left.write("precheck.yml", policy(rule(NOT_H2, when="nowhere_defined")))
    run = left.run("site.yml")
    assert run.rc == 1, run.output
    assert is_printed("Precheck cannot tell whether rule only", run.stderr)


def test_each_batch_is_checked_again(left):
    """h3 is no longer ready when its batch comes."""
    left.inventory(dict.fromkeys(("h1", "h2", "h3", "h4"), LOCAL_HOST))
    check = {"that": f"inventory_hostname != 'h3' or '{left.directory}/ran' is not exists"}
    left.write("precheck.yml", policy(rule(check, check_every="batch")))
    tasks = (
        f"- ansible.builtin.raw: touch {left.directory}/ran\n"
        "- ansible.builtin.debug: {msg: 'on {{ inventory_hostname }}'}"
    )
    left.write("site.yml", play(name="Site", tasks=tasks, keywords="serial: 1"))
    run = left.run("site.yml")
    assert run.rc == 2, run.output
    assert re.findall(r'"(on \w+)"', run.stdout) == ["on h1", "on h2", "on h4"]
    assert run.stderr.count("PRECHECK left hosts out") == 1
    assert "PRECHECK stopped" not in run.stderr


@pytest.mark.one_release
def test_a_stdout_callback_for_programs_goes_on_to_be_read(left):
    run = left.run("site.yml", env={"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal"})
    assert run.rc == 2, run.output
    assert json.dumps("on h1") in run.stdout


# Keys of the rule, the hosts that are not ready, keywords of the play, options; the hosts that the
# play runs on, and why it does not if it is stopped.
MINIMUMS = {
    "enough": ({"minimum": 2}, "h2 h3", "", (), "h1 h4", ""),
    "too few": ({"minimum": 3}, "h2 h3", "", (), "", "2 of 4 hosts are ready, {} 3."),
    "a percentage": ({"minimum": "50%"}, "h2 h3", "", (), "h1 h4", ""),
    "too low": ({"minimum": "51%"}, "h2 h3", "", (), "", "2 of 4 hosts are ready, {} 51%."),
    "of a play in batches": ({"minimum": 3}, "h2", "serial: 1", (), "h1 h3 h4", ""),
    "of those that the rule is for": (
        {"minimum": "60%", "when": "inventory_hostname != 'h4'"},
        "h2 h3",
        "",
        (),
        "",
        "1 of 3 hosts is ready, {} 60%.",
    ),
    "of those within the limit": (
        {"minimum": "60%"},
        "h2",
        "",
        ("-l", "h1,h2"),
        "",
        "1 of 2 hosts is ready, {} 60%.",
    ),
    "if all are ready": ({"minimum": 3}, "", "", ("-l", "h1,h2"), "h1 h2", ""),
}


@pytest.mark.parametrize(
    ("keys", "not_ready", "keywords", "options", "ran", "why"), MINIMUMS.values(), ids=MINIMUMS
)
def test_with_too_few_hosts_the_run_stops(left, keys, not_ready, keywords, options, ran, why):
    left.inventory(dict.fromkeys(FOUR.split(), LOCAL_HOST))
    check = {"that": f"inventory_hostname not in {not_ready.split()}"}
    left.write("precheck.yml", policy(rule(check, **keys)))
    left.write("site.yml", SITE.replace("  tasks:", f"  {keywords}\n  tasks:"))
    run = left.run("site.yml", *options)
    assert run.rc == (2 if not_ready else 0), run.output
    assert sorted(re.findall(r'"on (\w+)"', run.stdout)) == ran.split()
    assert run.stderr.count("PRECHECK stopped the run before") == bool(why)
    line = why.format("and the rule requires at least")
    assert [line] * bool(why) == re.findall(r"^\d of \d.* requires at least .*$", run.stderr, re.M)


def test_a_later_play_with_too_few_hosts_stops_the_run(left):
    """Of the first play three of four hosts are left, of the second one of two."""
    left.inventory(dict.fromkeys(FOUR.split(), LOCAL_HOST))
    left.write("precheck.yml", policy(rule(NOT_H2, minimum="60%")))
    second = SITE.replace("Site", "Second").replace("all", "h1,h2")
    left.write("site.yml", SITE + second)
    run = left.run("site.yml")
    assert run.rc == 2, run.output
    assert sorted(re.findall(r'"on (\w+)"', run.stdout)) == ["h1", "h3", "h4"]
    _before, block = run.stderr.split('PRECHECK stopped the run before play "Second"')
    assert "  h2  not ready: inventory_hostname != 'h2' does not hold\n" in block
    assert "\n1 of 2 hosts is ready, and the rule requires at least 60%.\n" in block
    assert "No task of this play ran on any host. These plays had run before" in block


def test_a_later_batch_with_too_few_hosts_stops_the_run(left):
    """h3 is no longer ready when its batch comes, so three of four are."""
    left.inventory(dict.fromkeys(FOUR.split(), LOCAL_HOST))
    check = {"that": f"inventory_hostname != 'h3' or '{left.directory}/ran' is not exists"}
    left.write("precheck.yml", policy(rule(check, check_every="batch", minimum=4)))
    tasks = f"- ansible.builtin.raw: touch {left.directory}/ran"
    left.write("site.yml", play(name="Site", tasks=tasks, keywords="serial: 1"))
    run = left.run("site.yml")
    assert run.rc == 2, run.output
    assert "\n3 of 4 hosts are ready, and the rule requires at least 4.\n" in run.stderr
    assert "2 of 4 batches of this play had run, and are not undone." in run.stderr
