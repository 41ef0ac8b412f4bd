# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The check kind ``command``: a command succeeds on the host."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import TemplateError
from ..policy import values
from ..policy.model import Check
from ..policy.reader import Source
from ..policy.values import Command, ValueType
from ..text import one_line
from ..verdict import HIDDEN, Verdict, not_ready, ready, unverified
from .kind import Means
from .script import YES, Answer, CommandQuestion

if TYPE_CHECKING:
    from .context import HostContext, HostVariables

MEANS: Means = "shell"

KEYS: Mapping[str, ValueType] = {"command": values.command}

OUTPUT_SHOWN = 200  # characters of the last line that a command printed


def parse(entry: Mapping[str, Any], source: Source) -> Command:
    return values.command(entry["command"])


def label(spec: Command) -> str:
    return spec if isinstance(spec, str) else " ".join(spec)


def probe(check: Check, host: HostVariables) -> CommandQuestion:
    """Return the question for the host's shell. Raises TemplateError."""
    spec: Command = check.spec
    if isinstance(spec, str):
        command = host.rendered(spec)
    else:
        command = shlex.join(host.rendered(argument) for argument in spec)
    if not command.strip():
        raise TemplateError("it is empty")
    return CommandQuestion(command, check.timeout)


def judge(
    check: Check, question: CommandQuestion, answer: Answer | None, host: HostContext
) -> Verdict:
    # As it is in the policy: rendered variables may be secrets.
    command = check.spec if isinstance(check.spec, str) else shlex.join(check.spec)
    command = check.alias or command
    if answer is None:
        return unverified(f"{command} could not be run: {host.node.trouble}")
    if answer.word == YES:
        return ready()
    if answer.word == "137" and question.timeout:
        return unverified(f"{command} was killed, as after its {question.timeout} s")
    printed = one_line(answer.last_line)[:OUTPUT_SHOWN]  # empty if nothing of it is printable
    ended = f"{command} ended with exit status {answer.word}"
    if printed and host.node.hides_output:
        return not_ready(f"{ended} ({HIDDEN})")
    return not_ready(printed or ended)
