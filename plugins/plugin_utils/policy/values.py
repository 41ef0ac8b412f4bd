# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the values in a policy file may be.

Each function is a type: it takes a value and returns it, or raises TypeError or ValueError with
what was expected. None turns one type into another, as a mapping into text.
"""

from __future__ import annotations

import datetime
import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Any, Union

import jinja2
import jinja2.parser

from ..templates import is_template
from ..text import Texts

ValueType = Callable[[Any], Any]
Globs = Texts
Conditions = tuple[Union[str, bool], ...]
Command = Union[str, Texts]  # one for a shell, or its arguments; templates


def type_name(value: Any) -> str:
    """Return the type of a value in the words of YAML."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if is_vaulted(value):
        return "a vaulted value: encrypt the whole file instead"
    for python_type, name in _NAMES.items():
        if isinstance(value, python_type):
            return name
    return f"a {type(value).__name__}"


def is_vaulted(value: Any) -> bool:
    """Return whether a single value is encrypted."""
    # The second is its name since 2.19.
    return type(value).__name__ in ("AnsibleVaultEncryptedUnicode", "EncryptedString")


_NAMES = {  # bool is an int, and datetime is a date: the narrower one comes first
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    type(None): "nothing",
    datetime.datetime: "a time",
    datetime.date: "a date",
}


def _expected(expectation: str, value: Any) -> TypeError:
    return TypeError(f"expected {expectation}, not {type_name(value)}")


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise _expected("text", value)
    if not value.strip():
        raise ValueError("expected text, found it empty")
    if "\0" in value:
        raise ValueError("the character NUL cannot be used")
    return value


def name(value: Any) -> str:
    if not text(value).isprintable():
        raise ValueError("expected one line of printable characters")
    return text(value)


def template(value: Any) -> str:
    try:
        jinja2.Environment().parse(text(value))
    except jinja2.TemplateSyntaxError as ex:
        raise ValueError(f"not a valid template: {ex.message}") from None
    except RecursionError:
        raise ValueError("not a valid template: nested too deeply") from None
    return text(value)


