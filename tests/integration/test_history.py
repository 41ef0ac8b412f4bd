# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-precheck report: what the reports of runs and audits say together."""

from __future__ import annotations

import json
import shutil
import stat

import pytest

from support.output import is_printed
from support.policies import policy, rule
from support.reports import read_report

AUDIT = "precheck.guard.audit"
MARKER = rule({"path": "/etc/pki/ca.crt"}, name="marker", covers={"play": "Site"})
PLAY = """
- name: Site
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {msg: reached}
"""


@pytest.fixture
def cluster(guarded):
    """A project of h1, which is ready, and h2, which is not, with a directory for reports."""
    guarded.local_hosts(ready="h1", missing="h2")
    guarded.write("precheck.yml", policy(MARKER))
    guarded.write("site.yml", PLAY)
    (guarded.directory / "reports").mkdir()
    return guarded


def run(cluster, *arguments, name):
    """Run ansible-playbook with a report of this name, and return the report."""
    path = f"reports/{name}.json"
    cluster.run(*arguments, "-e", f"precheck_report={path}")
    return read_report(cluster.directory / path)


def report(cluster, *arguments, **more):
    return cluster.run("ansible-precheck", "report", *arguments, **more)


def test_the_history_of_audits_and_runs(cluster):
    """Of a run that is stopped, one that is waived, and audits before and after a repair."""
    first = run(cluster, AUDIT, name="1")
    stopped = run(cluster, "site.yml", name="2")
    waived = run(
        cluster, "site.yml", "--skip-tags", "precheck", "-e", "precheck_reason=CHG-1", name="3"
    )
    found = report(cluster, "reports", "--format", "json")
    assert (found.rc, found.stderr) == (0, "")
    history = json.loads(found.stdout)
    assert [one["path"] for one in history["reports"]] == [
        f"reports/{number}.json" for number in (1, 2, 3)
    ]
    [unready] = history["unready"]
    assert unready == {
        "host": "h2",
        "rule": "marker",
        "only_warns": False,
        "verdict": "not_ready",
        "reasons": [f"{cluster.directory}/h2/etc/pki/ca.crt is missing"],
        "since": first["started"],
        "reports": 2,
        "last_checked": stopped["started"],
        "in_last_audit": True,
    }
    [waiver] = history["waivers"]
    assert (waiver["rule"], waiver["times"], waiver["reason"]) == ("marker", 1, "CHG-1")
    assert waiver["first"] == waived["started"]
    weeks = history["weeks"]
    assert sum(week["runs"] for week in weeks) == 2
    assert sum(week["stopped_by_rule"].get("marker", 0) for week in weeks) == 1

    text = report(cluster, "reports").stdout
    assert "PRECHECK read the reports of 1 audit and 2 runs, from 20" in text
    assert "\nRule marker: 1 of 2 hosts is not ready.\n  h2  not ready since 20" in text
    assert "--skip-tags precheck" in text and "): CHG-1\n" in text

    cluster.write("h2/etc/pki/ca.crt", "")
    run(cluster, AUDIT, name="4")
    assert "\nRule marker: all 2 hosts are ready.\n" in report(cluster, "reports").stdout


@pytest.mark.one_release
def test_files_that_are_no_reports_are_named_and_passed_over(cluster):
    run(cluster, AUDIT, name="1")
    reports = cluster.directory / "reports"
    (reports / "deep").mkdir()
    shutil.copy(reports / "1.json", reports / "deep/2.json")
    cluster.write("reports/old.json", (reports / "1.json").read_text().replace('": 1', '": 0', 1))
    cluster.write("reports/broken\n.json", "{")
    cluster.write("reports/notes.txt", "{")
    cluster.write("reports/.precheck-new.json", "{")
    (reports / "gone.json").symlink_to("nowhere")
    found = report(cluster, "reports", "reports/1.json", "nowhere", "--format", "json")
    assert found.rc == 0
    assert found.stderr.splitlines() == [
        "reports/broken .json: passed over: it is not JSON",
        "reports/gone.json: passed over: there is no such file",
        "reports/old.json: passed over: it is of format 0, and this Precheck knows 1",
        "nowhere: passed over: there is no such file",
    ]
    history = json.loads(found.stdout)
    assert [one["path"] for one in history["reports"]] == ["reports/1.json", "reports/deep/2.json"]
    assert [one["path"] for one in history["passed_over"]] == [
        "reports/broken\n.json",
        "reports/gone.json",
        "reports/old.json",
        "nowhere",
    ]


@pytest.mark.one_release
def test_without_a_report_the_command_fails(cluster):
    cluster.write("reports/broken.json", "{")
    found = report(cluster, "reports", "--format", "json")
    assert (found.rc, found.stdout) == (1, "")
    assert is_printed("Precheck has found no report in reports", found.stderr)
    assert report(cluster).rc == 2
    assert report(cluster, "reports", "--page", "a.html", "--merge", "b.json").rc == 2


def test_the_history_as_a_page(cluster):
    """A page for a web server keeps its mode, and with JSON nothing else is on stdout."""
    run(cluster, AUDIT, name="1")
    found = report(cluster, "reports", "--page", "history.html", "--format", "json")
    page = cluster.directory / "history.html"
    assert found.rc == 0 and json.loads(found.stdout)["unready"][0]["host"] == "h2"
    assert found.stderr == f"Precheck wrote its page to {page}\n"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    text = page.read_text()
    assert text.startswith("<!DOCTYPE html>") and f"{cluster.directory}/h2/etc/pki/ca.crt" in text
    page.chmod(0o644)
    assert report(cluster, "reports", "--page", "history.html").rc == 0
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    (cluster.directory / "link.html").symlink_to("history.html")
    failed = report(cluster, "reports", "--page", "link.html")
    assert (failed.rc, failed.stdout) == (1, "")
    assert is_printed(f"{cluster.directory}/link.html is not a regular file", failed.stderr)


def test_the_reports_of_slices_become_one(cluster):
    """Each slice of a job has a part of the hosts, and the report of all is as good as any."""
    whole = run(cluster, "site.yml", name="whole")
    for host in ("h1", "h2"):
        run(cluster, "site.yml", "--limit", host, name=f"slice-{host}")
    slices = ("reports/slice-h1.json", "reports/slice-h2.json")
    done = report(cluster, *slices, "--merge", "reports/job.json")
    assert (done.rc, done.stdout) == (0, "")
    assert done.stderr == f"Precheck wrote its report to {cluster.directory}/reports/job.json\n"
    job = read_report(cluster.directory / "reports/job.json")
    of_the_run = ("command", "started", "finished")
    assert {key: job[key] for key in job if key not in of_the_run} == {
        key: whole[key] for key in whole if key not in of_the_run
    }
    compared = cluster.run(AUDIT, "-e", "precheck_compare=reports/job.json")
    assert ": no change." in compared.stdout


@pytest.mark.one_release
@pytest.mark.parametrize(
    ("content", "reason"),
    {"broken": ("{", "it is not JSON"), "missing": (None, "there is no such file")}.values(),
)
def test_nothing_is_merged_if_one_of_the_reports_cannot_be_read(cluster, content, reason):
    """The new report would say that all is ready, whatever the missing one says."""
    run(cluster, "site.yml", "--limit", "h1", name="1")
    if content:
        cluster.write("reports/2.json", content)
    done = report(cluster, "reports/1.json", "reports/2.json", "--merge", "job.json")
    assert done.rc == 1
    assert is_printed(f"Precheck has merged no reports: reports/2.json: {reason}", done.stderr)
    assert not (cluster.directory / "job.json").exists()
