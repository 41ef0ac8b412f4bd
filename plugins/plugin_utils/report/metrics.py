# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the document of a report, and earlier metrics, to the metrics after it."""

from __future__ import annotations

import calendar
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..policy.model import FORBIDDEN, RuleAndHost
from ..verdict import STATES
from .exposition import Family, Samples, Series, series
from .record import ERROR

AUDIT_TIME, RUN_TIME = "precheck_audit_timestamp_seconds", "precheck_run_timestamp_seconds"
AUDIT_VERDICT, AUDIT_COUNT = "precheck_audit_verdict", "precheck_audit_verdicts"
RUN_COUNT, RUNS = "precheck_run_verdicts", "precheck_runs_total"
STOPS, STOP_TIME = "precheck_stops_total", "precheck_stop_timestamp_seconds"
WAIVERS, WAIVER_TIME = "precheck_waivers_total", "precheck_waiver_timestamp_seconds"

# docs/metrics.md has the same as a table.
FAMILIES = {
    AUDIT_TIME: Family("gauge", "Time of the audit. No verdict of an audit is older."),
    AUDIT_VERDICT: Family("gauge", "Last verdict of audits on a host for a rule. Always 1."),
    AUDIT_COUNT: Family("gauge", "Hosts with this verdict of audits."),
    RUN_TIME: Family("gauge", "Time of the last guarded run."),
    RUN_COUNT: Family("gauge", "Hosts with this verdict in the last guarded run."),
    RUNS: Family("counter", "Guarded runs."),
    STOPS: Family("counter", "Guarded runs that were stopped, by their result."),
    STOP_TIME: Family("gauge", "Time of the last guarded run that was stopped."),
    WAIVERS: Family("counter", "Plays on which a rule was waived."),
    WAIVER_TIME: Family("gauge", "Time of the last guarded run in which a rule was waived."),
}


class Audited(NamedTuple):
    """What an audit looked at: ``pairs`` of a rule and a host, whether or not the rule applied.

    ``rules`` and ``hosts`` are the names of all rules in force and of all hosts in the inventory.
    """

    pairs: set[RuleAndHost]
    rules: set[str]
    hosts: set[str]

    def leaves(self, rule: str, host: str) -> bool:
        """Return whether an earlier verdict is still the last one."""
        return rule in self.rules and host in self.hosts and (rule, host) not in self.pairs


def after_audit(earlier: Samples, document: Mapping[str, Any], audited: Audited) -> Samples:
    """Return the metrics after an audit.

    An audit of some hosts or rules keeps the verdicts on the others, and thus the earlier time. One
    that ended with an error changes nothing.
    """
    if document["result"] == ERROR:
        return _known(earlier)
    severities = _severities(document)
    verdicts: dict[RuleAndHost, str] = {}
    for one in earlier:
        rule, host = one.label("rule"), one.label("host")
        if one.name == AUDIT_VERDICT and audited.leaves(rule, host):
            verdicts[rule, host] = one.label("verdict")
            severities.setdefault(rule, one.label("severity"))
    now = _seconds(document["finished"])
    since = earlier.get(Series(AUDIT_TIME), now) if verdicts else now
    verdicts.update(_verdicts(document))
    samples = _known(earlier, but=(AUDIT_TIME, AUDIT_VERDICT, AUDIT_COUNT))
    samples[Series(AUDIT_TIME)] = since
    for (rule, host), state in verdicts.items():
        labels = {"host": host, "rule": rule, "severity": severities[rule], "verdict": state}
        samples[series(AUDIT_VERDICT, **labels)] = 1
    return samples | _counts(AUDIT_COUNT, severities, verdicts)


def after_run(earlier: Samples, document: Mapping[str, Any], counted: Samples) -> Samples:
    """Return the metrics after a guarded run, or in the middle of it.

    ``counted`` is what the counters have of this run already.
    """
    now = _seconds(document["finished"])
    samples = _known(earlier, but=(RUN_TIME, RUN_COUNT))
    samples[Series(RUN_TIME)] = now
    samples |= _counts(RUN_COUNT, _severities(document), _verdicts(document))
    for one, count in counts_of_run(document).items():
        more = count - counted.get(one, 0)
        samples[one] = samples.get(one, 0) + more
        if more and one.name == STOPS:
            samples[Series(STOP_TIME)] = now
        elif more and one.name == WAIVERS:
            samples[Series(WAIVER_TIME, one.labels)] = now
    return samples


def counts_of_run(document: Mapping[str, Any]) -> Samples:
    """Return what the counters have of a guarded run so far, also where that is nothing."""
    counts = {Series(RUNS): 1}
    for result in ("not_ready", ERROR):
        counts[series(STOPS, result=result)] = int(document["result"] == result)
    for rule in document["rules"]:
        if rule["waiver"] != FORBIDDEN:
            counts[series(WAIVERS, rule=rule["name"])] = 0
    for waiver in document["waivers"]:
        for name in waiver["rules"]:
            one = series(WAIVERS, rule=name)
            counts[one] = counts.get(one, 0) + 1
    return counts


def _known(samples: Samples, but: Iterable[str] = ()) -> Samples:
    """Return the samples of all metrics that there are, apart from some."""
    names = FAMILIES.keys() - but
    return {one: value for one, value in samples.items() if one.name in names}


def _severities(document: Mapping[str, Any]) -> dict[str, str]:
    return {rule["name"]: rule["severity"] for rule in document["rules"]}


def _verdicts(document: Mapping[str, Any]) -> dict[RuleAndHost, str]:
    return {(one["rule"], one["host"]): one["verdict"] for one in document["verdicts"]}


def _counts(
    name: str, severities: Mapping[str, str], verdicts: Mapping[RuleAndHost, str]
) -> Samples:
    """Return how many hosts have each verdict for each rule, also where none has it."""
    counts = Counter((rule, state) for (rule, _host), state in verdicts.items())
    return {
        series(name, rule=rule, severity=severity, verdict=state): counts[rule, state]
        for rule, severity in severities.items()
        for state in STATES
    }


def _seconds(at: str) -> int:
    """Return a time of a document in seconds since 1970."""
    return calendar.timegm(time.strptime(at, "%Y-%m-%dT%H:%M:%SZ"))
