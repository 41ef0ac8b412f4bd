# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Good and bad policy files: those in tests/unit/policies, and those that are made when needed.

A bad file states its own error messages. "# bad: " and the beginning of a message is at the end of
the line that the message names. "# bad end: " stands for the line after the last.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.utils.collection_loader import AnsibleCollectionConfig

POLICIES = Path(__file__).parents[1] / "unit/policies"
GOOD = sorted(POLICIES.glob("good/*.yml"))
BAD = sorted(POLICIES.glob("bad/*.yml"))

RULES = """\
rules:
  - name: r
    plays: [{playbook: x.yml}]
    checks: [{path: /a}]
"""


def know_modules(loader: ModuleType) -> None:
    """Let ansible-core find modules, as at the start of ansible-playbook.

    ``loader`` is ansible.plugins.loader. A test must import it before any part of the collection:
    before 2.15, this import changes how Python imports collections.
    """
    if hasattr(loader, "init_plugin_loader") and not AnsibleCollectionConfig.collection_finder:
        loader.init_plugin_loader()


def expected(path: Path) -> list[str]:
    """Return how each message about the bad file begins, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    messages = []
    for number, line in enumerate(lines, 1):
        _yaml, *marks = re.split(r" # bad(?= end: |: )|^# bad(?=: )", line)
        for text in marks:
            at = len(lines) + 1 if text.startswith(" end: ") else number
            messages.append(f"{path}:{at}: {text.partition(': ')[2].rstrip()}")
    return messages


def vaulted(text: str) -> bytes:
    """Return the text encrypted with the vault password "a password"."""
    return VaultLib().encrypt(text, secret=VaultSecret(b"a password"))


def _file(content: str | bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )


def _deep(brackets: int) -> Callable[[Path], object]:
    task = f"{{ansible.builtin.debug: , vars: {{a: {'[' * brackets}{']' * brackets}}}}}"
    return _file(RULES.replace("path: /a", f"task: {task}"))


# How to make a bad file, and the message about it after the path.
MADE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (_file(""), ":1: the file is empty: expected the key rules, with a list of rules"),
    "blank": (_file(" \n\n"), ":1: the file is empty"),
    "missing": (lambda path: None, ": there is no such file"),
    "dangling_link": (lambda path: path.symlink_to("nowhere"), ": there is no such file"),
    "link_to_itself": (lambda path: path.symlink_to(path.name), ": there is no such file"),
    "directory": (lambda path: path.mkdir(), ": is not a file"),
    "pipe": (os.mkfifo, ": is not a file"),
    "device_without_end": (lambda path: path.symlink_to("/dev/zero"), ": is not a file"),
    "5_megabytes": (_file(RULES + "#" * 5_000_000), ": is larger than 256 KiB"),
    "binary": (_file(bytes(range(256))), ": is not UTF-8 text"),
    "latin_1": (_file(RULES.replace("/a", "/größe").encode("latin-1")), ": is not UTF-8 text"),
    "utf_16": (_file(RULES.encode("utf-16")), ": is not UTF-8 text"),
    "control_characters": (
        _file(RULES + "# \0\n"),
        ":5: not valid YAML: special characters are not allowed",
    ),
    "vaulted": (_file(vaulted(RULES)), ": "),  # ansible-core's own text follows, see the tests
    "brackets_left_open": (_file("[" * 100_000), ": nested too deeply"),
    "nested_2000_deep": (_deep(2000), ": nested too deeply"),
    "flat_but_too_much": (_file(f"rules: [{'1, ' * 30_000}]\n"), ":1: more than 20000 values"),
}


def make(name: str, directory: Path) -> tuple[Path, list[str]]:
    """Make one of MADE in ``directory``; return its path, and how each message about it begins."""
    path = directory / f"{name}.yml"
    make_file, message = MADE[name]
    make_file(path)
    return path, [f"{path}{message}"]
