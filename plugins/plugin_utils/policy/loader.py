# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a policy file, or the arguments of a task, to rules and checks, or to all that is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.parsing.convert_bool import BOOLEANS, boolean
from ansible.parsing.dataloader import DataLoader

from ..errors import PolicyError
from .document import read_document
from .model import Check
from .reader import PolicyFile, Reader, Syntaxes


def read_file(path: str, loader: DataLoader, base: str, syntaxes: Syntaxes) -> PolicyFile:
    """Return what is in the policy file at ``path``.

    ``base`` is the directory of the playbook, where files that checks name may be. Raises
    PolicyError with all that is wrong with the file.
    """
    document = read_document(path, loader)
    reader = Reader(path, document.lines, loader, [os.path.dirname(path), base], syntaxes)
    reader.is_vaulted = document.is_vaulted
    policy = reader.policy(document.data)
    if reader.problems:
        raise PolicyError(sorted(reader.problems, key=lambda problem: problem.line))
    return policy


def read_checks(
    arguments: Mapping[str, Any],
    loader: DataLoader,
    directories: Sequence[str],
    become: bool,
    syntaxes: Syntaxes,
) -> list[Check]:
    """Return the checks that the arguments of a ``precheck.guard.check`` task of a user describe.

    They are those under the key ``checks``, or the one that the arguments themselves are.
    ``become`` is the default of the checks. Raises PolicyError.
    """
    reader = Reader("", {}, loader, directories, syntaxes)
    entries = arguments["checks"] if set(arguments) == {"checks"} else [arguments]
    checks = []
    for number, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        data = entry
        if isinstance(entry, Mapping):
            typed = {key: _from_text(key, value) for key, value in entry.items()}
            data = {"become": become} | typed
        checks.append(reader.check(data, (number,)))
    if reader.problems:
        raise PolicyError(reader.problems)
    return [check for check in checks if check]


def _from_text(key: str, value: Any) -> Any:
    # Arguments can come as text only: from ansible -a, and out of templates.
    if isinstance(value, str) and key == "become":
        return boolean(value) if value.lower() in BOOLEANS else value
    return int(value) if key == "timeout" and isinstance(value, str) and value.isdigit() else value
