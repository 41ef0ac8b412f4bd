# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import ansible.plugins.loader  # noqa: F401  before 2.15 it changes how collections are imported, so it comes first
import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def copy_repository() -> Callable[[Path], Path]:
    """A function that makes at a path what git would give: the tracked files, and those about to be."""

    def copy(target: Path) -> Path:
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listing, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
        for name in filter(None, names.split("\0")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name, follow_symlinks=False)
        return target

    return copy


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sample", choices=["one", "other"], help="each test through one door, or through the other")
    parser.addoption("--share", metavar="K[,K]/N", default="1/1", help="every Nth test from the Kth on, for each K")


@pytest.hookimpl(trylast=True)  # after -m and -k, so that shares are of the same size
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    sample = config.getoption("--sample")
    chosen = _sample(items, sample == "other") if sample else list(items)
    shares, _, step = config.getoption("--share").partition("/")
    chosen = [item for first in shares.split(",") for item in chosen[int(first) - 1 :: int(step)]]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def _sample(items: list[pytest.Item], other: bool) -> list[pytest.Item]:
    """Return each test through one door, which depends on the test, or through the ``other``."""
    chosen = []
    for item in items:
        door = item.callspec.params.get("guarded") if hasattr(item, "callspec") else None
        test = item.nodeid
        if door:
            parts = item.callspec.id.split("-")
            parts.remove(door)
            test = f"{item.nodeid.partition('[')[0]}{parts}"
        if not door or door == ("strategy", "callback")[(crc32(test.encode()) + other) % 2]:
            chosen.append(item)
    return chosen
