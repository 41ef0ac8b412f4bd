# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A report shows the command line without the values that may be secret."""

from __future__ import annotations

import shlex

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.report.redact import without_secrets

pytestmark = pytest.mark.one_release

COMMANDS = {  # the command line, and that in the document; empty where it is the same
    "several options": (
        "site.yml -i hosts -l h1 -e user=alice --check",
        "site.yml -i hosts -l h1 -e user=*** --check",
    ),
    "quoted values": ("-e 'a=1 b=\"x secret=y\"' site.yml", "-e 'a=*** b=***' site.yml"),
    "value in the option": ("-ea=secret site.yml", "-ea=*** site.yml"),
    "equals sign after the option": ("-e=a=secret", "-e=a=***"),
    "JSON after an equals sign": ('-e=\'{"a": "b=secret"}\'', "-e=***"),
    "several short options": ("-Cve a=secret site.yml", "-Cve a=*** site.yml"),
    "short options with a value": ("-bea=secret", "-bea=***"),
    "long option": (
        "--extra-vars a=secret --extra-vars=b=secret",
        "--extra-vars a=*** --extra-vars=b=***",
    ),
    "abbreviated options": ("--extra a=secret --e=b=secret", "--extra a=*** --e=b=***"),
    "files": ("-e @vars.yml -e@more.yml --extra-vars=@third.yml", ""),
    "JSON and YAML": ("-e '{\"a\": \"secret\"}' -e '[secret]'", "-e '***' -e '***'"),
    "no key": ("-e secret -e 'a = secret'", "-e '***' -e '***'"),
    "open quote": ("-e 'a=\"secret' -e ''", "-e '***' -e '***'"),
    "no value": ("-e", ""),
    "other options with the letter": ("-i secret,esecret -ties -lweb -t every -u eve", ""),
    "passwords": ("--vault-password-file pass.txt --ask-become-pass -k -K", ""),
    "arguments of ssh": (
        "--ssh-common-args '-o secret' --ssh-extra-args=-v",
        "--ssh-common-args '***' --ssh-extra-args='***'",
    ),
    "arguments of a module": (
        "all -m user -a 'password=secret' --args=secret",
        "all -m user -a '***' --args='***'",
    ),
    "end of options": ("--skip-tags precheck --limit a -- -e x", ""),
}


@pytest.mark.claims("A report does not contain values of extra variables or arguments of ssh.")
@pytest.mark.parametrize(("typed", "shown"), COMMANDS.values(), ids=COMMANDS)
def test_secrets_of_the_command_line_are_hidden(typed, shown):
    assert without_secrets(shlex.split(typed)) == shlex.split(shown or typed)
