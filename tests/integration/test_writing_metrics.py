# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The metrics that audits and guarded runs write."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import time

import pytest

from support.output import is_printed
from support.policies import policy, rule
from support.project import AUDIT
from support.requirements import lacking

PLAY = """
- hosts: all
  gather_facts: false
  serial: 1
  vars: {precheck_metrics: variable.prom}
  tasks:
    - ansible.builtin.debug: {msg: reached}
"""
MARKER = rule({"path": "/etc/pki/ca.crt"}, name="marker", when="inventory_hostname != 'h3'")
ADVICE = rule(
    {"that": "inventory_hostname != 'h1'", "message": "secret"},
    name='"a"\\b',
    severity="warn",
    message="secret",
    remedy="secret",
)
OPTION = "[precheck]\nmetrics = metrics/precheck.prom"
WRITTEN = "Precheck wrote its metrics to "
NOT_WRITTEN = "[WARNING]: Precheck could not write its metrics: "


@pytest.fixture
def site(guarded):
    """A project with three hosts, of which h2 is not ready, and the option in ansible.cfg."""
    guarded.configure(guarded.entry_point, OPTION)
    guarded.local_hosts(ready="h1", missing="h2 h3")
    guarded.write("site.yml", PLAY)
    guarded.write("precheck.yml", policy(MARKER, ADVICE))
    (guarded.directory / "metrics").mkdir()
    return guarded


def metrics(site):
    """Return the samples in the file, which promtool must find good."""
    text = (site.directory / "metrics/precheck.prom").read_text()
    promtool = shutil.which("promtool") or lacking("promtool is not installed")
    command = [promtool, "check", "metrics"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, ""), text
    lines = [line.rpartition(" ") for line in text.splitlines() if line[0] != "#"]
    return {name.removeprefix("precheck_"): int(value) for name, _, value in lines}


def verdicts(samples):
    """Return the verdicts of audits: "h1/marker=ready"."""
    labels = r'audit_verdict\{host="(.*)",rule="(.*)",severity="\w+",verdict="(.*)"\}'
    found = [re.fullmatch(labels, one) for one in samples]
    return [f"{one[1]}/{one[2]}={one[3]}" for one in found if one]


ALL = [
    r"h1/\"a\"\\b=not_ready",
    "h1/marker=ready",
    r"h2/\"a\"\\b=ready",
    "h2/marker=not_ready",
    r"h3/\"a\"\\b=ready",
]


@pytest.mark.claims(
    "Everybody can read the metrics.",
    "They contain names of hosts and rules and the verdicts, but no reasons, no messages and no"
    " remedies.",
)
def test_audits_write_the_verdicts_on_each_host_until_it_is_gone(site):
    before = int(time.time())
    run = site.run(AUDIT)
    assert run.rc == 2
    assert WRITTEN not in run.output  # only with -v
    samples = metrics(site)
    assert verdicts(samples) == ALL
    assert "secret" in run.output and "secret" not in str(samples)
    assert samples['audit_verdicts{rule="marker",severity="error",verdict="not_ready"}'] == 1
    assert before <= samples["audit_timestamp_seconds"] <= time.time()
    path = site.directory / "metrics/precheck.prom"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644

    site.write("h2/etc/pki/ca.crt", "")
    path.write_text(path.read_text().replace(str(samples["audit_timestamp_seconds"]), "7"))
    run = site.run(AUDIT, "-v", "--limit", "h2")
    assert f"{WRITTEN}{path}\n" in run.stdout
    samples = metrics(site)
    assert verdicts(samples) == [one.replace("marker=not_ready", "marker=ready") for one in ALL]
    assert samples["audit_timestamp_seconds"] == 7  # the others were not audited

    hosts = site.hosts()
    site.inventory({"h1": hosts["h1"], "h2": hosts["h2"]})
    assert site.run(AUDIT, "-e", "precheck_rules=marker").rc == 0
    samples = metrics(site)
    assert len(verdicts(samples)) == 4
    assert samples["audit_timestamp_seconds"] == 7
    site.write("precheck.yml", policy(MARKER))
    assert site.run(AUDIT).rc == 0
    samples = metrics(site)
    assert verdicts(samples) == ["h1/marker=ready", "h2/marker=ready"]
    assert samples["audit_timestamp_seconds"] >= before


