# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Switches the guard on."""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING

from ansible import context

from .copies import OWN_DIRECTORY, of_collection
from .switching import Switching

if TYPE_CHECKING:
    from ..edit import Change

DESCRIPTION = """\
Puts the line that switches the guard on into the ansible.cfg of a directory:
of the current one, if none is named. All else in the file stays as it is. The
change is shown as a diff, and made if you agree. Then "doctor" runs in that
directory, and says whether the guard is in force."""

MORE = """\
exit status:
  0  the guard is in force
  1  it is not: you did not agree to the change, there was no terminal to ask
     on, the file cannot be edited, or something else is wrong, as is printed"""


class Enable(Switching):
    name = "ansible-precheck enable"
    description, more = DESCRIPTION, MORE

    def change(self) -> Change:
        keys = of_collection("options").KEYS
        return functools.partial(of_collection("cli.switch").switched_on, keys=keys)

    def run(self) -> int:
        status = super().run()
        if status == 0:
            # A new process, as ansible-core has read its configuration before, and elsewhere.
            sys.stdout.flush()
            os.chdir(context.CLIARGS["directory"])
            main_file = os.path.join(OWN_DIRECTORY, "plugins/plugin_utils/cli/main.py")
            os.execv(sys.executable, [sys.executable, main_file, "doctor"])
        return status
