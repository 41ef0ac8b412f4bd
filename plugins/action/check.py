# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.precheck.guard.plugins.plugin_utils import checking, policy_file
from ansible_collections.precheck.guard.plugins.plugin_utils.node import Node


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        node = Node(self, variables)
        order = variables.get(checking.ORDER)
        if isinstance(order, checking.Order):  # from the guard: no inventory can hold one
            examination = checking.Examination(node, variables, self._loader, order.folders, order.digests)
            return result | examination.result(order.rule, order.checks, order.answers)
        folders = self._task.get_search_path()
        try:
            checks = policy_file.read_checks(self._task.args, self._loader, folders, self._play_context.become)
        except policy_file.PolicyError as ex:
            return result | {"failed": True, "msg": "; ".join(map(str, ex.problems))}
        if any(check.become for check in checks) and not self._play_context.become:
            return result | {"failed": True, "msg": "become: true needs the task's keyword become"}
        examination = checking.Examination(node, variables, self._loader, folders, {}, literal=True)
        return result | examination.result("", {"": checks})