def test_runs_are_counted_and_leave_the_verdicts_of_audits(site):
    assert site.run(AUDIT).rc == 2
    audited = metrics(site)
    stopped = site.run("site.yml")
    assert stopped.rc == 2
    assert "reached" not in stopped.stdout
    samples = metrics(site)
    stop = samples["stop_timestamp_seconds"]
    assert stop == samples["run_timestamp_seconds"] >= audited["audit_timestamp_seconds"]
    assert samples['run_verdicts{rule="marker",severity="error",verdict="not_ready"}'] == 1

    options = ("-e", "precheck_waive=marker", "-e", "precheck_reason=CHG-7")
    waived = site.run("site.yml", *options)
    assert waived.rc == 0
    assert waived.stdout.count('"reached"') == 3
    assert site.run("site.yml", "--limit", "h3").rc == 0
    samples = metrics(site)
    assert audited.items() < samples.items()
    counters = {name: value for name, value in samples.items() if "_total" in name}
    assert counters == {
        "runs_total": 3,
        'stops_total{result="error"}': 0,
        'stops_total{result="not_ready"}': 1,
        r'waivers_total{rule="\"a\"\\b"}': 0,
        'waivers_total{rule="marker"}': 1,
    }
    assert samples["stop_timestamp_seconds"] == stop
    assert samples['waiver_timestamp_seconds{rule="marker"}'] >= stop
    assert not (site.directory / "variable.prom").exists()


def test_the_environment_and_extra_variables_take_precedence(site):
    """Without the option, and in a run in which no rule covers a play, nothing is written."""
    environment = {"ANSIBLE_PRECHECK_METRICS": "environment.prom"}
    for options, env, name in (
        (("-e", "precheck_metrics=extra.prom"), environment, "extra.prom"),
        ((), environment, "environment.prom"),
        (("-e", "precheck_metrics="), {}, ""),
    ):
        run = site.run("../site.yml", "-i", "../inventory.json", *options, env=env, cwd="metrics")
        assert run.rc == 2
        written = [path.name for path in (site.directory / "metrics").iterdir()]
        assert written == [name] * bool(name)
        for path in (site.directory / "metrics").iterdir():
            path.unlink()
    never = rule({"that": False}, covers={"play": "never"})
    site.write("precheck.yml", policy(never))
    assert site.run("site.yml").rc == 0
    assert not list((site.directory / "metrics").iterdir())


def test_metrics_that_cannot_be_written_are_a_warning(site):
    for path, reason in (
        ("new/precheck.prom", f"{site.directory}/new/precheck.prom: No such file or directory"),
        (
            "precheck.txt",
            "the option metrics (var: precheck_metrics) has a wrong value: expected a name that"
            f" ends in .prom, not {site.directory}/precheck.txt",
        ),
    ):
        run = site.run("site.yml", "--limit", "h2", "-e", f"precheck_metrics={path}")
        assert run.rc == 2
        assert "Rule marker: 1 of 1 host is not ready." in run.stderr
        assert is_printed(f"{NOT_WRITTEN}{reason}", run.stderr)
    run = site.run("site.yml", "--limit", "h3", "-e", '{"precheck_metrics": ["a", "list"]}')
    assert run.rc == 0
    assert is_printed(f"{NOT_WRITTEN}the option metrics has a value that", run.stderr)


def test_an_audit_that_fails_keeps_the_metrics_and_a_run_that_fails_is_counted(site):
    assert site.run(AUDIT).rc == 2
    audited = metrics(site)
    assert site.run(AUDIT, "--skip-tags", "precheck").rc == 1
    site.write("precheck.yml", "rules: []\n")
    assert site.run(AUDIT).rc == 1
    assert metrics(site) == audited
    assert site.run("site.yml").rc == 1
    samples = metrics(site)
    assert audited.items() < samples.items()
    assert (samples["runs_total"], samples['stops_total{result="error"}']) == (1, 1)
