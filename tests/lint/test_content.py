# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks, examples, manual pages, the schema of policies and the changelog."""

from __future__ import annotations

import ast
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]


def examples(plugin: Path) -> str:
    """Return the examples of its manual page."""
    for node in ast.parse(plugin.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            return ast.literal_eval(node.value)
    return ""


def test_ansible_lint(run, tmp_path):
    """The examples too: ansible-lint itself looks at these as YAML only."""
    for plugin in (REPOSITORY / "plugins").glob("*/*.py"):
        text = examples(plugin)
        if content := yaml.safe_load(text):
            directory = tmp_path / ("playbooks" if "hosts" in content[0] else "tasks")
            directory.mkdir(exist_ok=True)
            (directory / f"{plugin.stem}.yml").write_text(f"---{text}")
    found = [
        *tmp_path.glob("*/*.yml")
    ]  # ansible-lint would pass over their directories, which are not in the repository
    assert {path.name for path in found} >= {"check.yml", "linear.yml"}
    run(
        "ansible-lint",
        "--nocolor",
        "playbooks",
        "plugins",
        "meta",
        "galaxy.yml",
        *found,
        cwd=REPOSITORY,
    )


def test_manual_pages(installed, run):
    run(
        "antsibull-docs",
        "lint-collection-docs",
        "--plugin-docs",
        "--validate-collection-refs",
        "all",
        ".",
        cwd=installed,
    )


def test_schema(run):
    schema = "docs/policy.schema.json"
    policies = [
        *(REPOSITORY / "docs/policies").iterdir(),
        REPOSITORY / "plugins/plugin_utils/built_in.yml",
    ]
    run("check-jsonschema", "--check-metaschema", schema, cwd=REPOSITORY)
    run("check-jsonschema", "--schemafile", schema, *policies, cwd=REPOSITORY)


def test_changelog_is_the_generated_one(checkout, run):
    before = (checkout / "CHANGELOG.md").read_text()
    run("antsibull-changelog", "generate", cwd=checkout)
    assert (checkout / "CHANGELOG.md").read_text() == before
