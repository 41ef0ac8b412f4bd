# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reports that a run wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

from support.commands import REPOSITORY

SCHEMA = json.loads((REPOSITORY / "docs/report.schema.json").read_text())


def read_report(path: Path) -> dict[str, Any]:
    """Return the report at ``path``, which must comply with the schema."""
    report: dict[str, Any] = json.loads(path.read_text())
    jsonschema.validate(report, SCHEMA)
    return report
