# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is remembered of a run, and the document that a report is. Pure. docs/report.schema.json describes the document."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.splitter import parse_kv

from .matching import PlayIdentity
from .policy import WARN, Rule
from .report import one_line
from .verdict import NOT_READY, READY, Verdict

FORMAT = 1
VERSION = "0.1.0"
RUN, AUDIT = "run", "audit"
ERROR = "error"  # the result where it could not be decided

HIDDEN = "***"
# Options of the commands of ansible-core whose values can be secrets, and the letters of those that have a short form. A
# password as such is never a value: it is in a file or asked for. The arguments of ssh can hold that of a proxy.
_SECRETS = ("--extra-vars", "--args", "--ssh-common-args", "--ssh-extra-args", "--scp-extra-args", "--sftp-extra-args")
_SHORT = {"e": "--extra-vars", "a": "--args"}
_SHORT_WITH_OTHER_VALUES = "BMPTcfilmtu"


@dataclass
class CoveredPlay:
    """A play that a rule covers, or an audit. ``hosts`` are the names of those that were looked at; ``checks`` are the
    verdicts on the play as a whole, by rule.
    """

    identity: PlayIdentity
    rules: Sequence[Rule]
    hosts: set[str] = field(default_factory=set)
    stopped: bool = False
    checks: list[tuple[Rule, Verdict]] = field(default_factory=list)


@dataclass
class Waiver:
    """Rules that were not enforced on a play with so many hosts. ``how`` tells by what."""

    play: PlayIdentity
    rules: Sequence[Rule]
    hosts: int
    how: str


@dataclass
class Record:
    """What is remembered of a run for its report.

    ``plays`` are by id; ``verdicts`` by the names of rule and host; ``messages`` and ``remedies`` by rule, as rendered.
    ``error`` is the one that ended the run before a verdict, if one did.
    """

    kind: str = RUN
    started: float = field(default_factory=time.time)
    plays: dict[str, CoveredPlay] = field(default_factory=dict)
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    messages: dict[str, list[str]] = field(default_factory=dict)
    remedies: dict[str, list[str]] = field(default_factory=dict)
    waivers: list[Waiver] = field(default_factory=list)
    changes: dict[str, Any] | None = None
    error: str = ""

    def covers(self, play_id: str, identity: PlayIdentity, rules: Sequence[Rule]) -> CoveredPlay:
        """Return what is remembered of a play, which these rules cover."""
        return self.plays.setdefault(play_id, CoveredPlay(identity, rules))

    def add(self, other: Record) -> None:
        """Take over what another record has, in the place of what is known of the same."""
        for name in ("plays", "verdicts", "messages", "remedies"):
            getattr(self, name).update(getattr(other, name))
        self.changes = other.changes

    @property
    def rules(self) -> dict[str, Rule]:
        return {rule.name: rule for play in self.plays.values() for rule in play.rules}

    @property
    def result(self) -> str:
        if self.error:
            return ERROR
        enforced = {rule.name for rule in self.rules.values() if rule.severity != WARN}
        found = [(name, verdict) for (name, _host), verdict in self.verdicts.items()]
        found += [(rule.name, verdict) for play in self.plays.values() for rule, verdict in play.checks]
        return NOT_READY if any(name in enforced and verdict.state != READY for name, verdict in found) else READY


