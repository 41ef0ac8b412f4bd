# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a test requires of the machine."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(reason: str) -> NoReturn:
    """Skip a test, as this machine lacks what it requires. With CI in the environment, fail it."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
