# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of a guarded run: its content, its location, and that it changes nothing else."""

from __future__ import annotations

import getpass
import stat
import time

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.report.files import as_json

from support.output import is_printed
from support.policies import policy, rule
from support.project import LOCAL_HOST, UNREACHABLE_HOST
from support.report_documents import document
from support.reports import read_report

PLAY = """
- name: {name}
  hosts: {hosts}
  gather_facts: false
  {keywords}
  tasks:
    - ansible.builtin.debug: {{msg: reached}}
"""


WRITTEN = "Precheck wrote its report to "


@pytest.mark.claims(
    "Only their owner can read a report or a new page.",
    "A report does not contain values of extra variables or arguments of ssh.",
)
def test_the_report_of_a_stopped_run(guarded):
    """Its path contains the time in UTC, and is relative to ansible.cfg."""
    report_option = "[precheck]\nreport = reports/100%%-%Y-%m-%dT%H%M%S.json"
    guarded.configure(guarded.entry_point, report_option)
    (guarded.directory / "reports").mkdir()
    (guarded.directory / "elsewhere").mkdir()
    guarded.local_hosts(ready="h1", missing="h2")
    with guarded.changed_inventory() as inventory:
        inventory["hosts"]["away"] = UNREACHABLE_HOST
        db = {"hosts": {"h2": {}}}
        inventory["children"] = {
            "web": {"hosts": {"h1": {}, "away": {}}, "children": {"db": db}},
        }
    marker = rule(
        {"path": "/etc/pki/ca.crt", "name": "CA"},
        {"that": "inventory_hostname != 'h3'"},
        name="marker",
        covers={"playbook": "site.yml"},
        message="{{ inventory_hostname }} has none",
        remedy="./fix {{ precheck_hosts | join(',') }}",
    )
    guarded.write("precheck.yml", policy(marker))
    guarded.write("site.yml", PLAY.format(name="Site", hosts="all", keywords=""))
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    words = ["../site.yml", "-i", "../inventory.json"]
    words += ["-e", "user=alice password='open sesame'", "-e", '{"token": "sesame"}']
    run = guarded.run(*words, cwd="elsewhere", env={"TZ": "Pacific/Auckland"})
    after = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert run.rc == 2
    [path] = (guarded.directory / "reports").iterdir()
    assert run.stderr.endswith(f"\n{WRITTEN}{path}\n") and WRITTEN not in run.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    report = read_report(path)
    assert before <= report["started"] <= report["finished"] <= after
    assert path.name == f"100%-{report['started'].replace(':', '')[:-1]}.json"
    assert "sesame" not in path.read_text()
    hidden = ["-e", "user=*** password=***", "-e", "***"]
    assert report["command"] == ["ansible-playbook", *words[:3], *hidden]
    assert (report["kind"], report["result"]) == ("run", "not_ready")
    assert (report["user"], report["error"]) == (getpass.getuser(), "")
    assert report["policies"] == [f"{guarded.directory}/precheck.yml"]
    site = {"name": "Site", "path": f"{guarded.directory}/site.yml", "line": 2}
    covered = {"rules": ["marker"], "hosts": 3, "stopped": True, "left_out": [], "checks": []}
    assert report["plays"] == [site | covered]
    [reported] = report["rules"]
    assert (reported["path"], reported["line"]) == (f"{guarded.directory}/precheck.yml", 2)
    assert reported["message"] == "h2 has none"
    assert reported["remedy"] == "./fix h2"
    away, h1, h2 = report["verdicts"]
    assert (away["host"], away["verdict"], away["groups"]) == ("away", "unverified", ["web"])
    [lost] = away["checks"]
    assert (lost["check"], lost["verdict"]) == ("", "unverified")
    assert lost["reasons"][0].startswith("unreachable: ")
    ready = {"verdict": "ready", "reasons": []}
    reason = f"CA: {guarded.directory}/h2/etc/pki/ca.crt is missing"
    missing = {"check": "CA", "verdict": "not_ready", "reasons": [reason]}
    that = ready | {"check": "inventory_hostname != 'h3'"}
    assert h1 == {
        "host": "h1",
        "rule": "marker",
        "groups": ["web"],
        "verdict": "ready",
        "before": site,
        "checks": [ready | {"check": "CA"}, that],
    }
    assert h2 == {
        "host": "h2",
        "rule": "marker",
        "groups": ["db", "web"],
        "verdict": "not_ready",
        "before": site,
        "checks": [missing, that],
    }
    assert (report["waivers"], report["not_judged"]) == ([], [])


