# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may change whether conditions hold."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.conditions import (
    depends_on,
    may_depend_on_earlier_tasks,
    may_depend_on_facts,
    mentions_any,
    names_of_runs,
    with_templates,
)

ON_FACTS = [
    "ansible_system == 'Linux'",
    "not ansible_facts.x | default(1)",
    "hostvars[h].x",
    "vars['x']",
    "a and facter_b",
    "ansible_play_hosts | length > 1",
    "inventory_hostname == ansible_play_batch[0]",
    "ansible_limit_of_mine",
]
ON_NOTHING = [
    "pg_cluster is not defined",
    "my_ansible_thing",
    "vars_of_mine",
    "inventory_hostname == ansible_play_hosts_all[0]",
    "ansible_check_mode or ansible_limit is defined",
    "'pg' in group_names",
    "query_of_mine == now",
    "directory is defined",
    True,
]
ON_EARLIER_BATCHES = [
    *ON_FACTS,
    "play_hosts | length > 1",
    "lookup('file', 'flag') == ''",
    "query ('file', 'flag')",
    "q('env', 'HOME')",
    "now().hour > 4",
    "'/flag' is exists",
    "'/flag' is not ansible.builtin.file",
    "passed | default(false)",
]


@pytest.mark.parametrize("condition", ON_FACTS)
def test_conditions_that_may_depend_on_facts(condition):
    assert may_depend_on_facts([True, condition])


@pytest.mark.parametrize("condition", ON_NOTHING)
def test_conditions_that_do_not_depend_on_facts(condition):
    assert not may_depend_on_facts([condition])


@pytest.mark.parametrize("condition", ON_EARLIER_BATCHES)
def test_conditions_that_may_depend_on_earlier_tasks(condition):
    assert may_depend_on_earlier_tasks([True, condition], {"passed"})


@pytest.mark.parametrize("condition", ON_NOTHING)
def test_conditions_that_do_not_depend_on_earlier_batches(condition):
    assert not may_depend_on_earlier_tasks([condition], {"passed"})


def test_a_name_is_mentioned_as_a_whole():
    assert mentions_any(["a", "b"], ["x", "not b"])
    assert not mentions_any(["a", "b"], ["ab", "b_a"])
    assert not mentions_any([], ["a"])


VARIABLES = {
    "direct": "{{ item is defined }}",
    "by_way_of": "{{ direct | bool }}",
    "nested": {"list": [1, {"text": "{{ by_way_of }}"}]},
    "plain": "item",
    "names": ["item"],
    "itself": "{{ itself }}",
    "number": 1,
}
USES = {  # a condition, and whether it uses the variable item
    "item is defined": True,
    "x and not item.y": True,
    "lookup('vars', 'item', default='')": True,
    "direct | bool": True,
    "by_way_of": True,
    "nested['list'][1].text": True,
    "items is defined or my_item or item_2": False,
    "plain == 'a' and names": False,
    "itself or number or unknown": False,
    True: False,
}


@pytest.mark.parametrize("condition", USES)
def test_what_uses_a_variable_itself_or_through_others(condition):
    assert depends_on(condition, {"item", "other"}, VARIABLES) == USES[condition]


def test_a_name_that_is_a_template_may_be_any_name():
    assert depends_on("x", {"{{ name }}"}, {})
    assert not depends_on("x", frozenset(), {})


def test_the_templates_that_a_text_uses_come_with_it():
    variables = {
        "a": "{{ b }}",
        "b": ["x", {"deep": "{{ c }} {{ a }}"}],
        "c": "no template, and d",
        "d": "{{ e }}",
        "groups": {"all": ["{{ e }}"]},
    }
    texts = ["a > 1", "{{ b }}", "{{ c }} {{ a }}"]
    assert list(with_templates(["a > 1"], variables)) == texts
    assert list(with_templates([True, "groups.all", "z"], variables)) == ["z", "groups.all", "True"]


OF_RUNS = {
    "precheck_play == 'x'": ["precheck_play"],
    "not ansible_check_mode | default(false)": ["ansible_check_mode"],
    "is_large and role_name": ["ansible_play_hosts_all", "role_name"],
    "ansible_limit is defined": [],
    "precheck_rule": [],
    "ansible_play_of_mine": [],
    "True": [],
}


@pytest.mark.parametrize(("condition", "names"), OF_RUNS.items())
def test_variables_that_only_a_run_has(condition, names):
    variables = {"is_large": "{{ ansible_play_hosts_all | length > 9 }}", "ansible_limit": "a"}
    assert names_of_runs([condition], variables) == names
