# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs the cases of test files beside policy files."""

from __future__ import annotations

import contextlib

from ansible import constants as C
from ansible import context

from .copies import of_collection
from .reading import Reading

DESCRIPTION = """\
Runs the cases of test files: POLICY.test.yml has those for POLICY.yml beside
it. A case says which play runs, on which hosts, and what these would answer;
and what is expected of the rules. No host is connected to, and no module runs.
All else is what a run does. Without a file, it takes those beside the policy
that a run in this directory would use; with a policy file, the one beside that.

It prints a line a case, what differs from what is expected, and which rules and
checks no case reaches."""

MORE = """\
examples:
  ansible-precheck test
  ansible-precheck test precheck.test.yml --junit-xml results.xml

exit status:
  0  all cases pass
  1  a case fails, or a file cannot be used"""

STATES = {"passed": C.COLOR_OK, "failed": C.COLOR_ERROR, "doubt": C.COLOR_WARN}


class Test(Reading):
    name = "ansible-precheck test"
    arguments, description, more = "[file ...]", DESCRIPTION, MORE

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.parser.add_argument(
            "args", metavar="file", nargs="*", help="POLICY.test.yml, or POLICY.yml"
        )
        self.parser.add_argument("--junit-xml", metavar="FILE", help="write the results there too")

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            super().run()
            tests = of_collection("cli.policy_tests")
            report = of_collection("cli.case_report")
            files = tests.files_to_run(context.CLIARGS["args"])
            loader = self.loader()
            results = [tests.run_file(file, loader) for file in files]
        if path := context.CLIARGS["junit_xml"]:
            report.write_junit(results, path)
        if context.CLIARGS["format"] == "json":
            self.print_json(report.as_data(results))
        else:
            self.print_lines(report.as_text(results), STATES)
        return 1 if any(result.has_failed for result in results) else 0
