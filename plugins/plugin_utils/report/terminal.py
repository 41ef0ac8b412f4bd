# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator reads on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..policy.matching import PlayIdentity
from ..policy.model import WARN, Rule
from ..text import count_of, one_line, printable_lines, printable_name
from ..verdict import NOT_READY, READY, UNVERIFIED, State, Verdict
from .document import reasons_in
from .record import Waiver

HOSTS_SHOWN = 20
REASON_LENGTH = 400  # characters

STATE_WORDS: Mapping[State, str] = {
    READY: "ready",
    NOT_READY: "not ready",
    UNVERIFIED: "unverified",
}

VerdictsByHost = Mapping[str, Verdict]


@dataclass(frozen=True)
class Failure:
    """What is not ready for a rule.

    ``verdicts`` are those other than ready, by host name; ``play_verdict`` is that on the play as a
    whole if it is not ready; ``hosts`` is the number of hosts that the rule applies to.
    ``messages`` and ``remedy`` are the rule's, rendered.
    """

    rule: Rule
    verdicts: VerdictsByHost
    play_verdict: Verdict | None
    hosts: int
    messages: Sequence[str]
    remedy: str


def closing_block(
    play: PlayIdentity, failures: Sequence[Failure], is_dry_run: bool, role: str = ""
) -> str:
    """Return the block that says why ``play`` was stopped, and what to do.

    If it was stopped in its midst, that was before its first task of ``role``.
    """
    location = f"the role {printable_name(role)} in " if role else ""
    heading = f"PRECHECK stopped the run before {location}{printable_name(play)}."
    lines = [heading, *_failures(failures), ""]
    if is_dry_run:
        lines.append(
            "This is a dry run (--check): it initialises no host, so a new one cannot be ready."
        )
    if role:
        lines.append(
            "The play computes the name of this role, so its hosts could not be checked before."
            " What tasks before the role did is not undone."
        )
    else:
        lines.append("Nothing was changed: no task of this play ran on any host.")
    mandatory = [failure.rule.name for failure in failures if failure.rule.mandatory]
    if mandatory:
        rules = "rule {} is" if len(mandatory) == 1 else "rules {} are"
        reason = f"{rules.format(', '.join(mandatory))} mandatory"
        lines.append(f"The play cannot be run unchecked: {reason}.")
    elif play.path:  # an ad hoc command is in no file, and has no tags
        lines.append(
            "To run it unchecked all the same: tag the play no_precheck, or pass"
            " --skip-tags precheck."
        )
    lines += [
        f"Rule {failure.rule.name} is built in. Rules of your own in precheck.yml beside"
        " ansible.cfg replace it."
        for failure in failures
        if failure.rule.is_built_in
    ]
    return "\n".join(lines)


def warning_block(play: PlayIdentity, failures: Sequence[Failure]) -> str:
    """Return the block for rules that only warn."""
    heading = (
        "[WARNING]: PRECHECK found hosts that are not ready before"
        f" {printable_name(play)}, which goes on."
    )
    return "\n".join([heading, *_failures(failures), ""])


def waiver_warning(waiver: Waiver) -> str:
    """Return the warning that rules are not enforced on a play."""
    rules = ", ".join(rule.name for rule in waiver.rules)
    return (
        f"Precheck waived for {printable_name(waiver.play)}: {rules} not checked on"
        f" {count_of(waiver.hosts, 'host')} ({waiver.opt_out_reason})."
    )


def _failures(failures: Sequence[Failure]) -> list[str]:
    return [line for failure in failures for line in ["", *_failure(failure)]]


def _failure(failure: Failure) -> list[str]:
    name, hosts = failure.rule.name, count_of(failure.hosts, "host")
    lines = []
    if verdicts := failure.verdicts:
        lines.append(f"Rule {name}: {len(verdicts)} of {hosts} {_are(len(verdicts))} not ready.")
        names = sorted(verdicts)
        lines += _table(verdicts, names[:HOSTS_SHOWN])
        if more := names[HOSTS_SHOWN:]:
            lines.append(f"  ... and {len(more)} more: {', '.join(map(printable_name, more))}")
    if failure.play_verdict:
        lines.append(f"Rule {name}: the play is not ready for {hosts}.")
        lines += _lines("  ", failure.play_verdict)
    if failure.messages:
        lines.append("")
        lines += [line for message in failure.messages for line in printable_lines(message)]
    return lines + _remedy(failure.remedy)


