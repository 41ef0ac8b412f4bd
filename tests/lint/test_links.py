# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each link of a document leads to a file and a heading that are there, also when installed."""

from __future__ import annotations

import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from support.commands import REPOSITORY

LINK = re.compile(r"\]\((?!https?://)([^)\s]*)\)|(?:src|srcset)=\"(?!https?://)([^\"]*)\"")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """Return the names by which a link can lead to a heading, and those set by hand."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    names = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return names | set(re.findall(r"id=\"(.*?)\"", text))


def dead_links(root: Path) -> list[str]:
    """Return the links in the documents of a directory that lead nowhere in it."""
    dead = []
    for page in sorted(root.rglob("*.md")):
        for link in (one or other for one, other in LINK.findall(without_code(page.read_text()))):
            name, _, anchor = link.partition("#")
            target = (page.parent / name if name else page).resolve()
            is_there = target.is_relative_to(root.resolve()) and target.exists()
            if not is_there or (anchor and anchor not in anchors(target.read_text())):
                dead.append(f"{page.relative_to(root)}: {link}")
    return dead


@pytest.fixture
def wheel(distributions, tmp_path):
    """The directory of the collection in the wheel."""
    [path] = distributions.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "ansible_collections/precheck/guard"


@pytest.fixture
def sdist(distributions, tmp_path):
    [path] = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        archive.extractall(tmp_path, filter="data")
    [directory] = tmp_path.iterdir()
    return directory


@pytest.mark.parametrize("place", ["checkout", "installed", "wheel", "sdist"])
def test_no_link_is_dead(place, request):
    root = request.getfixturevalue(place)
    assert dead_links(root) == []


def test_links_are_found():
    """The test above would pass if it looked for nothing."""
    text = (REPOSITORY / "README.md").read_text()
    assert len(LINK.findall(without_code(text))) > 10
    assert "where-policies-come-from" in anchors((REPOSITORY / "docs/policy.md").read_text())
