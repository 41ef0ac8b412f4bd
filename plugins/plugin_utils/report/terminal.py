# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator reads when a run is stopped, or goes on with a warning."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..policy.matching import PlayIdentity
from ..policy.model import FORBIDDEN, REASON, Rule
from ..text import count_of, printable_lines, printable_name
from ..verdict import NOT_READY, UNVERIFIED, Verdict
from .lines import VerdictsByHost, are, lines_of, table_of, tally
from .record import Waiver

HOSTS_SHOWN = GROUPS_SHOWN = 20
PLAYS_SHOWN = 10
# The remedy for hosts that are unverified: nobody knows what else they lack.
MEND = "Mend what kept them from being checked, and run again."


@dataclass(frozen=True)
class StopContext:
    """What the closing block says about the run.

    ``checked`` are the hosts that were checked before the play, also for later ones. ``ran`` are
    the plays that had tasks to run before; ``batches_ran`` is how many of the play's
    ``batches`` did. If the play was stopped in its midst, that was before its first task of
    ``role``. With ``only_checks``, nothing of it was to run anyway.
    """

    checked: Collection[str] = ()
    ran: Sequence[PlayIdentity] = ()
    batches_ran: int = 0
    batches: int = 1
    is_dry_run: bool = False
    role: str = ""
    only_checks: bool = False


@dataclass(frozen=True)
class Failure:
    """What is not ready or unverified for a rule.

    ``verdicts`` are those other than ready, by host name; ``play_verdict`` is that on the play as a
    whole if it is not ready; ``hosts`` are those that the rule applies to. ``messages`` and
    ``remedy`` are the rule's, rendered for the hosts that are not ready. ``needed_for`` is the
    later play that needs the hosts; it is None for the play that was to run. ``note`` says why the
    run ends although the rule only leaves hosts out; it is empty otherwise.
    """

    rule: Rule
    verdicts: VerdictsByHost
    play_verdict: Verdict | None
    hosts: Sequence[str]
    messages: Sequence[str]
    remedy: str
    needed_for: PlayIdentity | None = None
    note: str = ""


@dataclass(frozen=True)
class ClosingBlock:
    """What is printed at the end of a run that was stopped, or that left hosts out.

    It says ``why``, then the ``command`` to type, if there is one, and what else there is to do.
    """

    why: str
    command: str
    otherwise: str

    def __str__(self) -> str:
        return "\n".join(part for part in (self.why, self.command, self.otherwise) if part)


def closing_block(
    play: PlayIdentity, failures: Sequence[Failure], stop: StopContext
) -> ClosingBlock:
    """Return the block that says why ``play`` was stopped, and what to do."""
    location = f"the role {printable_name(stop.role)} in " if stop.role else ""
    heading = f"PRECHECK stopped the run before {location}{printable_name(play)}"
    counts = _counts(failures, stop.checked)
    lines = [f"{heading}: {counts}." if counts else f"{heading}.", *_failures(failures), ""]
    if stop.is_dry_run:
        lines.append(
            "This is a dry run (--check): it initialises no host, so a new one cannot be ready."
        )
    lines += _what_ran(stop)
    rules = list({one.rule.name: one.rule for one in failures}.values())
    later = any(one.needed_for for one in failures)
    otherwise = [] if stop.only_checks else _way_round(play, rules, has_tag=not later)
    otherwise += [
        f"Rule {rule.name} is built in. Rules of your own in precheck.yml beside ansible.cfg"
        " replace it."
        for rule in rules
        if rule.is_built_in
    ]
    return ClosingBlock("\n".join(lines), _commands(failures), "\n".join(otherwise))


def _counts(failures: Sequence[Failure], checked: Collection[str]) -> str:
    """Return how many hosts are not ready and unverified, of all rules; empty if none is."""
    bad, unverified = (
        {
            name
            for failure in failures
            for name, verdict in failure.verdicts.items()
            if verdict.state == state
        }
        for state in (NOT_READY, UNVERIFIED)
    )
    hosts = {name for failure in failures for name in failure.hosts}.union(checked)
    return tally(len(bad), len(unverified - bad), len(hosts))


