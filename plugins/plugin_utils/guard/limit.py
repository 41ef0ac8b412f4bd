# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a remedy limits a command to hosts, whatever characters their names have."""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Sequence

from ..errors import PrecheckError
from ..text import is_plain_name

LENGTH = 240  # characters: three lines of a terminal


def limit_to(names: Sequence[str], directory: str) -> str:
    """Return what selects the hosts of these names, and no others, as a shell's word after -l.

    It is the names, if they are plain and fit in three lines. Otherwise it names a file with a line
    for each host, which is written here: in ``directory``, or in that for temporary files if
    ``directory`` is empty or not possible. Raises PrecheckError if it cannot be written.
    """
    text = ",".join(names)
    if len(text) <= LENGTH and all(map(is_plain_name, names)):
        return shlex.quote(text)
    path = _written("".join(f"{pattern_of(name)}\n" for name in names), directory)
    # ansible-core splits at colons and spaces what has no comma.
    return shlex.quote(f"@{path}" if re.fullmatch(r"[\w./-]+", path) else f"@{path},")


def pattern_of(name: str) -> str:
    """Return the line of a limit file that selects the host of this name.

    ansible-core strips the line. It takes it for a name if a host has that name, but after an
    exclamation mark or an ampersand it sorts it among what excludes or restricts. So such a name,
    and one that would not survive in a line, becomes a regular expression.
    """
    if name == name.strip() and name.isprintable() and name[0] not in "!&":
        return name
    escaped = (char if char.isalnum() else f"\\U{ord(char):08x}" for char in name)
    return f"~{''.join(escaped)}\\Z"


def _written(text: str, directory: str) -> str:
    """Return the path of a new file with this text, which only its owner can read."""
    reason = "there is no directory whose path has no comma"
    for wanted in (directory, ""):
        try:
            place = wanted or tempfile.gettempdir()
            if "," in place:  # ansible-core would split the path
                continue
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", prefix="precheck-", suffix=".limit", dir=place, delete=False
            ) as file:
                file.write(text)
            return file.name
        except OSError as ex:
            reason = ex.strerror or str(ex)
    raise PrecheckError(f"the file for --limit cannot be written: {reason}")
