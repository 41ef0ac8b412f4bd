# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lines of a timeline: their moments, letters, and order."""

from __future__ import annotations

import time

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.history.observed import observe
from ansible_collections.precheck.guard.plugins.plugin_utils.history.summary import summarize
from ansible_collections.precheck.guard.plugins.plugin_utils.history.timeline import (
    Heading,
    timeline_of,
)

from support.report_documents import document, rule, verdict

pytestmark = pytest.mark.one_release

STATES = {"r": "ready", "n": "not_ready", "u": "unverified"}


def timeline(reports, runs=()):
    """Return the timeline of reports: each of a time, and letters by host and rule.

    They are audits, but for those with the numbers ``runs``.
    """
    rules = [rule("a"), rule("b"), rule("w", severity="warn")]
    documents = []
    for number, (moment, letters) in enumerate(reports):
        verdicts = [verdict(*name, STATES[letter]) for name, letter in letters.items()]
        kind = "run" if number in runs else "audit"
        documents.append(document(rules, verdicts, started=moment, finished=moment, kind=kind))
    return timeline_of(summarize(observe(str(n), one) for n, one in enumerate(documents)))


def day(number):
    return f"2026-11-{number:02}T06:00:00Z"


def test_each_rule_of_a_host_has_a_line_of_the_states_in_each_moment():
    found = timeline(
        [
            (day(1), {("h10", "a"): "r", ("h2", "a"): "r", ("x", "w"): "n"}),
            (day(2), {("h10", "a"): "u", ("h2", "w"): "r"}),
            (day(3), {("h2", "a"): "r", ("y", "a"): "n"}),
        ]
    )
    assert found.rules == ["a", "b", "w"]
    lines = [
        (host.name, found.lines[host.line], [found.lines[number] for number in host.by_rule])
        for host in found.hosts
    ]
    assert lines == [
        ("y", "..n", ["..n", "...", "..."]),
        ("h10", "ru.", ["ru.", "...", "..."]),
        ("x", "w..", ["...", "...", "w.."]),
        ("h2", "rrr", ["r.r", "...", ".r."]),
    ]
    assert len(found.lines) == len(set(found.lines))
    assert found.moments[0] == "2026-11-01 06:00:00 UTC"
    assert found.headings == [Heading(f"2026-11-0{number} 06:00", 1) for number in (1, 2, 3)]


def times(number, seconds):
    return [
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1788000000 + seconds * one))
        for one in range(number)
    ]


# So many reports, so many seconds apart: the first moment and how many there are, and headings.
MOMENTS = {
    "few": (12, 60, ("2026-08-29 10:40:00 UTC", 12), ("2026-08-29 10:40", 12)),
    "of minutes": (400, 60, ("2026-08-29 10:40:00 UTC", 400), ("2026-08-29", 1)),
    "too many of minutes": (401, 60, ("2026-08-29 10:00", 8), ("2026-08-29 10:00", 8)),
    "of days": (90, 86400, ("2026-08-29 10:40:00 UTC", 90), ("2026-08", 4)),
    "of hours": (1000, 3600, ("2026-08-29", 43), ("2026-08", 3)),
    "of years": (900, 86400 * 10, ("2026-08", 297), ("2026", 26)),
}


@pytest.mark.parametrize(
    ("number", "seconds", "moments", "headings"), MOMENTS.values(), ids=MOMENTS
)
def test_there_are_not_too_many_moments_and_headings(number, seconds, moments, headings):
    found = timeline([(moment, {("h", "a"): "r"}) for moment in times(number, seconds)])
    assert (found.moments[0], len(found.moments)) == moments
    assert (found.headings[0].text, len(found.headings)) == headings
    assert sum(heading.columns for heading in found.headings) == len(found.moments)
    assert found.lines[found.hosts[0].line] == "r" * len(found.moments)


def test_in_a_moment_of_several_reports_the_last_verdict_counts():
    reports = [(moment, {("h", "a"): "n"}) for moment in times(500, 60)]
    reports[59] = (reports[59][0], {("h", "a"): "r"})  # not the last of an hour
    reports[79] = (reports[79][0], {("h", "a"): "r"})  # the last
    found = timeline(reports)
    assert found.lines[found.hosts[0].line][:3] == "nrn"


# Of reports that are audits or runs: the letters of h for the rules a and b, or nothing, and the
# worst of them.
WORST = {
    "audits": ("aaa", ["nr", "ru", "rr"], "nur"),
    "a run that checks all": ("ar", ["nn", "rr"], "nr"),
    "a run that checks one of them": ("ara", ["nr", "-r", "rr"], "nnr"),
    "a run that mends one of them": ("arr", ["nn", "-r", "r-"], "nnr"),
    "an audit by which one of them no longer applies": ("aar", ["nr", "-r", "-r"], "nrr"),
    "a run that checks nothing": ("ar", ["rr", "--"], "r"),
    "a host that is not in one of them": ("aa", ["nr", "--x"], "n."),
}


@pytest.mark.parametrize(("kinds", "letters", "worst"), WORST.values(), ids=WORST)
def test_after_a_run_the_last_verdicts_of_other_rules_still_count(kinds, letters, worst):
    reports = []
    for number, pair in enumerate(letters, 1):
        verdicts = {("h", name): letter for name, letter in zip("ab", pair) if letter != "-"}
        if pair.endswith("x"):
            verdicts["other", "a"] = "r"
        reports.append((day(number), verdicts))
    runs = [number for number, kind in enumerate(kinds) if kind == "r"]
    found = timeline(reports, runs)
    [host] = [host for host in found.hosts if host.name == "h"]
    assert found.lines[host.line] == worst


def test_without_verdicts_there_is_no_timeline():
    assert timeline([(day(1), {})]) is None
