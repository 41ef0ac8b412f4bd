# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines for people about rules and hosts, after what each is about."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from ..policy.model import EXCLUDE, FORBIDDEN, REASON, WARN, Check, Rule
from ..report.terminal import HOSTS_SHOWN
from ..text import one_line

WIDTH = 80  # columns

# What a line is about.
Topic = Literal[
    "",
    "play",
    "rule",
    "plays",
    "when",
    "checked",
    "for",
    "once",
    "left out",
    "waited",
    "unsure",
    "error",
    "not guarded",
]
Line = tuple[Topic, str]


def traits(rule: Rule) -> list[str]:
    """Return what is unusual about how strict a rule is."""
    return [
        *["warns only"] * (rule.severity == WARN),
        *["leaves hosts out"] * (rule.severity == EXCLUDE),
        *[f"at least {rule.minimum} must be ready"] * (rule.minimum is not None),
        *[f"waits {rule.wait} s for hosts"] * bool(rule.wait),
        *["cannot be waived"] * (rule.waiver == FORBIDDEN),
        *["waived only with a reason"] * (rule.waiver == REASON),
    ]


def with_become(check: Check, text: str) -> str:
    return f"{text} (with become)" if check.become else text


def first_names(names: Sequence[str]) -> str:
    more = f" and {len(names) - HOSTS_SHOWN} more" if len(names) > HOSTS_SHOWN else ""
    return ", ".join(names[:HOSTS_SHOWN]) + more


def labelled(topic: Topic, texts: Iterable[str]) -> Iterator[Line]:
    for number, text in enumerate(texts):
        yield from wrapped(topic, f"    {'' if number else topic:8}  ", text)


def wrapped(topic: Topic, head: str, text: str) -> Iterator[Line]:
    """Return the lines of ``text``, the first after ``head``. Words, as paths, are left whole."""
    for line in textwrap.wrap(
        one_line(text),
        WIDTH,
        initial_indent=head,
        subsequent_indent=" " * (len(head) + 2),
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield topic, line
