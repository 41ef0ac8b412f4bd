# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The audit: all hosts by all rules, whatever plays these cover."""

from __future__ import annotations

import json
import re
import stat

import pytest
from conftest import REPOSITORY
from test_reports import AWAY, HERE, report, squeezed

AUDIT = "precheck.guard.audit"
DOCUMENT = (REPOSITORY / "docs/audit.md").read_text()


def command(part: str = "") -> list[str]:
    """Return the arguments of the command in the document that ends with ``part``."""
    [found] = re.findall(rf"^\$ ansible-playbook (.*{re.escape(part)})$", DOCUMENT, re.MULTILINE)
    return found.split()


POLICY = """
rules:
  - name: marker
    plays: [{playbook: never.yml}]
    checks:
      - path: /etc/pki/ca.crt
      - {task: {ansible.builtin.debug: {msg: told}, failed_when: inventory_hostname == 'h1'}, name: late}
      - {that: inventory_hostname != 'h2', name: second}
    remedy: "./fix -l {{ precheck_hosts | join(',') }}"
  - name: limit
    plays: [{play: "*"}]
    checks: [{that: false, once: true}]
  - name: database
    plays: [{role: never}]
    when: kind == 'db'
    severity: warn
    checks: [{that: inventory_hostname == 'h1', message: not the first}]
  - name: everybody
    plays: [{play: "*"}]
    checks: [{that: true}]
"""

TOLD = """
PRECHECK audited 4 hosts by 3 rules: 3 hosts are not ready.

Rule marker: 3 of 4 hosts are not ready.
  h1    not ready: late: told
  h2    not ready: {folder}/h2/etc/pki/ca.crt is missing
                   second: inventory_hostname != 'h2' does not hold
  away  unverified: unreachable: {lost}

    ./fix -l away,h1,h2

Rule database (warns only): 2 of 3 hosts are not ready.
  h2    not ready: not the first
  away  unverified: cannot tell whether the rule applies: in its when, kind == 'db': 'kind' is undefined

Rule everybody: 1 of 4 hosts is not ready.
  away  unverified: unreachable: {lost}

Verdicts of rules on hosts: 5 ready, 3 not ready, 3 unverified.
"""


def three_hosts(project):
    """Give the project h1 with the marker, h2 without, and h3 with it, which is no database."""
    project.local_hosts(ready="h1 h3", missing="h2")
    hosts = json.loads((project.folder / "inventory.json").read_text())["all"]["hosts"]
    for name, kind in {"h1": "db", "h2": "db", "h3": "web"}.items():
        hosts[name]["kind"] = kind
    return hosts


def test_all_that_is_not_ready_is_told_at_the_end(project):
    """The guard need not be on: the playbook names the strategy."""
    hosts = three_hosts(project)
    project.inventory(hosts | {"away": AWAY})
    project.write("precheck.yml", POLICY)
    run = project.run(AUDIT, "--check", "--tags", "other", "-e", "precheck_report=report.json")
    assert run.rc == 2, run.output
    found = report(project.folder / "report.json")
    lost = next(one for one in found["verdicts"] if one["host"] == "away" and one["rule"] == "everybody")
    [reason] = lost["checks"][0]["reasons"]
    told = TOLD.format(folder=project.folder, lost=reason.removeprefix("unreachable: "))
    assert run.stdout.endswith("\n" + told)
    assert "PRECHECK" not in run.stderr
    assert "FAILED" not in run.stdout.replace("fatal: [h1]: FAILED", "", 1)  # that of the check that is a task
    recap = run.stdout.partition("PLAY RECAP")[2]
    assert "failed=1" not in recap and "unreachable=1" not in recap

    assert (found["kind"], found["result"], found["waivers"]) == ("audit", "not_ready", [])
    [play] = found["plays"]
    assert play["path"].endswith("/playbooks/audit.yml")
    assert (play["rules"], play["hosts"], play["stopped"]) == (["marker", "database", "everybody"], 4, False)
    assert found["command"] == ["ansible-playbook", AUDIT, "--check", "--tags", "other", "-e", "precheck_report=***"]
    states = {(one["host"], one["rule"]): [check["verdict"] for check in one["checks"]] for one in found["verdicts"]}
    assert states == {
        ("h1", "marker"): ["ready", "ready", "not_ready"],
        ("h2", "marker"): ["not_ready", "not_ready", "ready"],
        ("h3", "marker"): ["ready", "ready", "ready"],
        ("away", "marker"): ["unverified"],
        ("h1", "database"): ["ready"],
        ("h2", "database"): ["not_ready"],
        ("away", "database"): ["unverified"],
        ("h1", "everybody"): ["ready"],
        ("h2", "everybody"): ["ready"],
        ("h3", "everybody"): ["ready"],
        ("away", "everybody"): ["unverified"],
    }


