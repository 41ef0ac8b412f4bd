# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of a guarded run: what is in it, where it goes, and that it changes nothing else."""

from __future__ import annotations

import getpass
import json
import re
import stat
import time
from pathlib import Path

import jsonschema
import pytest
from conftest import REPOSITORY

SCHEMA = json.loads((REPOSITORY / "docs/report.schema.json").read_text())

PLAY = """
- name: {name}
  hosts: {hosts}
  gather_facts: false
  {keywords}
  tasks:
    - ansible.builtin.debug: {{msg: reached}}
"""

AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
HERE = {"ansible_connection": "local"}


def report(path: Path) -> dict[str, object]:
    """Return the report at ``path``, which is as the schema says."""
    found = json.loads(path.read_text())
    jsonschema.validate(found, SCHEMA)
    return found


def only_report(folder: Path) -> dict[str, object]:
    [path] = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return report(path)


@pytest.mark.claims(
    "Only their owner can read a report or a new page.",
    "A report does not contain values of extra variables or arguments of ssh.",
)
def test_the_report_of_a_run_that_was_stopped(guarded):
    """It goes to a path that is made of the time in UTC, and relative to ansible.cfg."""
    guarded.configure(guarded.door, "[precheck]\nreport = reports/100%%-%Y-%m-%dT%H%M%S.json")
    (guarded.folder / "reports").mkdir()
    (guarded.folder / "elsewhere").mkdir()
    guarded.local_hosts(ready="h1", missing="h2")
    inventory = json.loads((guarded.folder / "inventory.json").read_text())
    inventory["all"]["hosts"] |= {"away": AWAY}
    inventory["all"]["children"] = {"web": {"hosts": {"h1": {}, "away": {}}, "children": {"db": {"hosts": {"h2": {}}}}}}
    (guarded.folder / "inventory.json").write_text(json.dumps(inventory))
    guarded.write(
        "precheck.yml",
        "rules: [{name: marker, plays: [{playbook: site.yml}], message: '{{ inventory_hostname }} has none',"
        " remedy: \"./fix {{ precheck_hosts | join(',') }}\","
        " checks: [{path: /etc/pki/ca.crt, name: CA}, {that: inventory_hostname != 'h3'}]}]",
    )
    guarded.write("site.yml", PLAY.format(name="Site", hosts="all", keywords=""))
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    words = ["../site.yml", "-i", "../inventory.json", "-e", "user=alice password='open sesame'", "-e", '{"token": "sesame"}']
    run = guarded.run(*words, cwd="elsewhere", env={"TZ": "Pacific/Auckland"})
    after = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert run.rc == 2
    [path] = (guarded.folder / "reports").iterdir()
    found = only_report(guarded.folder / "reports")
    assert before <= found["started"] <= found["finished"] <= after
    assert path.name == f"100%-{found['started'].replace(':', '')[:-1]}.json"
    assert "sesame" not in path.read_text()
    assert found["command"] == ["ansible-playbook", *words[:4], "user=*** password=***", "-e", "***"]
    assert (found["kind"], found["result"], found["user"]) == ("run", "not_ready", getpass.getuser())
    assert found["policies"] == [f"{guarded.folder}/precheck.yml"]
    site = {"name": "Site", "path": f"{guarded.folder}/site.yml", "line": 2, "rules": ["marker"], "hosts": 3}
    assert found["plays"] == [site | {"stopped": True, "checks": []}]
    [rule] = found["rules"]
    assert (rule["path"], rule["line"], rule["remedy"]) == (f"{guarded.folder}/precheck.yml", 1, "./fix away,h2")
    assert (rule["message"], found["error"]) == ("away has none\nh2 has none", "")
    away, h1, h2 = found["verdicts"]
    assert (away["host"], away["verdict"], away["groups"]) == ("away", "unverified", ["web"])
    [lost] = away["checks"]
    assert (lost["check"], lost["verdict"]) == ("", "unverified")
    assert lost["reasons"][0].startswith("unreachable: ")
    well = {"verdict": "ready", "reasons": []}
    that = well | {"check": "inventory_hostname != 'h3'"}
    assert h1 == {"host": "h1", "rule": "marker", "groups": ["web"], "verdict": "ready", "checks": [well | {"check": "CA"}, that]}
    missing = {"check": "CA", "verdict": "not_ready", "reasons": [f"CA: {guarded.folder}/h2/etc/pki/ca.crt is missing"]}
    assert h2 == {"host": "h2", "rule": "marker", "groups": ["db", "web"], "verdict": "not_ready", "checks": [missing, that]}
    assert found["waivers"] == []


POLICY = """
rules:
  - name: strict
    plays: [{play: "*"}]
    when: inventory_hostname != 'h3'
    checks: [{that: inventory_hostname != 'h9'}, {that: ansible_play_hosts_all | length > 0, once: true, name: some}]
  - name: advice
    plays: [{play: Second}]
    when: inventory_hostname != 'h3'
    severity: warn
    checks:
      - {task: {ansible.builtin.debug: {msg: told}, failed_when: inventory_hostname == 'h2'}, name: late}
      - that: true
    remedy: think
"""


