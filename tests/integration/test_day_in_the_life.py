# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A day in the life of a fleet: all that Precheck has for its operators, one after the other."""

from __future__ import annotations

import json
import re

import pytest

from support.chromium import DRAWN, ROWS
from support.commands import REPOSITORY
from support.output import assert_stopped_for, is_printed
from support.plays import play
from support.prometheus import scraped, wait_until
from support.reports import read_report
from support.units import run, settings

pytestmark = [pytest.mark.browser, pytest.mark.one_release]

# As Pigsty has them: its CA, and a playbook that puts it on a node.
CA = "files/pki/ca/ca.crt"
NODE = f"#!/usr/bin/env ansible-playbook\n{play(tasks='', keywords='roles: [node]')}"
ROLE = """
- ansible.builtin.copy:
    src: pki/ca/ca.crt
    dest: /etc/pki/ca.crt
"""
POLICY = {
    "extends": f"{REPOSITORY}/docs/policies/pigsty.yml",
    "vars": {"ca": f"{{{{ inventory_dir }}}}/{CA}"},
}
OPERATIONS = (REPOSITORY / "docs/operations.md").read_text()
[COMMAND] = re.findall("`(.*)` ends the alert", OPERATIONS)
AUDIT = settings("precheck-audit.service")["ExecStart"]
NOT_READY = "PrecheckHostNotReady pigsty-node n2"
STOPPED, WAIVED = "PrecheckRunStopped", "PrecheckRuleWaived pigsty-node"
OTHER_CA = rf"not ready: /etc/pki/ca\.crt exists, but it is not this installation's: .*{CA}$"
HEADINGS = "Array.from(document.querySelectorAll('h2'), (one) => one.innerText)"
CHANGES = "document.querySelector('.changes').innerText"
TABLE = "document.querySelector('[aria-labelledby={}] tbody').innerText"


class Fleet:
    """Five nodes of a cluster, their project with a directory for reports, and who watches it."""

    def __init__(self, project, nodes, browser, prometheus):
        self.project, self.nodes = project, nodes
        self.browser, self.prometheus = browser, prometheus
        self.all_nodes = " ".join(nodes.addresses)
        self.reports = project.directory / "log"

    def new_report(self, *command):
        """Run a command. Return what became of it, and its report."""
        before = set(self.reports.glob("*.json"))
        done = run(self.project, " ".join(command))
        assert "Traceback" not in done.output
        [path] = set(self.reports.glob("*.json")) - before
        return done, read_report(path)

    def audit(self, *options):
        """Do what the timer does."""
        return self.new_report(AUDIT, *options)

    def pgsql(self, *options):
        """Run pgsql.yml, whose task leaves a witness on each node."""
        for name in self.nodes.addresses:
            self.nodes.path(name, "pki/witness").unlink(missing_ok=True)
        return self.new_report("ansible-playbook pgsql.yml", *options)

    def history(self, *options):
        """Return what ansible-precheck prints of all reports, and show its page."""
        options = ("report", "log", "--page", "history.html", *options)
        done = self.project.run("ansible-precheck", *options)
        assert done.rc == 0, done.output
        self.show("history.html")
        return done.stdout

    def show(self, page):
        self.browser.open(self.project.directory / page)
        assert self.browser.complaints() == []

    def fires(self, *alerts):
        """Wait until these alerts fire in Prometheus, and no others."""
        wait_until(lambda: self.prometheus.alerts() == set(alerts), f"{alerts}")

    def is_ready(self, part):
        """Wait until Prometheus knows that this part of the nodes is ready."""
        self.prometheus.wait_for(
            "rule:precheck_audit_ready:ratio",
            lambda found: [one["value"] for one in found] == [pytest.approx(part)],
        )


def report_as(name):
    """Return the option for another report on the same day."""
    return f"-e precheck_report=log/%Y-%m-%d-{name}.json"


def minute(report):
    return f"{report['started'][:10]} {report['started'][11:16]} UTC"


@pytest.fixture
def fleet(guarded, nodes, browser):
    directory = guarded.directory
    for name in ("log", "metrics", "monitoring"):
        (directory / name).mkdir()
    metrics = f"[precheck]\nmetrics = {directory}/metrics/precheck.prom\n"
    guarded.configure(guarded.entry_point, metrics)
    guarded.inventory(nodes.hosts(pg_cluster="pg-test", haproxy_enabled=False))
    guarded.write("precheck.yml", json.dumps(POLICY))
    guarded.write(CA, "the certificate of this installation\n")
    guarded.script("node.yml", NODE)
    guarded.write("roles/node/tasks/main.yml", ROLE)
    guarded.write("pgsql.yml", play(name="Set up PostgreSQL"))
    with scraped(directory / "metrics", directory / "monitoring") as prometheus:
        yield Fleet(guarded, nodes, browser, prometheus)


def test_a_day(fleet):
    the_nodes_are_initialised_and_the_audit_is_content(fleet)
    noon = the_ca_of_a_node_is_replaced_and_whoever_looks_sees_it(fleet)
    remedy = the_next_run_is_stopped(fleet)
    waived = a_colleague_with_a_ticket_waives_the_rule(fleet)
    the_node_is_repaired_as_the_run_said(fleet, remedy, noon)
    what_remains_is_the_history(fleet, waived)


