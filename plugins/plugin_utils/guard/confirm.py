# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has the operator confirm which hosts a run concerns, before anything else is done."""

from __future__ import annotations

import contextlib
import sys
import termios
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ansible.utils.display import Display

from ..ansible_core.plays import own_variables
from ..ansible_core.run import PlayRun
from ..checks import confirmation
from ..checks.confirmation import Said
from ..checks.context import HostVariables
from ..checks.results import with_message
from ..options import confirmed_number
from ..policy.matching import PlayIdentity
from ..policy.model import Check, Rule
from ..report.question import Concern, question
from ..verdict import READY, Verdict, labelled, worst
from .ahead import PlayAndSurvey, surveys_of_later_plays
from .state import PlayId, RunState
from .survey import Survey

display = Display()


@dataclass(frozen=True)
class ToConfirm:
    """A rule that is to be confirmed for ``hosts``, and the first play that needs it."""

    rule: Rule
    play_id: PlayId
    identity: PlayIdentity
    hosts: list[str] = field(default_factory=list)


RefusedConfirmation = tuple[ToConfirm, Verdict]


def ask_about_run(
    run: PlayRun, state: RunState, rules: Sequence[Rule], known: Survey
) -> list[RefusedConfirmation]:
    """Have the hosts of the play and of later ones confirmed; return what was not, and why.

    Those of later plays are the ones that are known now, also if a play on the way may still make a
    difference to them. ``rules`` are all in force.
    """
    if not any(rule.confirmations for rule in rules):
        return []
    later = surveys_of_later_plays(run, state, rules, known)
    return _ask(run, state, known.identity, [(run.play_id, known), *later])


def ask_about_play(run: PlayRun, state: RunState, known: Survey) -> list[RefusedConfirmation]:
    """Have the hosts of the play confirmed that are not yet; return what was not, and why."""
    return _ask(run, state, known.identity, [(run.play_id, known)])


def _ask(
    run: PlayRun, state: RunState, now: PlayIdentity, plays: Iterable[PlayAndSurvey]
) -> list[RefusedConfirmation]:
    """Ask about all hosts in one question: the operator is to see what the run is about."""
    wanted = _wanted(state, plays)
    new = {(one.rule.name, name) for one in wanted for name in one.hosts}
    if not new:
        return []
    number = len({name for _rule, name in new | state.confirmed})
    text = confirmed_number(run.extra_vars)
    if text is None and run.stand_in is None:
        concerns = [Concern(one.rule.name, one.hosts, _words(run, one.rule)) for one in wanted]
        text = _typed(question(now, concerns, number))
    said = Said(text, number)
    verdicts = [(one, _verdict(run, one.rule, said)) for one in wanted]
    refused = [(one, verdict) for one, verdict in verdicts if verdict.state != READY]
    if not refused:
        state.confirmed |= new
    return refused


def _wanted(state: RunState, plays: Iterable[PlayAndSurvey]) -> list[ToConfirm]:
    wanted: dict[str, ToConfirm] = {}
    for play_id, known in plays:
        for plan in known.plans:
            rule = plan.rule
            names = [name for name in plan.once_for if (rule.name, name) not in state.confirmed]
            if not rule.confirmations or not names:
                continue
            one = wanted.setdefault(rule.name, ToConfirm(rule, play_id, known.identity))
            one.hosts.extend(name for name in names if name not in one.hosts)
    return list(wanted.values())


def _words(run: PlayRun, rule: Rule) -> list[str]:
    play = _play_of(run, rule)
    return [confirmation.probe(check, play) for check in rule.confirmations]


def _verdict(run: PlayRun, rule: Rule, said: Said) -> Verdict:
    play = _play_of(run, rule)

    def part(check: Check) -> Verdict:
        verdict = confirmation.judge(check, "", said)
        return labelled(check.label, with_message(check, verdict, play.rendered_or_as_it_is))

    return worst(map(part, rule.confirmations))


def _play_of(run: PlayRun, rule: Rule) -> HostVariables:
    """Return what templates see, which is what a condition with ``once`` does."""
    variables = run.variables(None) | own_variables.of_rule(run, rule.scope)
    return HostVariables(variables, run.loader, (), {}, is_local=True, literal=False)


def _typed(words: str) -> str | None:
    """Return what the operator answers at the terminal; None if there is none.

    Neither an empty line nor the end of the input is an answer. The question is on stderr, so that
    stdout stays what the stdout callback makes it.
    """
    # A stream may be closed.
    with contextlib.suppress(OSError, ValueError, AttributeError, termios.error):
        if sys.stdin.isatty() and sys.stderr.isatty():
            termios.tcflush(sys.stdin, termios.TCIFLUSH)  # what was typed before is no answer
            display.display(words, stderr=True)
            return sys.stdin.readline()
    return None