def mode(value: Any) -> str:
    expectation = 'an octal number in quotes, as in "0644"'
    if not isinstance(value, str):
        raise _expected(expectation, value)
    if not is_template(value) and not re.fullmatch(r"0?[0-7]{3,4}", value):
        raise ValueError(f"expected {expectation}, not {value!r}")
    return template(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _expected("true or false", value)
    return value


def choice(*options: str) -> ValueType:
    """Return the type of a value that is one of ``options``."""

    def one_of(value: Any) -> str:
        if text(value) not in options:
            *others, last = options
            raise ValueError(f"expected {', '.join(others)} or {last}, not {value!r}")
        return text(value)

    return one_of


def seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _expected("a number of whole seconds", value)
    if not 1 <= value <= 86400:
        raise ValueError("expected a number of whole seconds from 1 to 86400")
    return value


def mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _expected("a mapping", value)
    if not all(isinstance(key, str) for key in value):
        raise TypeError("expected text for each key")
    return value


def entries(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _expected("a list", value)
    if not value:
        raise ValueError("expected at least one entry")
    return value


def entries_or_none(value: Any) -> list[Any]:
    """Return a list of entries, which may be empty. The entries are not looked at."""
    if not isinstance(value, list):
        raise _expected("a list", value)
    return value


def one_or_more_entries(value: Any) -> list[Any]:
    """Return a list of what is an entry, or a list of entries. The entries are not looked at."""
    return entries(value) if isinstance(value, list) else [value]


def _one_or_several(value: Any, expectation: str, item_type: ValueType) -> tuple[Any, ...]:
    if isinstance(value, list) and not value:
        raise ValueError(f"expected {expectation}, found an empty list")
    return tuple(item_type(item) for item in (value if isinstance(value, list) else [value]))


def globs(value: Any) -> Globs:
    return _one_or_several(value, "a glob or a list of globs", _glob)


def _glob(value: Any) -> str:
    if not isinstance(value, str):
        raise _expected("a glob or a list of globs", value)
    try:
        re.compile(fnmatch.translate(name(value)))
    except (re.error, RecursionError, OverflowError) as ex:
        raise ValueError(f"not a valid glob: {ex}") from None
    return value


def path_globs(value: Any) -> Globs:
    return _possible_globs(value, "path", _why_no_path)


def name_globs(value: Any) -> Globs:
    """Return globs for names of roles or tags, which have no commas."""
    return _possible_globs(value, "name", _why_no_name)


def _possible_globs(value: Any, what: str, why_not: Callable[[str], str]) -> Globs:
    """Return globs of which each can match something: a rule that never applies is a hole."""
    valid = globs(value)
    for glob in valid:
        if reason := why_not(glob):
            raise ValueError(f"{glob!r} can match no {what}: {reason}")
    return valid


def _why_no_path(glob: str) -> str:
    *directories, name = glob.split("/")
    if "," in re.sub(r"\[.*?\]", "", glob):
        return "write a list of globs; for a comma in a path, write [,]"
    if {".", ".."} & {*directories, name}:
        return "it is compared with paths without . and .."
    if directories and not name:
        return "it is compared with files; for those in a directory, write DIRECTORY/*.yml"
    if "" in directories[1:]:
        return "write one slash instead of several"
    if directories and directories[0].startswith("~"):
        return "write the path of the home directory instead of ~"
    return _why_no_text(glob)


def _why_no_name(glob: str) -> str:
    if "," in re.sub(r"\[.*?\]", "", glob):
        return "write a list of globs"
    if glob.endswith("/"):
        return "write it without a slash at the end"
    return _why_no_text(glob)


def _why_no_text(glob: str) -> str:
    if is_template(glob):
        return "it is a glob and no template"
    if re.search(r"\$(\w|\{)", glob):
        return "write the value instead of a variable"
    return ""


def conditions(value: Any) -> Conditions:
    return _one_or_several(value, "a condition or a list of conditions", _condition)


def _condition(value: Any) -> str | bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise _expected("a condition or a list of conditions", value)
    try:
        parser = jinja2.parser.Parser(jinja2.Environment(), text(value), state="variable")
        parser.parse_expression()
        if not parser.stream.eos:
            parser.fail(f"unexpected '{parser.stream.current.value}'")
    except jinja2.TemplateSyntaxError as ex:
        reason = str(ex.message).replace("'end of template'", "end")
        if is_template(value):
            reason = "a condition is an expression without braces, not a template,"
        raise ValueError(f"not a valid expression: {reason} in {value!r}") from None
    except RecursionError:
        raise ValueError("not a valid expression: nested too deeply") from None
    return value


def subsets(value: Any) -> Texts:
    """Return names of subsets of facts. What others need must not be taken away by an ``!``."""
    return _one_or_several(value, "a subset of facts or a list of subsets", _subset)


def _subset(value: Any) -> str:
    if not re.fullmatch(r"[a-z]\w*", name(value)):
        raise ValueError(
            f"expected the name of a subset of facts, as min or hardware, not {value!r}"
        )
    return str(value)


def policy_names(value: Any) -> Texts:
    return _one_or_several(value, "a policy or a list of policies", _policy_name)


def _policy_name(value: Any) -> str:
    name(value)
    is_path = "/" in value or value.endswith(_ENDINGS)
    if is_template(value) or value.startswith("~"):
        raise ValueError(
            f"write the path instead of {value!r}: neither templates nor ~ are expanded"
        )
    if not is_path and value != BUILT_IN_NAME and not is_name_in_collection(value):
        raise ValueError(
            f"expected {BUILT_IN_NAME}, the path of a file, or namespace.collection.policy, not"
            f" {value!r}"
        )
    return str(value)


BUILT_IN_NAME = "built-in"
_ENDINGS = (".yml", ".yaml", ".json")  # of files


def is_name_in_collection(name: str) -> bool:
    """Return whether a name is that of something in a collection."""
    is_dotted = re.fullmatch(r"[a-z_]\w*\.[a-z_]\w*\.\w+", name)
    return bool(is_dotted) and not name.endswith(_ENDINGS)


def command(value: Any) -> Command:
    if isinstance(value, str):
        return template(value)
    if not isinstance(value, list):
        raise _expected("a command or a list of its arguments", value)
    if not value:
        raise ValueError("expected a command or a list of its arguments, found an empty list")
    for item in value:
        if not isinstance(item, str) or "\0" in item:
            raise _expected("a command or a list of its arguments, each of them text", item)
        if item:
            template(item)
    return tuple(value)
