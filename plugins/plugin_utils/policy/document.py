# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads a YAML file: its data, and the lines of its values.

``positions`` reads it first, for the lines. ansible-core's DataLoader then loads it, so that vault
and the trust in templates work as in a playbook.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader

from .. import compat
from ..errors import PolicyError, PrecheckError, Problem
from .positions import Lines, YamlError, lines_of

SIZE = 256 * 1024  # bytes that a policy file may have


class Document(NamedTuple):
    """The ``data`` in a YAML file, and the lines of its values."""

    data: Any
    lines: Lines
    is_vaulted: bool


def read_document(path: str, loader: DataLoader) -> Document:
    """Return what is in the YAML file at ``path``. Raises PolicyError."""
    try:
        text, is_vaulted = _text(path, loader)
        return Document(
            lines=lines_of(text), data=compat.load_yaml(loader, path), is_vaulted=is_vaulted
        )
    except YamlError as ex:
        raise PolicyError([Problem(str(ex), path, ex.line)]) from None
    except (AnsibleError, OSError) as ex:
        raise PolicyError([Problem(_first_line(ex), path)]) from None


def _text(path: str, loader: DataLoader) -> tuple[str, bool]:
    """Return the text of a file, and whether it is vaulted. Raises AnsibleError."""
    if not os.path.exists(path):
        raise PrecheckError("there is no such file")
    if not os.path.isfile(path):
        raise PrecheckError("is not a file (is the option that names it empty?)")
    if os.path.getsize(path) > SIZE:
        raise PrecheckError(f"is larger than {SIZE // 1024} KiB")
    try:
        content, is_vaulted = compat.decrypted_content(loader, path)
        return content.decode("utf-8"), is_vaulted
    except UnicodeDecodeError:
        raise PrecheckError("is not UTF-8 text") from None


def _first_line(ex: Exception) -> str:
    return next(iter(str(ex).strip().splitlines()), type(ex).__name__)
