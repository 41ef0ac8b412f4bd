# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A template is rendered, and one that lost its trust is a loud error.

Before 2.19 templates need no trust.
"""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.precheck.guard.plugins.plugin_utils import compat

VARIABLES = {"name": "pg-1"}


@pytest.fixture
def template(tmp_path):
    """A template as it comes from a policy."""
    path = tmp_path / "policy.yml"
    path.write_text('text: "{{ name }} is gone"\n')
    return compat.load_yaml(DataLoader(), str(path))["text"]


def test_a_template_of_a_policy_is_rendered(template):
    assert compat.rendered(template, VARIABLES, DataLoader()) == "pg-1 is gone"


@pytest.mark.one_release
@pytest.mark.parametrize(
    "drop_trust", [str, "{}".format, lambda text: text[:]], ids=["str", "format", "slice"]
)
def test_a_template_that_lost_its_trust_is_an_error(template, drop_trust):
    with pytest.raises(TypeError, match="lost its trust"):
        compat.rendered(drop_trust(template), VARIABLES, DataLoader())


def test_text_that_is_no_template_needs_no_trust():
    assert compat.rendered("it is gone", {}, DataLoader()) == "it is gone"


@pytest.mark.one_release
def test_a_variable_with_braces_from_elsewhere_is_left_as_it_is():
    assert compat.value_of("{{ name }}", VARIABLES, DataLoader()) == "{{ name }}"
