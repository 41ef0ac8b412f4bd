# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the checks of one host to their verdicts. This runs in a worker of ansible-core, for the action check."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, repeat
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.utils.hashing import secure_hash

from . import compat
from .node import Node
from .policy import COMMAND, THAT, Check
from .policy_file import find_same_as
from .policy_values import is_template
from .question import YES, Answer, CommandQuestion, PathQuestion, Question, forbidden_bits
from .report import one_line
from .verdict import NOT_READY, READY, UNVERIFIED, Verdict, worst

ORDER = "precheck_order"  # the variable in which an Order goes from the guard to the action
ANSWERS = "_ansible_precheck_answers"  # the key of a result for those to other rules; callbacks leave out keys that begin so
NO_SHELL = "a {} connection has no POSIX shell to ask: of the kinds of checks only that and task work there"
OUTPUT_SHOWN = 200  # characters of the last line that a command printed


@dataclass
class Order:
    """What the guard wants to know of a host: the verdict on ``rule``.

    ``checks`` are by rule: those of this one and of the rules that the host meets after it. Their questions go to the
    node together. ``answers`` are those to this rule's questions when an earlier rule's task got them. ``folders`` and
    ``digests`` are as in Examination.
    """

    rule: str
    checks: Mapping[str, Sequence[Check]]
    folders: Sequence[str]
    digests: Mapping[str, str]
    answers: Sequence[Answer | None] | None = None


@dataclass
class Examination:
    """Checks a host by its ``node`` and its ``variables``.

    ``folders`` are where the files of ``same_as`` are looked for, after that of the policy; ``digests`` has the SHA-256
    in hex of those that are known already. With ``literal``, the values of checks are not templates (any more).
    """

    node: Node
    variables: dict[str, Any]
    loader: DataLoader
    folders: Sequence[str]
    digests: Mapping[str, str]
    literal: bool = False

    def result(
        self, rule: str, checks: Mapping[str, Sequence[Check]], answers: Sequence[Answer | None] | None = None
    ) -> dict[str, Any]:
        """Return the result of the task that checks the host for ``rule``: what the manual page of the action tells,
        and ``answers`` for the other rules if there are any.
        """
        asked = {name: [(check, self._question(check)) for check in checks[name]] for name in checks}
        others: dict[str, list[Answer | None]] = {}
        if answers is None:
            found = iter(self._ask([pair for pairs in asked.values() for pair in pairs]))
            others = {name: list(islice(found, len(pairs))) for name, pairs in asked.items()}
            answers = others.pop(rule)
        padded = chain(answers, repeat(None))  # a check without an answer is not passed over
        verdicts = [self._verdict(check, question, answer) for (check, question), answer in zip(asked[rule], padded)]
        verdict = worst(verdicts)
        told = [
            {"check": check.label, "verdict": one.state, "msg": "; ".join(one.reasons)}
            for check, one in zip(checks[rule], verdicts)
        ]
        result = {"verdict": verdict.state, "failed": verdict.state != READY, "changed": False, "checks": told}
        result["msg"] = "; ".join(verdict.reasons) or "all checks passed"
        return result | ({ANSWERS: others} if others else {})

    def _ask(self, asked: Sequence[tuple[Check, Question | Verdict]]) -> list[Answer | None]:
        """Return the node's answers: to one command for all, and one more for the checks with become."""
        answers: list[Answer | None] = [None] * len(asked)
        for become in (False, True):
            chosen = {
                index: question
                for index, (check, question) in enumerate(asked)
                if not isinstance(question, Verdict) and check.become is become
            }
            if chosen:
                for index, answer in zip(chosen, self.node.ask(list(chosen.values()), become)):
                    answers[index] = answer
        return answers

    def _verdict(self, check: Check, question: Question | Verdict, answer: Answer | None) -> Verdict:
        """Return the verdict on ``check``, worded for the operator."""
        if isinstance(question, Verdict):
            verdict = question
        elif isinstance(question, CommandQuestion):
            verdict = self._of_command(check, question, answer)
        else:
            verdict = self._of_path(check, question, answer)
        return worded(check, verdict, self._rendered_or_as_it_is)

    def _question(self, check: Check) -> Question | Verdict:
        try:
            if check.kind == THAT:
                return self._of_conditions(check)
            if not self.node.has_shell:
                return Verdict(UNVERIFIED, (NO_SHELL.format(self.node.transport),))
            if check.kind == COMMAND:
                words = check.value if isinstance(check.value, str) else [self._rendered(word) for word in check.value]
                command = self._rendered(words) if isinstance(words, str) else shlex.join(words)
                if not command.strip():
                    raise compat.TemplateError("it is empty")
                return CommandQuestion(command, check.timeout)
            return self._path_question(check)
        except compat.TemplateError as ex:
            return Verdict(UNVERIFIED, (f"{check.label} cannot be asked: {ex}",))
        except AnsibleError as ex:  # the file of same_as
            return Verdict(UNVERIFIED, (f"{check.label} cannot be asked: {ex.message}",))

    def _path_question(self, check: Check) -> PathQuestion:
        options = {key: self._rendered(getattr(check, key)) for key in ("mode", "owner", "group") if getattr(check, key)}
        path = self._rendered(check.value)
        if not path or "\0" in path:
            raise compat.TemplateError("it is not a path")
        for key, value in options.items():
            if not value:
                raise compat.TemplateError(f"its {key} is empty")
            if key == "mode" and not re.fullmatch("[0-7]{1,5}", value):
                raise compat.TemplateError("its mode is not an octal number")
            if key != "mode" and re.fullmatch("[0-9]+", value):
                options[key] = str(int(value))  # "00" is an id to find, and not one to the stat module
        if check.same_as:
            name, folders = self._rendered(check.same_as), [check.folder, *self.folders]
            options["digest"] = self.digests.get(name) or digest_of(name, folders, self.loader)
        return PathQuestion(self._root() + path, type=check.type, **options)

    def _root(self) -> str:
        """Return the folder that stands for the node's root directory: only a local connection can have one."""
        root = self.variables.get("precheck_root") if self.node.is_local else None
        return compat.rendered(root, self.variables, self.loader) if root else ""

    def _of_conditions(self, check: Check) -> Verdict:
        return worst(condition_holds(condition, self.variables, self.loader) for condition in check.value)

    def _of_command(self, check: Check, question: CommandQuestion, answer: Answer | None) -> Verdict:
        # As it is in the policy: variables in it may be secrets.
        command = check.value if isinstance(check.value, str) else shlex.join(map(str, check.value))
        if answer is None:
            return Verdict(UNVERIFIED, (f"{command} could not be run: {self.node.trouble}",))
        word, printed = answer
        if word == YES:
            return Verdict(READY)
        if word == "137" and question.timeout:
            return Verdict(UNVERIFIED, (f"{command} was killed, as after its {question.timeout} s",))
        return Verdict(NOT_READY, (printed[:OUTPUT_SHOWN] or f"{command} ended with exit status {word}",))

    def _of_path(self, check: Check, question: PathQuestion, answer: Answer | None) -> Verdict:
        word = answer[0] if answer else ""
        if word == YES:
            return Verdict(READY)
        # The stat module decides. But it expands variables and tildes in a path, and cannot be told not to.
        stat, why = None, self.node.trouble
        if "$" not in question.path and not question.path.startswith("~"):
            stat, told = self.node.stat(question.path, bool(question.digest), check.become)
            if stat is not None or answer or not why:  # else neither ran, and what the shell said is the plainer
                why = told
        check = replace(check, same_as=self._rendered_or_as_it_is(check.same_as))  # as it is told
        if stat:
            return _of_stat(check, question, stat)
        if stat is not None or word in ("", "unknown"):
            return Verdict(UNVERIFIED, (f"cannot tell whether {question.path} is there: {why}",))
        reason = _REASONS[word].format(path=question.path, question=question, check=check)
        return Verdict(NOT_READY, (f"{reason} (as far as its shell can tell)",))

    def _rendered(self, template: str) -> str:
        if self.literal or not is_template(template):
            return template
        return compat.rendered(template, self.variables, self.loader)

    def _rendered_or_as_it_is(self, template: str) -> str:
        try:
            return self._rendered(template)
        except compat.TemplateError:
            return template