def test_hosts_and_rules_can_be_chosen_and_both_doors_audit_once(project):
    project.configure("both")
    project.inventory(three_hosts(project))
    project.write("precheck.yml", POLICY)
    run = project.run(
        str(REPOSITORY / "playbooks/audit.yml"), "-v", "--limit", "h1,h2", "-e", "precheck_rules='database, everybody'"
    )
    assert run.rc == 0, run.output  # what is not ready is so for a rule that warns
    assert run.stdout.count("TASK [Precheck audit]") == run.stdout.count("TASK [") == 1
    block = run.stdout[run.stdout.index("PRECHECK") :]
    assert block.splitlines()[:8] == [
        "PRECHECK audited 2 hosts by 2 rules: all are ready, with warnings for 1 host.",
        "",
        "Rule database (warns only): 1 of 2 hosts is not ready.",
        "  h2  not ready: not the first",
        "  ready: h1",
        "",
        "Rule everybody: all 2 hosts are ready.",
        "  ready: h1, h2",
    ]
    assert "h3" not in run.stdout


WRONG = {  # arguments, what is said
    "unknown rule": (
        ("-e", "precheck_rules=marker,markers"),
        "Precheck knows no rule markers, so nothing was asked. The rules are: marker, database, everybody",
    ),
    "no report": (
        ("-e", "precheck_compare=precheck.yml"),
        "Precheck cannot compare with precheck.yml, so nothing was asked: it is not JSON",
    ),
    "switched off": (("--skip-tags", "precheck"), "Precheck made no audit: it does nothing but check, and --skip-tags precheck"),
    "policy": (("-e", "precheck_policy=inventory.json"), "Precheck cannot use its policy, so nothing was run:"),
}


@pytest.mark.one_release
@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_wrong_arguments_are_one_clear_error(project, arguments, said):
    project.inventory(three_hosts(project))
    project.write("precheck.yml", POLICY)
    run = project.run(AUDIT, *arguments)
    assert run.rc == 1
    assert squeezed(said) in squeezed(run.stderr)
    assert "TASK [" not in run.stdout


def test_what_changed_since_an_earlier_report(project):
    """The new report may take the place of the earlier one."""
    hosts = three_hosts(project)
    project.inventory({name: hosts[name] for name in ("h1", "h2")} | {"gone": HERE | {"precheck_root": "/nowhere"}})
    project.write("precheck.yml", "rules: [{name: marker, plays: [{play: x}], checks: [{path: /etc/pki/ca.crt}]}]")
    assert project.run(AUDIT, env={"ANSIBLE_PRECHECK_REPORT": "last.json"}).rc == 2
    earlier = report(project.folder / "last.json")

    project.inventory(hosts)
    project.write("h2/etc/pki/ca.crt", "")
    (project.folder / "h1/etc/pki/ca.crt").unlink()
    run = project.run(*command("=last.json"))
    assert run.rc == 2
    reason = f"{project.folder}/h1/etc/pki/ca.crt is missing"
    assert (
        f"\n\nSince the report of {earlier['started']}:\n  newly not ready: h1 for marker: {reason}\n"
        "  newly ready: h2 for marker\n  new: h3\n  gone: gone\n\nVerdicts of" in run.stdout
    )
    found = report(project.folder / "last.json")
    assert found["changes"] == {
        "since": earlier["started"],
        "newly_not_ready": [{"host": "h1", "rule": "marker", "reasons": [reason]}],
        "newly_ready": [{"host": "h2", "rule": "marker"}],
        "new_hosts": ["h3"],
        "gone_hosts": ["gone"],
    }


