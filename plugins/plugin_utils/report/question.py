# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator is asked before a run. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..policy.matching import PlayIdentity
from ..text import count_of, printable_lines, printable_name
from .terminal import first_names


@dataclass(frozen=True)
class Concern:
    """What ``rule`` wants confirmed of ``hosts``, in its own ``words``."""

    rule: str
    hosts: Sequence[str]
    words: Sequence[str]


def question(play: PlayIdentity, concerns: Sequence[Concern], number: int) -> str:
    """Return the question that is asked before ``play``. The ``number`` of hosts is the answer."""
    lines = [f"PRECHECK asks before {printable_name(play)}:"]
    for concern in concerns:
        words = [line for text in concern.words for line in printable_lines(text)]
        names = f"  {count_of(len(concern.hosts), 'host')}: {first_names(concern.hosts)}"
        lines += ["", f"Rule {concern.rule}:", *words, names]
    return "\n".join(
        [*lines, "", f"This is about {count_of(number, 'host')} in all. Type the number to go on:"]
    )
