# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows what many reports say together, or makes one of several."""

from __future__ import annotations

import contextlib

from ansible import constants as C
from ansible import context

from .base import Printing
from .copies import of_collection

DESCRIPTION = """\
Reads reports of runs and audits, from files and from directories, and shows
what they say together: since when hosts have not been ready, who waived what,
how often and why, and how many runs were stopped in each week. Files that are no
report, or one of another format, are named on stderr and passed over.

With --merge, it makes one report of several, such as those of the slices of a
job."""

MORE = """\
examples:
  ansible-precheck report /var/log/precheck
  ansible-precheck report /var/log/precheck --page history.html
  ansible-precheck report slice-*.json --merge job.json

exit status:
  0  a report was read; with --merge, all of them were
  1  no report could be read, or a file cannot be written"""

COLORS = {
    "heading": C.COLOR_HIGHLIGHT,
    "ready": C.COLOR_OK,
    "not ready": C.COLOR_ERROR,
}


class Report(Printing):
    name = "ansible-precheck report"
    arguments, description, more = "path [path ...]", DESCRIPTION, MORE

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.parser.add_argument("args", metavar="path", nargs="+", help="a report, or a directory")
        output = self.parser.add_mutually_exclusive_group()
        output.add_argument("--page", metavar="FILE", help="write a page with a timeline there")
        output.add_argument("--merge", metavar="FILE", help="write one report of all of them")

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            super().run()
            command = of_collection("history.command")
            if target := context.CLIARGS["merge"]:
                command.merge_into(target, context.CLIARGS["args"])
                return 0
            history, passed_over = command.read_history(context.CLIARGS["args"])
            if target := context.CLIARGS["page"]:
                command.write_page(target, history)
            output = of_collection("history.output")
        if context.CLIARGS["format"] == "json":
            self.print_json(output.as_data(history, passed_over))
        else:
            self.print_lines(output.as_text(history), COLORS)
        return 0
