# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From plays to what the guard would do before them, found out by the guard's own functions."""

from __future__ import annotations

from ansible import constants as C
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.playbook.play import Play
from ansible.plugins.strategy import StrategyBase

from . import sources
from .door import Guarded
from .explanation import PlayExplained, RuleExplained
from .matching import PlayIdentity, covering, may_depend_on_facts
from .plays import (
    Reach,
    audit_of,
    do_something,
    files_of,
    hosts_reached,
    identify,
    opted_out,
    tasks_to_run,
    unmet_conditions,
    why_idle,
)
from .policy import Rule, Selector


class Explaining:
    """Explains the plays of a run, in order. It takes for granted that each host which is asked is ready.

    ``plays`` are those explained so far; ``files`` are the policy files in force, and ``origin`` says what named them.
    """

    def __init__(self, tqm: TaskQueueManager) -> None:
        """Raises PolicyError."""
        self.plays: list[PlayExplained] = []
        self.files, self.origin = sources.find(tqm._variable_manager.extra_vars)
        self._loader = tqm._loader
        self._rules: tuple[Rule, ...] | None = None
        self._asked: dict[tuple[str, str], PlayIdentity] = {}

    def rules(self) -> tuple[Rule, ...]:
        """Return the rules in force, which are read at the first play with hosts, like the guard does. Raises PolicyError."""
        if self._rules is None:
            self._rules = sources.read_all(self.files, self._loader)
        return self._rules

    def explain_without_hosts(self, play: Play, playbook: str) -> None:
        """Explain a play that no host of the inventory and the limit is in."""
        line = play.get_path().rpartition(":")[2]
        self.plays.append(PlayExplained(playbook, PlayIdentity(play.get_name(), files_of(play)[0], int(line or 0)), ()))

    def explain(self, strategy: StrategyBase, iterator: PlayIterator, playbook: str) -> None:
        """Explain a play. Raises PolicyError."""
        play, tqm = iterator._play, strategy._tqm
        identity = identify(iterator)
        found = covering(identity, self.rules())
        hosts = strategy._inventory.get_hosts(play.hosts, ignore_restrictions=True, order=play.order)
        facts_to_come = any(told.hosts for told in self.plays)  # earlier plays may gather them, or set them otherwise
        tasks = tasks_to_run(iterator, tqm)
        if not do_something(tasks):
            reach = Reach([], {host.name: why_idle(play, tqm) for host in hosts}, {})
        else:
            reach = hosts_reached(strategy, iterator, tasks, hosts if found else [], facts_to_come)
        rules = [self._explain_rule(strategy, play, rule, selector, reach, facts_to_come) for rule, selector in found]
        for told in rules:
            self._asked.update(((told.rule.name, name), identity) for name in told.asked)
        self.plays.append(PlayExplained(playbook, identity, [host.name for host in hosts], rules, _not_guarded(strategy, play)))

    def _explain_rule(  # noqa: PLR0913, PLR0917 - all of it differs from call to call
        self, strategy: StrategyBase, play: Play, rule: Rule, selector: Selector, reach: Reach, facts_to_come: bool
    ) -> RuleExplained:
        how = opted_out(play)
        waived = bool(how) and not rule.mandatory
        once = any(check.once for check in rule.checks)
        open_when = facts_to_come and may_depend_on_facts(rule.when)
        undecided = [host for host in reach.hosts if once or (rule.name, host.name) not in self._asked]
        unmet = {} if waived or open_when else unmet_conditions(strategy, play, [(rule, undecided)])
        asked: list[str] = []
        once_for: list[str] = []
        left_out, unsure, errors = dict(reach.left_out), dict(reach.doubts), {}
        for name in (host.name for host in reach.hosts):
            condition, error = unmet.get((rule.name, name), ("", ""))
            earlier = self._asked.get((rule.name, name))
            if waived:
                left_out[name] = how
            elif error:
                unless = ", unless an earlier play sees to that" if facts_to_come else ""
                errors[name] = f"the rule's when, {condition}: {error}{unless}"
            elif condition:
                left_out[name] = f"the rule is only for hosts with {condition}"
            elif how and (once or not earlier):
                errors[name] = f"{how}, but the rule is mandatory"
            else:
                if open_when:
                    unsure.setdefault(name, f"the rule's when may depend on facts: {' and '.join(map(str, rule.when))}")
                if once:
                    once_for.append(name)
                if earlier:
                    left_out[name] = f"asked already, before {earlier}"
                elif not all(check.once for check in rule.checks):
                    asked.append(name)
        concerned = {*asked, *once_for}
        unsure = {name: reason for name, reason in unsure.items() if name in concerned}
        return RuleExplained(rule, selector, asked, once_for, left_out, unsure, errors)


def _not_guarded(strategy: StrategyBase, play: Play) -> str:
    """Return why the guard would not do what is told of a play with this strategy; empty if it would."""
    if audit_of(play):
        return "it is an audit, which asks its hosts by all rules of the policy"
    if isinstance(strategy, Guarded) or sources.CALLBACK in C.CALLBACKS_ENABLED:
        return ""
    return f"its strategy is {play.strategy}, and the callback {sources.CALLBACK} is not enabled"
