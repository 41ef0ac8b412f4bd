# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Answers in place of the hosts of a case, with what the case has for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.inventory.host import Host
from ansible.playbook.task import Task

from .. import templates
from ..ansible_core.run import PlayRun
from ..ansible_core.tasks.check_play import RESULT
from ..checks import task
from ..checks.context import HostContext, Node, Stat
from ..checks.host import REQUEST, answer_request
from ..checks.script import Answer, CommandQuestion, Question
from ..errors import PrecheckError, TemplateError
from ..policy.model import Check
from .answers import Answers
from .case import Case, CaseHost


class CaseStandIn:
    """What answers for the hosts of a ``case``, in the play of ``run``."""

    def __init__(self, case: Case, run: PlayRun) -> None:
        self._run = run
        self._hosts = {host.name: host for host in case.hosts}
        self._of_all = case.answers

    def result(self, host: Host, check: Check | None, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the result of a task of the guard: of the action's, if it is of no ``check``.

        Raises PrecheckError if the case has no answer.
        """
        case_host = self._hosts[host.name]
        answers = Answers(case_host, self._of_all)
        if check is None:
            node = CannedNode(case_host, answers, variables)
            return self._of_action(node, variables)
        # A task that runs once is a local one of some host.
        is_elsewhere = "delegate_to" in check.spec or variables.get("ansible_connection") == "local"
        if case_host.unreachable and not is_elsewhere:
            return {"unreachable": True, "msg": case_host.unreachable}
        if check.scope is None:  # it is of no rule: it gathers facts
            return self._facts(case_host)
        return self._of_task(check, answers, variables)

    def _of_action(self, node: CannedNode, variables: dict[str, Any]) -> dict[str, Any]:
        request = variables[REQUEST]
        host = HostContext(
            variables,
            self._run.loader,
            request.directories,
            request.digests,
            node.transport == "local",
            False,
            node,
        )
        try:
            return answer_request(request, host)
        except AnsibleConnectionFailure as ex:
            return {"unreachable": True, "msg": ex.message}

    def _facts(self, host: CaseHost) -> dict[str, Any]:
        if host.facts is None:
            raise PrecheckError(f"a rule asks for facts of {host.name}, and the case has none")
        self._run.variable_manager.set_host_facts(host.name, dict(host.facts))
        return {"changed": False}

    def _of_task(self, check: Check, answers: Answers, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the result, as TaskExecutor has it after ``failed_when``.

        That of a task with a loop is the one of all items, and has ``failed`` itself.
        """
        names = check.label, task.label(check.spec)
        answer = answers.find("task", names, self._arguments(check, answers, variables))
        result = {"changed": False, **answer}
        conditions = check.spec.get("failed_when")
        if conditions is None or "loop" in check.spec or result.get("unreachable"):
            return result
        known = {**variables, RESULT: result}
        conditions = conditions if isinstance(conditions, list) else [conditions]
        try:
            failed = all(templates.holds(one, known, self._run.loader) for one in conditions)
        except TemplateError:  # as TaskExecutor has it
            failed = True
        return {**result, "failed": failed}

    def _arguments(
        self, check: Check, answers: Answers, variables: dict[str, Any]
    ) -> Mapping[str, Any]:
        """Return the arguments of the task, rendered if an answer is for certain ones."""
        if not answers.depend_on_arguments:
            return {}
        one: Any = Task.load(dict(check.spec), loader=self._run.loader)
        try:
            arguments: Mapping[str, Any] = templates.value_of(one.args, variables, self._run.loader)
        except TemplateError as ex:
            raise PrecheckError(f"the arguments of the task {check.label}: {ex}") from None
        return arguments


class CannedNode(Node):
    """Answers the questions of checks for a host of a case."""

    hides_output = False
    trouble = ""
    has_shell = True

    def __init__(self, host: CaseHost, answers: Answers, variables: Mapping[str, Any]) -> None:
        self._host, self._answers = host, answers
        self._connection = str(variables.get("ansible_connection", "ssh"))

    @property
    def transport(self) -> str:
        return self._connection

    def ask(self, questions: Sequence[Question], become: bool) -> list[Answer | None]:
        """Return the answers to commands. The stat of a path decides, as without a plain yes."""
        if self._host.unreachable:
            raise AnsibleConnectionFailure(self._host.unreachable)
        return [
            self._answers.find("command", [question.command])
            if isinstance(question, CommandQuestion)
            else None
            for question in questions
        ]

    def stat(self, path: str, digest: bool, become: bool) -> Stat:
        return Stat(self._answers.find("path", [path]), "")