POLICY = """
rules:
  - name: strict
    plays: [{play: "*"}]
    when: inventory_hostname != 'h3'
    checks:
      - that: inventory_hostname != 'h9'
      - {that: ansible_play_hosts_all | length > 0, once: true, name: some}
  - name: advice
    plays: [{play: Second}]
    when: inventory_hostname != 'h3'
    severity: warn
    checks:
      - name: late
        task: {ansible.builtin.debug: {msg: on time}, failed_when: inventory_hostname == 'h2'}
      - that: true
    remedy: think
"""


COPY = """\
    - ansible.builtin.copy:
        src: report.json
        dest: "{{ playbook_dir }}/then.json"
        mode: "0600"
"""


def test_the_report_of_a_run_that_continues(guarded):
    """It is written before each play, with waivers and their users. A warning is no failure."""
    guarded.inventory({"h1": LOCAL_HOST, "h2": LOCAL_HOST, "h3": LOCAL_HOST})
    guarded.write("precheck.yml", POLICY)
    first = PLAY.format(name="First", hosts="h1", keywords="serial: 1") + COPY
    second = PLAY.format(name="Second", hosts="all", keywords="serial: 1")
    third = PLAY.format(name="Third", hosts="all", keywords="tags: no_precheck\n  serial: 1")
    guarded.write("site.yml", first + second + third)
    run = guarded.run("site.yml", env={"ANSIBLE_PRECHECK_REPORT": "report.json"})
    assert run.rc == 0, run.output
    assert run.stdout.count('"reached"') == 7
    assert WRITTEN not in run.output  # only with -v
    then = read_report(guarded.directory / "then.json")
    report = read_report(guarded.directory / "report.json")
    assert [play["name"] for play in then["plays"]] == ["First", "Second"]
    assert [one["host"] for one in then["verdicts"]] == ["h1", "h2"]
    assert {one["before"]["name"] for one in then["verdicts"]} == {"First"}
    assert report["result"] == "ready"
    some = {"rule": "strict", "check": "some", "verdict": "ready", "reasons": []}
    plays = [
        (play["name"], play["rules"], play["hosts"], play["stopped"], play["checks"])
        for play in report["plays"]
    ]
    assert plays == [
        ("First", ["strict"], 1, False, [some]),
        ("Second", ["strict", "advice"], 2, False, [some]),
        ("Third", ["strict"], 0, False, []),
    ]
    assert [(rule["name"], rule["severity"], rule["remedy"]) for rule in report["rules"]] == [
        ("strict", "error", ""),
        ("advice", "warn", "think"),
    ]
    assert [(one["rule"], one["host"], one["verdict"]) for one in report["verdicts"]] == [
        ("strict", "h1", "ready"),
        ("strict", "h2", "ready"),
        ("advice", "h1", "ready"),
        ("advice", "h2", "not_ready"),
    ]
    ready = {"check": "True", "verdict": "ready", "reasons": []}
    assert report["verdicts"][2]["checks"] == [ready, ready | {"check": "late"}]
    assert report["verdicts"][3]["checks"] == [
        ready,
        {"check": "late", "verdict": "not_ready", "reasons": ["late: on time"]},
    ]
    [waiver] = report["waivers"]
    line = (guarded.directory / "site.yml").read_text().splitlines().index("- name: Third") + 1
    assert waiver == {
        "play": "Third",
        "path": f"{guarded.directory}/site.yml",
        "line": line,
        "rules": ["strict"],
        "hosts": 3,
        "opt_out_reason": "the play is tagged no_precheck",
        "reason": "",
        "user": getpass.getuser(),
    }


@pytest.fixture
def site(project):
    """A project with one host, a playbook, and a policy of which every rule covers its play."""
    project.configure("callback")
    project.inventory({"h1": LOCAL_HOST})
    project.write("site.yml", PLAY.format(name="Site", hosts="all", keywords=""))
    policy = POLICY.replace("'h9'", "never | default('h9')")
    project.write("precheck.yml", policy.partition("  - name: advice")[0])
    return project


