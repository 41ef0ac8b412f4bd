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
from ansible.release import __version__

REPOSITORY = Path(__file__).parents[1]
MINOR = int(__version__.split(".")[1])  # of the release of ansible-core
TURNS = 4  # an older release runs every fourth of the tests marked each_release


@pytest.fixture(scope="session")
def copy_repository() -> Callable[[Path], Path]:
    """A function that copies to a path what git would give: files tracked, and files to be."""

    def copy(target: Path) -> Path:
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(
            listing, cwd=REPOSITORY, check=True, capture_output=True, text=True
        ).stdout
        for name in filter(None, names.split("\0")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name, follow_symlinks=False)
        return target

    return copy


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sample",
        choices=["one", "other"],
        help="run each test through one entry point, or through the other",
    )
    parser.addoption(
        "--share",
        metavar="K[,K]/N",
        default="1/1",
        help="run every Nth test from the Kth on, for each K",
    )


@pytest.hookimpl(trylast=True)  # after -m and -k, so that shares are of the same size
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    sample = config.getoption("--sample")
    shares, _, step = config.getoption("--share").partition("/")
    takes_turns = sample == "other" and step != "1"
    sampled = [
        item for item in items if not sample or _entry_point_is_chosen(item, sample, takes_turns)
    ]
    in_turns = [item for item in sampled if takes_turns and _is_for_each_release(item)]
    shared = [item for item in sampled if item not in in_turns]
    chosen = {
        *(item for item in in_turns if (_number(item) + MINOR) % TURNS == 0),
        *(item for first in shares.split(",") for item in shared[int(first) - 1 :: int(step)]),
    }
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


def _is_for_each_release(item: pytest.Item) -> bool:
    return item.get_closest_marker("each_release") is not None


def _entry_point_is_chosen(item: pytest.Item, sample: str, takes_turns: bool) -> bool:
    """Return whether the sample has the test through this entry point.

    The test determines which entry point it is. The sample "other" has the one that "one" does not
    have. If releases take turns, it alternates from one turn of a test to the next.
    """
    entry_point = item.callspec.params.get("guarded") if hasattr(item, "callspec") else None
    if not entry_point:
        return True
    number = _number(item)
    if sample == "other":
        number += (number + MINOR) // TURNS if takes_turns and _is_for_each_release(item) else 1
    return entry_point == ("strategy", "callback")[number % 2]


def _number(item: pytest.Item) -> int:
    """Return a number of the test that is the same through each entry point, and everywhere."""
    parts = item.callspec.id.split("-") if hasattr(item, "callspec") else []
    if parts and (entry_point := item.callspec.params.get("guarded")):
        parts.remove(entry_point)
    return crc32(f"{item.nodeid.partition('[')[0]}{parts}".encode())