def worded(check: Check, verdict: Verdict, rendered: Callable[[str], str]) -> Verdict:
    """Return ``verdict`` with the check's own message, made by ``rendered``, and with its name."""
    reasons = verdict.reasons
    if verdict.state == NOT_READY and check.message:
        reasons = (rendered(check.message),)
    if verdict.state != READY and check.name:
        reasons = tuple(f"{check.name}: {reason}" for reason in reasons)
    # ansible-core prints the message of a failed task as it is: no node may write to the terminal by it.
    return Verdict(verdict.state, tuple(map(one_line, reasons)))


def condition_holds(condition: str | bool, variables: dict[str, Any], loader: DataLoader) -> Verdict:
    """Return the verdict on one condition of a check of the kind THAT."""
    try:
        if compat.holds(condition, variables, loader):
            return Verdict(READY)
    except compat.TemplateError as ex:
        return Verdict(UNVERIFIED, (f"{condition} cannot be evaluated: {ex}",))
    return Verdict(NOT_READY, (f"{condition} does not hold",))


def digest_of(name: str, folders: Sequence[str], loader: DataLoader) -> str:
    """Return the SHA-256 in hex of the control node's file that ``same_as`` names. Raises AnsibleError."""
    # get_real_file decrypts, where the file is vaulted.
    digest: str = secure_hash(loader.get_real_file(find_same_as(name, list(folders), loader)), hash_func=hashlib.sha256)
    return digest


_REASONS = {
    "missing": "{path} is missing",
    "type": "{path} is not a {question.type}",
    "mode": "{path} has more permissions than {question.mode}",
    "owner": "{path} does not belong to {question.owner}",
    "group": "{path} does not belong to the group {question.group}",
    "content": "{path} is there, but it is not this installation's: its content differs from {check.same_as}",
}


def _of_stat(check: Check, question: PathQuestion, stat: Mapping[str, Any]) -> Verdict:
    """Return the verdict by what the stat module tells of a path. It is as strict as the shell's, in the same order."""
    word = ""
    if not stat.get("exists"):
        word = "missing"
    elif question.type and not stat.get("isdir" if question.type == "directory" else "isreg"):
        word = "type"
    elif question.mode and any(int(stat["mode"], 8) & bit for bit in forbidden_bits(question.mode)):
        word = "mode"
    elif question.owner and question.owner not in (stat.get("pw_name"), str(stat.get("uid"))):
        word = "owner"
    elif question.group and question.group not in (stat.get("gr_name"), str(stat.get("gid"))):
        word = "group"
    elif question.digest and stat.get("isreg") and not stat.get("checksum"):
        return Verdict(UNVERIFIED, (f"cannot read {question.path} to compare it with {check.same_as}",))
    elif question.digest and stat.get("checksum") != question.digest:
        word = "content"
    if not word:
        return Verdict(READY)
    return Verdict(NOT_READY, (_REASONS[word].format(path=question.path, question=question, check=check),))
