# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The metrics in a real Prometheus, its rules, and the queries of the dashboard."""

from __future__ import annotations

import json
import re
import shutil
from itertools import combinations

import pytest
import yaml
from ansible_collections.precheck.guard.plugins.plugin_utils.report.metrics import FAMILIES

from support.commands import run_command
from support.policies import policy, rule
from support.project import AUDIT, LOCAL_HOST
from support.prometheus import DOCUMENTS, scraped, wait_until
from support.requirements import lacking

pytestmark = pytest.mark.one_release

PLAY = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: reached}}]}\n"
MARKER = rule({"path": "/etc/pki/ca.crt"}, name="marker")
ADVICE = rule({"that": "inventory_hostname != 'h1'"}, name='"a"\\b', severity="warn")
RULES = yaml.safe_load((DOCUMENTS / "rules.yml").read_text())["groups"][0]["rules"]
DASHBOARD = json.loads((DOCUMENTS / "dashboard.json").read_text())
PANELS = DASHBOARD["panels"]
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]


def expressions() -> list[str]:
    """Return the queries of the dashboard, with a value for each of its variables."""
    return [
        expression.replace("$instance", ".*").replace("$__range", "1h")
        for expression in EXPRESSIONS
    ]


def test_the_life_of_a_host_in_prometheus(project):
    """Its alert fires while it is not ready. A host that is gone leaves no series."""
    directory = project.directory / "metrics"
    directory.mkdir()
    project.configure("callback", f"[precheck]\nmetrics = {directory}/precheck.prom")
    project.local_hosts(ready="h1", missing="h2")
    project.write("precheck.yml", policy(MARKER, ADVICE))
    project.write("site.yml", PLAY)
    (project.directory / "monitoring").mkdir()
    with scraped(directory, project.directory / "monitoring") as prometheus:

        def fires(*alerts):
            wait_until(lambda: prometheus.alerts() == set(alerts), f"{alerts}")

        assert prometheus.query("precheck_runs_total") == []
        assert project.run(AUDIT).rc == 2
        advice = r'PrecheckHostNotReady "a"\b h1'
        fires("PrecheckHostNotReady marker h2", advice)
        hosts = project.hosts()
        project.inventory(hosts | {"away": LOCAL_HOST | {"ansible_connection": "no.such.plugin"}})
        assert project.run("site.yml").rc == 2
        assert project.run(AUDIT, "--limit", "away").rc == 2
        fires(
            "PrecheckHostNotReady marker h2",
            "PrecheckHostUnverified marker away",
            "PrecheckRunStopped",
            advice,
        )
        [verdict] = prometheus.query('precheck_audit_verdict{host="h2",rule="marker"}')
        assert (verdict["verdict"], verdict["value"]) == ("not_ready", 1)
        ratio = {
            one["rule"]: one["value"] for one in prometheus.query("rule:precheck_audit_ready:ratio")
        }
        assert ratio["marker"] == pytest.approx(1 / 3)

        project.write("h2/etc/pki/ca.crt", "")
        project.inventory({"h2": hosts["h2"]})
        assert project.run("site.yml").rc == 0
        assert project.run("site.yml", "-e", "precheck_waive=marker").rc == 0
        assert project.run(AUDIT).rc == 0
        fires("PrecheckRunStopped", "PrecheckRuleWaived marker")
        assert {one["host"] for one in prometheus.query("precheck_audit_verdict")} == {"h2"}
        [counted] = prometheus.query("precheck_runs_total")
        assert counted["value"] == 3

        written = set(prometheus.get("label/__name__/values"))
        assert FAMILIES.keys() <= written
        about = prometheus.get("metadata", limit="1000")
        for name, family in FAMILIES.items():
            assert [(one["type"], one["help"]) for one in about[name]] == [
                (family.type, family.help)
            ]
        [failed] = prometheus.query("node_textfile_scrape_error")
        assert failed["value"] == 0
        # What a panel shows when nothing is wrong: nothing of hosts that are not ready.
        empty = [one for one in expressions() if not prometheus.query(one)]
        assert empty == ['precheck_audit_verdict{instance=~".*", verdict!="ready"}']
        recorded = {one["record"] for one in RULES if "record" in one}
        assert recorded <= written


