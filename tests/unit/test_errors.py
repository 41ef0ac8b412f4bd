# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a report keeps of an error depends on its type."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import (
    GuardError,
    OptionError,
    PolicyError,
    PrecheckError,
    Problem,
    TemplateError,
    text_for_report,
    why_too_old,
)

pytestmark = pytest.mark.one_release


@pytest.mark.parametrize("error", [PrecheckError, TemplateError, OptionError])
def test_the_message_of_an_error_of_precheck_is_kept(error):
    assert text_for_report(error("it is gone")) == "it is gone"


def test_the_problems_of_a_policy_are_kept():
    error = PolicyError([Problem("it is empty", "/x.yml", 3)])
    assert text_for_report(error).endswith(":\n  /x.yml:3: it is empty")


def test_of_the_cause_of_an_error_in_the_guard_only_the_type_is_kept():
    error = GuardError("Precheck could not check the play", KeyError("sesame"))
    assert "sesame" in str(error)
    assert text_for_report(error) == "Precheck could not check the play: KeyError"


@pytest.mark.parametrize(
    ("release", "python", "reason"),
    [
        ("2.10.8", (3, 9), ""),
        ("2.21.0rc1", (3, 13), ""),
        ("3.0", (4, 0), ""),
        ("unknown", (3, 9), ""),
        ("2.9.27", (3, 9), "ansible-core 2.9.27 is older than 2.10"),
        ("2.13.13", (3, 8), "Python 3.8 is older than 3.9"),
        ("2.9.27", (2, 7), "Python 2.7 is older than 3.9"),
    ],
)
def test_what_is_too_old_is_named(release, python, reason):
    assert why_too_old(release, python) == reason


@pytest.mark.parametrize(
    "message", ["Precheck cannot tell: the password is sesame", "the password is sesame"]
)
def test_the_message_of_another_error_is_not_kept_however_it_begins(message):
    assert text_for_report(AnsibleError(message)) == "an unexpected AnsibleError"
    assert text_for_report(KeyError(message)) == "an unexpected KeyError"
