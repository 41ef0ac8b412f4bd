# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the text of an ansible.cfg to that with the guard switched on, or off. Pure.

Whatever ``switched_on`` makes of a text, ``switched_off`` makes the text of it again. Everything
else stays as it is: comments, order, line endings.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping, Sequence
from typing import Any, Optional

from ..errors import PrecheckError
from ..ini import DEFAULTS, Setting, content_of, lines_of, names_in, parse_error, read
from ..options import CALLBACK, KEY, OLD_KEY, STRATEGIES

LINE = f"{KEY} = {CALLBACK}"
HEADER = f"[{DEFAULTS}]"
MADE_SECTION = "# ansible-precheck enable made this section"
MADE_FILE = f"# ansible-precheck enable made this file\n{HEADER}\n{LINE}\n"
# What stands before the name where there is nothing to put a comma after. Nobody else writes that.
ALONE = "  "

Values = dict[str, dict[str, Any]]
Names = Optional[Sequence[str]]


def switched_on(text: str | None, keys: Sequence[str] = (KEY,)) -> str:
    """Return the text with the callback enabled by each of ``keys``. None stands for no file.

    Raises PrecheckError.
    """
    text = MADE_FILE if text is None else text
    for key in keys:
        text = _with_callback(text, key)
    return text


def _with_callback(text: str, key: str) -> str:
    _require_readable(text)
    settings, lines = read(text), lines_of(text)
    enabled = settings.find(key)
    if enabled and CALLBACK in enabled.names:
        return text
    if enabled:
        _append_name(lines, enabled)
        names = enabled.names
    else:
        # Until 2.14 the old key has an effect, unless the new one is there.
        old = settings.find(OLD_KEY)
        names = [name for name in old.names if name != CALLBACK] if old else []
        line = f"{key} = {', '.join([*names, CALLBACK])}"
        if header := settings.sections.get(DEFAULTS):
            _insert(lines, header, [_indent(lines, header) + line])
        else:
            _insert(lines, len(lines), [*[""] * bool(lines), MADE_SECTION, HEADER, line])
    _require(text, "".join(lines), {key: [*names, CALLBACK]})
    return "".join(lines)


def switched_off(text: str | None) -> str | None:
    """Return the text without the callback, and without a strategy of the collection.

    None stands for no file. Raises PrecheckError.
    """
    if text is None:
        return None
    _require_readable(text)
    text = _without_old_key(text)
    if text == MADE_FILE:
        return None
    settings, lines = read(text), lines_of(text)
    enabled, old, strategy = map(settings.find, (KEY, OLD_KEY, "strategy"))
    names: Names = enabled.names if enabled else None
    dropped: set[int] = set()
    if enabled and CALLBACK in enabled.names:
        names = [name for name in enabled.names if name != CALLBACK]
        if _is_alone(lines, enabled) or (old and old.names == names):
            dropped.update(enabled.lines)
            names = None
        else:
            dropped.update(_take_name_out(lines, enabled))
    is_ours = strategy is not None and strategy.value in STRATEGIES
    if strategy and is_ours:
        dropped.update(strategy.lines)
    dropped |= _made_section(lines, dropped)
    result = _without(lines, dropped, text)
    _require(text, result, {KEY: names}, ("strategy",) if is_ours else ())
    return result


def _without_old_key(text: str) -> str:
    """Return the text without the callback where the old key enables it."""
    settings, lines = read(text), lines_of(text)
    old = settings.find(OLD_KEY)
    if not old or CALLBACK not in old.names:
        return text
    names = [name for name in old.names if name != CALLBACK]
    is_alone = _is_alone(lines, old)
    dropped = set(old.lines) if is_alone else _take_name_out(lines, old)
    result = _without(lines, dropped, text)
    _require(text, result, {OLD_KEY: None if is_alone else names})
    return result


def _is_alone(lines: Sequence[str], enabled: Setting) -> bool:
    """Return whether the setting is there for the callback only."""
    return enabled.names == [CALLBACK] and f"{ALONE}{CALLBACK}" not in lines[enabled.line - 1]


def _without(lines: Sequence[str], dropped: set[int], text: str) -> str:
    """Return the lines but for those that are dropped. They end like the text."""
    result = "".join(line for number, line in enumerate(lines, 1) if number not in dropped)
    if len(lines) in dropped and not text.endswith("\n"):
        result = result.removesuffix("\n").removesuffix("\r")
    return result


