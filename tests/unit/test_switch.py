# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-precheck enable and disable edit an ansible.cfg, and nothing but what they must."""

from __future__ import annotations

import configparser

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.cli.switch import (
    MADE_FILE,
    MADE_SECTION,
    switched_off,
    switched_on,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import PrecheckError
from ansible_collections.precheck.guard.plugins.plugin_utils.ini import parse_error, read
from ansible_collections.precheck.guard.plugins.plugin_utils.options import KEY, OLD_KEY
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.one_release

NAME = "precheck.guard.enforce"
LINE = f"{KEY} = {NAME}"
OLD_LINE = f"{OLD_KEY} = {NAME}"
MADE = f"{MADE_SECTION}\n[defaults]\n{LINE}"

# The text of a file, and that with the guard switched on.
FILES = {
    "no file": (None, MADE_FILE),
    "an empty one": ("", f"{MADE}\n"),
    "defaults": ("[defaults]\ninventory = x\n", f"[defaults]\n{LINE}\ninventory = x\n"),
    "no line break at the end": (
        "[defaults]\nforks = 5\n[ssh_connection]\nretries = 3",
        f"[defaults]\n{LINE}\nforks = 5\n[ssh_connection]\nretries = 3",
    ),
    "no line break after the header": ("[defaults]", f"[defaults]\n{LINE}"),
    "no line break and no defaults": ("[x]\na = 1", f"[x]\na = 1\n\n{MADE}"),
    "no defaults": ("# mine\n[x]\na = 1\n", f"# mine\n[x]\na = 1\n\n{MADE}\n"),
    "an empty section": ("[defaults]\n\n[x]\n", f"[defaults]\n{LINE}\n\n[x]\n"),
    "CRLF": ("[defaults]\r\nforks = 5\r\n", f"[defaults]\r\n{LINE}\r\nforks = 5\r\n"),
    "CRLF without an end": ("[x]\r\na = 1", f"[x]\na = 1\n\n{MADE}".replace("\n", "\r\n")),
    "comments": (
        "; [defaults]\n# callbacks_enabled = a\n[defaults] ; all\n  # b\nforks = 5 ; c\n",
        f"; [defaults]\n# callbacks_enabled = a\n[defaults] ; all\n{LINE}\n  # b\nforks = 5 ; c\n",
    ),
    "indented settings": (
        "[defaults]\n\n  forks = 5\n  timeout = 3\n",
        f"[defaults]\n  {LINE}\n\n  forks = 5\n  timeout = 3\n",
    ),
    "an indented section": ("[defaults]\n  [x]\n", f"[defaults]\n  {LINE}\n  [x]\n"),
    "others enabled": (
        "[defaults]\ncallbacks_enabled = a, b\n",
        f"[defaults]\ncallbacks_enabled = a, b, {NAME}\n",
    ),
    "one enabled, in capitals, with a colon": (
        "[defaults]\nCallbacks_Enabled:a",
        f"[defaults]\nCallbacks_Enabled:a, {NAME}",
    ),
    "a comment behind": (
        "[defaults]\ncallbacks_enabled = a  ; not b, c\n",
        f"[defaults]\ncallbacks_enabled = a, {NAME}  ; not b, c\n",
    ),
    "several lines": (
        "[defaults]\ncallbacks_enabled =\n    a,\n    # not c\n    b\n\nforks = 5\n",
        f"[defaults]\ncallbacks_enabled =\n    a,\n    # not c\n    b, {NAME}\n\nforks = 5\n",
    ),
    "a comma at the end": (
        "[defaults]\ncallbacks_enabled = a,\n",
        f"[defaults]\ncallbacks_enabled = a,  {NAME}\n",
    ),
    "nothing enabled": (
        "[defaults]\ncallbacks_enabled = \n",
        f"[defaults]\ncallbacks_enabled =  {NAME} \n",
    ),
    "the key elsewhere": (
        "[x]\ncallbacks_enabled = a\n[defaults]\n",
        f"[x]\ncallbacks_enabled = a\n[defaults]\n{LINE}\n",
    ),
    "in the value of another": (
        "[defaults]\nnote = see\n  callbacks_enabled = a\n  [defaults]\n",
        f"[defaults]\n{LINE}\nnote = see\n  callbacks_enabled = a\n  [defaults]\n",
    ),
    "the old name": (
        "[defaults]\ncallback_whitelist = a, b\n",
        f"[defaults]\ncallbacks_enabled = a, b, {NAME}\ncallback_whitelist = a, b\n",
    ),
    "both names": (
        "[defaults]\ncallback_whitelist = a\ncallbacks_enabled = b\n",
        f"[defaults]\ncallback_whitelist = a\ncallbacks_enabled = b, {NAME}\n",
    ),
    "another strategy": (
        "[defaults]\nstrategy = free\n",
        f"[defaults]\n{LINE}\nstrategy = free\n",
    ),
    "an empty line alone": ("\n", f"\n\n{MADE}\n"),
    "percent signs": ("[defaults]\na = %(b)s %x\n", f"[defaults]\n{LINE}\na = %(b)s %x\n"),
    "other scripts": ("# 检查\n[defaults]\n", f"# 检查\n[defaults]\n{LINE}\n"),
    "line breaks of Unicode": (
        "# a\u2028b\x0b\n[defaults]\n",
        f"# a\u2028b\x0b\n[defaults]\n{LINE}\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), FILES.values(), ids=FILES)
def test_on_and_off_again(before, after):
    assert switched_on(before) == after
    assert switched_on(after) == after
    assert switched_off(after) == before


# The same for releases before 2.11, which do not know the new key.
FILES_BEFORE_2_11 = {
    "no file": (
        None,
        f"# ansible-precheck enable made this file\n[defaults]\n{OLD_LINE}\n{LINE}\n",
    ),
    "empty": ("", f"{MADE_SECTION}\n[defaults]\n{OLD_LINE}\n{LINE}\n"),
    "the section": (
        "[defaults]\nforks = 5\n",
        f"[defaults]\n{OLD_LINE}\n{LINE}\nforks = 5\n",
    ),
    "others by the old name": (
        "[defaults]\ncallback_whitelist = a, b\n",
        f"[defaults]\ncallbacks_enabled = a, b, {NAME}\ncallback_whitelist = a, b, {NAME}\n",
    ),
    "others by the new name, without effect": (
        "[defaults]\ncallbacks_enabled = a\n",
        f"[defaults]\n{OLD_LINE}\ncallbacks_enabled = a, {NAME}\n",
    ),
    "others by both": (
        "[defaults]\ncallbacks_enabled = a\ncallback_whitelist = b\n",
        f"[defaults]\ncallbacks_enabled = a, {NAME}\ncallback_whitelist = b, {NAME}\n",
    ),
    "nothing by the old name": (
        "[defaults]\ncallback_whitelist =\n",
        f"[defaults]\n{LINE}\ncallback_whitelist =  {NAME}\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), FILES_BEFORE_2_11.values(), ids=FILES_BEFORE_2_11)
def test_on_and_off_again_for_releases_before_2_11(before, after):
    assert switched_on(before, (KEY, OLD_KEY)) == after
    assert switched_on(after, (KEY, OLD_KEY)) == after
    assert switched_off(after) == before


# A text that somebody else has edited, and that with the guard switched off.
BY_HAND = {
    "not on": ("[defaults]\nforks = 5\n", "[defaults]\nforks = 5\n"),
    "others": ("[defaults]\ncallbacks_enabled = a\n", "[defaults]\ncallbacks_enabled = a\n"),
    "without spaces": (f"[defaults]\ncallbacks_enabled={NAME}\n", "[defaults]\n"),
    "first of two": (
        f"[defaults]\ncallbacks_enabled = {NAME}, a\n",
        "[defaults]\ncallbacks_enabled = a\n",
    ),
    "in the middle": (
        f"[defaults]\ncallbacks_enabled = a,{NAME},b\n",
        "[defaults]\ncallbacks_enabled = a,b\n",
    ),
    "first of several lines": (
        f"[defaults]\ncallbacks_enabled =\n    {NAME},\n    a\n",
        "[defaults]\ncallbacks_enabled =\n    a\n",
    ),
    "last of several lines": (
        f"[defaults]\ncallbacks_enabled =\n    a,\n    {NAME}\n",
        "[defaults]\ncallbacks_enabled =\n    a\n",
    ),
    "alone on the second line": (
        f"[defaults]\ncallbacks_enabled =\n    {NAME}\nforks = 5\n",
        "[defaults]\nforks = 5\n",
    ),
    "the old name alone": (f"[defaults]\n{OLD_LINE}\n", "[defaults]\n"),
    "both lines": (
        f"[defaults]\nstrategy = precheck.guard.linear\n{LINE}\nforks = 5\n",
        "[defaults]\nforks = 5\n",
    ),
    "the strategy alone, last": ("[defaults]\nstrategy = precheck.guard.free", "[defaults]"),
    "more in the section that was made": (
        f"[x]\n\n{MADE}\nforks = 5\n",
        f"[x]\n\n{MADE_SECTION}\n[defaults]\nforks = 5\n",
    ),
    "a section after the one that was made": (f"{MADE}\n[x]\na = 1\n", "[x]\na = 1\n"),
}


@pytest.mark.parametrize(("text", "expected"), BY_HAND.values(), ids=BY_HAND)
def test_off_after_others_have_edited_it(text, expected):
    assert switched_off(text) == expected


UNREADABLE = {
    "a key twice": "[defaults]\nforks = 1\nforks = 2\n",
    "a section twice": "[defaults]\n[defaults]\n",
    "no section": "forks = 1\n",
    "no sign": "[defaults]\nforks\n",
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("edit", [switched_on, switched_off])
def test_what_ansible_core_cannot_read_is_left_alone(text, edit):
    with pytest.raises(PrecheckError, match=r"^ansible-core cannot read this ansible\.cfg: .*line"):
        edit(text)


def test_what_cannot_be_edited_is_left_alone():
    """A section of this name has keys for all others."""
    with pytest.raises(PrecheckError, match="Edit it yourself"):
        switched_off(f"[DEFAULT]\n{LINE}\n[defaults]\n{LINE}\n")


# The same examples each time, however slow the machine is.
STEADY = settings(derandomize=True, database=None, deadline=None)

PARTS = [
    "[defaults]", "[x]", "  [ y ]", "", "  ", "# note", " ; note", "forks = 5", "  forks : 5",
    "a = b", "  more", "callbacks_enabled = a", "callbacks_enabled =", "callbacks_enabled = a,",
    "\tcallbacks_enabled: a ; b", "strategy = free", "callback_whitelist = c, d",
]  # fmt: skip


@STEADY
@given(
    st.lists(st.sampled_from(PARTS)),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([(KEY,), (KEY, OLD_KEY)]),
)
def test_any_file_is_restored(parts, end, is_ended, keys):
    text = end.join([*parts, ""] if is_ended else parts)
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        with pytest.raises(PrecheckError):
            switched_on(text, keys)
        return
    after = switched_on(text, keys)
    assert switched_off(after) == text
    changed = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None)
    changed.read_string(after)
    assert all(NAME in changed["defaults"][key] for key in keys)
    for section in parser.sections():
        kept = {key: parser[section][key] for key in parser[section] if key not in keys}
        assert kept.items() <= dict(changed[section]).items()


@STEADY
@given(st.lists(st.sampled_from(PARTS)))
def test_the_settings_are_those_of_configparser(parts):
    text = "\n".join(parts)
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error:
        assert parse_error(text)
        return
    assert not parse_error(text)
    found = read(text)
    assert list(found.sections) == parser.sections()
    values = {(one.section, one.key): one.value.split() for one in found.settings}
    assert values == {
        (section, key): parser[section][key].split()
        for section in parser.sections()
        for key in parser[section]
    }
    for setting in found.settings:
        assert setting.key in text.splitlines()[setting.line - 1].lower()
