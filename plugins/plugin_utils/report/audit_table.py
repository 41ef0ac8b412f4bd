# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator reads after an audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..policy.model import EXCLUDE, WARN
from ..text import count_of, one_line, printable_lines, printable_name
from ..verdict import NOT_READY, READY, UNVERIFIED, State, Verdict
from .document import reasons_in
from .lines import STATE_WORDS, VerdictsByHost, shortened, table_of, tally


def audit_table(document: Mapping[str, Any], names_of_ready: bool) -> str:
    """Return what the document of an audit says, with the names of ready hosts if wanted."""
    verdicts: dict[str, dict[str, Verdict]] = {rule["name"]: {} for rule in document["rules"]}
    for entry in document["verdicts"]:
        verdict = Verdict(entry["verdict"], tuple(reasons_in(entry)))
        verdicts[entry["rule"]][entry["host"]] = verdict
    lines = [_audit_heading(document, verdicts)]
    for rule in document["rules"]:
        lines += ["", *_audited_rule(rule, verdicts[rule["name"]], names_of_ready)]
    if "changes" in document:
        lines += ["", *_changes(document["changes"])]
    states = Counter(verdict.state for by_host in verdicts.values() for verdict in by_host.values())
    counts = ", ".join(f"{states[state]} {word}" for state, word in STATE_WORDS.items())
    lines += ["", f"Verdicts of rules on hosts: {counts}."]
    if names := document["not_audited"]:
        lines.append(f"Not audited, as they check plays and not hosts: {', '.join(names)}.")
    return "\n".join(lines)


def _audit_heading(document: Mapping[str, Any], verdicts: Mapping[str, VerdictsByHost]) -> str:
    failing: dict[State, set[str]] = {NOT_READY: set(), UNVERIFIED: set()}
    warned: set[str] = set()
    for rule in document["rules"]:
        for host, verdict in verdicts[rule["name"]].items():
            if verdict.state != READY:
                (warned if rule["severity"] == WARN else failing[verdict.state]).add(host)
    unverified = failing[UNVERIFIED] - failing[NOT_READY]
    warned -= failing[NOT_READY] | unverified
    hosts = document["plays"][0]["hosts"]
    result = tally(len(failing[NOT_READY]), len(unverified))
    more = " more" if result else ""
    result = result or "all are ready"
    if warned:
        result += f", with warnings for {count_of(len(warned), 'host')}{more}"
    rules = count_of(len(verdicts), "rule")
    return f"PRECHECK audited {count_of(hosts, 'host')} by {rules}: {result}."


_TRAITS = {WARN: " (warns only)", EXCLUDE: " (leaves hosts out)"}


def _audited_rule(
    rule: Mapping[str, Any], verdicts: VerdictsByHost, names_of_ready: bool
) -> list[str]:
    heading = f"Rule {rule['name']}{_TRAITS.get(rule['severity'], '')}:"
    if not verdicts:
        return [f"{heading} it applies to no host."]
    bad = {name: verdict for name, verdict in verdicts.items() if verdict.state != READY}
    ready = [printable_name(name) for name in verdicts if name not in bad]
    hosts = count_of(len(verdicts), "host")
    if bad:
        states = Counter(verdict.state for verdict in bad.values())
        lines = [f"{heading} {tally(states[NOT_READY], states[UNVERIFIED], len(verdicts))}."]
        # What is known comes before what could not be determined.
        lines += table_of(bad, sorted(bad, key=lambda name: (bad[name].state != NOT_READY, name)))
    else:
        subject = "1 host is" if len(ready) == 1 else f"all {hosts} are"
        lines = [f"{heading} {subject} ready."]
    if names_of_ready and ready:
        lines.append(f"  ready: {', '.join(ready)}")
    if rule["message"]:
        lines += ["", *printable_lines(rule["message"])]
    return lines + _remedy(rule["remedy"])


def _changes(changes: Mapping[str, Any]) -> list[str]:
    lines = []
    for change in changes["newly_not_ready"]:
        reason = shortened("; ".join(change["reasons"]))
        host = printable_name(change["host"])
        lines.append(f"  newly not ready: {host} for {change['rule']}: {reason}")
    for change in changes["newly_ready"]:
        lines.append(f"  newly ready: {printable_name(change['host'])} for {change['rule']}")
    for key, word in (("new_hosts", "new"), ("gone_hosts", "gone")):
        if changes[key]:
            lines.append(f"  {word}: {one_line(', '.join(changes[key]))}")
    heading = f"Since the report of {one_line(changes['since'])}:"
    return [heading, *lines] if lines else [f"{heading} no change."]


def _remedy(remedy: str) -> list[str]:
    return ["", *(f"    {line}" for line in printable_lines(remedy))] if remedy else []