def _append_name(lines: list[str], enabled: Setting) -> None:
    index = enabled.lines[-1] - 1
    content = content_of(lines[index])
    comma = ALONE if not enabled.value or enabled.value.endswith(",") else ", "
    lines[index] = content + comma + CALLBACK + lines[index][len(content) :]


def _insert(lines: list[str], index: int, new: Sequence[str]) -> None:
    """Put new lines before the line of this index. The end of the text may lack a line break."""
    end = "\r\n" if any(line.endswith("\r\n") for line in lines) else "\n"
    added = [line + end for line in new]
    if index == len(lines) and lines and not lines[-1].endswith("\n"):
        lines[-1] += end
        added[-1] = new[-1]
    lines[index:index] = added


def _indent(lines: Sequence[str], header: int) -> str:
    """Return the indent of what comes next: with a larger one it would belong to the new line."""
    content = next(filter(None, map(content_of, lines[header:])), "")
    return content[: len(content) - len(content.lstrip())]


def _take_name_out(lines: list[str], enabled: Setting) -> set[int]:
    """Take the name, and a comma beside it, out of a list. Returns the lines that are to go."""
    before = 0
    for number in enabled.lines:
        content = content_of(lines[number - 1])
        rest = lines[number - 1][len(content) :]
        if content.strip(" \t,") == CALLBACK:
            if number == enabled.lines[-1]:  # the one before is the last one now
                content = content_of(lines[before - 1])
                rest = lines[before - 1][len(content) :]
                lines[before - 1] = content.removesuffix(",") + rest
            return {number}
        if content.endswith(f"{ALONE}{CALLBACK}"):
            lines[number - 1] = content.removesuffix(f"{ALONE}{CALLBACK}") + rest
            return set()
        for part in (f", {CALLBACK}", f",{CALLBACK}", f"{CALLBACK}, ", f"{CALLBACK},"):
            if part in content:
                lines[number - 1] = content.replace(part, "", 1) + rest
                return set()
        before = number
    return set()


def _made_section(lines: Sequence[str], dropped: set[int]) -> set[int]:
    """Return the lines of the section that was made for the setting, if nothing else is in it."""
    texts = [line.strip() for line in lines]
    for number, (comment, header) in enumerate(zip(texts, texts[1:]), 1):
        if (comment, header) != (MADE_SECTION, HEADER):
            continue
        left = [
            content.lstrip()
            for later, content in enumerate(map(content_of, lines), 1)
            if later > number + 1 and later not in dropped and content
        ]
        if not left or left[0].startswith("["):
            blank = {number - 1} if number > 1 and not texts[number - 2] else set()
            return {number, number + 1} | blank
    return set()


def _require_readable(text: str) -> None:
    if error := parse_error(text):
        raise PrecheckError(f"ansible-core cannot read this ansible.cfg: {error}")


def _require(
    before: str, after: str, wanted: Mapping[str, Names], gone: Sequence[str] = ()
) -> None:
    """Raise PrecheckError unless ``after`` differs from ``before`` in what was to be changed.

    ``wanted`` are the callbacks that are to be enabled, by key; None if the setting is to be gone,
    as those are whose keys are in ``gone``.
    """
    expected, result = _values(before), _values(after)
    found = {key: result.get(DEFAULTS, {}).get(key) for key in wanted}
    for values in (expected, result):
        defaults = values.pop(DEFAULTS, {})
        changed = (*wanted, *gone)
        values[DEFAULTS] = {key: defaults[key] for key in defaults if key not in changed}
    is_left = any(key in _values(after).get(DEFAULTS, {}) for key in gone)
    if expected != result or is_left or found != wanted:
        raise PrecheckError(
            f"Precheck cannot edit this ansible.cfg. Edit it yourself: the line of the section"
            f" {HEADER} is {LINE}"
        )


def _values(text: str) -> Values:
    """Return the values by section and key, as configparser has them; callbacks as names."""
    parser = configparser.ConfigParser(inline_comment_prefixes=(";",), interpolation=None)
    parser.read_string(text)
    values: Values = {section: dict(parser.items(section)) for section in parser.sections()}
    defaults = values.get(DEFAULTS, {})
    for key in {KEY, OLD_KEY} & {*defaults}:
        defaults[key] = names_in(defaults[key])
    return values
