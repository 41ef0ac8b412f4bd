# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A template is rendered, and one that lost its trust is a loud error.

Before 2.19 templates need no trust.
"""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.precheck.guard.plugins.plugin_utils import compat, templates
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import TemplateError

VARIABLES = {"name": "pg-1"}


@pytest.fixture
def template(tmp_path):
    """A template as it comes from a policy."""
    path = tmp_path / "policy.yml"
    path.write_text('text: "{{ name }} is gone"\n')
    return compat.load_yaml(DataLoader(), str(path))["text"]


def test_a_template_of_a_policy_is_rendered(template):
    assert templates.rendered(template, VARIABLES, DataLoader()) == "pg-1 is gone"


@pytest.mark.one_release
@pytest.mark.parametrize(
    "drop_trust", [str, "{}".format, lambda text: text[:]], ids=["str", "format", "slice"]
)
def test_a_template_that_lost_its_trust_is_an_error(template, drop_trust):
    with pytest.raises(TypeError, match="lost its trust"):
        templates.rendered(drop_trust(template), VARIABLES, DataLoader())


def test_text_that_is_no_template_needs_no_trust():
    assert templates.rendered("it is gone", {}, DataLoader()) == "it is gone"


@pytest.mark.one_release
def test_a_variable_with_braces_from_elsewhere_is_left_as_it_is():
    assert templates.value_of("{{ name }}", VARIABLES, DataLoader()) == "{{ name }}"


SECRET = "sesame"
TABLE = {"table": {"a": 1}, "password": SECRET, "row": ["a"]}
CONDITIONS = {  # the condition, the reason for its error
    "undefined variable": ("nowhere == 1", "'nowhere' is undefined"),
    "attribute in the condition": ("table.b == 1", "has no attribute 'b'"),
    "attribute of a secret": ("password.b.c == 1", "has no attribute 'b'"),
    "key from a secret": (
        "table[password] == 1",
        "a variable that it uses has no such key or attribute",
    ),
    "index from a secret": (
        "row[password] == 1",
        "a variable that it uses has no such key or attribute",
    ),
    "sum with a secret": ("1 + password == 2", "it fails (-vvv shows how)"),
    "lookup by a secret": ("lookup('vars', password) == 1", "it fails (-vvv shows how)"),
    "member of a number": ("password in 5", "it fails (-vvv shows how)"),
}


@pytest.mark.parametrize(("condition", "reason"), CONDITIONS.values(), ids=CONDITIONS)
def test_the_reason_for_an_error_names_nothing_that_the_condition_does_not(
    tmp_path, condition, reason
):
    path = tmp_path / "policy.yml"
    path.write_text(f'- "{condition}"\n')
    [trusted] = compat.load_yaml(DataLoader(), str(path))
    with pytest.raises(TemplateError) as raised:
        templates.holds(trusted, dict(TABLE), DataLoader())
    assert str(raised.value) == reason
    with pytest.raises(TemplateError) as raised:
        templates.rendered(template_of(tmp_path, condition), dict(TABLE), DataLoader())
    assert str(raised.value) == reason


def template_of(directory, expression):
    """Return a trusted template with this expression."""
    path = directory / "template.yml"
    path.write_text(f'- "{{{{ {expression} }}}}"\n')
    [template] = compat.load_yaml(DataLoader(), str(path))
    return template
