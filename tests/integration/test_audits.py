# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The audit: it checks all hosts by all rules, whatever plays the rules cover."""

from __future__ import annotations

import re
import stat

import pytest

from support.commands import REPOSITORY
from support.output import is_printed
from support.policies import policy, rule
from support.project import AUDIT, LOCAL_HOST, UNREACHABLE_HOST
from support.reports import read_report

MARKER = rule({"path": "/etc/pki/ca.crt"}, name="marker", covers={"play": "x"})
OFF = "The guard is off in this configuration: it guards no play that does not name"
DOCUMENT = (REPOSITORY / "docs/audit.md").read_text()


def command(part: str = "") -> list[str]:
    """Return the arguments of the command in the document that ends with ``part``."""
    pattern = rf"^\$ ansible-playbook (.*{re.escape(part)})$"
    [arguments] = re.findall(pattern, DOCUMENT, re.MULTILINE)
    return arguments.replace("precheck.guard.audit", AUDIT).split()


POLICY = """
rules:
  - name: marker
    plays: [{playbook: never.yml}]
    checks:
      - path: /etc/pki/ca.crt
      - name: late
        task: {ansible.builtin.debug: {msg: on time}, failed_when: inventory_hostname == 'h1'}
      - {that: inventory_hostname != 'h2', name: second}
    message: "{{ inventory_hostname[:1] }} needs its marker."
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

# The output of the audit of all hosts. away is unreachable.
TABLE = """
PRECHECK audited 4 hosts by 3 rules: 2 hosts are not ready, 1 unverified.

Rule marker: 2 of 4 hosts are not ready, 1 unverified.
  h1    not ready: late: on time
  h2    not ready: {directory}/h2/etc/pki/ca.crt is missing
                   second: inventory_hostname != 'h2' does not hold
  away  unverified: unreachable: {lost}

h needs its marker.

    ./fix -l h1,h2

Rule database (warns only): 1 of 3 hosts is not ready, 1 unverified.
  h2    not ready: not the first
  away  unverified: cannot tell whether the rule applies: in its when,\
 kind == 'db': 'kind' is undefined

Rule everybody: all 4 hosts are ready.

