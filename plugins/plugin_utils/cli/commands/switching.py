# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What enable and disable have in common: they edit the ansible.cfg of a directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible import context

from .base import Command
from .copies import make_findable, of_collection

if TYPE_CHECKING:
    from ..edit import Change


class Switching(Command):
    arguments = "[directory]"

    def change(self) -> Change:
        """Return the function for the text of the file."""
        raise NotImplementedError

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.parser.add_argument("directory", nargs="?", default=".", help="of the ansible.cfg")
        self.parser.add_argument("--yes", action="store_true", help="do not ask")

    def run(self) -> int:
        super().run()
        make_findable()
        change = self.change()
        edit = of_collection("cli.edit").edit
        return 0 if edit(context.CLIARGS["directory"], change, context.CLIARGS["yes"]) else 1
