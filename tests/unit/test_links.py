# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""By which paths a file is known."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.links import (
    LINKS,
    paths_through_links,
)

# The links, each with its target, the path, and the paths by which it is known.
CASES = {
    "no link": ({}, "d/file", "d/file"),
    "a link": ({"link": "d/file"}, "link", "link d/file"),
    "an absolute link": ({"link": "{root}/d/file"}, "link", "link d/file"),
    "a chain": ({"a": "b", "b": "d/c", "d/c": "file"}, "a", "a b d/c d/file"),
    "a directory": ({"now": "v2", "v2": "d"}, "now/file", "now/file v2/file d/file"),
    "both": ({"now": "d", "d/link": "file"}, "now/link", "now/link d/link d/file"),
    "upwards": ({"e/f": "../d", "d/link": "../d/file"}, "e/f/link", "e/f/link d/link d/file"),
    "upwards from a link": ({"e": "d/sub", "x": "e/../file"}, "x", "x d/file"),
    "a chain upwards": ({"e": "d/sub", "x": "e/../y", "d/y": "file"}, "x", "x d/y d/file"),
    "a link to its directory": (
        {"d/here": "."},
        "d/here/here/file",
        "d/here/here/file d/here/file d/file",
    ),
    "not tidy": ({"link": "d//./file"}, "./link", "./link link d/file"),
    "dangling": ({"link": "gone"}, "link", "link gone"),
    "missing": ({}, "gone/file", "gone/file"),
}


@pytest.mark.parametrize(("links", "path", "expected"), CASES.values(), ids=CASES)
def test_each_link_of_a_chain_counts(tmp_path, links, path, expected):
    (tmp_path / "d/sub").mkdir(parents=True)
    (tmp_path / "d/file").touch()
    for link, target in links.items():
        (tmp_path / link).parent.mkdir(exist_ok=True)
        (tmp_path / link).symlink_to(target.format(root=tmp_path))
    assert paths_through_links(f"{tmp_path}/{path}") == [
        f"{tmp_path}/{one}" for one in expected.split()
    ]


def test_links_in_a_circle_come_to_an_end(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    (tmp_path / "c").symlink_to("c/../c")
    assert set(paths_through_links(f"{tmp_path}/a")) == {f"{tmp_path}/a", f"{tmp_path}/b"}
    assert len(paths_through_links(f"{tmp_path}/c")) <= LINKS + 2
