# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the shell of a node is asked, and what it answers.

One script asks all questions. It is for any POSIX shell, leaves no file, and uses test, find, tail,
and one of sha256sum, shasum and openssl; if one of these is missing, the answer is not a yes. Each
answer is on a line of its own, between two copies of a number that the shell computes, so that no
banner, no echo and no part of an answer is mistaken for one.
"""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Union

# Characters, when quoted for sudo over ssh. A csh that is not tcsh takes no word of 8 KiB.
SCRIPT_LENGTH = 7_500
OUTPUT_KEPT = 1000  # bytes of a command's output that leave the node; the last line is in them

YES = "yes"


@dataclass(frozen=True)
class PathQuestion:
    """Whether ``path`` exists and is as required; empty strings require nothing.

    ``mode`` is octal, ``digest`` a SHA-256 in hex.
    """

    path: str
    type: str = ""
    mode: str = ""
    owner: str = ""
    group: str = ""
    digest: str = ""


@dataclass(frozen=True)
class CommandQuestion:
    """Whether ``command``, for the shell, exits 0, within ``timeout`` seconds if there is one."""

    command: str
    timeout: int | None = None


Question = Union[PathQuestion, CommandQuestion]


class Answer(NamedTuple):
    """What the shell says to a question.

    ``word`` is YES or, for a path, what is wrong (missing, type, mode, owner, group, content,
    unknown), for a command its exit status. ``last_line`` is the last one that a command printed.
    """

    word: str
    last_line: str = ""


# With the number in it, each script would have one of its own to compile.
_FRAMED = re.compile(r"(?P<frame>\d+) (?P<number>\d+) (?P<word>\w+) (?P=frame)")


class Script:
    """The script that asks ``questions``, and the parser of its output.

    The number that frames its answers is random.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = questions
        # The product fits the arithmetic of a shell with 32 bits.
        self._factors = random.randrange(10_000, 40_000), random.randrange(10_000, 40_000)

    @property
    def text(self) -> str:
        first, second = self._factors
        steps = [
            _path_step(number, question)
            if isinstance(question, PathQuestion)
            else _command_step(number, question)
            for number, question in enumerate(self.questions)
        ]
        # A profile may have set -e, -u or -x. The error messages of the tools are of no use.
        begin = ["set +eux", f"n=$(({first}*{second}))", "exec 3>&1 2>/dev/null", SAY]
        return _for_login_shells("; ".join([*begin, *steps]))

    def _frame(self, line: str) -> re.Match[str] | None:
        """Match a line that frames an answer: the number of the question, and a word."""
        match = _FRAMED.fullmatch(line)
        is_own = match and match["frame"] == str(self._factors[0] * self._factors[1])
        return match if is_own else None

    def without_answers(self, output: str) -> list[str]:
        """Return the lines of the ``output`` that have something else than an answer."""
        lines = (line.strip() for line in output.replace("\r", "\n").split("\n"))
        return [line for line in lines if line and not self._frame(line)]

    def answers(self, output: str) -> list[Answer | None]:
        """Return the answer to each question; None if the ``output`` has none that is whole."""
        answers: dict[int, Answer] = {}
        last_line = ""
        for line in output.replace("\r", "\n").split("\n"):
            match = self._frame(line)
            if match and match["word"] != "begin":
                answers.setdefault(int(match["number"]), Answer(match["word"], last_line))
            if match:
                last_line = ""
            elif line.strip():
                last_line = line.strip()
        return [_answer(question, answers.get(i)) for i, question in enumerate(self.questions)]


def _answer(question: Question, answer: Answer | None) -> Answer | None:
    if answer is None:
        return None
    if isinstance(question, PathQuestion):
        return Answer(answer.word)
    word = answer.word
    # ksh93 adds 256 to the number of a signal, other shells 128.
    if word.isdecimal() and int(word) > 256:
        word = str(int(word) - 128)
    return Answer(YES if word == "0" else word, answer.last_line)


