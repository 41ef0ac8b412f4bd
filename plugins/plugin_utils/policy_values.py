# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the values in a policy file may be. Pure: each function is a type for ArgumentSpecValidator.

It takes a value and returns it, or raises TypeError or ValueError, which tell what was expected. The validator's own types
would turn one thing into another, such as a mapping into text.
"""

from __future__ import annotations

import datetime
import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
import jinja2.parser


def is_template(text: str) -> bool:
    """Return whether Ansible would make something else of the ``text``."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def kind_of(value: Any) -> str:
    """Return the kind of a value in the words of YAML."""
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "text", type(None): "nothing"}
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if type(value).__name__ in ("AnsibleVaultEncryptedUnicode", "EncryptedString"):  # the latter since 2.19
        return "a vaulted value: encrypt the whole file instead"
    kinds |= {datetime.datetime: "a time", datetime.date: "a date"}
    return next((name for kind, name in kinds.items() if isinstance(value, kind)), f"a {type(value).__name__}")


def _expected(what: str, value: Any) -> TypeError:
    return TypeError(f"expected {what}, not {kind_of(value)}")


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise _expected("text", value)
    if not value.strip():
        raise ValueError("expected text, found it empty")
    if "\0" in value:
        raise ValueError("the character NUL cannot be used")
    return value


def name(value: Any) -> str:
    found = text(value)
    if not found.isprintable():
        raise ValueError("expected one line of printable characters")
    return found


def template(value: Any) -> str:
    try:
        found = text(value)
        jinja2.Environment().parse(found)
    except jinja2.TemplateSyntaxError as ex:
        raise ValueError(f"not a valid template: {ex.message}") from ex
    except RecursionError as ex:
        raise ValueError("not a valid template: nested too deeply") from ex
    return found


def mode(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f'expected an octal number in quotes, as in "0644", not {kind_of(value)}')
    if not is_template(value) and not re.fullmatch(r"0?[0-7]{3,4}", value):
        raise ValueError(f'expected an octal number in quotes, as in "0644", not {value!r}')
    return template(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _expected("true or false", value)
    return value


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


def _several(value: Any, what: str, one: Callable[[Any], Any]) -> tuple[Any, ...]:
    if isinstance(value, list) and not value:
        raise ValueError(f"expected {what}, found an empty list")
    return tuple(one(item) for item in (value if isinstance(value, list) else [value]))


def globs(value: Any) -> tuple[str, ...]:
    def glob(item: Any) -> str:
        if not isinstance(item, str):
            raise _expected("a glob or a list of globs", item)
        try:
            re.compile(fnmatch.translate(name(item)))
        except (re.error, RecursionError, OverflowError) as ex:
            raise ValueError(f"not a valid glob: {ex}") from ex
        return item

    return _several(value, "a glob or a list of globs", glob)


def path_globs(value: Any) -> tuple[str, ...]:
    found = globs(value)
    if dotted := [glob for glob in found if {".", ".."} & set(glob.split("/"))]:
        raise ValueError(f"{dotted[0]!r} can match no path: it is compared with paths without . and ..")
    return found


def conditions(value: Any) -> tuple[str | bool, ...]:
    def condition(item: Any) -> str | bool:
        if isinstance(item, bool):
            return item
        if not isinstance(item, str):
            raise _expected("a condition or a list of conditions", item)
        try:
            parser = jinja2.parser.Parser(jinja2.Environment(), text(item), state="variable")
            parser.parse_expression()
            if not parser.stream.eos:
                parser.fail(f"unexpected '{parser.stream.current.value}'")
        except jinja2.TemplateSyntaxError as ex:
            what = str(ex.message).replace("'end of template'", "end")
            raise ValueError(f"not a valid expression: {what} in {item!r}") from ex
        except RecursionError as ex:
            raise ValueError("not a valid expression: nested too deeply") from ex
        return item

    return _several(value, "a condition or a list of conditions", condition)


def command(value: Any) -> str | list[str]:
    if isinstance(value, list):
        if not value:
            raise ValueError("expected a command or a list of its arguments, found an empty list")
        for item in value:
            if not isinstance(item, str) or "\0" in item:
                raise _expected("a command or a list of its arguments, each of them text", item)
            if item:
                template(item)
        return value
    if not isinstance(value, str):
        raise _expected("a command or a list of its arguments", value)
    return template(value)