def test_the_rules_are_valid_and_fire_when_they_should():
    """rules.test.yml has a case for each of them."""
    promtool = shutil.which("promtool") or lacking("promtool is not installed")
    for command in ("check rules rules.yml", "test rules rules.test.yml"):
        done = run_command([promtool, *command.split()], DOCUMENTS)
        assert done.rc == 0, done.output
    cases = (DOCUMENTS / "rules.test.yml").read_text()
    document = yaml.safe_load(cases)
    fired = {
        case["alertname"]
        for test in document["tests"]
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert fired == {one["alert"] for one in RULES if "alert" in one}


def test_the_document_has_the_alerts_and_the_command_that_tests_them():
    text = (DOCUMENTS.parent / "metrics.md").read_text()
    assert re.findall(r"^\| `(Precheck\w+)` \|", text, re.MULTILINE) == [
        one["alert"] for one in RULES if "alert" in one
    ]
    [command] = re.findall(r"^\$ (.*)", text, re.MULTILINE)
    assert run_command(command.split(), DOCUMENTS).rc == 0


def test_a_rule_that_is_wrong_fails_its_case(tmp_path):
    promtool = shutil.which("promtool") or lacking("promtool is not installed")
    text = (DOCUMENTS / "rules.yml").read_text()
    shutil.copy(DOCUMENTS / "rules.test.yml", tmp_path)
    for right, wrong in (
        ('{verdict="not_ready"} == 1', '{verdict="ready"} == 1'),
        ('{verdict="unverified"} == 1', '{verdict="not_ready"} == 1'),
        ("26 * 3600", "49 * 3600"),
        ("for: 15m", "for: 3h"),
        ("< 3600", "< 7200"),
        ("< 86400", "< 90000"),
        ('{verdict="ready"})', '{verdict="unverified"})'),
    ):
        assert text.count(right) == 1
        (tmp_path / "rules.yml").write_text(text.replace(right, wrong))
        assert run_command([promtool, "test", "rules", "rules.test.yml"], tmp_path).rc == 1, right


def test_rules_and_dashboard_use_only_metrics_that_exist_and_the_dashboard_most_of_them():
    known = {*FAMILIES, *(one["record"] for one in RULES if "record" in one)}
    for expression in (*EXPRESSIONS, *(one["expr"] for one in RULES)):
        used = set(re.findall(r"(?:\w+:)?precheck_\w+(?::\w+)?", expression))
        assert used and used <= known, expression
    assert "precheck_audit_verdict" in " ".join(EXPRESSIONS)


def test_the_structure_of_the_dashboard():
    """As Grafana saves it, and without anything of one installation."""
    assert {"uid", "title", "schemaVersion", "panels", "templating", "time"} <= DASHBOARD.keys()
    assert "__inputs" not in DASHBOARD and "id" not in DASHBOARD
    variables = [one["name"] for one in DASHBOARD["templating"]["list"]]
    assert variables == ["datasource", "instance"]
    assert [panel["id"] for panel in PANELS] == list(range(1, len(PANELS) + 1))
    source = {"type": "prometheus", "uid": "${datasource}"}
    for panel in PANELS:
        assert panel["type"] in ("stat", "timeseries", "table")
        assert panel["title"] and panel["description"]
        assert panel["datasource"] == source
        names = [target["refId"] for target in panel["targets"]]
        assert names == ["A", "B", "C"][: len(names)]
        for target in panel["targets"]:
            assert target["datasource"] == source
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= {"instance", "__range"}
            assert 'instance=~"$instance"' in target["expr"]
            assert target.get("instant", False) == (panel["type"] != "timeseries")
    places = [panel["gridPos"] for panel in PANELS]
    for place in places:
        assert place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
