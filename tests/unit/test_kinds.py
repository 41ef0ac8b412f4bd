# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A kind of checks is a file, a line in the registry, a schema and pages: none is forgotten."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest
import yaml
from ansible.plugins import loader  # noqa: F401 - before 2.15 it must come before any part of a collection
from ansible_collections.precheck.guard.plugins.modules import check as module
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.kind import Kind
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.kinds import KINDS, OF_ACTION
from ansible_collections.precheck.guard.plugins.plugin_utils.policy import schema
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import KindName

from support.plugin_code import PLUGIN_UTILS

pytestmark = pytest.mark.one_release

REPOSITORY = Path(__file__).parents[2]
SCHEMA = json.loads((REPOSITORY / "docs/policy.schema.json").read_text())
POLICY = (REPOSITORY / "docs/policy.md").read_text()
MODULE = yaml.safe_load(module.DOCUMENTATION)

FUNCTIONS = [
    name for name, _value in inspect.getmembers(Kind, inspect.isfunction) if name[0] != "_"
]
EVERY_KIND = pytest.mark.parametrize("name", KINDS)


def keys_of(name):
    """Return the keys that only checks of this kind may have, with its own."""
    return set(KINDS[name].KEYS)


def test_every_file_of_a_kind_is_in_the_registry():
    files = {
        path.stem
        for path in (PLUGIN_UTILS / "checks").glob("*.py")
        if "\nMEANS" in path.read_text()
    }
    assert files == {kind.__name__.rpartition(".")[2] for kind in KINDS.values()}


def test_the_registry_has_the_names_that_checks_may_have():
    assert set(KINDS) == set(KindName.__args__)


@EVERY_KIND
def test_a_kind_has_the_same_functions_as_the_others(name):
    assert FUNCTIONS == ["judge", "label", "parse", "probe"]
    for function in FUNCTIONS:
        expected = list(inspect.signature(getattr(Kind, function)).parameters)[1:]
        found = inspect.signature(getattr(KINDS[name], function)).parameters
        assert len(found) == len(expected), function


@EVERY_KIND
def test_a_kind_is_chosen_by_the_key_of_its_name(name):
    assert name in KINDS[name].KEYS


@EVERY_KIND
def test_a_kind_is_in_the_schema(name):
    assert keys_of(name) <= set(SCHEMA["definitions"]["check"]["properties"])


def test_the_schema_has_no_keys_of_other_kinds():
    known = set(schema.CHECK).union(*map(keys_of, KINDS))
    assert set(SCHEMA["definitions"]["check"]["properties"]) == known


@EVERY_KIND
def test_a_kind_has_a_section_in_the_documents(name):
    section = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", POLICY, re.MULTILINE | re.DOTALL)
    assert section, f"docs/policy.md has no section {name}"
    for key in keys_of(name):
        assert re.search(rf"`{key}`|^ *(- )?{key}: ", section[1], re.MULTILINE), key


@pytest.mark.parametrize("name", OF_ACTION)
def test_a_kind_is_in_the_documentation_of_the_module(name):
    assert keys_of(name) - {"once"} <= set(MODULE["options"])


def test_the_documentation_of_the_module_has_no_other_keys():
    known = set(schema.CHECK).union(*map(keys_of, OF_ACTION)) - {"once"}
    assert set(MODULE["options"]) == known | {"checks"}
