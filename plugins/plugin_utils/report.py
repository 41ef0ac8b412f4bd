# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator reads. Pure: text out of verdicts."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .matching import PlayIdentity
from .policy import WARN, Rule
from .verdict import NOT_READY, READY, UNVERIFIED, Verdict

HOSTS_SHOWN = 20
REASON_LENGTH = 400
STATES = {READY: "ready", NOT_READY: "not ready", UNVERIFIED: "unverified"}


@dataclass(frozen=True)
class Failure:
    """What is not ready for a rule.

    ``verdicts`` are those other than ready by host name, ``of_play`` that on the play as a whole if it is not ready,
    ``asked`` the number of hosts that the rule applies to. ``messages`` and ``remedy`` are the rule's, rendered.
    """

    rule: Rule
    verdicts: Mapping[str, Verdict]
    of_play: Verdict | None
    asked: int
    messages: Sequence[str]
    remedy: str


def closing_block(play: PlayIdentity, failures: Sequence[Failure]) -> str:
    """Return the block that tells why ``play`` was stopped and what to do."""
    lines = [f"PRECHECK stopped the run before {_name(play)}.", *_body(failures), ""]
    lines.append("Nothing was changed: no task of this play ran on any host.")
    mandatory = [failure.rule.name for failure in failures if failure.rule.mandatory]
    if mandatory:
        lines.append(f"The play cannot be run unchecked: mandatory is {', '.join(mandatory)}.")
    elif play.path:  # an ad hoc command is in no file, and has no tags
        lines.append("To run it unchecked all the same: tag the play no_precheck, or pass --skip-tags precheck.")
    return "\n".join(lines)


def warning_block(play: PlayIdentity, failures: Sequence[Failure]) -> str:
    """Return the block for rules that only warn."""
    heading = f"[WARNING]: PRECHECK found hosts that are not ready before {_name(play)}, which goes on."
    return "\n".join([heading, *_body(failures), ""])


def waiver(play: PlayIdentity, rules: Sequence[Rule], hosts: int, how: str) -> str:
    """Return the warning that ``rules`` are not enforced on ``play``, which has ``hosts`` hosts to check."""
    names = ", ".join(rule.name for rule in rules)
    return f"Precheck waived for {_name(play)}: {names} not checked on {_hosts(hosts)} ({how})."


def error(ex: Exception) -> str:
    """Return what may be kept of an error. The guard's own words, unlike others, have no variable's value."""
    text = one_line(str(getattr(ex, "message", "")))
    return text if text.startswith("Precheck") else f"an unexpected {type(ex).__name__}"


def audit_table(document: Mapping[str, Any], names_of_ready: bool) -> str:
    """Return what the document of an audit tells, with the names of hosts that are ready if these are wanted."""
    verdicts: dict[str, dict[str, Verdict]] = {rule["name"]: {} for rule in document["rules"]}
    for one in document["verdicts"]:
        reasons = [reason for check in one["checks"] for reason in check["reasons"]]
        verdicts[one["rule"]][one["host"]] = Verdict(one["verdict"], tuple(reasons))
    enforced = {rule["name"] for rule in document["rules"] if rule["severity"] != WARN}
    bad = {(host, rule in enforced) for rule, found in verdicts.items() for host, one in found.items() if one.state != READY}
    stopping = {host for host, is_enforced in bad if is_enforced}
    warning = {host for host, is_enforced in bad} - stopping
    result = f"{_hosts(len(stopping))} {'is' if len(stopping) == 1 else 'are'} not ready" if stopping else "all are ready"
    if warning:
        result += f", with warnings for {_hosts(len(warning))}{' more' if stopping else ''}"
    audited = _hosts(document["plays"][0]["hosts"])
    lines = [f"PRECHECK audited {audited} by {_count(len(verdicts), 'rule')}: {result}."]
    for rule in document["rules"]:
        lines += ["", *_audited_rule(rule, verdicts[rule["name"]], names_of_ready)]
    if "changes" in document:
        lines += ["", *_changes(document["changes"])]
    states = Counter(verdict.state for found in verdicts.values() for verdict in found.values())
    told = ", ".join(f"{states[state]} {word}" for state, word in STATES.items())
    return "\n".join([*lines, "", f"Verdicts of rules on hosts: {told}."])


