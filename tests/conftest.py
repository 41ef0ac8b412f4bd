# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sample", action="store_true", help="each test through one door only, none marked one_release")
    parser.addoption("--share", choices=("1/2", "2/2"), help="the first or the second half of the tests, by turns")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen = _sample(items) if config.getoption("--sample") else list(items)
    if share := config.getoption("--share"):
        chosen = chosen[int(share[0]) - 1 :: 2]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def _sample(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return each test through one door, by turns, without those that need no more than one release."""
    doors: dict[str, str] = {}
    chosen = []
    for item in items:
        door = item.callspec.params.get("guarded") if hasattr(item, "callspec") else None
        test = item.nodeid.replace(f"{door}", "")
        doors.setdefault(test, ("strategy", "callback")[len(doors) % 2])
        if not item.get_closest_marker("one_release") and (not door or doors[test] == door):
            chosen.append(item)
    return chosen
