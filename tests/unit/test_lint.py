# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What validate finds in a policy that can be read."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins import loader as plugin_loader
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.kinds import KINDS
from ansible_collections.precheck.guard.plugins.plugin_utils.cli.lint import lint
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.extending import read
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import BUILT_IN

from support.commands import REPOSITORY
from support.corpus import GOOD, know_modules


@pytest.fixture(scope="module", autouse=True)
def modules_are_known():
    know_modules(plugin_loader)


def problems(tmp_path, keys, variables=None):
    """Return what is wrong with a rule that has these keys, without its name."""
    rule = {"name": "r", "plays": [{"play": "x"}], "checks": [{"that": True}], **keys}
    path = tmp_path / "policy.yml"
    path.write_text(json.dumps({"vars": variables or {}, "rules": [rule]}, indent=1))
    found = lint(read(str(path), DataLoader(), "/nowhere", KINDS))
    return [str(problem).partition("rule r: ")[2] for problem in found]


def check(**keys):
    return {"checks": [keys]}


# The keys of a rule, the key that is named, what is wrong, and what may have been meant.
NAMES = [
    (check(path="/{{ a | defualt('x') }}"), "path", "filter defualt", "default"),
    ({"when": "a is definde"}, "when", "test definde", "defined"),
    (check(that="a | xyzzy"), "that", "filter xyzzy", ""),
    (check(command="{{ a | no.such.one }}"), "command", "filter no.such.one", ""),
    (check(command=["ls", "{{ a is serch }}"]), "command", "test serch", "search"),
    (check(message="{{ a | toyaml }}", that=True), "message", "filter toyaml", "to_yaml"),
    (check(task={"ping": {"data": "{{ a | quoet }}"}}), "task", "filter quoet", "quote"),
    (check(task={"ping": None, "until": ["a", "a is fail"]}), "task", "test fail", "failed"),
    ({"remedy": "{{ precheck_host }}"}, "remedy", "variable precheck_host", "precheck_hosts"),
    ({"message": "{{ precheck_plays }}"}, "message", "variable precheck_plays", "precheck_play"),
    (check(that="precheck_rules"), "that", "variable precheck_rules", "precheck_rule"),
]


@pytest.mark.parametrize(("keys", "key", "what", "meant"), NAMES)
def test_names_that_nothing_has(tmp_path, keys, key, what, meant):
    hint = f" (did you mean {meant}?)" if meant else ""
    assert problems(tmp_path, keys) == [f"{key}: there is no {what}{hint}"]


def test_variables_that_only_messages_have(tmp_path):
    [problem] = problems(tmp_path, check(that="precheck_hosts | length > 1"))
    expected = "only the message and the remedy of a rule have the variable precheck_hosts"
    assert problem == f"that: {expected}"
    assert problems(tmp_path, check(that="precheck_thing_of_ours is defined")) == []


def test_only_the_message_about_a_task_has_its_result(tmp_path):
    message = "{{ precheck_result.msg }}"
    assert problems(tmp_path, check(task={"ping": None}, message=message)) == []
    expected = "only a task, and the message of its check, have the variable precheck_result"
    assert problems(tmp_path, check(that=True, message=message)) == [f"message: {expected}"]


def test_a_name_in_a_variable_is_found(tmp_path):
    variables = {"a": ["{{ b | qoute }}"], "c": "{{ precheck_hosts }}"}
    assert problems(tmp_path, {}, variables) == [
        "vars: a: there is no filter qoute (did you mean quote?)"
    ]


PIPES = {
    "psql -c 'select 1' | wc -l": "wc",
    "a | sort | uniq": "uniq",
    "a || b | tail -1": "tail",
    "test -e /x && a | cat": "cat",
    "a | grep -q x": "",
    "a | wc -l | grep -qx 0": "",
    "a || cat x": "",
    "grep 'a | sort' x": "",
    'test "$(a | wc -l)" -eq 0': "",
    "a | sort; test -s /x": "",
    "set -o pipefail; a | sort": "",
    "cat x": "",
}


@pytest.mark.parametrize(("command", "last"), PIPES.items(), ids=PIPES)
def test_pipes_that_always_succeed(tmp_path, command, last):
    expected = f"the last command of the pipe, {last}, succeeds also if nothing comes"
    found = problems(tmp_path, check(command=command))
    assert [expected in problem for problem in found] == ([True] if last else []), found


@pytest.mark.one_release
def test_nothing_is_wrong_with_good_policies(tmp_path):
    paths = [BUILT_IN, *GOOD]
    (tmp_path / "files/pki/ca").mkdir(parents=True)
    (tmp_path / "files/pki/ca/ca.crt").touch()
    policies = (REPOSITORY / "docs/policies").iterdir()
    gallery = sorted(path for path in policies if ".test." not in path.name)
    assert all(yaml.safe_load(path.read_text()) for path in gallery)
    for path in (*paths, *gallery):
        assert lint(read(str(path), DataLoader(), str(tmp_path), KINDS)) == [], path
