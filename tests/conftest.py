# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sample", action="store_true", help="each test through one door only, none marked one_release")
    parser.addoption("--share", choices=("1/2", "2/2"), help="the first or the second half of the tests, by turns")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --share, take every other test. With --sample, take each test through one door, by turns."""
    if share := config.getoption("--share"):
        first = int(share[0]) - 1
        config.hook.pytest_deselected(items=items[1 - first :: 2])
        items[:] = items[first::2]
    if not config.getoption("--sample"):
        return
    doors: dict[str, str] = {}
    left_out = []
    for item in items:
        door = item.callspec.params.get("guarded") if hasattr(item, "callspec") else None
        test = item.nodeid.replace(f"{door}", "")
        doors.setdefault(test, ("strategy", "callback")[len(doors) % 2])
        if item.get_closest_marker("one_release") or (door and doors[test] != door):
            left_out.append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
