# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts of the repository agree with each other."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import (
    NEWEST,
    OLDEST,
    OLDEST_PYTHON,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.report.document import VERSION

from releases import DISTRIBUTIONS, RELEASES

REPOSITORY = Path(__file__).parents[2]


def test_all_parts_have_the_same_version():
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    version = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())["version"]
    assert setup["metadata"]["version"] == version
    assert (
        version
        in yaml.safe_load((REPOSITORY / "changelogs/changelog.yaml").read_text())["releases"]
    )
    assert version == VERSION  # the one in reports
    command = (REPOSITORY / "plugins/plugin_utils/cli/main.py").read_text()
    assert re.findall(r'^VERSION = "(.*)"$', command, re.MULTILINE) == [version]


def test_all_parts_require_the_same_release_of_ansible_core():
    oldest = ".".join(map(str, OLDEST))
    command = (REPOSITORY / "plugins/plugin_utils/cli/main.py").read_text()
    assert f"\nOLDEST, OLDEST_PYTHON = {OLDEST}, {OLDEST_PYTHON}\n" in command
    assert f'">={oldest}.' in (REPOSITORY / "meta/runtime.yml").read_text()
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    assert setup["options"]["python_requires"] == f">={'.'.join(map(str, OLDEST_PYTHON))}"


def test_pip_replaces_no_ansible():
    """An ansible-core that the package requires would come in the place of an ansible-base."""
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    assert "install_requires" not in setup["options"]


def test_every_directory_of_plugins_is_packaged():
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    packages = setup["options"]["packages"].split()
    directories = {path.parent for path in (REPOSITORY / "plugins").rglob("*.py")}
    assert sorted(package for package in packages if ".plugins." in package) == sorted(
        ".".join(("ansible_collections.precheck.guard", *path.relative_to(REPOSITORY).parts))
        for path in directories
    )


def test_every_file_beside_the_plugins_is_packaged():
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    for path in (REPOSITORY / "plugins").glob("*/*.*"):
        patterns = setup["options.package_data"].get(
            f"ansible_collections.precheck.guard.plugins.{path.parent.name}", ""
        )
        if path.suffix not in (".py", ".pyc"):
            assert any(
                fnmatchcase(path.name, pattern.strip()) for pattern in patterns.split(",")
            ), path


def claims_in(text: str) -> list[str]:
    """Return the sentences of all list items in Markdown, and the rows of its tables."""
    text = re.sub(r"\*\*|\[([^]]*)\]\([^)]*\)", r"\1", text)
    points = [
        " ".join(point.split()) for point in re.findall(r"^- (.*(?:\n  .*)*)", text, re.MULTILINE)
    ]
    sentences = [
        sentence for point in points for sentence in re.split(r"(?<=\.) (?=[A-Z`])", point)
    ]
    tables = re.findall(r"^\|.*\n\| ---.*\n((?:\|.*\n?)*)", text, re.MULTILINE)
    return sentences + [row.strip("| ") for table in tables for row in table.splitlines()]


def claimed() -> Iterator[str]:
    """Find what the tests claim with the marker claims."""
    for path in (REPOSITORY / "tests").glob("*/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.claims":
                yield from map(ast.literal_eval, node.args)


def test_each_claim_of_the_documents_has_a_test_and_each_test_a_claim():
    security, contract = (
        (REPOSITORY / f"docs/{name}.md").read_text() for name in ("security", "contract")
    )
    entry_points = contract.split("\n## Strategy or callback\n")[1].split("\n## ")[0]
    claims, shown = [*claims_in(security), *claims_in(entry_points)], set(claimed())
    assert len(claims) > 60
    assert [claim for claim in claims if claim not in shown] == []
    assert sorted(shown.difference(claims)) == []


def test_all_parts_say_the_same_about_where_the_project_lives():
    """They say nothing as long as the project has no public address."""
    setup = configparser.ConfigParser()
    setup.read(REPOSITORY / "setup.cfg")
    metadata = setup["metadata"]
    galaxy = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())
    of_pip = re.findall(
        r"https?://\S+", metadata.get("url", "") + " " + metadata.get("project_urls", "")
    )
    keys = ("repository", "documentation", "homepage", "issues")
    of_galaxy = [galaxy[key] for key in keys if galaxy.get(key)]
    assert sorted(of_pip) == sorted(of_galaxy)
    readme = (REPOSITORY / "README.md").read_text()
    assert [address for address in of_galaxy if address not in readme] == []
    assert galaxy["description"] == metadata["description"]


def test_the_tables_of_tested_releases_are_what_is_tested():
    text = (REPOSITORY / "docs/releases.md").read_text()
    assert re.findall(r"^\| (2\.\d+) \| (.*) \| (.*) \|$", text, re.MULTILINE) == [
        (
            one.name,
            one.pythons,
            f"{one.first} with Python {one.oldest_python} and Jinja2 {one.jinja2}",
        )
        for one in RELEASES
    ]
    assert re.findall(r"^\| (\D.*) \| (2\.\d+\.\d+) \| (.*) \|$", text, re.MULTILINE) == [
        (one.distribution, one.patch, one.python) for one in DISTRIBUTIONS
    ]
    assert [RELEASES[0].name, RELEASES[-1].name] == [
        ".".join(map(str, release)) for release in (OLDEST, NEWEST)
    ]