Verdicts of rules on hosts: 6 ready, 3 not ready, 2 unverified.
Not audited, as they check plays and not hosts: limit.
"""


def three_hosts(project):
    """Return local hosts: h1 with the marker, h2 without, and h3 with it, but not a database."""
    project.local_hosts(ready="h1 h3", missing="h2")
    hosts = project.hosts()
    for name, kind in {"h1": "db", "h2": "db", "h3": "web"}.items():
        hosts[name]["kind"] = kind
    return hosts


def test_an_audit_ends_with_a_table_of_all_that_is_not_ready(project):
    """The guard need not be enabled: the playbook names the strategy."""
    hosts = three_hosts(project)
    project.inventory(hosts | {"away": UNREACHABLE_HOST})
    project.write("precheck.yml", POLICY)
    run = project.run(AUDIT, "--check", "--tags", "other", "-e", "precheck_report=report.json")
    assert run.rc == 2, run.output
    report = read_report(project.directory / "report.json")
    checks = {(one["host"], one["rule"]): one["checks"] for one in report["verdicts"]}
    [reason] = checks["away", "marker"][0]["reasons"]
    lost = reason.removeprefix("unreachable: ")
    table = TABLE.format(directory=project.directory, lost=lost)
    written = f"Precheck wrote its report to {project.directory}/report.json\n"
    assert run.stdout.endswith(
        f"\n{table}{OFF} one of its strategies.\nansible-precheck doctor shows why.\n{written}"
    )
    assert "PRECHECK" not in run.stderr
    assert re.findall(r"TASK \[(.*)\] \*+\n(?:ok: .*\n)?not ready: 1 host\n", run.stdout) == [
        "Precheck audit 1 of 2",
        "Precheck audit 1 of 2: late",
    ]
    recap = run.stdout.partition("PLAY RECAP")[2]
    assert "failed=1" not in recap and "unreachable=1" not in recap

    assert (report["kind"], report["result"], report["waivers"]) == ("audit", "not_ready", [])
    [play] = report["plays"]
    assert play["path"].endswith("/playbooks/audit.yml")
    assert play["rules"] == ["marker", "database", "everybody"]
    assert (play["hosts"], play["stopped"]) == (4, False)
    assert report["not_audited"] == ["limit"]
    arguments = "--check --tags other -e precheck_report=***"
    assert report["command"] == ["ansible-playbook", AUDIT, *arguments.split()]
    states = {key: [check["verdict"] for check in of_host] for key, of_host in checks.items()}
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
        ("away", "everybody"): ["ready"],
    }


@pytest.mark.each_release
def test_a_rule_of_conditions_reaches_its_verdict_whatever_becomes_of_the_connection(project):
    """A rule that also has a check that needs the host does not."""
    condition = {"that": "inventory_hostname == 'away'"}
    rules = [
        rule({"path": "/"}, name="path"),
        rule(condition, name="conditions"),
        rule(condition, {"command": "true"}, name="mixed"),
        rule({"that": True}, name="late", when="no_such_variable"),
    ]
    project.write("precheck.yml", policy(*rules))
    elsewhere = {"ansible_connection": "no.such.plugin"}
    project.inventory({"away": UNREACHABLE_HOST, "elsewhere": elsewhere, "here": LOCAL_HOST})
    run = project.run(AUDIT, "-e", "precheck_report=report.json")
    assert run.rc == 2, run.output
    report = read_report(project.directory / "report.json")
    states = {(one["host"], one["rule"]): one["verdict"] for one in report["verdicts"]}
    assert states == {
        ("away", "path"): "unverified",
        ("away", "conditions"): "ready",
        ("away", "mixed"): "unverified",
        ("away", "late"): "unverified",
        ("elsewhere", "path"): "unverified",
        ("elsewhere", "conditions"): "not_ready",
        ("elsewhere", "mixed"): "unverified",
        ("elsewhere", "late"): "unverified",
        ("here", "path"): "ready",
        ("here", "conditions"): "not_ready",
        ("here", "mixed"): "not_ready",
        ("here", "late"): "unverified",
    }


def test_audits_of_several_playbooks_print_each_table_once(project):
    """Both tables of a playbook come at its end."""
    project.local_hosts(ready="h1")
    project.write("precheck.yml", policy(rule({"path": "/etc/pki/ca.crt"})))
    project.write("twice.yml", f"- import_playbook: {AUDIT}\n" * 2)
    run = project.run("twice.yml", "twice.yml")
    assert run.rc == 0, run.output
    assert run.stdout.count("PRECHECK audited 1 host by 1 rule: all are ready.") == 4


def test_hosts_and_rules_can_be_chosen_and_both_entry_points_audit_once(project):
    project.configure("both")
    project.inventory(three_hosts(project))
    project.write("precheck.yml", POLICY)
    options = ("-v", "--limit", "h1,h2", "-e", "precheck_rules='database, everybody'")
    run = project.run(str(REPOSITORY / "playbooks/audit.yml"), *options)
    assert run.rc == 0, run.output  # only a rule that warns has hosts that are not ready
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
    assert "Not audited" not in run.stdout  # nobody asked for the others


WRONG = {  # arguments, the error
    "unknown rule": (
        ("-e", "precheck_rules=marker,markers"),
        "Precheck knows no rule markers, so nothing was checked."
        " The rules are: marker, database, everybody",
    ),
    "no report": (
        ("-e", "precheck_compare=precheck.yml"),
        "Precheck cannot compare with precheck.yml, so nothing was checked: it is not JSON",
    ),
    "opt-out": (
        ("--skip-tags", "precheck"),
        "Precheck made no audit: it does nothing but check, and --skip-tags precheck",
    ),
    "policy": (
        ("-e", "precheck_policy=inventory.json"),
        "Precheck cannot use its policy, so nothing was run:",
    ),
}


@pytest.mark.one_release
@pytest.mark.parametrize(("arguments", "error"), WRONG.values(), ids=WRONG)
def test_wrong_arguments_are_one_clear_error(project, arguments, error):
    project.inventory(three_hosts(project))
    project.write("precheck.yml", POLICY)
    run = project.run(AUDIT, *arguments)
    assert run.rc == 1
    assert is_printed(error, run.stderr)
    assert "TASK [" not in run.stdout


def test_an_audit_shows_what_changed_since_an_earlier_report(project):
    """The new report may replace the earlier one."""
    hosts = three_hosts(project)
    gone = LOCAL_HOST | {"precheck_root": "/nowhere"}
    project.inventory({"h1": hosts["h1"], "h2": hosts["h2"], "gone": gone})
    project.write("precheck.yml", policy(MARKER))
    assert project.run(AUDIT, env={"ANSIBLE_PRECHECK_REPORT": "last.json"}).rc == 2
    earlier = read_report(project.directory / "last.json")

    project.inventory(hosts)
    project.write("h2/etc/pki/ca.crt", "")
    (project.directory / "h1/etc/pki/ca.crt").unlink()
    run = project.run(*command("=last.json"))
    assert run.rc == 2
    reason = f"{project.directory}/h1/etc/pki/ca.crt is missing"
    assert (
        f"""

