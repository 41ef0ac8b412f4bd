# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds out whether the guard is in force."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.utils.collection_loader import AnsibleCollectionConfig

from .copies import make_findable, of_collection, own_copy
from .explain import Explain

DESCRIPTION = """\
Says whether the guard is in force here, and what keeps it from that: which
ansible-core, collection, ansible.cfg, settings and policy a run would use,
where they come from, and what looks misspelt. Of playbooks that you name, it
says which plays are guarded.

It takes the options of ansible-playbook, connects to no host and runs no task.
Lines that begin with ! keep the guard from being in force; those with ? are to
be looked at."""

MORE = """\
examples:
  ansible-precheck doctor
  ansible-precheck doctor pgsql.yml -i inventory
  ansible-precheck doctor --format json | jq .in_force

exit status:
  0  the guard is in force, for all playbooks that are named
  1  it is not"""

LEVELS = {"doubt": C.COLOR_WARN, "wrong": C.COLOR_ERROR}


class Doctor(Explain):
    """Explains playbooks as far as it can, and says what it found out besides."""

    name = "ansible-precheck doctor"
    arguments, description, more = "[playbook ...]", DESCRIPTION, MORE
    loader: DataLoader | None = None

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        for action in self.parser._actions:
            if action.dest == "args":
                action.nargs = "*"

    def _play_prereqs(self) -> Any:
        found = super()._play_prereqs()
        self.loader = found[0]
        return found

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            error = None
            try:
                self.work()
            except AnsibleError as ex:
                error = ex
            except IndexError:  # before 2.11 it does not come so far without a playbook
                if context.CLIARGS["args"]:
                    raise
                self._play_prereqs()
            found = make_findable()
            diagnosis = self._examine(found, error)
        if context.CLIARGS["format"] == "json":
            self.print_json(diagnosis.as_data())
        else:
            self.print_lines(diagnosis.as_text(), LEVELS)
        return 0 if diagnosis.in_force else 1

    def _examine(self, found: str, error: AnsibleError | None) -> Any:
        # A policy that cannot be used is among what is found out anyway.
        is_known = not found or isinstance(error, of_collection("errors").PolicyError)
        names = [name for name in context.CLIARGS["args"] if os.path.exists(name)]
        directories = [os.path.dirname(os.path.abspath(name)) for name in names]
        if not AnsibleCollectionConfig.playbook_paths:
            AnsibleCollectionConfig.playbook_paths = directories or [os.getcwd()]
        doctor = of_collection("cli.doctor")
        playbooks = doctor.Playbooks(
            directories,
            self.explanation.plays if hasattr(self, "explanation") else (),
            "" if error is None or is_known else f"{', '.join(context.CLIARGS['args'])}: {error}",
        )
        return doctor.examine(found, own_copy(), self.loader or DataLoader(), playbooks)
