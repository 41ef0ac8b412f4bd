# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows what the guard would do before the plays of playbooks."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from ansible import context
from ansible.cli.playbook import PlaybookCLI
from ansible.executor import playbook_executor
from ansible.executor.task_queue_manager import TaskQueueManager

from .base import COLORS, Printing
from .copies import of_collection

if TYPE_CHECKING:
    from ..explanation import Explanation

DESCRIPTION = """\
Shows for each play of the playbooks, in order, what Precheck would do before
it: which rules cover it and by which selector, which hosts would be checked
for what, which would be left out and why, and what cannot be known yet.

It connects to no host, gathers no facts and runs no task. It reads playbooks,
inventory and variables as ansible-playbook does, and takes the same options:
type "ansible-precheck explain" instead of "ansible-playbook"."""

MORE = """\
examples:
  ansible-precheck explain site.yml -i inventory
  ansible-precheck explain pgsql.yml -l 'pg-*' -t install -e pg_version=17
  ansible-precheck explain site.yml --format json | jq '.plays[].rules[].checked'
  ansible-precheck explain site.yml --require-guard

exit status:
  0  the plays were explained, whether they would be stopped or not
  1  a policy or something else is wrong, or with --require-guard a covered
     play is not guarded; the message says what
  otherwise that of ansible-playbook, as for a playbook that is not valid"""

# They make ansible-playbook list something instead of running plays.
OF_ANSIBLE_PLAYBOOK = {
    "--list-hosts": "listhosts",
    "--list-tasks": "listtasks",
    "--list-tags": "listtags",
    "--syntax-check": "syntax",
}


class Explain(Printing, PlaybookCLI):
    """ansible-playbook, with another class instead of the one that runs plays."""

    name = "ansible-precheck explain"
    arguments, description, more = "playbook [playbook ...]", DESCRIPTION, MORE
    USES_CONNECTION = False  # so that no ssh agent is started

    explanation: Explanation

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        for option, name in OF_ANSIBLE_PLAYBOOK.items():
            self.parser.add_argument(option, dest=name, action="store_true", help=argparse.SUPPRESS)
        self.parser.add_argument(
            "--require-guard",
            action="store_true",
            help="fail if a rule covers a play for which the guard is not on",
        )

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        for option, name in OF_ANSIBLE_PLAYBOOK.items():
            if getattr(options, name):
                self.parser.error(f"{option} is an option of ansible-playbook only")
        return super().post_process_args(options)

    @staticmethod
    def ask_passwords() -> tuple[None, None]:
        return None, None  # they are for connections

    def work(self) -> int:
        # PlaybookExecutor looks this name up to make a manager. See ansible_core.patches.
        setattr(playbook_executor, "TaskQueueManager", self._manager)  # noqa: B010 - it is a class
        return super().run()

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            status = self.work()
        explanation = of_collection("cli.explanation")
        if context.CLIARGS["format"] == "json":
            self.print_json(explanation.as_data(self.explanation))
        else:
            self.print_lines(explanation.as_text(self.explanation), COLORS)
        if context.CLIARGS["require_guard"]:
            self.explanation.require_guard()
        return status

    def _manager(self, **kwargs: Any) -> TaskQueueManager:
        manager: TaskQueueManager = of_collection("cli.explain").ExplainingManager(
            self._begin, **kwargs
        )
        return manager

    def _begin(self, explanation: Explanation) -> None:
        self.explanation = explanation
