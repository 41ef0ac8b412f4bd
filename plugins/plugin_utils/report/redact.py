# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Command lines and documents without what may be secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.splitter import parse_kv

from .. import compat

HIDDEN = "***"

# Options whose values can be secrets, and the letters of those that have a short form. A password
# as such is never a value: it is in a file or prompted for. The arguments of ssh can hold that of a
# proxy.
_SECRET_OPTIONS = (
    "--extra-vars",
    "--args",
    "--ssh-common-args",
    "--ssh-extra-args",
    "--scp-extra-args",
    "--sftp-extra-args",
)
_SHORT_FORMS = {"e": "--extra-vars", "a": "--args"}
_LETTERS_WITH_OTHER_VALUES = "BMPTcfilmtu"


def without_secrets(words: Sequence[str]) -> list[str]:
    """Return the words of a command line, without the values of options that may be secrets."""
    redacted = []
    option = ""  # whose value the next word is
    for index, word in enumerate(words):
        if option:
            redacted.append(_hidden(option, word))
            option = ""
        elif word == "--":
            return [*redacted, *words[index:]]
        else:
            head, option, value = _split(word)
            redacted.append(head + _hidden(option, value) if value else head)
            option = "" if value else option
    return redacted


# What a document has of the output of nodes and of values of variables, by key.
_WORDS = frozenset(("error", "message", "reason", "reasons", "remedy"))


def with_masked_words(value: Any, is_masked: bool = False) -> Any:
    """Return a document in which ansible-core has masked the secrets that it knows.

    They are masked if ``is_masked``, and under the keys for words. Names stay as they are.
    """
    if isinstance(value, dict):
        return {key: with_masked_words(item, key in _WORDS) for key, item in value.items()}
    if isinstance(value, list):
        return [with_masked_words(item, is_masked) for item in value]
    return compat.masked(value) if is_masked and isinstance(value, str) else value


def _split(word: str) -> tuple[str, str, str]:
    """Split a word of a command line at the value of an option that may be secret.

    Returns what comes before the value, the option (empty if the word has none whose value may
    be secret), and the value (empty if it is not in the word).
    """
    name, equals, value = word.partition("=")
    if name.startswith("--"):
        # argparse takes the beginning of a name for the name.
        options = [option for option in _SECRET_OPTIONS if option.startswith(name)]
        return (name + equals, options[0], value) if options and len(name) > 2 else (word, "", "")
    if word.startswith("-"):
        for index, letter in enumerate(word[1:], 2):
            if letter in _SHORT_FORMS:
                begin = index + word.startswith("=", index)
                return word[:begin], _SHORT_FORMS[letter], word[begin:]
            if letter in _LETTERS_WITH_OTHER_VALUES:
                break
    return word, "", ""


def _hidden(option: str, value: str) -> str:
    """Return what may be shown of a value: the file or the names of extra variables."""
    if option != "--extra-vars":
        return HIDDEN
    if value.startswith("@"):
        return value
    if value.startswith(("{", "[")):
        return HIDDEN
    try:
        names = parse_kv(value)
    except AnsibleError:  # quotes that are not balanced
        return HIDDEN
    pairs = (HIDDEN if name == "_raw_params" else f"{name}={HIDDEN}" for name in names)
    return " ".join(pairs) or HIDDEN
