# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import random
import shlex
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import NOT_READY, READY, UNVERIFIED


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec({"path": {"required": True}, "become": {"type": "bool"}})
        if args["become"] is False:
            # ansible_become, a variable, outranks the become keyword of a task; the connection is asked by both.
            self._connection.set_become_plugin(None)
            self._play_context.become = False
        path = self._root(task_vars or {}) + args["path"]
        result.update(self._ask(path, task_vars), path=args["path"], changed=False)
        result["failed"] = result["verdict"] != READY
        return result

    def _root(self, task_vars: dict[str, Any]) -> str:
        """Return the folder that stands for the node's root directory: only a local connection can have one."""
        if self._connection.transport != "local":
            return ""
        return self._templar.template(task_vars.get("precheck_root") or "")

    def _ask(self, path: str, task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Return verdict and msg on the path, with its stat where the stat module could tell it."""
        question = {"path": path, "follow": True, "get_checksum": False, "get_mime": False, "get_attributes": False}
        answer = self._execute_module("ansible.builtin.stat", question, task_vars=task_vars)
        stat = answer.get("stat")
        if stat:
            state = (READY, f"{path} is present") if stat["exists"] else (NOT_READY, f"{path} is missing")
            return {"verdict": state[0], "msg": state[1], "stat": stat}
        if self._shell_finds(path):  # the stat module needs Python on the node
            return {"verdict": READY, "msg": f"{path} is present"}
        why = " ".join(str(answer.get(key, "")) for key in ("msg", "module_stderr", "module_stdout")).strip()
        return {"verdict": UNVERIFIED, "msg": f"cannot tell whether {path} is there: {why}"}

    def _shell_finds(self, path: str) -> bool:
        """Return whether the node's shell says that the path exists, and it is the shell that says so: neither the
        banner of a shell that runs nothing nor an echo of the command has the product.
        """
        a, b = random.randrange(10**4, 10**5), random.randrange(10**4, 10**5)
        answer = self._low_level_execute_command(f"test -e {shlex.quote(path)} && echo $(({a} * {b}))")
        return answer["rc"] == 0 and str(a * b) in answer["stdout"].split()