def _what_ran(stop: StopContext) -> list[str]:
    """Return what is true about changes."""
    if stop.role:
        return [
            "The play computes the name of this role, so its hosts could not be checked before."
            " What tasks before the role did is not undone."
        ]
    if not stop.ran and not stop.batches_ran:
        return ["Nothing was changed: no task of this play ran on any host."]
    here = "No task of this play ran on any host."
    if stop.batches_ran:
        batches = f"{stop.batches_ran} of {count_of(stop.batches, 'batch')} of this play"
        here = f"{batches} had run, and {are(stop.batches_ran)} not undone."
    plays = [f"  {printable_name(play)}" for play in stop.ran[:PLAYS_SHOWN]]
    if more := len(stop.ran) - len(plays):
        plays.append(f"  ... and {count_of(more, 'more play')}")
    if not plays:
        return [here]
    return [f"{here} These plays had run before, and are not undone:", *plays]


def _way_round(play: PlayIdentity, rules: Sequence[Rule], has_tag: bool) -> list[str]:
    """Return lines that say how ``play`` can be run although ``rules`` stopped it.

    With ``has_tag``, a tag of the play is a way.
    """
    if forbidden := [rule.name for rule in rules if rule.waiver == FORBIDDEN]:
        subject = "rule" if len(forbidden) == 1 else "rules"
        return [
            f"The play cannot be run unchecked: {subject} {', '.join(forbidden)} cannot be waived."
        ]
    names = [rule.name for rule in rules]
    options = f"-e {_assignment('precheck_waive', names)}"
    if any(rule.waiver == REASON for rule in rules):
        options += " -e precheck_reason='...'"
    head = "To run it unchecked all the same:"
    # An ad hoc command is in no file, and has no tags. A tag gives no reason.
    is_tag_enough = (
        has_tag
        and play.path
        and all(rule.waiver != REASON and "," not in rule.name for rule in rules)
    )
    if not is_tag_enough:
        return [f"{head} pass {options}"]
    tags = " and ".join(f"no_precheck:{name}" for name in names)
    return [f"{head} tag the play {tags},", f"or pass {options}"]


def _assignment(variable: str, names: Sequence[str]) -> str:
    """Return the argument of -e that gives ``variable`` these names, quoted for a shell."""
    if all(re.fullmatch(r"[\w.:+-]+( [\w.:+-]+)*", name) for name in names):
        return f"{variable}={shlex.quote(','.join(names))}"
    return shlex.quote(json.dumps({variable: names}, ensure_ascii=False))


def passed_line(play: PlayIdentity, rule: Rule) -> str:
    """Return the line that says that the checks of ``rule`` for the play as a whole passed."""
    return f"Precheck {rule.name}: the checks that run once passed for {printable_name(play)}"


def not_judged_line(rule: Rule, prepared_by: PlayIdentity, hosts: int) -> str:
    """Return the line that says that a dry run did not check hosts."""
    return (
        f"Precheck {rule.name}: {count_of(hosts, 'host')} {are(hosts)} not judged in this dry run,"
        f" as {'it' if hosts == 1 else 'they'} would be prepared by {printable_name(prepared_by)}"
    )


def warning_block(play: PlayIdentity, failures: Sequence[Failure]) -> str:
    """Return the block for rules that only warn."""
    heading = (
        "[WARNING]: PRECHECK found hosts that are not ready before"
        f" {printable_name(play)}, which goes on."
    )
    return "\n".join([heading, *_failures(failures), _commands(failures)])


def left_out_line(play: PlayIdentity, hosts: Collection[str]) -> str:
    """Return the line that says which hosts are left out from ``play`` on."""
    left_out = f"{count_of(len(hosts), 'host')} {are(len(hosts))} left out"
    return f"Precheck: {left_out} from {printable_name(play)} on: {first_names(hosts)}"