def _audited_rule(rule: Mapping[str, Any], found: Mapping[str, Verdict], names_of_ready: bool) -> list[str]:
    bad = {name: verdict for name, verdict in found.items() if verdict.state != READY}
    ready = [_name(name) for name in found if name not in bad]
    heading = f"Rule {rule['name']}{' (warns only)' if rule['severity'] == WARN else ''}:"
    if not found:
        return [f"{heading} it applies to no host."]
    if bad:
        lines = [f"{heading} {len(bad)} of {_hosts(len(found))} {'is' if len(bad) == 1 else 'are'} not ready."]
        # A verdict that is known goes before one that could not be reached.
        lines += _table(bad, sorted(bad, key=lambda name: (bad[name].state != NOT_READY, name)))
        if names_of_ready and ready:
            lines.append(f"  ready: {', '.join(ready)}")
    else:
        lines = [f"{heading} {'1 host is' if len(ready) == 1 else f'all {_hosts(len(ready))} are'} ready."]
        if names_of_ready:
            lines.append(f"  ready: {', '.join(ready)}")
    if rule["remedy"]:
        lines += ["", *(f"    {line}" for line in printable(rule["remedy"]))]
    return lines


def _changes(changes: Mapping[str, Any]) -> list[str]:
    lines = [f"Since the report of {one_line(changes['since'])}:"]
    lines += [
        f"  newly not ready: {_name(one['host'])} for {one['rule']}: {_reason('; '.join(one['reasons']))}"
        for one in changes["newly_not_ready"]
    ]
    lines += [f"  newly ready: {_name(one['host'])} for {one['rule']}" for one in changes["newly_ready"]]
    for key, word in (("new_hosts", "new"), ("gone_hosts", "gone")):
        if changes[key]:
            lines.append(f"  {word}: {one_line(', '.join(changes[key]))}")
    return lines if len(lines) > 1 else [f"{lines[0]} no change."]


def _body(failures: Sequence[Failure]) -> list[str]:
    lines = []
    for failure in failures:
        verdicts, name = failure.verdicts, failure.rule.name
        lines.append("")
        if verdicts:
            verb = "is" if len(verdicts) == 1 else "are"
            lines.append(f"Rule {name}: {len(verdicts)} of {_hosts(failure.asked)} {verb} not ready.")
            names = sorted(verdicts)
            lines += _table(verdicts, names[:HOSTS_SHOWN])
            if more := names[HOSTS_SHOWN:]:
                lines.append(f"  ... and {len(more)} more: {', '.join(map(_name, more))}")
        if failure.of_play:
            lines.append(f"Rule {name}: the play is not ready for {_hosts(failure.asked)}.")
            lines += _lines("  ", failure.of_play)
        if failure.messages:
            lines += ["", *(line for text in failure.messages for line in printable(text))]
        if failure.remedy:
            lines += ["", *(f"    {line}" for line in printable(failure.remedy))]
    return lines


def _table(verdicts: Mapping[str, Verdict], names: Sequence[str]) -> list[str]:
    """Return lines for the hosts of these names. Two that look alike when printed stay two."""
    width = max(len(_name(name)) for name in names)
    return [line for name in names for line in _lines(f"  {_name(name):{width}}  ", verdicts[name])]


def _lines(head: str, verdict: Verdict) -> list[str]:
    """Return a line for each reason, the first after ``head`` and the others below it."""
    head += f"{STATES[verdict.state]}: "
    return [f"{' ' * len(head) if number else head}{_reason(reason)}" for number, reason in enumerate(verdict.reasons)]


def _reason(text: str) -> str:
    # A reason may hold what a node printed: one line of printable characters, of a length that can be read.
    text = one_line(text)
    return text if len(text) <= REASON_LENGTH else text[: REASON_LENGTH - 3] + "..."


def printable(text: str) -> list[str]:
    """Return the lines of a text, without the characters by which variables could disturb a terminal."""
    return [_clean(line) for line in text.splitlines()]


def one_line(text: str) -> str:
    return _clean(" ".join(text.split()))


def _name(named: object) -> str:
    """Return a name of a host or a play, which playbooks may make of what a node printed, on one line."""
    return " ".join(printable(str(named)))


def _clean(text: str) -> str:
    # Spaces of other widths and the joiners of Persian, Hindi and emoji are text, though not printable to Python.
    return "".join(char for char in text if char.isprintable() or char in "\t\u200c\u200d" or unicodedata.category(char) == "Zs")


def _hosts(count: int) -> str:
    return _count(count, "host")


def _count(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
