# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator reads. Pure: text out of verdicts."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .matching import PlayIdentity
from .policy import Rule
from .verdict import NOT_READY, Verdict

HOSTS_SHOWN = 20
REASON_LENGTH = 400


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
    lines = [f"PRECHECK stopped the run before {play}.", *_body(failures), ""]
    lines.append("Nothing was changed: no task of this play ran on any host.")
    mandatory = [failure.rule.name for failure in failures if failure.rule.mandatory]
    if mandatory:
        lines.append(f"The play cannot be run unchecked: mandatory is {', '.join(mandatory)}.")
    else:
        lines.append("To run it unchecked all the same: tag the play no_precheck, or pass --skip-tags precheck.")
    return "\n".join(lines)


def warning_block(play: PlayIdentity, failures: Sequence[Failure]) -> str:
    """Return the block for rules that only warn."""
    return "\n".join([f"[WARNING]: PRECHECK found hosts that are not ready before {play}, which goes on.", *_body(failures), ""])


def waiver(play: PlayIdentity, rules: Sequence[Rule], hosts: int, how: str) -> str:
    """Return the warning that ``rules`` are not enforced on ``play``, which has ``hosts`` hosts to check."""
    names = ", ".join(rule.name for rule in rules)
    return f"Precheck waived for {play}: {names} not checked on {_hosts(hosts)} ({how})."


def _body(failures: Sequence[Failure]) -> list[str]:
    lines = []
    for failure in failures:
        verdicts, name = failure.verdicts, failure.rule.name
        lines.append("")
        if verdicts:
            verb = "is" if len(verdicts) == 1 else "are"
            lines.append(f"Rule {name}: {len(verdicts)} of {_hosts(failure.asked)} {verb} not ready.")
            lines += _table(verdicts)
        if failure.of_play:
            lines.append(f"Rule {name}: the play is not ready for {_hosts(failure.asked)}.")
            lines += _lines("  ", failure.of_play)
        if failure.messages:
            lines += ["", *(line for text in failure.messages for line in printable(text))]
        if failure.remedy:
            lines += ["", *(f"    {line}" for line in printable(failure.remedy))]
    return lines


def _table(verdicts: Mapping[str, Verdict]) -> list[str]:
    names = sorted(verdicts)
    shown = names[:HOSTS_SHOWN]
    width = max(map(len, shown))
    lines = [line for name in shown for line in _lines(f"  {name:{width}}  ", verdicts[name])]
    if len(names) > HOSTS_SHOWN:
        lines.append(f"  ... and {len(names) - HOSTS_SHOWN} more: {', '.join(names[HOSTS_SHOWN:])}")
    return lines


def _lines(head: str, verdict: Verdict) -> list[str]:
    """Return a line for each reason, the first after ``head`` and the others below it."""
    head += "not ready: " if verdict.state == NOT_READY else "unverified: "
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


def _clean(text: str) -> str:
    # Spaces of other widths and the joiners of Persian, Hindi and emoji are text, though not printable to Python.
    return "".join(char for char in text if char.isprintable() or char in "\t\u200c\u200d" or unicodedata.category(char) == "Zs")


def _hosts(count: int) -> str:
    return f"{count} host" if count == 1 else f"{count} hosts"
