# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds what a host of a case answers when something is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ..errors import PrecheckError
from ..text import did_you_mean
from .case import AnswerKind, CannedAnswer, CannedAnswers, CaseHost


class Answers:
    """The answers for a host, its own ones first."""

    def __init__(self, host: CaseHost, of_all: CannedAnswers) -> None:
        self._host, self._lists = host, (host.answers, of_all)

    @property
    def depend_on_arguments(self) -> bool:
        return any(answer.arguments for one in self._lists for answer in one)

    def find(
        self,
        kind: AnswerKind,
        questions: Sequence[str],
        arguments: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value for any of these ``questions``, with the ``arguments`` of a task.

        Raises PrecheckError.
        """
        lists = [[answer for answer in one if answer.kind == kind] for one in self._lists]
        candidates = [
            answer
            for answers in lists
            for matches in (str.__eq__, fnmatchcase)
            for answer in answers
            if any(matches(one.strip(), answer.question.strip()) for one in questions)
        ]
        for answer in candidates:
            if _fits(arguments or {}, answer):
                return answer.value
        text = f"the case has no answer of {self._host.name} for the {kind} {questions[0]}"
        if candidates:
            raise PrecheckError(f"{text} with {_shown(arguments or {}, candidates)}")
        hint = did_you_mean(questions[0], [answer.question for one in lists for answer in one])
        raise PrecheckError(text + hint)


def _fits(arguments: Mapping[str, Any], answer: CannedAnswer) -> bool:
    return all(
        name in arguments and _matches(_text(arguments[name]), _text(value))
        for name, value in answer.arguments.items()
    )


def _matches(text: str, glob: str) -> bool:
    return text == glob or fnmatchcase(text, glob)


def _text(value: Any) -> str:
    return str(value).strip()


def _shown(arguments: Mapping[str, Any], answers: Iterable[CannedAnswer]) -> str:
    """Return those of the task's ``arguments`` by which ``answers`` are chosen."""
    names = sorted({name for answer in answers for name in answer.arguments})
    return ", ".join(f"{name}: {_text(arguments.get(name, 'none'))}" for name in names)