def waiting_line(hosts: Collection[str], seconds: int) -> str:
    """Return the line that says which hosts are checked again for so many more seconds."""
    subject = f"{count_of(len(hosts), 'host')} {'does' if len(hosts) == 1 else 'do'} not answer"
    return f"Precheck: {subject}, and will be checked again for {seconds} s: {first_names(hosts)}"


def first_names(hosts: Collection[str]) -> str:
    """Return the names of the first hosts, and how many more there are."""
    names = sorted(hosts)
    shown = ", ".join(map(printable_name, names[:HOSTS_SHOWN]))
    more = len(names) - HOSTS_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def left_out_block(
    play: PlayIdentity, failures: Sequence[Failure], checked: Collection[str]
) -> ClosingBlock:
    """Return the block that says why hosts were left out from ``play`` on, and what to do.

    ``checked`` are the hosts that were checked before the play.
    """
    counts = _counts(failures, checked)
    heading = f"PRECHECK left hosts out from {printable_name(play)} on: {counts}."
    return ClosingBlock("\n".join([heading, *_failures(failures)]), _commands(failures), "")


def waiver_warning(waiver: Waiver) -> str:
    """Return the warning that rules are not enforced on a play."""
    rules = ", ".join(rule.name for rule in waiver.rules)
    reason = f"; reason: {waiver.reason}" if waiver.reason else ""
    return (
        f"Precheck waived for {printable_name(waiver.play)}: {rules} not checked on"
        f" {count_of(waiver.hosts, 'host')} ({waiver.opt_out_reason}{reason})."
    )


def _failures(failures: Sequence[Failure]) -> list[str]:
    return [line for failure in failures for line in ["", *_failure(failure)]]


def _failure(failure: Failure) -> list[str]:
    name, hosts = failure.rule.name, count_of(len(failure.hosts), "host")
    bad, unverified = (
        {host: verdict for host, verdict in failure.verdicts.items() if verdict.state == state}
        for state in (NOT_READY, UNVERIFIED)
    )
    lines = []
    if bad:
        needed_for = failure.needed_for
        purpose = f" for {printable_name(needed_for)}" if needed_for else ""
        lines.append(f"Rule {name}: {len(bad)} of {hosts} {are(len(bad))} not ready{purpose}.")
        lines += _groups(bad)
    if failure.play_verdict:
        lines.append(f"Rule {name}: the play is not ready for {hosts}.")
        lines += lines_of("  ", failure.play_verdict)
    if failure.messages:
        lines.append("")
        lines += [line for message in failure.messages for line in printable_lines(message)]
    if unverified:
        lines += [""] if lines else []
        lines.append(
            f"Rule {name}: {len(unverified)} of {hosts} could not be checked, and"
            f" {are(len(unverified))} unverified."
        )
        lines += _groups(unverified)
        lines += ["", MEND]
    return [*lines, "", failure.note] if failure.note else lines


def _commands(failures: Sequence[Failure]) -> str:
    """Return the remedies, alone on their lines with an empty one around; empty if none is."""
    lines = [
        f"    {line}"
        for remedy in dict.fromkeys(failure.remedy for failure in failures)
        for line in printable_lines(remedy)
    ]
    return "\n".join(["", *lines, ""]) if lines else ""


def _groups(verdicts: VerdictsByHost) -> list[str]:
    """Return lines for hosts: those with the same reasons share them."""
    groups: dict[Sequence[str], list[str]] = {}
    for name in sorted(verdicts):
        groups.setdefault(verdicts[name].reasons, []).append(name)
    lines = []
    shown, hidden = list(groups.values())[:GROUPS_SHOWN], list(groups.values())[GROUPS_SHOWN:]
    if all(len(names) == 1 for names in shown):
        lines = table_of(verdicts, [name for [name] in shown])
        shown = []
    for names in shown:
        text = ", ".join(map(printable_name, names))
        if len(names) == 1:
            lines += lines_of(f"  {text}  ", verdicts[names[0]])
        else:
            lines += [*lines_of("  ", verdicts[names[0]]), f"    {text}"]
    if more := sorted(name for names in hidden for name in names):
        lines.append(f"  ... and {len(more)} more: {', '.join(map(printable_name, more))}")
    return lines
