# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the linters check: a used checkout, its tarball, and the collection installed from it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import BIN, clean_environment

Run = Callable[..., str]


@pytest.fixture(scope="session")
def run() -> Run:
    """A function that runs a command, which must succeed, and returns its output."""

    def run(*command: str | Path, cwd: Path, **env: str | Path) -> str:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=clean_environment(PATH=f"{BIN}:{os.environ['PATH']}") | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print(done.stdout)
        assert done.returncode == 0, f"{command[0]} ended with exit status {done.returncode}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def checkout(
    tmp_path_factory: pytest.TempPathFactory, copy_repository: Callable[[Path], Path]
) -> Path:
    """A used clone: it contains what builds, tests, editors and the demonstration leave behind."""
    directory = copy_repository(tmp_path_factory.mktemp("checkout") / "precheck")
    for leftover in (
        ".hypothesis/x",
        ".ruff_cache/x",
        ".tox/x/x.py",
        "ansible_precheck.egg-info/PKG-INFO",
        "build/lib/x.py",
        "changelogs/.plugin-cache.yaml",
        "dist/x.whl",
        "playbooks/files/pki/ca/ca.key",
        "playbooks/nodes/node1/x",
        "plugins/action/__pycache__/x.pyc",
        "precheck-guard-0.0.1.tar.gz",
        "tests/output/x",
    ):
        (directory / leftover).parent.mkdir(parents=True, exist_ok=True)
        (directory / leftover).touch()
    return directory


@pytest.fixture(scope="session")
def tarball(checkout: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tarball")
    run(
        "ansible-galaxy", "collection", "build", checkout, "--output-path", directory, cwd=directory
    )
    [path] = directory.glob("*.tar.gz")
    return path


@pytest.fixture(scope="session")
def distributions(checkout: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the sdist and of the wheel that is built from it."""
    directory = tmp_path_factory.mktemp("dist")
    run("python", "-m", "build", "--no-isolation", "--outdir", directory, checkout, cwd=directory)
    return directory


@pytest.fixture(scope="session")
def installed(tarball: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the collection as users have it."""
    directory = tmp_path_factory.mktemp("installed")
    run("ansible-galaxy", "collection", "install", tarball, "-p", directory, cwd=directory)
    return directory / "ansible_collections/precheck/guard"