Since the report of {earlier["started"]}:
  newly not ready: h1 for marker: {reason}
  newly ready: h2 for marker
  new: h3
  gone: gone

Verdicts of"""
        in run.stdout
    )
    changes = read_report(project.directory / "last.json")["changes"]
    assert changes == {
        "since": earlier["started"],
        "newly_not_ready": [{"host": "h1", "rule": "marker", "reasons": [reason]}],
        "newly_ready": [{"host": "h2", "rule": "marker"}],
        "new_hosts": ["h3"],
        "gone_hosts": ["gone"],
    }


def test_an_audit_is_compared_with_the_newest_one_of_a_directory(guarded):
    """A run, an audit of some hosts and one of some rules that come between them do not count."""
    three_hosts(guarded)
    other = rule({"that": "true"}, name="other")
    guarded.write("precheck.yml", policy(MARKER, other))
    (guarded.directory / "log").mkdir()

    def audit(name, *more):
        report = f"log/{name}.json"
        options = ("-e", "precheck_compare=log", "-e", f"precheck_report={report}")
        run = guarded.run(AUDIT, *options, *more)
        return run, read_report(guarded.directory / report)

    first, report = audit(1)
    assert first.rc == 2
    assert "Since the report" not in first.stdout and "changes" not in report
    guarded.write("x.yml", "- {name: x, hosts: h1, gather_facts: false, tasks: [debug: ]}\n")
    assert guarded.run("x.yml", "-e", "precheck_report=log/run.json").rc == 0
    guarded.write("h2/etc/pki/ca.crt", "")
    _run, limited = audit("limited", "--limit", "h2")
    assert (limited["limit"], limited["changes"]["since"]) == ("h2", report["started"])
    _run, selected = audit("selected", "-e", "precheck_rules=other")
    assert (selected["selected_rules"], selected["changes"]["since"]) == (
        ["other"],
        report["started"],
    )
    then, new_report = audit(2)
    assert then.rc == 0
    since = f"Since the report of {report['started']}:\n  newly ready: h2 for marker\n\n"
    assert since in then.stdout
    assert new_report["changes"]["new_hosts"] == []


@pytest.mark.one_release
def test_the_document_shows_what_is_printed(project):
    project.configure("callback")
    project.local_hosts(ready="pg-1 pg-2", missing="pg-3 web-1")
    hosts = project.hosts() | {"pg-4": dict(UNREACHABLE_HOST)}
    for name in ("pg-1", "pg-2", "pg-3", "pg-4"):
        hosts[name]["pg_cluster"] = "main"
    project.inventory(hosts)
    node = rule(
        {"path": "/etc/pki/ca.crt"},
        name="pigsty-node",
        covers={"role": "pgsql"},
        when="pg_cluster is defined",
        remedy="./node.yml -l {{ precheck_hosts | join(',') }}",
    )
    maintenance = rule({"that": "maintenance is not defined"}, name="maintenance")
    project.write("precheck.yml", policy(node, maintenance))
    run = project.run(*command("audit"))
    assert run.rc == 2
    shown = run.stdout[run.stdout.index("PRECHECK") :].replace(f"{project.directory}/pg-3", "")
    shown = re.sub("connect to host .* port 1:", "connect to host 10.10.10.14 port 22:", shown)
    assert f"```text\n{shown}```" in DOCUMENT


@pytest.mark.claims("Only their owner can read a report or a new page.")
@pytest.mark.one_release
def test_an_audit_writes_a_page(project):
    """Only its owner may read a new page. A page that is replaced keeps its mode."""
    project.inventory({"h1": LOCAL_HOST, "h2": LOCAL_HOST})
    project.write("precheck.yml", policy(rule({"that": "inventory_hostname == 'h1'"})))
    page = project.directory / "audit.html"
    for mode in (0o600, 0o644):
        run = project.run(*command("audit.html"))
        assert run.rc == 2
        assert "WARNING" not in run.stderr
        text = page.read_text()
        assert "<html" in text and ">h1<" in text
        assert run.stdout.endswith(f".\nPrecheck wrote its page to {page}\n")
        assert "inventory_hostname == &#39;h1&#39; does not hold" in text
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
    project.write("precheck.yml", policy(MARKER))
    play = AUDIT_PLAY.format(keywords="strategy: precheck.guard.linear", more="")
    project.write("site.yml", play)
    run = project.run("site.yml", "site.yml")
    assert run.rc == 2
    assert run.stdout.count("TASK [") == run.stdout.count("\nPRECHECK audited 3 hosts") == 1
    project.write("h2/etc/pki/ca.crt", "")
    run = project.run("site.yml", "site.yml")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 6
    heading = "PRECHECK audited 3 hosts by 1 rule: all are ready."
    assert run.stdout.count(f"\n{heading}\n\nRule marker: all 3 hosts are ready.\n") == 2


@pytest.mark.parametrize("entry_point", ["none", "strategy", "callback"])
def test_an_audit_says_if_the_guard_is_off_for_other_plays(project, entry_point):
    project.configure(entry_point)
    project.local_hosts(ready="h1")
    run = project.run(AUDIT)
    assert run.rc == 0
    assert run.stdout.count(OFF) == (entry_point == "none")


NO_AUDIT = {  # keywords of the play, more tasks
    "no guard": ("strategy: linear", ""),
    "not alone": ("strategy: precheck.guard.linear", "    - ansible.builtin.debug: {msg: beside}"),
}


@pytest.mark.parametrize(("keywords", "more"), NO_AUDIT.values(), ids=NO_AUDIT)
def test_the_task_fails_where_the_guard_makes_no_audit(project, keywords, more):
    project.inventory({"h1": LOCAL_HOST})
    project.write("precheck.yml", policy(rule({"that": True}, name="marker")))
    play = AUDIT_PLAY.format(keywords=keywords + "\n  gather_facts: false", more=more)
    project.write("site.yml", play)
    run = project.run("site.yml")
    assert run.rc == 2
    assert "nothing was audited" in run.stdout
    checked = "TASK [Precheck marker]" in run.stdout
    assert checked == bool(more)  # a play that also has other tasks is guarded
    assert "beside" not in run.stdout and "reached" not in run.stdout
