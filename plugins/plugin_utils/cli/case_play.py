# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The play of a case, on its hosts, as ansible-core has a play when it begins."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from typing import Any

from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.plugins.strategy.linear import StrategyModule as LinearStrategy
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from .. import compat
from ..ansible_core.run import PlayRun
from .case import Case


@contextlib.contextmanager
def begun(case: Case, loader: DataLoader) -> Iterator[PlayRun]:
    """Give the play of ``case`` as it begins, on its hosts."""
    inventory = _inventory(case, loader)
    variable_manager = VariableManager(loader=loader, inventory=inventory)
    data = {
        "hosts": case.play.hosts,
        "gather_facts": False,
        "tags": list(case.play.tags),
        "vars": dict(case.play.variables),
        # The play has something to do, whatever --tags selects.
        "tasks": [{"ansible.builtin.raw": "true", "tags": ["always"]}],
    }
    if case.play.name:
        data["name"] = case.play.name
    play: Any = Play.load(
        compat.as_in_file(data, case.play.playbook),
        variable_manager=variable_manager,
        loader=loader,
    )
    manager: Any = TaskQueueManager(
        inventory=inventory,
        variable_manager=variable_manager,
        loader=loader,
        passwords={},
        forks=1,
    )
    manager._initialize_processes(1)
    strategy = LinearStrategy(manager)
    try:
        # As TaskQueueManager.run does.
        variables = variable_manager.get_vars(play=play)
        templar: Any = Templar(loader=loader, variables=variables)
        play.post_validate(templar)
        HostVars(inventory, variable_manager, loader)  # it makes itself known to the manager
        context = PlayContext(play, {}, manager._connection_lockfile.fileno())
        iterator = PlayIterator(
            inventory=inventory,
            play=play,
            play_context=context,
            variable_manager=variable_manager,
            all_vars=variables,
        )
        yield PlayRun(strategy, iterator)
    finally:
        strategy.cleanup()
        manager.cleanup()


class _WithoutSources(InventoryManager):
    """An inventory that reads no files. Nor does it warn that it has not, as it would otherwise."""

    def parse_sources(self, cache: bool = False) -> None:
        pass


def _inventory(case: Case, loader: DataLoader) -> InventoryManager:
    inventory: Any = _WithoutSources(loader=loader)
    for host in case.hosts:
        inventory.add_host(host.name)
        for group in host.groups:
            inventory.add_group(group)
            inventory.add_host(host.name, group)
        for name, value in host.variables.items():
            inventory.get_host(host.name).set_variable(name, value)
    inventory.reconcile_inventory()
    inventory.subset(case.options["subset"])
    manager: InventoryManager = inventory
    return manager


@contextlib.contextmanager
def files_of(case: Case) -> Iterator[str]:
    """Give a directory with the files of ``case``."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in case.files.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        yield root
