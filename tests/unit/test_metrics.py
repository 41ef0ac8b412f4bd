# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From documents of reports to metrics, and from metrics to text and back."""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import subprocess
import sys

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.report import metrics_file
from ansible_collections.precheck.guard.plugins.plugin_utils.report.exposition import (
    Family,
    parse,
    render,
    series,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.report.metrics import (
    FAMILIES,
    Audited,
    after_audit,
    after_run,
    counts_of_run,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.report.record import AUDIT, Record

from support.commands import REPOSITORY
from support.report_documents import HOSTILE, document, rule, verdict

pytestmark = pytest.mark.one_release

NOW = 1795625632  # 2026-11-25T16:53:52Z
RULES = [rule("node"), rule("space", severity="warn", waiver="forbidden")]
EVERYTHING = {(name, host) for name in ("node", "space") for host in ("h1", "h2")}


def report(states="", rules=RULES, **more):
    """Return a document with verdicts. Each word is "host/rule=verdict"."""
    verdicts = []
    for word in states.split():
        pair, _, state = word.partition("=")
        verdicts.append(verdict(*pair.split("/"), state))
    return document(rules, verdicts, **{"finished": "2026-11-25T16:53:52Z", **more})


def audited(pairs=EVERYTHING, rules="node space", hosts="h1 h2"):
    return Audited(set(pairs), set(rules.split()), set(hosts.split()))


def shown(samples, *names):
    """Return the lines of the metrics of these names, without what they say about themselves."""
    lines = render(samples, {name: FAMILIES[name] for name in names or FAMILIES}).splitlines()
    return [line for line in lines if not line.startswith("#")]


def verdicts_in(samples):
    """Return the verdicts of audits, as ``report`` takes them."""
    words = [
        f"{one.label('host')}/{one.label('rule')}={one.label('verdict')}"
        for one in samples
        if one.name == "precheck_audit_verdict"
    ]
    return " ".join(sorted(words))


def test_an_audit_of_all_hosts_has_each_verdict_and_how_many_of_each_there_are():
    samples = after_audit({}, report("h1/node=ready h2/node=not_ready h1/space=ready"), audited())
    labels = 'rule="node",severity="error",verdict='
    of_space = 'rule="space",severity="warn",verdict='
    assert shown(samples) == [
        f"precheck_audit_timestamp_seconds {NOW}",
        f'precheck_audit_verdict{{host="h1",{labels}"ready"}} 1',
        f'precheck_audit_verdict{{host="h1",{of_space}"ready"}} 1',
        f'precheck_audit_verdict{{host="h2",{labels}"not_ready"}} 1',
        f'precheck_audit_verdicts{{{labels}"not_ready"}} 1',
        f'precheck_audit_verdicts{{{labels}"ready"}} 1',
        f'precheck_audit_verdicts{{{labels}"unverified"}} 0',
        f'precheck_audit_verdicts{{{of_space}"not_ready"}} 0',
        f'precheck_audit_verdicts{{{of_space}"ready"}} 1',
        f'precheck_audit_verdicts{{{of_space}"unverified"}} 0',
    ]


BEFORE = "h1/node=not_ready h1/space=ready h2/node=ready h2/space=unverified"
# What was audited, what came of it, what the metrics have then, and whether all of it is new.
LATER_AUDITS = {
    "all": (audited(), "h1/node=ready", "h1/node=ready", True),
    "nothing applies": (audited(), "", "", True),
    "one host": (
        audited({("node", "h1"), ("space", "h1")}),
        "h1/node=ready",
        "h1/node=ready h2/node=ready h2/space=unverified",
        False,
    ),
    "one rule": (
        audited({("node", "h1"), ("node", "h2")}),
        "h1/node=ready h2/node=ready",
        "h1/node=ready h1/space=ready h2/node=ready h2/space=unverified",
        False,
    ),
    "a host is gone": (
        audited({("node", "h1"), ("space", "h1")}, hosts="h1"),
        "h1/node=ready h1/space=ready",
        "h1/node=ready h1/space=ready",
        True,
    ),
    "a rule is gone": (
        audited({("node", "h1"), ("node", "h2")}, rules="node"),
        "h1/node=ready h2/node=ready",
        "h1/node=ready h2/node=ready",
        True,
    ),
}


@pytest.mark.parametrize(
    ("scope", "states", "then", "all_new"), LATER_AUDITS.values(), ids=LATER_AUDITS
)
def test_an_audit_replaces_the_verdicts_on_what_it_looked_at(scope, states, then, all_new):
    """What it did not look at stays, and with it the time."""
    earlier = after_audit({}, report(BEFORE, finished="2026-11-24T16:53:52Z"), audited())
    later = after_audit(earlier, report(states), scope)
    assert verdicts_in(later) == then
    [since] = shown(later, "precheck_audit_timestamp_seconds")
    assert since.endswith(f" {NOW if all_new else NOW - 86400}")
    counts = [line for line in shown(later, "precheck_audit_verdicts") if line[-2:] != " 0"]
    assert sum(int(line.rpartition(" ")[2]) for line in counts) == len(then.split())


def test_an_audit_that_ended_with_an_error_changes_nothing():
    earlier = after_audit({}, report(BEFORE), audited())
    failed = report("", [], result="error", finished="2026-11-26T16:53:52Z")
    assert after_audit(earlier, failed, audited()) == earlier


def test_a_verdict_that_stays_has_the_present_severity_of_its_rule():
    earlier = after_audit({}, report(BEFORE), audited())
    rules = [rule("node", severity="warn")]
    later = after_audit(earlier, report("h1/node=ready", rules), audited({("node", "h1")}))
    assert {(one.label("rule"), one.label("severity")) for one in later if one.label("host")} == {
        ("node", "warn"),
        ("space", "warn"),
    }
    assert len(shown(later, "precheck_audit_verdicts")) == 6


def waiver(*rules):
    return {"rules": list(rules)}


COUNTERS = ("precheck_runs_total", "precheck_stops_total", "precheck_waivers_total")
TIMES = ("precheck_stop_timestamp_seconds", "precheck_waiver_timestamp_seconds")
# The documents that a run writes one after the other, and what the counters have then, and times.
RUNS = {
    "ready": ([report("h1/node=ready"), report("h1/node=ready h2/node=ready")], [1, 0, 0, 0], []),
    "stopped": (
        [report("h1/node=ready"), report("h1/node=ready h2/node=not_ready")],
        [1, 0, 1, 0],
        [f"precheck_stop_timestamp_seconds {NOW}"],
    ),
    "error": (
        [report(rules=[], result="error")],
        [1, 1, 0],
        [f"precheck_stop_timestamp_seconds {NOW}"],
    ),
    "waived twice": (
        [report(waivers=[waiver("node")]), report(waivers=[waiver("node"), waiver("node")])],
        [1, 0, 0, 2],
        [f'precheck_waiver_timestamp_seconds{{rule="node"}} {NOW}'],
    ),
}


@pytest.mark.parametrize(("documents", "values", "times"), RUNS.values(), ids=RUNS)
def test_a_run_is_counted_once_however_often_it_writes(documents, values, times):
    samples, counted = {}, {}
    for one in documents:
        samples = after_run(samples, one, counted)
        counted = counts_of_run(one)
    counters = [int(line.rpartition(" ")[2]) for line in shown(samples, *COUNTERS)]
    assert counters == values
    assert shown(samples, *TIMES) == times
    again = after_run(samples, documents[-1], {})
    assert [int(line.rpartition(" ")[2]) for line in shown(again, *COUNTERS)] == [
        2 * value for value in values
    ]


def test_audits_and_runs_leave_what_is_of_the_others():
    audit = after_audit({}, report(BEFORE), audited())
    both = after_run(audit, report("h3/node=unverified"), {})
    assert audit.items() < both.items()
    assert after_audit(both, report(BEFORE), audited()) == both
    assert shown(both, "precheck_run_timestamp_seconds") == [
        f"precheck_run_timestamp_seconds {NOW}"
    ]
    of_run = shown(both, "precheck_run_verdicts")
    assert [line for line in of_run if line.endswith(" 1")] == [
        'precheck_run_verdicts{rule="node",severity="error",verdict="unverified"} 1'
    ]


def test_a_run_replaces_what_is_of_the_run_before_and_drops_what_is_unknown():
    earlier = after_run({series("precheck_old"): 1}, report("h1/space=ready"), {})
    later = after_run(earlier, report("h1/node=ready", RULES[:1]), {})
    assert not [one for one in later if one.name == "precheck_old"]
    assert {one.label("rule") for one in later if one.name == "precheck_run_verdicts"} == {"node"}


@pytest.mark.parametrize("text", [*HOSTILE, "a\nb", 'a"b', "a\\b", "a\\nb", "a\\", "", "a\r b"])
def test_labels_may_have_any_text(text):
    samples = {series("precheck_runs_total", rule=text, host=f"{text}{text}"): 7}
    written = render(samples, FAMILIES)
    written.encode()
    assert written.count("\n") == 3
    readable = text.replace("\udc80", "\\udc80")
    assert parse(written) == {
        series("precheck_runs_total", rule=readable, host=f"{readable}{readable}"): 7
    }


def test_the_text_has_a_head_for_each_metric_that_has_samples():
    families = {
        "a": Family("gauge", "First."),
        "b": Family("counter", "Second."),
        "c": Family("", ""),
    }
    samples = {series("b", z="1", y="2"): 3, series("a"): 1, series("other"): 9}
    assert render(samples, families) == (
        "# HELP a First.\n# TYPE a gauge\na 1\n"
        '# HELP b Second.\n# TYPE b counter\nb{y="2",z="1"} 3\n'
    )


BROKEN = [
    "{",
    "a",
    "a{} 1",
    "a 1.5",
    "a -1",
    "a NaN",
    'a{b="c} 1',
    'a{b="\\c"} 1',
    "a 1 2",
    "a 1\0",
]


@pytest.mark.parametrize("line", [*BROKEN, "a " + "9" * 5000])
def test_a_text_that_is_broken_has_no_samples(line):
    with pytest.raises(ValueError, match="not a sample"):
        parse(f"# HELP\n\nb 1\n{line}\n")


def write(path, record=None):
    """Have the metrics of a run written to a path; return the line that says so."""
    return metrics_file.write_metrics(record or Record(), {"path": str(path)}, dict, [], [])


@pytest.fixture
def warned(mocker):
    """The warnings. The path is an extra variable, and the document the same for each run."""

    def document_of(record, *_more):
        return report(result=record.result)

    mocker.patch.object(metrics_file, "metrics_path", side_effect=lambda given: given["path"])
    mocker.patch.object(metrics_file, "current_document", side_effect=document_of)
    return mocker.patch("ansible.utils.display.Display.warning").call_args_list


@pytest.mark.parametrize("earlier", ["", "{", "\udcff", "precheck_runs_total 5\nprecheck_runs"])
def test_a_broken_file_starts_anew_and_everybody_can_read_it(tmp_path, warned, earlier):
    path = tmp_path / "precheck.prom"
    path.write_bytes(earlier.encode(errors="surrogateescape"))
    path.chmod(0o600)
    mask = os.umask(0o077)
    try:
        assert write(path) == f"Precheck wrote its metrics to {path}"
    finally:
        os.umask(mask)
    assert "\nprecheck_runs_total 1\n" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_audit_writes_no_new_file(tmp_path, warned):
    record = Record(AUDIT, error="Precheck cannot use its policy")
    assert write(tmp_path / "precheck.prom", record) == ""
    assert not list(tmp_path.iterdir())


TEN_RUNS = """
import json
import sys
from ansible_collections.precheck.guard.plugins.plugin_utils.report import metrics_file
from ansible_collections.precheck.guard.plugins.plugin_utils.report.record import Record
metrics_file.metrics_path = lambda extra_vars: sys.argv[1]
metrics_file.current_document = lambda *arguments: json.loads(sys.argv[2])
for number in range(10):
    metrics_file.write_metrics(Record(), {}, dict, [], [])
"""


def test_runs_at_the_same_time_are_all_counted(tmp_path):
    path = tmp_path / "precheck.prom"
    command = [sys.executable, "-c", TEN_RUNS, path, json.dumps(report())]
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY / "collections")}
    processes = [subprocess.Popen(command, env=env) for number in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert "\nprecheck_runs_total 30\n" in path.read_text()


def test_a_process_that_keeps_the_lock_does_not_hold_up_the_run(tmp_path, warned, mocker):
    mocker.patch.object(metrics_file, "PATIENCE", 0.1)
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert write(tmp_path / "precheck.prom") == ""
    finally:
        os.close(handle)
    [call] = warned
    reason = f"another process keeps {tmp_path} locked"
    assert call.args[0] == f"Precheck could not write its metrics: {reason}"


def test_an_earlier_file_that_cannot_be_read_stays(tmp_path, warned):
    path = tmp_path / "precheck.prom"
    path.mkdir()
    assert write(path) == ""
    [call] = warned
    assert call.args[0].startswith("Precheck could not write its metrics: ")
    assert path.is_dir()


def test_the_document_has_a_table_of_all_metrics():
    text = (REPOSITORY / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(precheck_\w+)` \| (.*) ?\| (.*) \|$", text, re.MULTILINE)
    assert [(name, what) for name, _labels, what in rows] == [
        (name, family.help) for name, family in FAMILIES.items()
    ]
    after_both = after_audit({}, report(BEFORE), audited())
    waived = report("h1/node=not_ready", waivers=[waiver("node")], result="not_ready")
    labels = {
        one.name: [name for name, _ in one.labels] for one in after_run(after_both, waived, {})
    }
    assert {name: re.findall(r"`(\w+)`", of_row) for name, of_row, _what in rows} == labels
