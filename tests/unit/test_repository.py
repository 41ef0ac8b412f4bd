# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the parts of the repository say about each other."""

from __future__ import annotations

import configparser
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from ansible_collections.precheck.guard.plugins.plugin_utils.record import VERSION

REPOSITORY = Path(__file__).parents[2]


def test_one_version():
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    version = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())["version"]
    assert setup["metadata"]["version"] == version
    assert version in yaml.safe_load((REPOSITORY / "changelogs/changelog.yaml").read_text())["releases"]
    assert version == VERSION  # which reports tell


def test_every_folder_of_plugins_is_packaged():
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    packages = setup["options"]["packages"].split()
    for folder in (REPOSITORY / "plugins").iterdir():
        assert f"ansible_collections.precheck.guard.plugins.{folder.name}" in packages


def test_every_file_beside_the_plugins_is_packaged():
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    for path in (REPOSITORY / "plugins").glob("*/*.*"):
        patterns = setup["options.package_data"].get(f"ansible_collections.precheck.guard.plugins.{path.parent.name}", "")
        if path.suffix not in (".py", ".pyc"):
            assert any(fnmatchcase(path.name, pattern.strip()) for pattern in patterns.split(",")), path
