# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows which rules can apply to hosts."""

from __future__ import annotations

import argparse
import contextlib
import os

from ansible import context
from ansible.cli.arguments import option_helpers

from .base import COLORS, Printing
from .copies import of_collection

DESCRIPTION = """\
Shows for each host which rules of the policy in force can apply to it, in which
plays, and what they require of it, with the variables of the host. Hosts are
selected as in "ansible": by names, groups and patterns.

It connects to no host and reads no playbook: what only a run has, such as facts
and the variables of plays, is not known yet."""

MORE = """\
examples:
  ansible-precheck rules pg-1 -i inventory
  ansible-precheck rules 'pg-*' infra
  ansible-precheck rules all --format json | jq '.hosts[].rules[].name'

exit status:
  0  the rules were shown
  1  a policy or something else is wrong; the message says what"""


class Rules(Printing):
    name = "ansible-precheck rules"
    arguments, description, more = "host [host ...]", DESCRIPTION, MORE

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        option_helpers.add_inventory_options(self.parser)
        option_helpers.add_runtask_options(self.parser)
        option_helpers.add_vault_options(self.parser)
        option_helpers.add_basedir_options(self.parser)
        self.parser.add_argument(
            "--list-hosts", help=argparse.SUPPRESS, action=option_helpers.UnrecognizedArgument
        )
        self.parser.add_argument("args", metavar="host", nargs="+", help="a pattern of hosts")

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        options.basedir = options.basedir or os.getcwd()
        return super().post_process_args(options)

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            super().run()
            loader, inventory, variable_manager = self._play_prereqs()
            pattern = ",".join(context.CLIARGS["args"])
            hosts = self.get_host_list(inventory, context.CLIARGS["subset"], pattern)
            rules_of_hosts = of_collection("cli.rules").rules_of_hosts
            listing = rules_of_hosts(hosts, variable_manager, loader)
        output = of_collection("cli.listing")
        if context.CLIARGS["format"] == "json":
            self.print_json(output.as_data(listing))
        else:
            self.print_lines(output.as_text(listing), COLORS)
        return 0
