# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Patches that keep the work of the guard from leaving traces: facts and warnings.

- ``facts_go_to``: facts that a check's task returns are no facts of the play, and must not get
  into a fact cache; those that rules ask for are theirs alone. So VariableManager gets another
  ``set_host_facts`` during the checks.
- ``without_warnings``: what ansible-core warns about when a play begins, it must not warn about
  when the guard looks ahead. So Display gets another ``warning`` and ``deprecated`` meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.utils.display import Display
from ansible.vars.manager import VariableManager


@contextlib.contextmanager
def facts_go_to(
    manager: VariableManager, take: Callable[[str, Mapping[str, Any]], None]
) -> Iterator[None]:
    """Give ``take`` the facts that tasks return, with the names of their hosts."""
    before: Callable[..., None] = manager.set_host_facts
    manager.set_host_facts = take  # type: ignore[method-assign]
    try:
        yield
    finally:
        manager.set_host_facts = before  # type: ignore[method-assign]


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """Drop warnings. Those that come again later are then printed."""
    display: Any = Display()
    for name in ("warning", "deprecated"):
        setattr(display, name, lambda *args, **kwargs: None)
    try:
        yield
    finally:
        for name in ("warning", "deprecated"):
            delattr(display, name)