def test_the_report_of_a_run_that_goes_on(guarded):
    """It is written before each play, with waivers and who made them. Warnings do not make the result worse."""
    guarded.inventory({"h1": HERE, "h2": HERE, "h3": HERE})
    guarded.write("precheck.yml", POLICY)
    guarded.write(
        "site.yml",
        PLAY.format(name="First", hosts="h1", keywords="serial: 1")
        + "    - ansible.builtin.copy: {src: report.json, dest: '{{ playbook_dir }}/then.json', mode: '0600'}\n"
        + PLAY.format(name="Second", hosts="all", keywords="serial: 1")
        + PLAY.format(name="Third", hosts="all", keywords="tags: no_precheck\n  serial: 1"),
    )
    run = guarded.run("site.yml", env={"ANSIBLE_PRECHECK_REPORT": "report.json"})
    assert run.rc == 0, run.output
    assert run.stdout.count('"reached"') == 7
    then, found = report(guarded.folder / "then.json"), report(guarded.folder / "report.json")
    assert [play["name"] for play in then["plays"]] == ["First"]
    assert [one["host"] for one in then["verdicts"]] == ["h1"]
    assert found["result"] == "ready"
    some = {"rule": "strict", "check": "some", "verdict": "ready", "reasons": []}
    plays = [(play["name"], play["rules"], play["hosts"], play["stopped"], play["checks"]) for play in found["plays"]]
    assert plays == [
        ("First", ["strict"], 1, False, [some]),
        ("Second", ["strict", "advice"], 2, False, [some]),
        ("Third", ["strict"], 0, False, []),
    ]
    assert [(rule["name"], rule["severity"], rule["remedy"]) for rule in found["rules"]] == [
        ("strict", "error", ""),
        ("advice", "warn", "think"),
    ]
    assert [(one["rule"], one["host"], one["verdict"]) for one in found["verdicts"]] == [
        ("strict", "h1", "ready"),
        ("strict", "h2", "ready"),
        ("advice", "h1", "ready"),
        ("advice", "h2", "not_ready"),
    ]
    well = {"check": "True", "verdict": "ready", "reasons": []}
    assert found["verdicts"][2]["checks"] == [well, well | {"check": "late"}]
    assert found["verdicts"][3]["checks"] == [well, {"check": "late", "verdict": "not_ready", "reasons": ["late: told"]}]
    [waiver] = found["waivers"]
    line = (guarded.folder / "site.yml").read_text().splitlines().index("- name: Third") + 1
    place = {"play": "Third", "path": f"{guarded.folder}/site.yml", "line": line}
    how = "the play is tagged no_precheck"
    assert waiver == place | {"rules": ["strict"], "hosts": 3, "how": how, "user": getpass.getuser()}


@pytest.mark.claims("Extra variables can.")
def test_the_report_of_a_run_that_could_not_be_decided(project):
    project.configure("callback")
    project.inventory({"h1": HERE})
    project.write("site.yml", PLAY.format(name="Site", hosts="all", keywords=""))
    policy = POLICY.partition("  - name: advice")[0]
    project.write("precheck.yml", policy + "    mandatory: true\n")
    run = project.run("site.yml", "--skip-tags", "precheck", "-e", "precheck_report=report.json")
    assert run.rc == 1
    found = report(project.folder / "report.json")
    assert (found["result"], found["waivers"], found["verdicts"]) == ("error", [], [])
    assert found["error"].endswith(f"so nothing of it was run: mandatory is rule strict ({project.folder}/precheck.yml:3)")
    assert [play["stopped"] for play in found["plays"]] == [True]
    assert [rule["mandatory"] for rule in found["rules"]] == [True]

    project.write("precheck.yml", policy.replace("plays", "playz"))
    assert project.run("site.yml", "-e", "precheck_report=report.json").rc == 1
    found = report(project.folder / "report.json")
    assert (found["result"], found["plays"], found["rules"]) == ("error", [], [])
    assert found["error"].startswith("Precheck cannot use its policy") and "playz" in found["error"]


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)  # ansible-core before 2.19 breaks lines of warnings anywhere


def test_a_report_that_cannot_be_written_is_a_warning(project):
    project.configure("callback")
    project.inventory({"h1": HERE})
    project.write("site.yml", PLAY.format(name="Site", hosts="all", keywords=""))
    project.write("precheck.yml", POLICY.replace("'h9'", "never | default('h9')").partition("  - name: advice")[0])
    run = project.run("site.yml", "-e", "precheck_report=new/report.json")
    assert run.rc == 0
    assert '"reached"' in run.stdout
    why = f"[WARNING]: Precheck could not write its report: {project.folder}/new/report.json: No such file or directory"
    assert squeezed(why) in squeezed(run.stderr)

    run = project.run("site.yml", "-e", "precheck_report=. never=h1")
    assert run.rc == 2
    assert "reached" not in run.stdout
    assert squeezed(f"[WARNING]: Precheck could not write its report: {project.folder} is not a regular file") in squeezed(
        run.stderr
    )
    assert "Rule strict: 1 of 1 host is not ready." in run.stderr

    run = project.run("site.yml", "-e", '{"precheck_report": ["a", "list"]}')
    assert run.rc == 0
    assert squeezed("[WARNING]: Precheck could not write its report: the option report has a value that") in squeezed(run.stderr)
    assert not (project.folder / "new").exists()
    assert not list(project.folder.glob(".precheck-*"))


def test_where_no_rule_covers_a_play_there_is_no_report(project):
    project.configure("both")
    project.inventory({"h1": HERE})
    project.write("site.yml", PLAY.format(name="Site", hosts="all", keywords=""))
    run = project.run("site.yml", "-e", "precheck_report=report.json")
    assert run.rc == 0
    assert not (project.folder / "report.json").exists()
