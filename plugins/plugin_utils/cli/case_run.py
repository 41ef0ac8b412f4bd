# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a case: the guard does before its play what it would do, and only the hosts are not there.

ansible-core has an inventory, a play and a strategy as in a run, but runs nothing of the play.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.plugins.strategy.linear import StrategyModule as LinearStrategy
from ansible.template import Templar
from ansible.vars.manager import VariableManager

from .. import compat
from ..ansible_core.patches import clock_stands_at, without_warnings
from ..ansible_core.run import PlayRun
from ..guard.execution import find_failures
from ..guard.state import RunState
from ..guard.survey import Survey, survey
from ..policy.matching import PlayIdentity
from ..policy.model import WARN, Rule
from ..report.terminal import Failure
from ..verdict import STATES, Verdict
from .case import Case, CasePlay, Found, Place
from .case_options import run_with
from .stand_in import CaseStandIn

Labels = dict[str, set[str]]  # of checks, by the name of their rule


@dataclass(frozen=True)
class Outcome:
    """What came of a case, by the name of each rule that covers the play, or the ``error``.

    ``stops`` is whether a host that is not ready, or unverified, ends the run. ``checked`` are the
    checks with a verdict.
    """

    found: dict[str, Found] = field(default_factory=dict)
    stops: bool = False
    checked: Labels = field(default_factory=dict)
    error: str = ""


def run_case(case: Case, rules: Sequence[Rule], loader: DataLoader) -> Outcome:
    """Return what the guard does before the play of ``case``.

    ``loader`` looks for files in the directory of the test file.
    """
    # What it says to the operator is no part of the outcome.
    quiet = io.StringIO()
    directory = loader.get_basedir()
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.redirect_stdout(quiet))
            stack.enter_context(contextlib.redirect_stderr(quiet))
            stack.enter_context(without_warnings())
            if case.time:
                stack.enter_context(clock_stands_at(case.time))
            stack.enter_context(run_with(case.options))
            root = stack.enter_context(_files_of(case)) if case.files else directory
            play = case.play
            if play.playbook:
                play = replace(play, playbook=os.path.normpath(os.path.join(root, play.playbook)))
            loader.set_basedir(os.path.dirname(play.playbook) or root)
            case = replace(case, play=play)
            return _outcome(stack.enter_context(_begun(case, loader)), case, rules)
    except AnsibleError as ex:
        return Outcome(error=str(ex))
    except Exception as ex:
        return Outcome(error=f"the case cannot be run: {ex!r}")
    finally:
        loader.set_basedir(directory)


@contextlib.contextmanager
def _files_of(case: Case) -> Iterator[str]:
    """Give a directory with the files of ``case``."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in case.files.items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        yield root


def _outcome(run: PlayRun, case: Case, rules: Sequence[Rule]) -> Outcome:
    state = RunState(identities={run.play_id: _identity(case.play, run)})
    run.stand_in = CaseStandIn(case, run)
    known = survey(run, state, rules)
    failures = find_failures(run, state, known) if known.coverages else []
    of_play = {
        rule.name: verdict for play in state.record.plays.values() for rule, verdict in play.checks
    }
    by_rule = {failure.rule.name: failure for failure in failures}
    found = {}
    checked: Labels = {}
    for plan in known.plans:
        name = plan.rule.name
        verdicts = {
            host: verdict for (rule, host), verdict in state.record.verdicts.items() if rule == name
        }
        found[name] = _found(known, name, verdicts, of_play.get(name), by_rule.get(name))
        for verdict in (*verdicts.values(), *filter(None, [of_play.get(name)])):
            checked.setdefault(name, set()).update(label for label, _part in verdict.checks)
    stops = any(failure.rule.severity != WARN for failure in failures)
    return Outcome(found, stops, checked)


def _found(
    known: Survey,
    name: str,
    verdicts: dict[str, Verdict],
    of_play: Verdict | None,
    failure: Failure | None,
) -> Found:
    [plan] = [plan for plan in known.plans if plan.rule.name == name]
    hosts: dict[Place, Any] = {
        state: {host: one.reasons for host, one in verdicts.items() if one.state == state}
        for state in STATES
    }
    hosts["waived"] = {host: (plan.left_out[host],) for host in plan.waived}
    hosts["left_out"] = {
        host: (reason,)
        for host, reason in {**known.targets.left_out, **plan.left_out}.items()
        if host not in plan.waived
    }
    return Found(
        hosts=hosts,
        of_play={of_play.state: of_play.reasons} if of_play else {},
        messages=tuple(failure.messages) if failure else (),
        remedy=failure.remedy if failure else "",
    )


def _identity(play: CasePlay, run: PlayRun) -> PlayIdentity:
    return PlayIdentity(
        name=run.play_name,
        path=play.playbook,
        line=1 if play.playbook else 0,
        roles=frozenset(play.roles),
        tags=frozenset(play.tags),
    )


@contextlib.contextmanager
def _begun(case: Case, loader: DataLoader) -> Iterator[PlayRun]:
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


def _inventory(case: Case, loader: DataLoader) -> InventoryManager:
    inventory: Any = InventoryManager(loader=loader, parse=False)
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
