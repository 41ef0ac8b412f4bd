# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Policies that tests write into their project."""

from __future__ import annotations

import json
from typing import Any

EVERY_PLAY = {"play": "*"}


def rule(
    *checks: dict[str, Any], name: str = "only", covers: dict[str, Any] = EVERY_PLAY, **keys: Any
) -> dict[str, Any]:
    """Return a rule with one entry of plays, ``covers``, with these checks, and with more keys."""
    return {"name": name, "plays": [covers], "checks": list(checks), **keys}


def policy(*rules: dict[str, Any]) -> str:
    """Return a policy file. The first rule is at line 2, and each of the others a line below."""
    return "rules:\n" + "".join(f"- {json.dumps(one, ensure_ascii=False)}\n" for one in rules)
