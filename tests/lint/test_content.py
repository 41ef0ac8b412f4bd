# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Playbooks, examples, plugin documentation, the schema of policies and the changelog."""

from __future__ import annotations

import ast
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]


def examples(plugin: Path) -> str:
    """Return the examples of its documentation."""
    for node in ast.parse(plugin.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            return ast.literal_eval(node.value)
    return ""


def test_ansible_lint_finds_nothing_in_the_content_and_its_examples(run, tmp_path):
    """ansible-lint itself checks the examples as YAML only."""
    for plugin in (REPOSITORY / "plugins").glob("*/*.py"):
        text = examples(plugin)
        if content := yaml.safe_load(text):
            directory = tmp_path / ("playbooks" if "hosts" in content[0] else "tasks")
            directory.mkdir(exist_ok=True)
            (directory / f"{plugin.stem}.yml").write_text(f"---{text}")
    # ansible-lint would ignore their directories, which are not in the repository.
    paths = [*tmp_path.glob("*/*.yml")]
    assert {path.name for path in paths} >= {"check.yml", "linear.yml"}
    run(
        "ansible-lint",
        "--nocolor",
        "playbooks",
        "plugins",
        "meta",
        "galaxy.yml",
        *paths,
        cwd=REPOSITORY,
    )


def test_the_plugin_documentation_is_valid(installed, run):
    run(
        "antsibull-docs",
        "lint-collection-docs",
        "--plugin-docs",
        "--validate-collection-refs",
        "all",
        ".",
        cwd=installed,
    )


def test_the_schema_and_the_policies_that_it_describes_are_valid(run):
    schema = "docs/policy.schema.json"
    gallery = (REPOSITORY / "docs/policies").iterdir()
    policies = [
        *(path for path in gallery if ".test." not in path.name),
        REPOSITORY / "plugins/plugin_utils/policy/builtin.yml",
    ]
    run("check-jsonschema", "--check-metaschema", schema, cwd=REPOSITORY)
    run("check-jsonschema", "--schemafile", schema, *policies, cwd=REPOSITORY)


def test_changelog_is_the_generated_one(checkout, run):
    before = (checkout / "CHANGELOG.md").read_text()
    run("antsibull-changelog", "generate", cwd=checkout)
    assert (checkout / "CHANGELOG.md").read_text() == before