@pytest.mark.claims("Extra variables can.")
def test_the_report_of_a_run_that_ends_with_an_error_before_a_verdict(site):
    text = (site.directory / "precheck.yml").read_text()
    site.write("precheck.yml", text.replace("when: ", "when: kind == 'db' and "))
    run = site.run("site.yml", "-e", "precheck_report=report.json")
    assert run.rc == 1
    path = site.directory / "report.json"
    assert is_printed(f"{WRITTEN}{path}", run.stderr)
    report = read_report(path)
    assert (report["result"], report["verdicts"]) == ("error", [])
    location = f"rule strict ({site.directory}/precheck.yml:3)"
    assert f"cannot tell whether {location} applies to h1" in report["error"]
    assert [play["stopped"] for play in report["plays"]] == [True]


def test_the_report_of_an_opted_out_run_has_the_verdicts_for_a_rule_that_cannot_be_waived(site):
    text = (site.directory / "precheck.yml").read_text()
    site.write("precheck.yml", text + "    waiver: forbidden\n")
    run = site.run("site.yml", "--skip-tags", "precheck", "-e", "precheck_report=report.json")
    assert run.rc == 0
    report = read_report(site.directory / "report.json")
    assert (report["result"], report["waivers"]) == ("ready", [])
    assert [verdict["verdict"] for verdict in report["verdicts"]] == ["ready"]
    assert [rule["waiver"] for rule in report["rules"]] == ["forbidden"]


def test_the_report_of_a_run_whose_policy_cannot_be_used(site):
    text = (site.directory / "precheck.yml").read_text()
    site.write("precheck.yml", text.replace("plays", "playz"))
    assert site.run("site.yml", "-e", "precheck_report=report.json").rc == 1
    report = read_report(site.directory / "report.json")
    assert (report["result"], report["plays"], report["rules"]) == ("error", [], [])
    assert report["error"].startswith("Precheck cannot use its policy")
    assert "playz" in report["error"]


def test_a_run_that_goes_on_says_with_v_where_its_report_is(site):
    run = site.run("site.yml", "-v", "-e", "precheck_report=report.json")
    assert run.rc == 0
    assert f"{WRITTEN}{site.directory}/report.json\n" in run.stdout


NOT_WRITTEN = "[WARNING]: Precheck could not write its report: "


def test_a_report_in_a_directory_that_does_not_exist_is_a_warning(site):
    run = site.run("site.yml", "-e", "precheck_report=new/report.json")
    assert run.rc == 0
    assert '"reached"' in run.stdout
    path = f"{site.directory}/new/report.json"
    assert is_printed(f"{NOT_WRITTEN}{path}: No such file or directory", run.stderr)
    assert WRITTEN not in run.output
    assert not (site.directory / "new").exists()


def test_a_run_is_stopped_also_when_its_report_cannot_be_written(site):
    run = site.run("site.yml", "-e", "precheck_report=. never=h1")
    assert run.rc == 2
    assert "reached" not in run.stdout
    assert is_printed(f"{NOT_WRITTEN}{site.directory} is not a regular file", run.stderr)
    assert "Rule strict: 1 of 1 host is not ready." in run.stderr
    assert not list(site.directory.glob(".precheck-*"))


def test_an_option_report_that_is_a_list_is_a_warning(site):
    run = site.run("site.yml", "-e", '{"precheck_report": ["a", "list"]}')
    assert run.rc == 0
    assert is_printed(f"{NOT_WRITTEN}the option report has a value that", run.stderr)


def test_a_run_without_covered_plays_writes_no_report(project):
    project.configure("both")
    project.inventory({"h1": LOCAL_HOST})
    project.write("site.yml", PLAY.format(name="Site", hosts="all", keywords=""))
    run = project.run("site.yml", "-e", "precheck_report=report.json")
    assert run.rc == 0
    assert not (project.directory / "report.json").exists()