def the_nodes_are_initialised_and_the_audit_is_content(fleet):
    assert run(fleet.project, "./node.yml").rc == 0
    assert fleet.nodes.having("pki/ca.crt") == fleet.all_nodes
    done, morning = fleet.audit()
    assert (done.rc, morning["result"]) == (0, "ready"), done.output
    fleet.is_ready(1)
    assert fleet.prometheus.alerts() == set()
    fleet.show("log/audit.html")
    assert not any("Changes" in one for one in fleet.browser.evaluate(HEADINGS))


def the_ca_of_a_node_is_replaced_and_whoever_looks_sees_it(fleet):
    """Who looks at the output, the alerts, the page or the history. Returns the report."""
    fleet.nodes.path("n2", "pki/ca.crt").write_text("the certificate of another one\n")
    done, noon = fleet.audit(report_as("noon"))
    assert (done.rc, noon["result"]) == (2, "not_ready"), done.output
    assert "\nRule pigsty-node: 1 of 5 hosts is not ready.\n" in done.stdout
    assert re.search(f"^  n2  {OTHER_CA}", done.stdout, re.MULTILINE)
    fleet.fires(NOT_READY)
    fleet.is_ready(4 / 5)
    fleet.show("log/audit.html")
    assert fleet.browser.evaluate(HEADINGS)[0].startswith("Changes since ")
    assert "\nn2, pigsty-node: " in fleet.browser.evaluate(CHANGES)
    since = minute(noon)
    assert f"\n  n2  not ready since {since}, in 1 report: " in fleet.history()
    assert f"\t{since}\t1\t" in fleet.browser.evaluate(TABLE.format("unready"))
    return noon


def the_next_run_is_stopped(fleet):
    """It is stopped before it changes anything. Returns the command that it suggests."""
    done, report = fleet.pgsql(report_as("stopped"))
    assert_stopped_for(done, fleet.nodes, "n2", OTHER_CA)
    assert report["result"] == "not_ready"
    assert "\nn2 is not managed by this Pigsty.\n" in done.stderr
    fleet.fires(NOT_READY, STOPPED)
    [remedy] = re.findall(r"^    (.*node\.yml.*)$", done.stderr, re.MULTILINE)
    assert remedy == "./node.yml -l n2"
    return remedy


def a_colleague_with_a_ticket_waives_the_rule(fleet):
    """The run goes on. The reason is in the history, and not in the metrics. Returns the report."""
    waive = ("-e precheck_waive=pigsty-node", "-e precheck_reason=CHG-1")
    done, waived = fleet.pgsql(report_as("waived"), *waive)
    assert done.rc == 0, done.output
    warning = "pigsty-node not checked on 5 hosts (precheck_waive; reason: CHG-1)."
    assert is_printed(warning, done.stderr)
    assert fleet.nodes.having("pki/witness") == fleet.all_nodes
    fleet.fires(NOT_READY, STOPPED, WAIVED)
    [count] = fleet.prometheus.query('precheck_waivers_total{rule="pigsty-node"}')
    assert count["value"] == 1
    assert "CHG-1" not in (fleet.project.directory / "metrics/precheck.prom").read_text()
    assert re.search(r"^  pigsty-node by .*: CHG-1$", fleet.history(), re.MULTILINE)
    return waived


def the_node_is_repaired_as_the_run_said(fleet, remedy, noon):
    done = run(fleet.project, remedy)
    assert done.rc == 0, done.output
    ours = (fleet.project.directory / CA).read_text()
    assert fleet.nodes.path("n2", "pki/ca.crt").read_text() == ours
    done, _report = fleet.pgsql(report_as("repaired"))
    assert done.rc == 0, done.output
    assert fleet.nodes.having("pki/witness") == fleet.all_nodes
    assert "PRECHECK" not in done.output
    done, _limited = fleet.new_report(COMMAND.replace("pg-3", "n2"), report_as("limited"))
    assert done.rc == 0, done.output
    fleet.fires(STOPPED, WAIVED)
    done, evening = fleet.audit(report_as("evening"))
    assert (done.rc, evening["result"]) == (0, "ready"), done.output
    assert evening["changes"]["since"] == noon["started"]
    assert evening["changes"]["newly_ready"] == [{"host": "n2", "rule": "pigsty-node"}]
    fleet.is_ready(1)
    assert fleet.prometheus.alerts() == {STOPPED, WAIVED}


def what_remains_is_the_history(fleet, waived):
    """The timeline has the time in which the node was not ready."""
    history = json.loads(fleet.history("--format", "json"))
    assert history["unready"] == []
    [waiver] = history["waivers"]
    assert (waiver["rule"], waiver["reason"], waiver["times"]) == ("pigsty-node", "CHG-1", 1)
    assert waiver["first"] == waived["started"]
    assert sum(week["stopped_by_rule"].get("pigsty-node", 0) for week in history["weeks"]) == 1
    assert fleet.browser.evaluate(DRAWN) == 5
    rows = {name: cells for name, *cells in fleet.browser.evaluate(ROWS)}
    assert rows.pop("n2") == ["ready 1", "not_ready 2", "ready 3"]
    assert list(rows.values()) == [["ready 4", "not_checked 1", "ready 1"]] * 4
    assert "\tCHG-1\t1\t" in fleet.browser.evaluate(TABLE.format("waived"))
