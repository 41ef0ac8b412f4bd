# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks hosts that do not answer again and again, for as long as a rule says."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from ... import compat
from ...policy.model import RuleAndHost
from ...verdict import UNVERIFIED, Verdict
from ..patches.events import only_news
from ..plays.targets import HostsByRule
from ..run import PlayRun
from ..workers.signals import nothing_left_behind
from .check_run import Verdicts, check_hosts

PAUSE = 3.0  # seconds between two attempts
LINE_EVERY = 30.0  # seconds

# Takes the names of the hosts that do not answer, and for how many seconds they will be checked.
Say = Callable[[Collection[str], int], None]


def check_until_answered(run: PlayRun, hosts_by_rule: HostsByRule, say: Say) -> Verdicts:
    """Check for each rule its hosts; return the verdicts.

    A host that does not answer is checked again for the longest time that one of its rules waits,
    at last when it is over, and with it all such hosts. The others wait for nobody. Only the last
    attempt is in the recap.
    """
    with nothing_left_behind():  # nor while it waits
        return _check_until_answered(run, hosts_by_rule, say)


def _check_until_answered(run: PlayRun, hosts_by_rule: HostsByRule, say: Say) -> Verdicts:
    verdicts: Verdicts = {}
    begun, said = time.monotonic(), -LINE_EVERY
    names: Collection[str] = ()
    while True:
        elapsed = time.monotonic() - begun
        patient = {name for name, wait in waits(hosts_by_rule).items() if elapsed < wait}
        with _again(run, names, patient), _uncounted(run, patient, verdicts):
            verdicts.update(check_hosts(run, hosts_by_rule))
        hosts_by_rule = without_answer(hosts_by_rule, verdicts, patient)
        if not hosts_by_rule:
            return verdicts
        left = waits(hosts_by_rule)
        elapsed = time.monotonic() - begun
        if names != left.keys() or elapsed - said >= LINE_EVERY:
            say(left.keys(), max(0, round(max(left.values()) - elapsed)))
            said = elapsed
        names = left.keys()
        time.sleep(max(0, min(PAUSE, min(left.values()) - elapsed)))


def waits(hosts_by_rule: HostsByRule) -> dict[str, int]:
    """Return for how many seconds each host is waited for, by its name."""
    longest: dict[str, int] = {}
    for rule, hosts in hosts_by_rule:
        for host in hosts:
            longest[host.name] = max(longest.get(host.name, 0), rule.wait)
    return longest


def without_answer(
    hosts_by_rule: HostsByRule, verdicts: Mapping[RuleAndHost, Verdict], names: Collection[str]
) -> HostsByRule:
    """Return which hosts of these names did not answer, by rule."""
    lost = [
        (
            rule,
            [
                host
                for host in hosts
                if host.name in names and _is_lost(verdicts.get((rule.name, host.name)))
            ],
        )
        for rule, hosts in hosts_by_rule
    ]
    return [(rule, hosts) for rule, hosts in lost if hosts]


def _is_lost(verdict: Verdict | None) -> bool:
    # If checks were made, the host has answered, and would answer the same.
    return verdict is not None and verdict.state == UNVERIFIED and not verdict.checks


@contextlib.contextmanager
def _again(run: PlayRun, names: Collection[str], patient: Collection[str]) -> Iterator[None]:
    """Check hosts of these names once more: callbacks hear no more of those that will be again."""
    if not names:
        yield
        return

    def is_news(task_result: Any) -> bool:
        name, result = compat.host_and_result(task_result)
        reason = next(iter(result.get("reasons") or ()), "")
        return name not in patient or not reason.startswith(("unreachable: ", "timed out: "))

    run.reconnecting = frozenset(names)
    try:
        with only_news(run.manager, is_news):
            yield
    finally:
        run.reconnecting = frozenset()


@contextlib.contextmanager
def _uncounted(run: PlayRun, names: Collection[str], verdicts: Verdicts) -> Iterator[None]:
    """Count no failures of the hosts of these names that do not answer."""
    stats = run.manager._stats
    before = [(counts, dict(counts)) for counts in (stats.failures, stats.dark)]
    yield
    lost = {name for (_rule, name), verdict in verdicts.items() if _is_lost(verdict)}
    for counts, known in before:
        for name in lost.intersection(names):
            counts[name] = known.get(name, 0)