def document(record: Record, about: Mapping[str, Any], groups: Mapping[str, Sequence[str]], now: float) -> dict[str, Any]:
    """Return the document of the record at the time ``now``. ``about`` has what it tells of the surroundings of the run;
    ``groups`` are those of each host.
    """
    rules = record.rules
    by_rule: dict[str, list[tuple[str, Verdict]]] = {name: [] for name in rules}
    for (name, host), verdict in sorted(record.verdicts.items(), key=lambda item: item[0][1]):
        by_rule[name].append((host, verdict))
    found = {
        "format": FORMAT,
        "precheck": VERSION,
        "ansible_core": about["ansible_core"],
        "python": about["python"],
        "kind": record.kind,
        "command": about["command"],
        "user": about["user"],
        "controller": about["controller"],
        "started": _time(record.started),
        "finished": _time(now),
        "policies": about["policies"],
        "result": record.result,
        "error": record.error,
        "plays": [
            {
                **_place(play.identity),
                "rules": [rule.name for rule in play.rules],
                "hosts": len(play.hosts),
                "stopped": play.stopped,
                "checks": [{"rule": rule.name, **check} for rule, verdict in play.checks for check in _checks(verdict)],
            }
            for play in record.plays.values()
        ],
        "rules": [
            {
                "name": rule.name,
                "path": rule.path,
                "line": rule.line,
                "severity": rule.severity,
                "mandatory": rule.mandatory,
                "message": "\n".join(dict.fromkeys(record.messages.get(rule.name, ()))),
                "remedy": "\n".join(dict.fromkeys(record.remedies.get(rule.name, ()))),
            }
            for rule in rules.values()
        ],
        "verdicts": [
            {"host": host, "rule": name, "groups": groups.get(host, []), "verdict": verdict.state, "checks": _checks(verdict)}
            for name, verdicts in by_rule.items()
            for host, verdict in verdicts
        ],
        "waivers": [
            {
                **_place(waiver.play, "play"),
                "rules": [rule.name for rule in waiver.rules],
                "hosts": waiver.hosts,
                "how": waiver.how,
                "user": about["user"],
            }
            for waiver in record.waivers
        ],
    }
    return found if record.changes is None else found | {"changes": record.changes}


def _place(play: PlayIdentity, name: str = "name") -> dict[str, Any]:
    return {name: play.name, "path": play.path, "line": play.line}


def _checks(verdict: Verdict) -> list[dict[str, Any]]:
    return [
        {"check": label, "verdict": one.state, "reasons": list(map(one_line, one.reasons))}
        for label, one in verdict.checks or [("", verdict)]
    ]


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def changes(verdicts: Iterable[Mapping[str, Any]], earlier: Mapping[str, Any], inventory: Iterable[str]) -> dict[str, Any]:
    """Return what is different from the document ``earlier`` in these verdicts of a document. ``inventory`` has the names
    of all hosts that there are: one that was only not looked at is not gone.
    """
    before = {(one["host"], one["rule"]): one["verdict"] for one in earlier["verdicts"]}
    known = {host for host, _rule in before}
    new, worse, better = set(), [], []
    for one in verdicts:
        pair = {"host": one["host"], "rule": one["rule"]}
        was_ready = before.get((one["host"], one["rule"]), READY) == READY
        if one["host"] not in known:
            new.add(one["host"])
        if one["verdict"] != READY and was_ready:
            worse.append(pair | {"reasons": [reason for check in one["checks"] for reason in check["reasons"]]})
        elif one["verdict"] == READY and not was_ready:
            better.append(pair)
    return {
        "since": earlier["started"],
        "newly_not_ready": worse,
        "newly_ready": better,
        "new_hosts": sorted(new),
        "gone_hosts": sorted(known.difference(inventory)),
    }


def without_secrets(words: Sequence[str]) -> list[str]:
    """Return the words of a command line of ansible-core, without the values of extra variables and of other options that
    may be secrets.
    """
    found = []
    option = ""  # that the next word is the value of
    for index, word in enumerate(words):
        if option:
            found.append(_hidden(option, word))
            option = ""
        elif word == "--":
            return [*found, *words[index:]]
        else:
            head, option, value = _option(word)
            found.append(head if not value else head + _hidden(option, value))
            option = "" if value else option
    return found


def _option(word: str) -> tuple[str, str, str]:
    """Return of a word the part before a value, the option whose value may be secret if it is one, and the value if it is
    in the word.
    """
    name, equals, value = word.partition("=")
    if name.startswith("--"):
        # argparse takes the beginning of a name for it
        option = next((option for option in _SECRETS if len(name) > 2 and option.startswith(name)), "")
        return (name + equals, option, value) if option else (word, "", "")
    if word.startswith("-"):
        for index, letter in enumerate(word[1:], 2):
            if letter in _SHORT:
                begin = index + word.startswith("=", index)
                return word[:begin], _SHORT[letter], word[begin:]
            if letter in _SHORT_WITH_OTHER_VALUES:
                break
    return word, "", ""


def _hidden(option: str, value: str) -> str:
    if option != "--extra-vars":
        return HIDDEN
    if value.startswith("@"):
        return value
    if value.startswith(("{", "[")):
        return HIDDEN
    try:
        names = parse_kv(value)
    except AnsibleError:  # quotes that are not balanced
        return HIDDEN
    return " ".join(HIDDEN if name == "_raw_params" else f"{name}={HIDDEN}" for name in names) or HIDDEN
