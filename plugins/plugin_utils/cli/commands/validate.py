# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks policy files."""

from __future__ import annotations

import contextlib
import os

from ansible import constants as C
from ansible import context

from .copies import of_collection
from .reading import Reading

DESCRIPTION = """\
Checks policy files, and prints all that is wrong with any of them, one problem
a line: file, line, and what is wrong. Files that are named together form one
policy, as with the option policy: no two rules may have the same name. With
--each, each file is a policy of its own.
Without a file, it checks those that a run in this directory would use."""

MORE = """\
examples:
  ansible-precheck validate
  ansible-precheck validate precheck.yml --playbook-dir playbooks --format json
  ansible-precheck validate --format sarif > precheck.sarif

exit status:
  0  nothing is wrong, or there are only warnings
  1  something is wrong"""


class Validate(Reading):
    name = "ansible-precheck validate"
    arguments, description, more = "[policy ...]", DESCRIPTION, MORE
    formats = ("text", "json", "sarif")

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.parser.add_argument("args", metavar="policy", nargs="*", help="a policy file")
        self.parser.add_argument(
            "--each", action="store_true", help="take each file as a policy of its own"
        )

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            super().run()
            names = context.CLIARGS["args"]
            validation = of_collection("cli.validate").validate(
                names, self.loader(), each=context.CLIARGS["each"]
            )
        if context.CLIARGS["format"] == "json":
            self.print_json(validation.as_data())
        elif context.CLIARGS["format"] == "sarif":
            sarif = of_collection("cli.sarif").as_sarif(validation.problems, os.getcwd())
            self.print_json(sarif)
        else:
            for problem in validation.problems:
                color = C.COLOR_WARN if problem.is_warning else C.COLOR_ERROR
                self.print_line(str(problem), color)
            if not validation.problems:
                self.print_line(f"{', '.join(validation.files)}: nothing is wrong", C.COLOR_OK)
        return 1 if validation.has_errors else 0
