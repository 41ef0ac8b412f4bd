# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The JSON schema for editors accepts and refuses the same files as the validator if it can."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from ansible.playbook.task import Task
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.kinds import KINDS
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.task import KEYWORDS
from ansible_collections.precheck.guard.plugins.plugin_utils.policy import schema
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Rule, Selector

from support.corpus import BAD, GOOD

pytestmark = pytest.mark.one_release

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/policy.schema.json").read_text())
EDITOR = jsonschema.Draft7Validator(SCHEMA)

# Bad files that a schema has to let pass, by why it cannot know.
NOT_FOR_A_SCHEMA = {
    "aliases are resolved before the schema is used": "alias_of_itself aliases_without_bound",
    "of two equal keys the schema has one":
        (
            "key_twice_in_arguments key_twice_in_check key_twice_in_rule key_twice_in_selector"
            " key_twice_in_task"
        ),
    "it does not compare rules": "name_twice",
    "it does not compare keys":
        (
            "confirm_that_only_warns facts_in_when facts_of_no_host severity_exclude_with_once"
            " minimum_of_a_rule_that_stops wait_for_no_host"
        ),
    "it does not search files":
        (
            "same_as_is_a_directory same_as_is_not_there extends_a_collection_that_is_not_there"
            " extends_a_file_that_is_not_there extends_a_policy_that_is_not_there extends_itself"
        ),
    "it does not parse globs":
        "glob_that_leads_up glob_that_matches_no_name glob_that_matches_no_path",
    "it does not parse expressions":
        "that_is_comment that_is_not_an_expression that_is_statements"
        " when_is_assignment"
        " when_is_not_an_expression when_is_several_of_which_one_is_bad when_is_statements"
        " when_is_unbalanced"
        " task_with_changed_when_that_is_not_an_expression"
        " task_with_failed_when_that_is_not_an_expression"
        " task_with_until_that_is_not_an_expression",
    "it does not parse templates":
        "command_is_list_with_a_syntax_error command_is_syntax_error confirm_is_syntax_error"
        " group_is_syntax_error"
        " message_is_block_left_open"
        " message_is_syntax_error message_of_check_is_syntax_error mode_is_syntax_error"
        " path_is_syntax_error"
        " remedy_is_syntax_error same_as_is_syntax_error",
    "it does not know modules":
        "task_is_add_host task_is_import_role task_is_include_tasks task_is_meta task_is_pause"
        " task_is_set_fact"
        " task_with_a_number_as_arguments task_with_a_quote_left_open task_with_two_modules"
        " task_with_unknown_module"
        " task_with_with_items task_without_module",
    "a key that is no text is text to most editors": "task_with_a_number_as_key",
}  # fmt: skip
ONLY_THE_VALIDATOR = {name for names in NOT_FOR_A_SCHEMA.values() for name in names.split()}


class Loader(yaml.SafeLoader):
    """Reads a file as an editor does that knows the tags of Ansible."""


Loader.add_constructor("!unsafe", yaml.SafeLoader.construct_scalar)
Loader.add_constructor("!vault", lambda loader, node: {})


def load(path):
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


def is_refused(path):
    try:
        return not EDITOR.is_valid(load(path))
    except (yaml.YAMLError, ValueError):  # it is not even YAML
        return True


def test_the_schema_is_valid():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_files_pass(path):
    EDITOR.validate(load(path))


def test_bad_files_are_refused_unless_only_the_validator_can_know():
    """test_loader shows that the validator refuses them all."""
    refused = {path.stem for path in BAD if is_refused(path)}
    assert {path.stem for path in BAD} - refused == ONLY_THE_VALIDATOR


def keys(definition):
    return set(SCHEMA["definitions"][definition]["properties"])


def test_the_schema_knows_the_keys_of_rules_and_selectors():
    """test_kinds shows that it knows those of checks."""
    added_by_precheck = {"path", "line", "is_vaulted", "variables", "has_vaulted_variables"}
    assert keys("rule") == {field.name for field in dataclasses.fields(Rule)} - added_by_precheck
    assert keys("rule") == set(schema.RULE.types)
    of_selector = {field.name for field in dataclasses.fields(Selector)} - {"exempt"}
    assert keys("exemption") == set(schema.EXEMPTION.types) == of_selector
    assert keys("selector") == set(schema.selector_shape("plays").types) == of_selector | {"not"}


def test_the_schema_knows_the_keywords_of_tasks():
    refused = set(
        SCHEMA["definitions"]["check"]["properties"]["task"]["propertyNames"]["if"]["enum"]
    )
    inside = {"async_val", "loop_with"}  # internal names of ansible-core
    known = set(Task.fattributes) - inside | {"action", "local_action"}
    assert refused == known - KEYWORDS


@pytest.mark.parametrize("definition", ["rule", "selector", "check"])
def test_every_key_is_described(definition):
    for key, description in SCHEMA["definitions"][definition]["properties"].items():
        assert description["description"].endswith("."), key


def objects(value):
    """Return every object within ``value``."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return own + [one for item in inner for one in objects(item)]


def test_editors_have_words_for_what_people_get_wrong():
    """YAML language servers print these in place of a pattern, and of what an if cannot say."""
    found = objects(SCHEMA)
    basic = (SCHEMA["definitions"]["text"], *SCHEMA["definitions"]["name"]["allOf"])
    patterns = [one for one in found if isinstance(one.get("pattern"), str) and one not in basic]
    commands = [one for one in patterns if "patternErrorMessage" not in one]
    assert len(patterns) > 7 and len(commands) == 1  # the items of a command have no NUL
    assert all("errorMessage" in one for one in found if one.get("type") == "null")


def test_the_words_about_a_check_name_all_kinds():
    words = [one.get("errorMessage", "") for one in objects(SCHEMA)]
    words = [text for text in words if text.startswith("A check ")]
    assert len(words) == 2
    assert all(set(KINDS) <= set(re.findall("[a-z]+", text)) for text in words)
