# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds reports in files and directories, and names what is none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import PrecheckError
from ..report.document import Document
from ..report.stored import load

ENDING = ".json"


@dataclass(frozen=True)
class PassedOver:
    """A file that was not used, and why."""

    path: str
    reason: str


@dataclass
class Reports:
    """The reports at ``paths``, each of a file or of a directory. Each file is read once.

    They are read one by one, as many of them may not fit into memory. What cannot be read is put
    into ``passed_over``.
    """

    paths: Sequence[str]
    passed_over: list[PassedOver] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[str, Document]]:
        known = set()
        for path in self._files():
            if (real := os.path.realpath(path)) in known:
                continue
            known.add(real)
            try:
                document = load(path)
            except PrecheckError as ex:
                self.passed_over.append(PassedOver(path, str(ex)))
            else:
                yield path, document

    def _files(self) -> Iterator[str]:
        for path in self.paths:
            if os.path.isdir(path):
                yield from self._below(path)
            else:
                yield path

    def _below(self, directory: str) -> Iterator[str]:
        """Yield the files in a directory, and below it, that may be reports."""
        for parent, directories, names in os.walk(directory, onerror=self._not_read):
            directories.sort()
            for name in sorted(names):
                # What begins with a dot is being written.
                if name.endswith(ENDING) and not name.startswith("."):
                    yield os.path.join(parent, name)

    def _not_read(self, error: OSError) -> None:
        self.passed_over.append(PassedOver(str(error.filename), error.strerror or "unreadable"))
