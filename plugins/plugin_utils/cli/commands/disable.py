# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Switches the guard off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .copies import of_collection
from .switching import Switching

if TYPE_CHECKING:
    from ..edit import Change

DESCRIPTION = """\
Takes out of the ansible.cfg of a directory what switches the guard on: of the
current one, if none is named. A file that "enable" has changed is then as it
was before. The change is shown as a diff, and made if you agree."""

MORE = """\
exit status:
  0  the file does not switch the guard on
  1  nothing was changed: you did not agree, there was no terminal to ask on,
     or the file cannot be edited; the message says why"""


class Disable(Switching):
    name = "ansible-precheck disable"
    description, more = DESCRIPTION, MORE

    def change(self) -> Change:
        switched_off: Change = of_collection("cli.switch").switched_off
        return switched_off
