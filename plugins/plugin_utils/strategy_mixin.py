# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guarded strategy: how Precheck gets between ansible-core and a play.

TaskQueueManager.run loads the strategy of a play and calls its ``run(iterator, play_context)``,
once for each batch. That is the latest moment before the first task, and everything about the play
is known: so both entry points, the strategies of this collection and the callback, end in a wrapped
``run``, and the guard runs the original one if all hosts are ready.

The packages, each of which imports only from those before it:

- ``policy``: from a policy file to rules, and from a play to the rules that cover it.
- ``checks``: from a check to a question for a host, and from its answer to a verdict.
- ``ansible_core``: everything that uses private names of ansible-core, or patches it.
- ``report``: from verdicts to what operators and programs read.
- ``history``: from many reports to what they say together.
- ``guard``: decides (``plan``), and executes what it decided (``enforce``).
- ``cli``: the command ansible-precheck.

This module loads with any release of ansible-core, also with one that the guard cannot work with.
So it imports the guard late, and it is the only module that imports against the order.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from .bytecode import keep_bytecode
from .errors import GuardError

if TYPE_CHECKING:
    from ansible.executor.play_iterator import PlayIterator
    from ansible.playbook.play_context import PlayContext
    from ansible.plugins.strategy import StrategyBase
else:
    StrategyBase = object


class Guarded(StrategyBase):
    """Comes before a strategy's own class in the bases of a guarded strategy plugin."""

    is_guarded = True

    # Without the third argument, like the built-in strategies.
    def run(self, iterator: PlayIterator, play_context: PlayContext) -> int:  # type: ignore[override]
        proceed = functools.partial(super().run, iterator, play_context)
        try:
            keep_bytecode()
            from .ansible_core.plays.purpose import show_builtin_strategy_name
            from .guard.enforce import guard
        except Exception as ex:
            consequence = "Precheck could not guard the play, so it was not run"
            raise GuardError(consequence, ex) from None
        show_builtin_strategy_name(iterator)
        return guard(self, iterator, proceed)

    run.guarded = True  # type: ignore[attr-defined] # as in patches.strategies.wrap_run
