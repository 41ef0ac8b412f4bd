# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host that is asked: through its shell, and by the stat module where the shell's answer is not a plain yes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from .question import Answer, Question, scripts

OF_SSH = ("Shared connection to ", "Warning: Permanently added ")  # what ssh adds to what a node prints


class Node:
    """``action`` is the action plugin at work on the host, ``variables`` are the host's.

    ``trouble`` is what came instead of answers, for the operator; empty if nothing did.
    """

    def __init__(self, action: ActionBase, variables: dict[str, Any]) -> None:
        self._action = action
        self._variables = variables
        self.trouble = ""

    @property
    def is_local(self) -> bool:
        return self._action._connection.transport == "local"

    @property
    def has_shell(self) -> bool:
        """Whether commands for a POSIX shell can be run: not on Windows, nor on a device behind network_cli."""
        connection = self._action._connection
        family = getattr(connection._shell, "SHELL_FAMILY", "sh")
        return family not in ("powershell", "cmd") and not getattr(connection, "force_persistence", False)

    @property
    def transport(self) -> str:
        return self._action._connection.transport

    def ask(self, questions: Sequence[Question], become: bool) -> list[Answer | None]:
        """Return the shell's answer to each question, None where it gave none. Raises AnsibleConnectionFailure when the
        host is unreachable.
        """
        answers: list[Answer | None] = []
        for script in scripts(questions):
            try:
                with self._as(become):
                    done = self._action._low_level_execute_command(script.text)
            except AnsibleConnectionFailure:
                raise
            except AnsibleError as ex:  # a password for become that is missing or wrong, say
                self.trouble = str(ex)
                answers += [None] * len(script.questions)
                continue
            found = script.answers(done["stdout"])
            if None in found:
                lines = [
                    *(line for line in done["stdout"].splitlines() if line.strip()),
                    *(line for line in done["stderr"].splitlines() if line.strip() and not line.startswith(OF_SSH)),
                ]
                self.trouble = lines[-1] if lines else f"its shell ended with exit status {done['rc']}"
            answers += found
        return answers

    def stat(self, path: str, digest: bool, become: bool) -> tuple[dict[str, Any] | None, str]:
        """Return what the stat module tells of ``path``, with its SHA-256 if ``digest``.

        Where it cannot tell, the first is empty; where it cannot run at all, as on a node without Python, the first is
        None. The second is why.
        """
        arguments = {
            "path": path,
            "follow": True,
            "get_checksum": digest,
            "checksum_algorithm": "sha256",
            "get_mime": False,
            "get_attributes": False,
        }
        try:
            with self._as(become):
                done: dict[str, Any] = self._action._execute_module("ansible.builtin.stat", arguments, task_vars=self._variables)
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as ex:
            return None, str(ex)
        why = " ".join(str(done.get(key, "")) for key in ("msg", "module_stderr", "module_stdout")).strip()
        ran = "module_stderr" not in done and "module_stdout" not in done
        return done.get("stat", {} if ran else None), why or "no reason was given"

    @contextlib.contextmanager
    def _as(self, become: bool) -> Iterator[None]:
        """Go without privilege escalation unless ``become``, also where variables or the command line ask for it."""
        connection: Any = self._action._connection  # its annotations leave out that it may have no become plugin
        play_context = self._action._play_context
        if become:
            yield
            return
        plugin, keyword = connection.become, play_context.become
        # ansible_become, a variable, outranks the keyword; the connection is asked by both.
        connection.set_become_plugin(None)
        play_context.become = False
        try:
            yield
        finally:
            connection.set_become_plugin(plugin)
            play_context.become = keyword
