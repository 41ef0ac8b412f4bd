# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.context import HostContext
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.host import (
    REQUEST,
    CheckRequest,
    answer_request,
    check_host,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.kinds import OF_ACTION
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.node import ConnectedNode
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import PolicyError
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.loader import read_checks


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        variables = task_vars or {}
        request = variables.get(REQUEST)
        if isinstance(request, CheckRequest):  # from the guard: no inventory can hold one
            if request.connection:
                variables = variables | {"ansible_connection": request.connection}
            host = self._host(
                variables,
                request.directories,
                request.digests,
                literal=False,
                reconnects=request.reconnects,
            )
            return result | answer_request(request, host)
        directories = self._task.get_search_path()
        become = self._play_context.become
        try:
            checks = read_checks(self._task.args, self._loader, directories, become, OF_ACTION)
        except PolicyError as ex:
            return result | {"failed": True, "msg": "; ".join(map(str, ex.problems))}
        if any(check.become for check in checks) and not become:
            message = "become: true requires the task's keyword become"
            return result | {"failed": True, "msg": message}
        host = self._host(variables, directories, {}, literal=True)
        return result | check_host(host, "", {"": checks})

    def _host(
        self,
        variables: dict[str, Any],
        directories: Sequence[str],
        digests: Mapping[str, str],
        literal: bool,
        reconnects: bool = False,
    ) -> HostContext:
        no_log = bool(self._task.no_log)
        node = ConnectedNode(self, variables, hides_output=no_log, reconnects=reconnects)
        is_local = node.transport == "local"
        return HostContext(variables, self._loader, directories, digests, is_local, literal, node)
