# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A play that ansible-core is about to run, for those who use no private name of ansible-core."""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ansible import constants as C
from ansible import context
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.playbook_executor import PlaybookExecutor
from ansible.inventory.host import Host
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.strategy import StrategyBase
from ansible.plugins.strategy.linear import StrategyModule as LinearStrategy

from ..policy.model import Check, RuleAndHost

# Of a machine and what it was asked: the same for the same; empty if it cannot be known.
Fingerprint = str


def id_of(play: Play) -> str:
    """Return the id that all batches of a play share, as Play.copy keeps it."""
    play_id: str = play._uuid
    return play_id


class StandIn(Protocol):
    """What answers in place of hosts, when a policy is tested."""

    def result(self, host: Host, check: Check | None, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the result of a task of the guard: of the action's, if it is of no ``check``."""


class PlayRun:
    """A batch of a play, and the ``strategy`` and ``iterator`` by which ansible-core runs it.

    If it ``is_later``, other plays run before, and set the variables ``names_set_before``.
    ``fingerprints`` are those of checks that were made, until somebody takes them. To the hosts
    named in ``reconnecting``, connections that are open are not used again. With a
    ``stand_in``, no host is connected to.
    """

    is_later = False
    names_set_before: frozenset[str] = frozenset()
    stand_in: StandIn | None = None
    reconnecting: frozenset[str] = frozenset()

    def __init__(self, strategy: StrategyBase, iterator: PlayIterator) -> None:
        self.strategy, self.iterator = strategy, iterator
        self.play = iterator._play
        self.manager = strategy._tqm
        self.inventory = strategy._inventory
        self.variable_manager = strategy._variable_manager
        self.loader = strategy._loader
        self.fingerprints: dict[RuleAndHost, Fingerprint] = {}
        # Now, as the inventory is restricted to other hosts while checks run.
        self._current_batch = [host.name for host in self.hosts_of_batch()]

    @property
    def play_id(self) -> str:
        return id_of(self.play)

    @property
    def play_name(self) -> str:
        name: str = self.play.get_name()
        return name

    @property
    def extra_vars(self) -> Mapping[str, Any]:
        """The extra variables of the command line."""
        variables: Mapping[str, Any] = self.variable_manager.extra_vars
        return variables

    @property
    def inventory_options(self) -> str:
        """The options ``-i`` of the command line, for a shell; empty if it has none of its own."""
        given = list(context.CLIARGS.get("inventory") or ())
        # Without the option, CLI takes what the configuration says.
        if not given or given == list(C.DEFAULT_HOST_LIST):
            return ""
        return " ".join(f"-i {shlex.quote(_from_here(source))}" for source in given)

    @property
    def start_is_done(self) -> bool:
        """Whether the task of --start-at-task is in this play or an earlier one, or there is none.

        TaskQueueManager finds out before it runs a strategy.
        """
        return context.CLIARGS.get("start_at_task") is None or self.manager._start_at_done

    @property
    def is_linear(self) -> bool:
        return isinstance(self.strategy, LinearStrategy)

    def failed_hosts(self) -> Sequence[str]:
        """Return the names of the hosts that failed before."""
        failed: Sequence[str] = list(self.iterator.get_failed_hosts())
        return failed

    def unreachable_hosts(self) -> Sequence[str]:
        """Return the names of the hosts that became unreachable before."""
        return list(self.manager._unreachable_hosts)

    def hosts_of_play(self) -> list[Host]:
        """Return the hosts of all batches of the play under the current --limit, in its order."""
        return self._hosts(ignore_restrictions=True)

    def hosts_of_batch(self) -> list[Host]:
        return self._hosts(ignore_restrictions=False)

    def _hosts(self, ignore_restrictions: bool) -> list[Host]:
        hosts: list[Host] = self.inventory.get_hosts(
            self.play.hosts, ignore_restrictions=ignore_restrictions, order=self.play.order
        )
        return hosts

    def hosts_named(self, names: Iterable[str]) -> list[Host]:
        return [self.inventory.get_host(name) for name in names]

    def names_in_inventory(self) -> list[str]:
        return list(self.inventory.hosts)

    def set_stat(self, name: str, value: Any) -> None:
        """Set a custom statistic of the run as a whole, as the module set_stats does."""
        self.manager._stats.set_custom_stats(name, value)

    def groups_of(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return the groups of the hosts of these names, apart from those that every host has."""
        groups = {}
        for name in names:
            if host := self.inventory.hosts.get(name):
                of_host = (group.name for group in host.get_groups())
                groups[name] = sorted(group for group in of_host if group not in _COMMON_GROUPS)
        return groups

    def variables(
        self, host: Host | None, task: Task | None = None, ended: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Return the variables of a ``task`` of the play on ``host``, before facts are gathered.

        Without a host, they are those of the play as a whole. ``ended`` are hosts that the play has
        ended by then.
        """
        # Without these names, get_vars takes only the hosts of the current batch for those of the
        # play. It leaves out the failed ones itself.
        batch = self.batches.get(host.name if host else "", self._current_batch)
        variables: dict[str, Any] = self.variable_manager.get_vars(
            play=self.play, host=host, task=task, _hosts=batch, _hosts_all=self._names_of_play
        )
        if ended := frozenset(ended):
            for name in CHANGING_HOSTS:
                if name in variables:
                    variables[name] = [host for host in variables[name] if host not in ended]
        return variables

    @functools.cached_property
    def _names_of_play(self) -> list[str]:
        # In the order of the inventory, as StrategyBase._set_hosts_cache has them.
        hosts = self.inventory.get_hosts(self.play.hosts, ignore_restrictions=True)
        return [host.name for host in hosts]

    @functools.cached_property
    def batches(self) -> dict[str, list[str]]:
        """The names of the hosts of a batch, by the name of each host, for all hosts of the play.

        With ``order: shuffle``, those of later batches are not as ansible-core will have them.
        """
        current = self._current_batch
        batches = dict.fromkeys(current, current)
        if len(current) < len(self._names_of_play):
            for hosts in self.serialized_batches():
                names = [host.name for host in hosts]
                batches = dict.fromkeys(names, names) | batches
        return batches

    def serialized_batches(self) -> list[list[Host]]:
        """Return the hosts of each batch of the play."""
        executor: Any = _Unrestricted(self)
        batches: list[list[Host]] = PlaybookExecutor._get_serialized_batches(executor, self.play)
        return batches


def _from_here(source: str) -> str:
    """Return the path of an inventory below the current directory as it is seen from there."""
    path = os.path.relpath(source) if os.path.isabs(source) else source
    return source if path.startswith("..") else path


class _Unrestricted:
    """Stands for a PlaybookExecutor with an inventory that is not restricted to a batch."""

    def __init__(self, run: PlayRun) -> None:
        self._run, self._inventory = run, self

    def get_hosts(self, *_args: Any, **_kwargs: Any) -> list[Host]:
        return self._run.hosts_of_play()


# The variables with names of hosts that change while a play runs.
CHANGING_HOSTS = ("ansible_play_hosts", "ansible_play_batch", "play_hosts")
_COMMON_GROUPS = ("all", "ungrouped")
