# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the checks of one host to their verdicts. The action runs this, in a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Any, Union

from ansible.errors import AnsibleError

from ..errors import PrecheckError, TemplateError
from ..policy.conditions import hint_at_facts
from ..policy.model import Check
from ..text import Texts
from ..verdict import UNVERIFIED, Verdict, unverified
from .context import HostContext, HostVariables
from .event import RuleTexts, as_event
from .facts import NONE, Facts
from .kinds import KINDS
from .results import result_of, with_message
from .script import Answer, Question

# The variable in which a CheckRequest goes from the guard to the action.
REQUEST = "precheck_request"
# The key of a result for the answers to other rules. Callbacks do not get it.
ANSWERS = "_ansible_precheck_answers"

# The key of a result for what the verdict belongs to.
FINGERPRINT = "_ansible_precheck_fingerprint"

Answers = Sequence[Union[Texts, None]]  # the fields of each Answer
Probe = Union[Question, Verdict]
CheckAndProbe = tuple[Check, Probe]


@dataclass(frozen=True)
class CheckRequest:
    """What the guard wants to know about a host: the verdict on ``rule``.

    ``checks`` are those of this rule, and of the rules that the host is checked for after it, by
    the name of the rule. Their questions go to the node together. ``answers`` are those to this
    rule's questions if the task of an earlier rule got them. ``directories`` and ``digests`` are as
    in HostContext. ``connection`` is the host's own if the task has another one. ``texts`` are for
    the event of the host. ``fingerprint`` is to be in the result. With ``ahead``, the task does not
    fail for a host that is unverified. ``facts`` are for the rules that ask for them. If it
    ``reconnects``, a connection to the host that is open is not used.
    """

    rule: str
    checks: Mapping[str, Sequence[Check]]
    directories: Sequence[str]
    digests: Mapping[str, str]
    texts: RuleTexts
    answers: Answers | None = None
    connection: str = ""
    fingerprint: str | None = None
    ahead: bool = False
    facts: Facts = NONE
    reconnects: bool = False


def answer_request(request: CheckRequest, host: HostContext) -> dict[str, Any]:
    """Return the result of the guard's task for ``host``."""
    checked = check_host(host, request.rule, request.checks, request.answers, request.facts)
    if request.ahead and checked["verdict"] == UNVERIFIED:
        checked["failed"] = False
    return as_event(checked, request.texts, host) | {FINGERPRINT: request.fingerprint}


def check_host(
    host: HostContext,
    rule: str,
    checks: Mapping[str, Sequence[Check]],
    answers: Answers | None = None,
    facts: Facts = NONE,
) -> dict[str, Any]:
    """Return the result of the task that checks ``host`` for ``rule``.

    The parameters are as in CheckRequest. The answers for other rules are in the result.
    """
    probes = {
        name: [(check, _probe(check, host, facts)) for check in checks[name]] for name in checks
    }
    others: dict[str, Any] = {}
    if answers is None:
        all_answers = iter(_ask(host, list(chain(*probes.values()))))
        others = {
            # Plain, as until 2.18 ansible-core breaks named tuples in a result.
            name: [answer and tuple(answer) for answer in islice(all_answers, len(pairs))]
            for name, pairs in probes.items()
        }
        answers = others.pop(rule)
    known = (Answer(*answer) if answer else None for answer in answers)
    padded = chain(known, repeat(None))  # a check without an answer is not passed over
    verdicts = [
        _judge(check, probe, answer, host.in_scope(check.scope, facts))
        for (check, probe), answer in zip(probes[rule], padded)
    ]
    return result_of(checks[rule], verdicts) | ({ANSWERS: others} if others else {})


def _probe(check: Check, host: HostContext, facts: Facts = NONE) -> Probe:
    if check.scope and check.scope.facts and facts.trouble:
        return without_facts(check, facts)
    host = host.in_scope(check.scope, facts)
    if KINDS[check.kind].MEANS == "shell" and not host.node.has_shell:
        return unverified(
            f"a {host.node.transport} connection has no POSIX shell: only checks of the kinds that"
            " and task work there"
        )
    return probe_by_variables(check, host)


def probe_by_variables(check: Check, host: HostVariables) -> Probe:
    """Return how to find out about ``host``, as the rule sees it, or why there is no way."""
    try:
        probe: Probe = KINDS[check.kind].probe(check, host)
    except AnsibleError as ex:
        reason = str(ex) if isinstance(ex, PrecheckError) else ex.message
        if check.alias and not isinstance(ex, TemplateError):
            reason = "a file on the control node cannot be used"
        asks_for_facts = bool(check.scope and check.scope.facts)
        reason = hint_at_facts(check.spec, reason, asks_for_facts)
        return unverified(f"{check.label} cannot be checked: {reason}")
    return probe


def without_facts(check: Check, facts: Facts) -> Verdict:
    """Return the verdict on a check that needs facts, if they could not be gathered."""
    return unverified(f"{check.label} cannot be checked: no facts were gathered: {facts.trouble}")


def _judge(check: Check, probe: Probe, answer: Answer | None, host: HostContext) -> Verdict:
    """Return the verdict on ``check``, with its message for the operator."""
    if isinstance(probe, Verdict):
        verdict = probe
    else:
        verdict = KINDS[check.kind].judge(check, probe, answer, host)
    return with_message(check, verdict, host.rendered_or_as_it_is)


def _ask(host: HostContext, probes: Sequence[CheckAndProbe]) -> list[Answer | None]:
    """Return the node's answers: one command asks all, and one more for checks with become."""
    answers: list[Answer | None] = [None] * len(probes)
    for become in (False, True):
        questions = {
            index: probe
            for index, (check, probe) in enumerate(probes)
            if not isinstance(probe, Verdict) and check.become is become
        }
        if questions:
            answered = host.node.ask(list(questions.values()), become)
            for index, answer in zip(questions, answered):
                answers[index] = answer
    return answers
