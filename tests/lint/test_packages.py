# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The galaxy tarball, the wheel and the sdist: their content, and whether they can be published."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]


def tracked(*paths: str) -> set[str]:
    """Return the files of the repository, those about to be tracked included, at these paths."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths]
    return set(
        subprocess.run(
            listing, cwd=REPOSITORY, check=True, capture_output=True, text=True
        ).stdout.splitlines()
    )


TOP = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")
VERSION = yaml.safe_load((REPOSITORY / "galaxy.yml").read_text())["version"]
PLAYBOOKS = ("playbooks/audit.yml", "playbooks/doctor.yml")
WORKS = tracked("__main__.py", "plugins", "meta", *PLAYBOOKS)
PAGES = tracked("docs", *TOP) - tracked("docs/examples")


def files(tarball: Path) -> set[str]:
    with tarfile.open(tarball) as archive:
        return {member.name for member in archive if not member.isdir()}


def test_the_tarball_has_exactly_the_expected_files(tarball):
    assert tarball.name == f"precheck-guard-{VERSION}.tar.gz"
    documents = {"LICENSE", "changelogs/changelog.yaml", *PAGES}
    assert files(tarball) == {"MANIFEST.json", "FILES.json", *documents, *WORKS}


def test_the_wheel_has_exactly_the_expected_files(distributions):
    [wheel] = distributions.glob("*.whl")
    assert wheel.name == f"ansible_precheck-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    about = f"ansible_precheck-{VERSION}.dist-info"
    about_files = "METADATA RECORD WHEEL entry_points.txt top_level.txt licenses/LICENSE".split()
    collection = {*WORKS, *PAGES, "galaxy.yml"}
    assert names == {
        *(f"ansible_collections/precheck/guard/{name}" for name in collection),
        *(f"{about}/{name}" for name in about_files),
    }


def test_the_sdist_has_exactly_the_expected_files(distributions):
    [sdist] = distributions.glob("*.tar.gz")
    top = f"ansible_precheck-{VERSION}"
    assert sdist.name == f"{top}.tar.gz"
    made = {"PKG-INFO", *(name for name in files(sdist) if ".egg-info/" in name)}
    of_repository = {name.removeprefix(f"{top}/") for name in files(sdist) - made}
    assert of_repository - {"PKG-INFO"} == {
        "LICENSE",
        "galaxy.yml",
        "pyproject.toml",
        "setup.cfg",
        *WORKS,
        *PAGES,
    }


def test_distributions_can_be_published(distributions, run):
    run("twine", "check", "--strict", *distributions.iterdir(), cwd=distributions)


def test_the_tarball_can_be_published(checkout, run, tmp_path):
    """The test adds an address: Galaxy refuses a collection without one."""
    shutil.copytree(checkout, tmp_path / "checkout", symlinks=True)
    with (tmp_path / "checkout/galaxy.yml").open("a") as file:
        file.write("repository: https://example.org/precheck\n")
    run("ansible-galaxy", "collection", "build", "checkout", cwd=tmp_path)
    importer = ("python", "-m", "galaxy_importer.main", f"precheck-guard-{VERSION}.tar.gz")
    # ansible-lint checks the repository.
    output = run(*importer, cwd=tmp_path, GALAXY_IMPORTER_RUN_ANSIBLE_LINT="false")
    assert "Loading strategy linear" in output
    assert "Importer processing completed successfully" in output
    assert not [line for line in output.splitlines() if line.startswith(("WARNING", "ERROR"))]


def test_the_collection_can_be_put_in_an_execution_environment(installed, run, tmp_path):
    """It requires no other packages there. docs/installing.md has the command."""
    (tmp_path / "precheck").symlink_to(REPOSITORY)
    text = (REPOSITORY / "docs/installing.md").read_text()
    [create] = re.findall(r"^\$ (ansible-builder .*)", text, re.MULTILINE)
    run(*create.split(), cwd=tmp_path)
    required = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())
    assert required == {"collections": ["precheck.guard"]}
    [definition] = (tmp_path / "context").glob("*file")  # the name depends on the engine
    assert "ansible-galaxy collection install" in definition.read_text()
    requirements = run("ansible-builder", "introspect", installed.parents[2], cwd=tmp_path)
    assert yaml.safe_load(requirements) == {"python": [], "system": []}
