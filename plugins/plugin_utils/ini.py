# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the text of an ansible.cfg to its settings and their lines.

ansible-core reads the file by Python's configparser, which does not say where a setting is. This
reads it by the same rules.
"""

from __future__ import annotations

import configparser
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

DEFAULTS = "defaults"


@dataclass(frozen=True)
class Setting:
    """A key of a ``section``, in small letters, and its value.

    ``lines`` are the numbers, from 1, of the lines that have the key and parts of the value.
    """

    section: str
    key: str
    value: str
    lines: Sequence[int]

    @property
    def line(self) -> int:
        return self.lines[0]

    @property
    def names(self) -> list[str]:
        return names_in(self.value)


@dataclass(frozen=True)
class Settings:
    """The ``settings`` of a file, and the line of each of its ``sections``."""

    sections: Mapping[str, int]
    settings: Sequence[Setting]

    def find(self, key: str, section: str = DEFAULTS) -> Setting | None:
        for setting in self.settings:
            if (setting.section, setting.key) == (section, key):
                return setting
        return None


def names_in(value: str) -> list[str]:
    """Return the names in a value that ansible-core takes for a list."""
    names = (name.strip().strip("'\"") for name in value.split(","))
    return [name for name in names if name]


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, with what ends them. configparser knows no other line breaks."""
    return list(io.StringIO(text, newline="\n"))


def content_of(line: str) -> str:
    """Return a line without a comment and the spaces before it."""
    if line.strip().startswith(("#", ";")):
        return ""
    return re.sub(r"(^|\s);.*", r"\1", line, count=1, flags=re.DOTALL).rstrip()


def parse_error(text: str) -> str:
    """Return why ansible-core cannot read the text, on one line; empty if it can."""
    try:
        configparser.ConfigParser(inline_comment_prefixes=(";",)).read_string(text, "ansible.cfg")
    except configparser.Error as ex:
        return " ".join(str(ex).split())
    return ""


def read(text: str) -> Settings:
    """Return the settings of a text that configparser can read."""
    sections: dict[str, int] = {}
    found: list[tuple[str, str, list[str], list[int]]] = []
    section, indent, is_in_value = "", 0, False
    for number, line in enumerate(lines_of(text), 1):
        content = content_of(line)
        if not content:
            continue
        depth, content = len(content) - len(content.lstrip()), content.strip()
        if is_in_value and depth > indent:
            _section, _key, values, lines = found[-1]
            values.append(content)
            lines.append(number)
            continue
        indent, is_in_value = depth, False
        if match := re.match(r"\[(.+)\]", content):
            section = match[1]
            sections.setdefault(section, number)
        elif match := re.match(r"(.*?)\s*[=:]\s*(.*)$", content):
            found.append((section, match[1].lower(), [match[2]], [number]))
            is_in_value = True
    return Settings(
        sections,
        [Setting(one, key, "\n".join(parts).strip(), lines) for one, key, parts, lines in found],
    )
