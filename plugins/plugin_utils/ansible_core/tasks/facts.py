# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The facts that were gathered in a run: once for a machine, however many rules ask for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from ansible.errors import AnsibleError
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.host import Host

from ...checks.facts import NONE, Facts, subsets_of
from ...errors import PrecheckError
from ...policy.model import RUN, Rule
from ..patches.traces import facts_go_to
from ..plays.machines import machine_of
from ..plays.targets import HostsByRule, rules_by_host
from ..run import PlayRun


@dataclass(frozen=True)
class _Gathered:
    """The ``subsets`` of ``facts`` that were gathered on a ``machine``."""

    machine: Mapping[str, Any]
    subsets: frozenset[str]
    facts: Facts


_gathered: WeakKeyDictionary[TaskQueueManager, dict[str, _Gathered]] = WeakKeyDictionary()


def facts_of(run: PlayRun, name: str) -> Facts:
    """Return the facts that were gathered last for the host of this name."""
    known = _gathered.get(run.manager, {}).get(name)
    return known.facts if known else NONE


def without_known_facts(run: PlayRun, hosts_by_rule: HostsByRule) -> list[Host]:
    """Return the hosts whose facts have to be gathered for these rules.

    What is known of the same machine holds for the run, unless a rule wants to know more, or to
    have it checked again.
    """
    asking = [(rule, hosts) for rule, hosts in hosts_by_rule if rule.facts]
    return [host for host, rules in rules_by_host(asking) if not _is_known(run, host, rules)]


def _is_known(run: PlayRun, host: Host, rules: Sequence[Rule]) -> bool:
    known = _gathered.get(run.manager, {}).get(host.name)
    if not known or known.facts.trouble or any(rule.check_every != RUN for rule in rules):
        return False
    return subsets_of(rules) <= known.subsets and _machine(run, host) == known.machine


def remember_facts(run: PlayRun, facts: Mapping[str, Facts], subsets: frozenset[str]) -> None:
    """Keep facts by the names of their hosts."""
    known = _gathered.setdefault(run.manager, {})
    for host in run.hosts_named(facts):
        known[host.name] = _Gathered(_machine(run, host), subsets, facts[host.name])


def _machine(run: PlayRun, host: Host) -> Mapping[str, Any]:
    """Return which machine it is; one that is like no other if that cannot be known."""
    try:
        return machine_of(run, run.variables(host), becomes=False)
    except (PrecheckError, AnsibleError):
        return {"unknown": object()}


@contextlib.contextmanager
def taken_facts(run: PlayRun) -> Iterator[Mapping[str, Mapping[str, Any]]]:
    """Give the facts that tasks return meanwhile, by the names of their hosts."""
    taken: dict[str, Mapping[str, Any]] = {}
    with facts_go_to(run.variable_manager, taken.__setitem__):
        yield taken
