# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures of the integration tests: a project, and SSH nodes in its inventory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.chromium import Browser, program
from support.nodes import Nodes, why_not
from support.project import Project
from support.requirements import lacking


@pytest.fixture(scope="session")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ssh keeps its connections open from run to run. They end when the nodes stop."""
    return tmp_path_factory.mktemp("ssh")


@pytest.fixture
def project(tmp_path: Path, sockets: Path) -> Project:
    """A project without an entry point, unless the test calls ``configure`` or uses ``guarded``."""
    return Project(tmp_path, sockets, "none")


@pytest.fixture(params=["strategy", "callback"])
def guarded(project: Project, request: pytest.FixtureRequest) -> Project:
    """A project that is guarded through each entry point in turn."""
    project.configure(request.param)
    return project


@pytest.fixture(scope="session")
def all_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """The SSH nodes of all tests."""
    if reason := why_not():
        lacking(reason)
    nodes = Nodes(tmp_path_factory.mktemp("nodes"))
    nodes.start()
    yield nodes
    nodes.stop()


@pytest.fixture
def nodes(all_nodes: Nodes, project: Project) -> Nodes:
    """Five new SSH nodes, without the marker, in the project's inventory."""
    all_nodes.reset()
    project.inventory(all_nodes.hosts())
    return all_nodes


@pytest.fixture(scope="module")
def one_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium for all tests of a file."""
    if not program():
        lacking("the page is opened in Chromium, which is not installed")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(one_browser: Browser) -> Browser:
    """The Chromium, with a large window in light colours."""
    one_browser.look()
    return one_browser