@pytest.mark.one_release
def test_the_document_shows_what_is_printed(project):
    project.local_hosts(ready="pg-1 pg-2", missing="pg-3 web-1")
    hosts = json.loads((project.folder / "inventory.json").read_text())["all"]["hosts"] | {"pg-4": dict(AWAY)}
    for name in ("pg-1", "pg-2", "pg-3", "pg-4"):
        hosts[name]["pg_cluster"] = "main"
    project.inventory(hosts)
    project.write(
        "precheck.yml",
        "rules: [{name: pigsty-node, plays: [{role: pgsql}], when: pg_cluster is defined, checks: [{path: /etc/pki/ca.crt}],"
        " remedy: \"./node.yml -l {{ precheck_hosts | join(',') }}\"},"
        " {name: maintenance, plays: [{play: '*'}], checks: [{that: maintenance is not defined}]}]",
    )
    run = project.run(*command("audit"))
    assert run.rc == 2
    shown = run.stdout[run.stdout.index("PRECHECK") :].replace(f"{project.folder}/pg-3", "")
    shown = re.sub("(Failed to connect to the host via ssh: ).*: ", r"\1", shown.replace("Task failed: ", ""))
    assert f"```text\n{shown}```" in DOCUMENT


@pytest.mark.claims("Only their owner can read a report or a new page.")
@pytest.mark.one_release
def test_a_page_is_written(project):
    """It is for its owner. One that was there keeps its mode."""
    project.inventory({"h1": HERE, "h2": HERE})
    project.write("precheck.yml", "rules: [{name: marker, plays: [{play: x}], checks: [{that: inventory_hostname == 'h1'}]}]")
    page = project.folder / "audit.html"
    for mode in (0o600, 0o644):
        run = project.run(*command("audit.html"))
        assert run.rc == 2
        assert "WARNING" not in run.stderr
        text = page.read_text()
        assert "<html" in text and ">h1<" in text and "inventory_hostname == &#39;h1&#39; does not hold" in text
        assert stat.S_IMODE(page.stat().st_mode) == mode
        page.chmod(0o644)
        page.write_text("old")


AUDIT_PLAY = """
- name: Mine
  hosts: all
  serial: 1
  {keywords}
  tasks:
    - precheck.guard.audit: {{rules: [marker]}}
{more}
- hosts: all
  gather_facts: false
  tasks: [{{ansible.builtin.debug: {{msg: reached}}}}]
"""


def test_a_playbook_with_an_audit_ends_after_it_when_not_all_are_ready(project):
    project.inventory(three_hosts(project))
    project.write("precheck.yml", "rules: [{name: marker, plays: [{play: x}], checks: [{path: /etc/pki/ca.crt}]}]")
    project.write("site.yml", AUDIT_PLAY.format(keywords="strategy: precheck.guard.linear", more=""))
    run = project.run("site.yml", "site.yml")
    assert run.rc == 2
    assert run.stdout.count("TASK [") == run.stdout.count("\nPRECHECK audited 3 hosts") == 1
    project.write("h2/etc/pki/ca.crt", "")
    run = project.run("site.yml", "site.yml")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 6
    assert run.stdout.count("\nPRECHECK audited 3 hosts by 1 rule: all are ready.\n\nRule marker: all 3 hosts are ready.\n") == 2


NO_AUDIT = {  # keywords of the play, more tasks
    "no guard": ("strategy: linear", ""),
    "not alone": ("strategy: precheck.guard.linear", "    - ansible.builtin.debug: {msg: beside}"),
}


@pytest.mark.parametrize(("keywords", "more"), NO_AUDIT.values(), ids=NO_AUDIT)
def test_the_task_fails_where_the_guard_makes_no_audit(project, keywords, more):
    project.inventory({"h1": HERE})
    project.write("precheck.yml", 'rules: [{name: marker, plays: [{play: "*"}], checks: [{that: true}]}]')
    project.write("site.yml", AUDIT_PLAY.format(keywords=keywords + "\n  gather_facts: false", more=more))
    run = project.run("site.yml")
    assert run.rc == 2
    assert "nothing was audited" in run.stdout
    assert ("TASK [Precheck marker]" in run.stdout) == bool(more)  # beside other tasks, the play is guarded
    assert "beside" not in run.stdout and "reached" not in run.stdout
