# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        # The guard makes the audit instead of running the play. So it is not on here, or this play
        # is no audit.
        message = (
            "nothing was audited: the guard is not switched on for this play (strategy:"
            " precheck.guard.linear in the play does it), or this is not the only task of the play"
        )
        return super().run(tmp, task_vars) | {"failed": True, "msg": message}
