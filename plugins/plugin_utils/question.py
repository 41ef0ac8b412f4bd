# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a node's shell is asked, and what it answers. Pure: a command out of questions, and answers out of text.

One command asks all. It is for any POSIX shell, leaves no file, and needs test, find, tail, and one of sha256sum, shasum
and openssl; where one of these is missing the answer is not a yes. Each answer stands on a line of its own between two
copies of a number that the shell works out, so that no banner, no echo and no part of an answer is taken for one.
"""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

SCRIPT_LENGTH = 20_000  # characters; a system may allow 128 KiB in one argument, and quoting for sudo in ssh multiplies
OUTPUT_KEPT = 1000  # bytes of a command's output that leave the node, out of which its last line is taken

YES = "yes"


@dataclass(frozen=True)
class PathQuestion:
    """Whether ``path`` is there and as required; empty strings require nothing. ``digest`` is a SHA-256 in hex."""

    path: str
    type: str = ""
    mode: str = ""
    owner: str = ""
    group: str = ""
    digest: str = ""


@dataclass(frozen=True)
class CommandQuestion:
    """Whether ``command``, one for the shell, exits 0, within ``timeout`` seconds if there is one."""

    command: str
    timeout: int | None = None


Question = Union[PathQuestion, CommandQuestion]
# The word YES, or else for a path what is wrong with it (missing, type, mode, owner, group, content, unknown), for a
# command its exit status; and the last line that a command printed.
Answer = tuple[str, str]


class Script:
    """The command that asks ``questions``, and the reader of its output. It is never the same command twice."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = questions
        # The product fits the arithmetic of a shell with 32 bits.
        self._factors = random.randrange(10_000, 40_000), random.randrange(10_000, 40_000)

    @property
    def text(self) -> str:
        first, second = self._factors
        asked = [
            _path(number, question) if isinstance(question, PathQuestion) else _command(number, question)
            for number, question in enumerate(self.questions)
        ]
        # A profile may have set -e, -u or -x. What the tools print of their troubles is of no use.
        return "; ".join(["set +eux", f"n=$(({first}*{second}))", "exec 3>&1 2>/dev/null", SAY, *asked])

    def answers(self, output: str) -> list[Answer | None]:
        """Return the answer to each question; None where the ``output`` has none that is whole."""
        number = self._factors[0] * self._factors[1]
        frame = re.compile(rf"{number} (\d+) (\w+) {number}")
        found: dict[int, tuple[str, list[str]]] = {}
        printed: list[str] = []
        for line in output.replace("\r", "\n").split("\n"):
            if (match := frame.fullmatch(line)) and match[2] == "begin":
                printed = []
            elif match:
                found.setdefault(int(match[1]), (match[2], printed))
                printed = []
            elif line.strip():
                printed = [line.strip()]
        return [self._answer(question, found.get(index)) for index, question in enumerate(self.questions)]

    @staticmethod
    def _answer(question: Question, found: tuple[str, list[str]] | None) -> Answer | None:
        if found is None:
            return None
        word, printed = found
        if isinstance(question, PathQuestion):
            return word, ""
        if word.isdecimal() and int(word) > 256:  # ksh93 tells the number of a signal so, and other shells from 128 on
            word = str(int(word) - 128)
        return YES if word == "0" else word, "".join(printed)


def scripts(questions: Sequence[Question]) -> list[Script]:
    """Return what asks all ``questions``: one script, unless it would be too long for one command."""
    found = [Script([])]
    for question in questions:
        longer = Script([*found[-1].questions, question])
        if found[-1].questions and len(longer.text) > SCRIPT_LENGTH:
            longer = Script([question])
            found.append(longer)
        found[-1] = longer
    return found if questions else []


SAY = 'say() { echo; echo "$n $1 $2 $n"; }'


def _path(number: int, question: PathQuestion) -> str:
    # find takes a leading dash for an option, and "!" for an operator.
    path = question.path if question.path.startswith("/") else f"./{question.path}"
    quoted = shlex.quote(path)

    def found(*terms: str) -> str:
        return f'[ -n "$(find -L {quoted} -prune {" ".join(terms)})" ]'

    steps = [("missing", f"[ -e {quoted} ]")]
    if question.type:
        steps.append(("type", f"[ -{question.type[0]} {quoted} ]"))
    if question.mode:
        steps.append(("mode", found(*(f"! -perm -{bit:04o}" for bit in forbidden_bits(question.mode)), "-print")))
    for word in ("owner", "group"):
        if value := getattr(question, word):
            steps.append((word, found(f"-{'user' if word == 'owner' else 'group'}", shlex.quote(value))))
    if question.digest:  # not of a folder, of which some tools tell the digest of nothing, nor of what has no end
        steps.append(("content", f"[ -f {quoted} ]"))
    tests = " ".join(f"{'el' if index else ''}if ! {test}; then w={word};" for index, (word, test) in enumerate(steps))
    digest = f" w=content; {_digest(quoted, question.digest)};" if question.digest else ""
    return f"w=yes; {tests} {f'else{digest} ' if digest else ''}fi; say {number} $w"


def _digest(quoted: str, digest: str) -> str:
    tools = " || ".join(f"{tool} < {quoted}" for tool in ("sha256sum", "shasum -a 256", "openssl dgst -sha256"))
    return f'd=$({tools}); case "$d" in *{digest}*) w=yes;; "") w=unknown;; esac'


def _command(number: int, question: CommandQuestion) -> str:
    run = f"sh -c {shlex.quote(question.command)}"
    if question.timeout:
        # Not every node has the program. Where it is missing, the time limit of the host ends all.
        limit = f"timeout -s KILL {question.timeout}"
        run = f"if {limit} true 2> /dev/null; then {limit} {run}; else {run}; fi"
    # 4 takes the exit status past tail, which keeps the output short; 3 is the answer's own way out.
    piped = "{ { " + run + "; } < /dev/null 2>&1 3>&- 4>&-; echo $? >&4; } | tail -c " + str(OUTPUT_KEPT) + " >&3"
    return f"say {number} begin; r=$({{ {piped}; }} 4>&1); say {number} $r"


def forbidden_bits(mode: str) -> list[int]:
    """Return the permission bits that are not in ``mode``, which is octal."""
    return [bit for bit in (1 << place for place in range(12)) if not int(mode, 8) & bit]
