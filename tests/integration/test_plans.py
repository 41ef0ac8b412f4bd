# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the guard plans for a play is what a run does, and what explain shows."""

from __future__ import annotations

import json
import re

import pytest

from support.output import is_printed
from support.plays import play
from support.policies import policy, rule
from support.project import LOCAL_HOST, UNREACHABLE_HOST

REACHED = "- ansible.builtin.debug: {msg: reached}"


def site(project, *plays, hosts=("h1", "h2")):
    """Give the project hosts on this machine, and a playbook of these plays."""
    project.inventory(
        {name: LOCAL_HOST | {"precheck_root": f"{project.directory}/{name}"} for name in hosts}
    )
    for name in hosts:
        project.write(f"{name}/ready", "")
    project.write("site.yml", "".join(plays))


def explained(project):
    """Return what explain says about each play: by rule, hosts to check and errors."""
    run = project.run("ansible-precheck", "explain", "site.yml", "--format", "json")
    assert run.rc == 0, run.output
    return [
        {rule["name"]: (rule["checked"], rule["errors"]) for rule in play["rules"]}
        for play in json.loads(run.stdout)["plays"]
    ]


def checks_in(run):
    """Return the names of the rules whose checks ran, in order."""
    return re.findall(r"^TASK \[Precheck (.*)\]", run.stdout, re.MULTILINE)


FIRST = play(name="first", hosts="h1", tasks=REACHED)
OPTED_OUT = {
    "the same host": play(name="second", hosts="h1", tasks=REACHED, keywords="tags: no_precheck"),
    "one more host": play(name="second", tasks=REACHED, keywords="tags: no_precheck"),
}
MUST = rule({"path": "/ready"}, name="must", waiver="forbidden")
MAY = rule({"that": False}, name="may", covers={"play": "second"})


@pytest.mark.parametrize("rules", [[MUST], [MUST, MAY]], ids=["alone", "beside another rule"])
def test_a_rule_that_cannot_be_waived_lets_an_opted_out_play_run_whose_hosts_were_checked(
    guarded, rules
):
    site(guarded, FIRST, OPTED_OUT["the same host"])
    guarded.write("precheck.yml", policy(*rules))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count('"reached"') == 2
    assert checks_in(run) == ["must"]
    assert is_printed("may not checked on 1 host", run.stderr) == (MAY in rules)
    assert not is_printed("must not checked", run.stderr)
    first, second = explained(guarded)
    assert first["must"] == (["h1"], {})
    assert second["must"] == ([], {})


@pytest.mark.parametrize("rules", [[MUST], [MUST, MAY]], ids=["alone", "beside another rule"])
@pytest.mark.parametrize("is_ready", [True, False], ids=["ready", "not ready"])
def test_a_rule_that_cannot_be_waived_is_enforced_on_the_other_hosts_of_an_opted_out_play(
    guarded, rules, is_ready
):
    site(guarded, FIRST, OPTED_OUT["one more host"])
    guarded.write("precheck.yml", policy(*rules))
    if not is_ready:
        (guarded.directory / "h2/ready").unlink()
    run = guarded.run("site.yml")
    assert run.rc == (0 if is_ready else 2), run.output
    assert run.stdout.count('"reached"') == (3 if is_ready else 0)
    assert checks_in(run) == ["must", "must (for second)"]
    assert run.stdout.count("ok: 1 host\n") == (2 if is_ready else 1)  # h1 is not checked again
    stopped = "PRECHECK stopped the run before play" in run.stderr
    assert stopped is not is_ready
    _first, second = explained(guarded)
    assert second["must"] == ([], {})  # before the first play


@pytest.mark.each_release
def test_an_opted_out_play_cannot_reach_a_host_that_a_rule_that_cannot_be_waived_left_unchecked(
    guarded,
):
    """A task brings a host back that was unreachable when the hosts were checked."""
    tasks = f"{REACHED}\n- ansible.builtin.meta: clear_host_errors\n{REACHED}"
    before = play(name="before", tasks="- ansible.builtin.ping:", keywords="ignore_errors: true")
    second = play(name="second", tasks=tasks, keywords="tags: no_precheck")
    site(guarded, before, second)
    with guarded.changed_inventory() as inventory:
        inventory["hosts"]["h2"] |= UNREACHABLE_HOST
    of_second = {"covers": {"play": "second"}}
    guarded.write(
        "precheck.yml", policy(rule({"that": True}, name="must", waiver="forbidden", **of_second))
    )
    run = guarded.run("site.yml")
    assert run.rc == 1, run.output
    assert "ok: [h2]" not in run.stdout
    assert is_printed("on h2: the host was not checked", run.stderr)

    guarded.write("precheck.yml", policy(rule({"that": True}, name="may", **of_second)))
    run = guarded.run("site.yml")
    assert "ok: [h2]" in run.stdout
    assert not is_printed("the host was not checked", run.stderr)


@pytest.mark.parametrize("severity", ["error", "warn"])
def test_checks_that_run_once_do_not_reopen_the_when_of_another_rule(guarded, severity):
    """The second play has no variable ``kind``, which the other rule's ``when`` needs."""
    first = play(name="first", hosts="h1", tasks=REACHED, keywords="vars: {kind: db}")
    site(guarded, first, play(name="second", hosts="h1", tasks=REACHED))
    once = rule({"that": True, "once": True}, name="once", severity=severity)
    databases = rule({"path": "/ready"}, name="databases", when="kind == 'db'")
    guarded.write("precheck.yml", policy(once, databases))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count('"reached"') == 2
    assert checks_in(run) == ["databases"]
    first, second = explained(guarded)
    assert first["databases"] == (["h1"], {})
    assert second["databases"] == ([], {})


def test_a_rule_without_checks_for_hosts_leaves_the_plan_of_another_alone(guarded):
    """The other rule applies to one host only, and each host is checked once."""
    site(guarded, play(name="first", tasks=REACHED, keywords="serial: 1"))
    once = rule({"that": True, "once": True}, name="once")
    databases = rule({"path": "/ready"}, name="databases", when="inventory_hostname == 'h1'")
    guarded.write("precheck.yml", policy(once, databases))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count('"reached"') == 2
    assert checks_in(run) == ["databases"]
    [only] = explained(guarded)
    assert only["databases"] == (["h1"], {})


@pytest.mark.one_release
def test_what_a_when_lacks_ends_the_run_with_the_host_and_the_rule(guarded):
    site(guarded, play(name="first", tasks=REACHED))
    guarded.write(
        "precheck.yml", policy(rule({"that": True}, name="databases", when="kind == 'db'"))
    )
    run = guarded.run("site.yml")
    assert run.rc == 1
    assert "reached" not in run.stdout
    location = f"rule databases ({guarded.directory}/precheck.yml:2)"
    assert is_printed(f"Precheck cannot tell whether {location} applies to h1", run.stderr)
    [only] = explained(guarded)
    reason = "the rule's when, kind == 'db': 'kind' is undefined"
    assert only["databases"] == ([], {"h1": reason, "h2": reason})