def _remedy(remedy: str) -> list[str]:
    return ["", *(f"    {line}" for line in printable_lines(remedy))] if remedy else []


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _table(verdicts: VerdictsByHost, names: Sequence[str]) -> list[str]:
    """Return lines for the hosts of these names. Two that look alike when printed stay two."""
    width = max(len(printable_name(name)) for name in names)
    return [
        line
        for name in names
        for line in _lines(f"  {printable_name(name):{width}}  ", verdicts[name])
    ]


def _lines(head: str, verdict: Verdict) -> list[str]:
    """Return a line for each reason, the first after ``head`` and the others below it."""
    head += f"{STATE_WORDS[verdict.state]}: "
    first, *others = map(_shortened, verdict.reasons or ["no reason was given"])
    return [head + first, *(" " * len(head) + reason for reason in others)]


def _shortened(reason: str) -> str:
    # It may hold what a node printed: one line of printable characters, of a length that can be
    # read.
    text = one_line(reason)
    return text if len(text) <= REASON_LENGTH else text[: REASON_LENGTH - 3] + "..."


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
    return "\n".join([*lines, "", f"Verdicts of rules on hosts: {counts}."])


def _audit_heading(document: Mapping[str, Any], verdicts: Mapping[str, VerdictsByHost]) -> str:
    failing: set[str] = set()
    warned: set[str] = set()
    for rule in document["rules"]:
        by_host = verdicts[rule["name"]]
        bad = {host for host, verdict in by_host.items() if verdict.state != READY}
        (warned if rule["severity"] == WARN else failing).update(bad)
    warned -= failing
    result = "all are ready"
    if failing:
        result = f"{count_of(len(failing), 'host')} {_are(len(failing))} not ready"
    if warned:
        more = " more" if failing else ""
        result += f", with warnings for {count_of(len(warned), 'host')}{more}"
    hosts = count_of(document["plays"][0]["hosts"], "host")
    return f"PRECHECK audited {hosts} by {count_of(len(verdicts), 'rule')}: {result}."


def _audited_rule(
    rule: Mapping[str, Any], verdicts: VerdictsByHost, names_of_ready: bool
) -> list[str]:
    heading = f"Rule {rule['name']}{' (warns only)' if rule['severity'] == WARN else ''}:"
    if not verdicts:
        return [f"{heading} it applies to no host."]
    bad = {name: verdict for name, verdict in verdicts.items() if verdict.state != READY}
    ready = [printable_name(name) for name in verdicts if name not in bad]
    hosts = count_of(len(verdicts), "host")
    if bad:
        lines = [f"{heading} {len(bad)} of {hosts} {_are(len(bad))} not ready."]
        # What is known comes before what could not be determined.
        lines += _table(bad, sorted(bad, key=lambda name: (bad[name].state != NOT_READY, name)))
    else:
        subject = "1 host is" if len(ready) == 1 else f"all {hosts} are"
        lines = [f"{heading} {subject} ready."]
    if names_of_ready and ready:
        lines.append(f"  ready: {', '.join(ready)}")
    return lines + _remedy(rule["remedy"])


def _changes(changes: Mapping[str, Any]) -> list[str]:
    lines = []
    for change in changes["newly_not_ready"]:
        reason = _shortened("; ".join(change["reasons"]))
        host = printable_name(change["host"])
        lines.append(f"  newly not ready: {host} for {change['rule']}: {reason}")
    for change in changes["newly_ready"]:
        lines.append(f"  newly ready: {printable_name(change['host'])} for {change['rule']}")
    for key, word in (("new_hosts", "new"), ("gone_hosts", "gone")):
        if changes[key]:
            lines.append(f"  {word}: {one_line(', '.join(changes[key]))}")
    heading = f"Since the report of {one_line(changes['since'])}:"
    return [heading, *lines] if lines else [f"{heading} no change."]
