# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.precheck.guard.plugins.plugin_utils.cli.doctor import examine
from ansible_collections.precheck.guard.plugins.plugin_utils.guard.enforce import has_begun_any


class ActionModule(ActionBase):
    TRANSFERS_FILES = False

    def run(
        self, tmp: str | None = None, task_vars: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        collection = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
        diagnosis = examine(collection, collection, self._loader)
        # What the settings say is one thing, and whether the guard saw this play is another.
        in_force = diagnosis.in_force and has_begun_any()
        wrong = [str(one) for one in diagnosis.findings if one.level != "ok"]
        return super().run(tmp, task_vars) | {
            "failed": not in_force,
            "msg": "IN FORCE" if in_force else "; ".join(["NOT IN FORCE", *wrong]),
            "findings": [str(finding) for finding in diagnosis.findings],
        }
