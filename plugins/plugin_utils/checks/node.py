# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A node: its shell answers questions. If that is not a plain yes, the stat module decides.

This uses private names of ansible-core's action and connection plugins: there is no public way to
run a command by an action plugin, or to leave privilege escalation out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ..verdict import HIDDEN
from .context import Node, Stat
from .script import Answer, Question, Script, scripts

# What ssh adds to the output of a node.
SSH_NOTES = ("Shared connection to ", "Warning: Permanently added ")


class ConnectedNode(Node):
    """``action`` is the action plugin that runs for the host, with the host's ``variables``.

    If it ``reconnects``, the first question goes over a new connection.
    """

    def __init__(
        self,
        action: ActionBase,
        variables: dict[str, Any],
        *,
        hides_output: bool,
        reconnects: bool = False,
    ) -> None:
        self._action = action
        self._variables = variables
        self.hides_output = hides_output
        self._reconnects = reconnects
        self.trouble = ""

    @property
    def has_shell(self) -> bool:
        """Whether it runs commands for a POSIX shell: no Windows, no device behind network_cli."""
        connection = self._action._connection
        family = getattr(connection._shell, "SHELL_FAMILY", "sh")
        is_device = getattr(connection, "force_persistence", False)
        return family not in ("powershell", "cmd") and not is_device

    @property
    def transport(self) -> str:
        transport: str = self._action._connection.transport
        return transport

    def ask(self, questions: Sequence[Question], become: bool) -> list[Answer | None]:
        """Return the shell's answer to each question, None if it gave none.

        Raises AnsibleConnectionFailure if the host is unreachable.
        """
        # One that ssh keeps open leads nowhere if the node has restarted since.
        if self._reconnects and self.transport == "ssh":
            self._action._connection.reset()
            self._reconnects = False
        answers: list[Answer | None] = []
        for script in scripts(questions):
            try:
                with self._privileges(become):
                    result = self._action._low_level_execute_command(script.text)
            except AnsibleConnectionFailure:
                raise
            except AnsibleError as ex:  # a password for become that is missing or wrong, say
                self.trouble = self._printable(str(ex))
                answers += [None] * len(script.questions)
                continue
            of_script = script.answers(result["stdout"])
            if None in of_script:
                line = self._printable(_last_line(script, result))
                self.trouble = line or f"its shell ended with exit status {result['rc']}"
            answers += of_script
        return answers

    def stat(self, path: str, digest: bool, become: bool) -> Stat:
        """Return what the stat module says about ``path``, with its SHA-256 if ``digest``.

        Raises AnsibleConnectionFailure if the host is unreachable.
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
            with self._privileges(become):
                result: dict[str, Any] = self._action._execute_module(
                    "ansible.builtin.stat", arguments, task_vars=self._quiet_variables()
                )
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as ex:
            return Stat(None, self._printable(str(ex)))
        outputs = (str(result.get(key, "")) for key in ("msg", "module_stderr", "module_stdout"))
        ran = "module_stderr" not in result and "module_stdout" not in result
        values = result.get("stat", {} if ran else None)
        reason = " ".join(outputs).strip()
        return Stat(values, self._printable(reason) or "no reason was given")

    def _quiet_variables(self) -> dict[str, Any]:
        """Return the host's variables, so that no warning comes for a Python that is found."""
        interpreter = C.config.get_config_value("INTERPRETER_PYTHON", variables=self._variables)
        if interpreter in ("auto", "auto_legacy"):
            return {**self._variables, "ansible_python_interpreter": f"{interpreter}_silent"}
        return self._variables

    def _printable(self, output: str) -> str:
        return HIDDEN if output and self.hides_output else output

    @contextlib.contextmanager
    def _privileges(self, become: bool) -> Iterator[None]:
        """Leave privilege escalation out unless ``become``, whatever variables and options say."""
        # Its annotations say that it always has a become plugin.
        connection: Any = self._action._connection
        play_context = self._action._play_context
        if become:
            yield
            return
        plugin, keyword = connection.become, play_context.become
        # ansible_become, a variable, takes precedence over the keyword; connections look at both.
        connection.set_become_plugin(None)
        play_context.become = False
        try:
            yield
        finally:
            connection.set_become_plugin(plugin)
            play_context.become = keyword


def _last_line(script: Script, result: Mapping[str, Any]) -> str:
    """Return the last line that is no answer, notes of ssh apart; empty if there is none."""
    stderr = [line for line in result["stderr"].splitlines() if not line.startswith(SSH_NOTES)]
    lines = script.without_answers("\n".join([result["stdout"], *stderr]))
    return lines[-1] if lines else ""