# ansible-core puts the text into single quotes, and the login shell reads it first. In these quotes
# csh and tcsh take no line break and replace a "!"; fish takes a backslash before another one or
# before a quote for itself. "! " is left alone.
_DISTORTED = re.compile(r"!(?! )|\n|\\(?=[\\'])")


def _for_login_shells(text: str) -> str:
    """Return a text that does the same, and that any login shell passes on as it is."""
    if not _DISTORTED.search(text):
        return text
    encoded = re.sub(r"[!'\\\n]", lambda match: f"\\0{ord(match[0]):03o}", text)
    return f"eval \"$(printf %b '{encoded}')\""


def scripts(questions: Sequence[Question]) -> list[Script]:
    """Return what asks all ``questions``: one script, unless it would be too long."""
    if not questions:
        return []
    result = [Script([])]
    for question in questions:
        longer = Script([*result[-1].questions, question])
        if result[-1].questions and _quoted_length(longer) > SCRIPT_LENGTH:
            longer = Script([question])
            result.append(longer)
        result[-1] = longer
    return result


def _quoted_length(script: Script) -> int:
    return len(shlex.quote(shlex.quote(script.text)))


SAY = 'say() { echo; echo "$n $1 $2 $n"; }'


def _path_step(number: int, question: PathQuestion) -> str:
    # find takes a leading dash for an option, and "!" for an operator.
    path = question.path if question.path.startswith("/") else f"./{question.path}"
    quoted = shlex.quote(path)

    def find(*terms: str) -> str:
        return f'[ -n "$(find -L {quoted} -prune {" ".join(terms)})" ]'

    steps = [("missing", f"[ -e {quoted} ]")]
    if question.type:
        steps.append(("type", f"[ -{question.type[0]} {quoted} ]"))
    if question.mode:
        terms = [f"! -perm -{bit:04o}" for bit in forbidden_bits(question.mode)]
        steps.append(("mode", find(*terms, "-print")))
    if question.owner:
        steps.append(("owner", find("-user", shlex.quote(question.owner))))
    if question.group:
        steps.append(("group", find("-group", shlex.quote(question.group))))
    if question.digest:
        # Some tools have a digest of nothing for a directory, and a device may have no end.
        steps.append(("content", f"[ -f {quoted} ]"))
    tests = " ".join(
        f"{'el' if index else ''}if ! {test}; then w={word};"
        for index, (word, test) in enumerate(steps)
    )
    digest = f"else w=content; {_digest_step(quoted, question.digest)}; " if question.digest else ""
    return f"w=yes; {tests} {digest}fi; say {number} $w"


def _digest_step(quoted: str, digest: str) -> str:
    programs = ("sha256sum", "shasum -a 256", "openssl dgst -sha256")
    tools = " || ".join(f"{program} < {quoted}" for program in programs)
    return f'd=$({tools}); case "$d" in *{digest}*) w=yes;; "") w=unknown;; esac'


def _command_step(number: int, question: CommandQuestion) -> str:
    run = f"sh -c {shlex.quote(question.command)}"
    if question.timeout:
        # Not every node has the program. If it is missing, the time limit of the host ends all.
        limit = f"timeout -s KILL {question.timeout}"
        run = f"if {limit} true 2> /dev/null; then {limit} {run}; else {run}; fi"
    # 4 takes the exit status past tail, which keeps the output short; 3 is where the answer goes.
    status = "{ { " + run + "; } < /dev/null 2>&1 3>&- 4>&-; echo $? >&4; }"
    piped = f"{status} | tail -c {OUTPUT_KEPT} >&3"
    return f"say {number} begin; r=$({{ {piped}; }} 4>&1); say {number} $r"


def forbidden_bits(mode: str) -> list[int]:
    """Return the permission bits that are not in ``mode``, which is octal."""
    return [bit for bit in (1 << place for place in range(12)) if not int(mode, 8) & bit]
