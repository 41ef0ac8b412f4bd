# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is misspelt where the guard is configured, and would leave another policy in force."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from ..errors import Problem
from ..ini import parse_error, read
from ..text import meant

SECTION = "precheck"
BESIDE_CONFIG = "precheck.yml"
NOT_READ = "precheck.yaml"


def misspelt(config_file: str, keys: Collection[str]) -> Iterator[Problem]:
    """Return the unknown keys in our section of the file, given those that are known."""
    try:
        with open(config_file, encoding="utf-8", errors="surrogateescape", newline="") as file:
            text = file.read()
    except OSError:
        return  # ansible-core has read it, and it is gone since
    if parse_error(text):
        return
    for setting in read(text).settings:
        if setting.section == SECTION and setting.key not in keys:
            hint = meant(setting.key, keys) or f"expected {', '.join(sorted(keys))}"
            problem = f"the section [{SECTION}] has an unknown key '{setting.key}': {hint}"
            yield Problem(problem, config_file, setting.line)


def policy_not_read(config_file: str) -> Iterator[Problem]:
    """Return the file that was meant to be the policy beside this one, if there is no other."""
    directory = os.path.dirname(config_file)
    path = os.path.join(directory, NOT_READ)
    if os.path.lexists(path) and not os.path.lexists(os.path.join(directory, BESIDE_CONFIG)):
        yield Problem(f"is not read, as its name is not {BESIDE_CONFIG}: rename it", path)