# Until 2.21, ansible-core masks nothing: this stands for what it does since.
MASKING = """
import sys
import types

from ansible.plugins.callback import CallbackBase

try:
    from ansible.module_utils import secrets
    secrets.register_secret("a-password")
except ImportError:
    secrets = types.ModuleType("ansible.module_utils.secrets")
    secrets.mask_secrets = lambda text: text.replace("a-password", "$REDACTED$")
    sys.modules[secrets.__name__] = secrets


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "masking"
    CALLBACK_NEEDS_ENABLED = CALLBACK_NEEDS_WHITELIST = False
"""


@pytest.mark.claims(
    "The secrets that ansible-core masks on the screen from 2.22 on are masked in a report and on a"
    " page as well."
)
def test_a_report_and_a_page_have_no_secret_that_ansible_core_masks(project):
    """Also one in which a name is a secret has this name: earlier reports are compared by it."""
    project.configure("callback", "callback_plugins = plugins\n[precheck]\nreport = report.json")
    project.write("plugins/masking.py", MASKING)
    failing = {"task": {"ansible.builtin.fail": {"msg": "refused: a-password"}}}
    own = rule(failing, name="own", message="Not with a-password.", remedy="./login a-password")
    project.write("precheck.yml", policy(own))
    project.inventory({"a-password": LOCAL_HOST})
    assert project.run("precheck.guard.audit", "-e", "precheck_page=page.html").rc == 2
    [path] = project.directory.glob("report.json")
    report = read_report(path)
    [verdict] = report["verdicts"]
    assert verdict["host"] == "a-password"
    assert verdict["checks"][0]["reasons"] == ["refused: $REDACTED$"]
    [about] = report["rules"]
    assert (about["message"], about["remedy"]) == ("Not with $REDACTED$.", "./login $REDACTED$")
    page = (project.directory / "page.html").read_text()
    assert "refused: $REDACTED$" in page
    assert "with a-password" not in page and "refused: a-password" not in page


def old_report(day):
    """Return a report of this day in January 2001."""
    started = f"2001-01-{day:02}T00:00:00Z"
    return as_json(document([], [], started=started, finished=started))


@pytest.mark.claims(
    "With `report_keep`, Precheck removes reports that it wrote, and no other file."
)
def test_as_many_reports_are_kept_as_wanted(guarded):
    """Each run has its own, and other files and reports of other names stay."""
    pattern = "reports/%Y-%m-%d.json"
    guarded.configure(guarded.entry_point, f"[precheck]\nreport = {pattern}\nreport_keep = 3")
    (guarded.directory / "reports").mkdir()
    guarded.inventory({"h1": LOCAL_HOST})
    guarded.write("precheck.yml", policy(rule({"that": "true"})))
    guarded.write("site.yml", PLAY.format(name="Site", hosts="all", keywords=""))
    for day in range(1, 6):
        guarded.write(f"reports/2001-01-{day:02}.json", old_report(day))
    guarded.write("reports/2001-01-06.json", "{}")
    guarded.write("reports/copy.json", old_report(1))
    assert guarded.run("site.yml").rc == 0
    names = sorted(path.name for path in (guarded.directory / "reports").iterdir())
    [new] = [name for name in names if name > "2002" and name != "copy.json"]
    others = ["2001-01-04.json", "2001-01-05.json", "2001-01-06.json", "copy.json"]
    assert names == sorted([*others, new])
    read_report(guarded.directory / "reports" / new)

    guarded.run("precheck.guard.audit", "-e", "precheck_report_keep=1")
    names = sorted(path.name for path in (guarded.directory / "reports").iterdir())
    assert names == ["2001-01-06.json", new, "copy.json"]


def test_a_wrong_number_of_reports_to_keep_is_a_warning(guarded):
    guarded.inventory({"h1": LOCAL_HOST})
    guarded.write("precheck.yml", policy(rule({"that": "true"})))
    guarded.write("site.yml", PLAY.format(name="Site", hosts="all", keywords=""))
    run = guarded.run(
        "site.yml", "-e", "precheck_report=report.json", env={"ANSIBLE_PRECHECK_REPORT_KEEP": "0"}
    )
    assert run.rc == 0 and '"reached"' in run.stdout
    assert is_printed(
        "Precheck could not remove its old reports: the option report_keep", run.stderr
    )
    read_report(guarded.directory / "report.json")
