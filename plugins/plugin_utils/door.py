# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What both doors need before the guard can be loaded. It loads with any release of ansible-core, also with one in which
something is gone that the guard needs.
"""

from __future__ import annotations

import contextlib
import functools
import re
from typing import TYPE_CHECKING

from ansible.errors import AnsibleError
from ansible.release import __version__

if TYPE_CHECKING:
    from ansible.executor.play_iterator import PlayIterator
    from ansible.playbook.play_context import PlayContext
    from ansible.plugins.strategy import StrategyBase
else:
    StrategyBase = object

NEWEST = (2, 21)  # the newest release of ansible-core that Precheck is tested with


class GuardError(AnsibleError):
    """The guard does not work, by ``why``, and ``what`` is the consequence."""

    _include_cause_message = False  # since 2.19 it would be told twice

    def __init__(self, what: str, why: Exception) -> None:
        text = f"{what}: {why!r}"
        found = re.match(r"(\d+)\.(\d+)", __version__)
        if found and tuple(map(int, found.groups())) > NEWEST:
            newest = ".".join(map(str, NEWEST))
            text += f" (ansible-core {__version__} is newer than {newest}, the newest release that Precheck is tested with)"
        super().__init__(text)


class Guarded(StrategyBase):
    """Goes before a strategy's own class in the bases of a guarded strategy plugin."""

    # Without the third argument, like the built-in strategies.
    def run(self, iterator: PlayIterator, play_context: PlayContext) -> int:  # type: ignore[override]
        proceed = functools.partial(super().run, iterator, play_context)
        try:
            from .guard import guard
        except Exception as ex:
            raise GuardError("Precheck could not guard the play, so it was not run", ex) from ex
        # Callbacks and ansible-core tell a built-in strategy by its name (the default callback prints task lines
        # later under free), so the play must not show by another name that its strategy is guarded.
        with contextlib.suppress(AttributeError):
            iterator._play.strategy = iterator._play.strategy.rpartition(".")[2]
        return guard(self, iterator, proceed)
