# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables that the templates and conditions of a policy have beside those of the play."""

from __future__ import annotations

from typing import Any

from ansible.utils.unsafe_proxy import wrap_var

from ...policy.model import Scope
from ..run import PlayRun
from .identity import files_of


def of_play(run: PlayRun) -> dict[str, Any]:
    """Return those that say which play it is. They are only text, whatever made the play's name."""
    return {
        "precheck_playbook": wrap_var(files_of(run.play)[0]),
        "precheck_play": wrap_var(run.play_name),
    }


def of_rule(run: PlayRun, scope: Scope) -> dict[str, Any]:
    """Return all that a rule has, before any host is known."""
    return {**scope.variables, **of_play(run)}
