# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has Python keep the bytecode of the guard's modules, as it does for modules that are not plugins.

ansible-core's loader of collections compiles a module from its source whenever it is imported. For
the guard that would be half of what it costs a run in which no rule covers a play.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType

_PACKAGE = __name__.rpartition(".")[0]


class _Finder:
    """Finds the modules of this package, where ansible-core's loader found the package."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(f"{_PACKAGE}."):
            return None
        specs = (_finder_in(directory).find_spec(name) for directory in path or ())
        return next(filter(None, specs), None)


@functools.lru_cache(maxsize=99)  # its shorter name came with Python 3.9
def _finder_in(directory: str) -> FileFinder:
    return FileFinder(directory, (SourceFileLoader, SOURCE_SUFFIXES))


def keep_bytecode() -> None:
    """Have the modules that are imported from now on loaded by Python's own loader."""
    if _Finder not in sys.meta_path:
        # First, as ansible-core's finder also finds them. It is called for each import of a module
        # that is not loaded yet.
        sys.meta_path.insert(0, _Finder)
