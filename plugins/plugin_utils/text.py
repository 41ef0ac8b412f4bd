# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Text that is safe and readable on a terminal and on a page."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

Texts = tuple[str, ...]


def printable_lines(text: str) -> list[str]:
    """Return the lines of a text, without the characters that could disturb a terminal."""
    return [_printable(line) for line in text.splitlines()]


def one_line(text: str) -> str:
    """Return a text on one line, with single spaces between its words."""
    return _printable(" ".join(text.split()))


def printable_name(named: object) -> str:
    """Return the name of a host or a play on one line.

    Playbooks may build names from the output of nodes.
    """
    return " ".join(printable_lines(str(named)))


def _printable(text: str) -> str:
    # Spaces of other widths, and the joiners of Persian, Hindi and emoji, are text, though Python
    # does not call them printable.
    return "".join(
        char
        for char in text
        if char.isprintable() or char in "\t\u200c\u200d" or unicodedata.category(char) == "Zs"
    )


def count_of(number: int, word: str) -> str:
    """Return "1 host", "2 hosts", "3 batches"."""
    if number == 1:
        return f"{number} {word}"
    return f"{number} {word}es" if word.endswith("ch") else f"{number} {word}s"


def natural(name: str) -> str:
    """Return by what a name is sorted if numbers in it are to be in their order."""
    return re.sub("[0-9]+", lambda match: match[0].zfill(20), name)


def is_plain_name(name: str) -> bool:
    """Return whether a name is nothing else to a shell, an option parser, or as a host pattern."""
    return bool(re.fullmatch(r"\w[\w.-]*", name))


def meant(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the question whether the nearest of the ``known`` words is meant; empty if none is."""
    nearest = difflib.get_close_matches(word, sorted(known), 1, cutoff)
    return f"did you mean {nearest[0]}?" if nearest else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return that question in brackets, to be put at the end of a message."""
    question = meant(word, known)
    return f" ({question})" if question else ""
