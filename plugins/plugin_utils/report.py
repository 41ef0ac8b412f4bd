# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator reads. Pure: text out of verdicts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from .matching import PlayIdentity
from .policy import Rule
from .verdict import NOT_READY, Verdict

HOSTS_SHOWN = 20
REASON_LENGTH = 200


def closing_block(play: PlayIdentity, failures: Sequence[tuple[Rule, Mapping[str, Verdict]]], asked: int) -> str:
    """Return the block that tells why the play was stopped and what to do.

    ``failures`` has for each rule the verdicts other than ready by host name; ``asked`` is the number of hosts that
    the rules were applied to.
    """
    lines = [f"PRECHECK stopped the run before {_describe(play)}."]
    for rule, verdicts in failures:
        names = sorted(verdicts)
        width = max(map(len, names[:HOSTS_SHOWN]))
        verb = "is" if len(names) == 1 else "are"
        lines += ["", f"Rule {rule.name}: {len(names)} of {_hosts(asked)} {verb} not ready."]
        lines += [f"  {name:{width}}  {_line(verdicts[name])}" for name in names[:HOSTS_SHOWN]]
        if len(names) > HOSTS_SHOWN:
            lines.append(f"  ... and {len(names) - HOSTS_SHOWN} more, all named in the command below")
        command = rule.remedy.format(hosts=shlex.quote(",".join(names)))
        lines += ["", rule.message, "", f"    {command}"]
    lines += [
        "",
        "Nothing was changed: no task of this play ran on any host.",
        "To run it unchecked all the same: tag the play no_precheck, or pass --skip-tags precheck.",
    ]
    return "\n".join(lines)


def waiver(play: PlayIdentity, rules: Sequence[Rule], hosts: int, how: str) -> str:
    """Return the warning that ``rules`` are not enforced on ``play``, which has ``hosts`` hosts to check."""
    names = ", ".join(rule.name for rule in rules)
    return f"Precheck waived for {_describe(play)}: {names} not checked on {_hosts(hosts)} ({how})."


def _describe(play: PlayIdentity) -> str:
    return f'play "{play.name}"' + (f" ({play.path}:{play.line})" if play.path else "")


def _hosts(count: int) -> str:
    return f"{count} host" if count == 1 else f"{count} hosts"


def _line(verdict: Verdict) -> str:
    # A reason may hold what a node printed: one line of printable characters, of a length that can be read.
    reason = "".join(char for char in " ".join(verdict.reason.split()) if char.isprintable())
    if len(reason) > REASON_LENGTH:
        reason = reason[: REASON_LENGTH - 3] + "..."
    return f"{'not ready' if verdict.state == NOT_READY else 'unverified'}: {reason}"
