# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many hosts must be ready for a run to go on without the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .values import type_name


@dataclass(frozen=True)
class Minimum:
    """A number of hosts, or a percentage of those that a rule applies to."""

    number: int
    is_percentage: bool = False

    def is_met(self, ready: int, hosts: int) -> bool:
        return ready * 100 >= self.number * hosts if self.is_percentage else ready >= self.number

    def __str__(self) -> str:
        return f"{self.number}%" if self.is_percentage else str(self.number)


def minimum(value: Any) -> Minimum:
    """Return a value of a policy file as what it means. Raises TypeError or ValueError."""
    expectation = 'expected a number of hosts or a percentage, as in 3 or "80%"'
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError(f"{expectation}, not {type_name(value)}")
    match = re.fullmatch(r"(0|[1-9][0-9]{0,8})(%?)", str(value))
    if not match or (isinstance(value, str) and not match[2]):
        raise ValueError(f"{expectation}, not {value!r}")
    number, is_percentage = int(match[1]), bool(match[2])
    if is_percentage and not 1 <= number <= 100:
        raise ValueError('expected a percentage from "1%" to "100%"')
    if not number:
        raise ValueError("expected at least 1 host")
    return Minimum(number, is_percentage)
