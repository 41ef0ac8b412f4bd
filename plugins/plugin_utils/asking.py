# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From rules and hosts to verdicts: one task for each rule, and one for each check that is a task itself. Internals of
ansible-core.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible import constants as C
from ansible.executor.play_iterator import PlayIterator
from ansible.inventory.host import Host
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import action_loader
from ansible.plugins.strategy import StrategyBase

from . import compat, verdict
from .checking import ANSWERS, ORDER, Order, condition_holds, digest_of, worded
from .plays import TAG, Wanted, folders_of, variables_of
from .policy import TASK, WARN, Check, Rule
from .policy_values import is_template
from .stopping import nothing_left_behind
from .verdict import UNVERIFIED, Verdict

CHECK = "precheck.guard.check"
TIME_LIMIT = 30  # seconds for a host's checks without a timeout of their own, unless task_timeout is set in ansible.cfg
NOT_STARTED = Verdict(
    UNVERIFIED, ("the control node could not start its check: is it out of file descriptors, processes, memory or disk space?",)
)
KILLED = Verdict(UNVERIFIED, ("the process of the control node that asked it was killed: is it out of memory?",))
POLL = 0.001  # seconds between two looks for results
QUIET = 2000  # looks in vain, at an empty queue, after which nothing comes any more of workers that have ended
RESULT = "precheck_result"  # by this name the conditions of a task know what it returned


def ask(strategy: StrategyBase, play: Play, wanted: Wanted, quietly: bool = False) -> dict[tuple[str, str], Verdict]:
    """Check for each rule its hosts, in parallel up to the number of forks; return the verdicts by rule and host name.
    ``quietly``, the task of a host that is not ready does not fail.

    The checks run as tasks of a small play of their own, on the play's strategy instance: another instance would read
    from the same result queue. They are queued here and not by the strategy's run, so that tags, --start-at-task, --step
    and a strategy's own order of things have no say.
    """
    wanted = [(rule, hosts) for rule, hosts in wanted if hosts and checks_on_hosts(rule)]
    if not wanted:
        return {}
    hosts = list({host.name: host for _rule, some in wanted for host in some}.values())
    with _all_hosts(strategy, hosts), nothing_left_behind():
        return _Asking(strategy, play, wanted, hosts, quietly).verdicts()


def ask_once(strategy: StrategyBase, play: Play, rule: Rule) -> Verdict | None:
    """Return the verdict on the checks of ``rule`` that are for the play and not for a host; None if it has none."""
    checks = [check for check in rule.checks if check.once]
    if not checks:
        return None
    names = [host.name for host in strategy._inventory.get_hosts(play.hosts, ignore_restrictions=True)]
    variables = strategy._variable_manager.get_vars(play=play, _hosts=names, _hosts_all=names)
    found = []
    for check in checks:
        one = verdict.worst(condition_holds(condition, variables, strategy._loader) for condition in check.value)
        found.append(verdict.of_check(check.label, _worded(check, one, variables, strategy)))
    return verdict.worst(found)


def checks_on_hosts(rule: Rule) -> list[Check]:
    """Return the rule's checks that are for hosts, in the order in which they are made: those that are tasks come last."""
    return [*_checks_of_action(rule), *(check for check in rule.checks if check.kind == TASK)]


def _checks_of_action(rule: Rule) -> list[Check]:
    return [check for check in rule.checks if check.kind != TASK and not check.once]


def _worded(check: Check, one: Verdict, variables: dict[str, Any], strategy: StrategyBase) -> Verdict:
    """Return a verdict that was not reached by the action, in the words of the check."""

    def rendered(template: str) -> str:
        try:
            return compat.rendered(template, variables, strategy._loader)
        except compat.TemplateError:
            return template

    return worded(check, one, rendered)


def _set_workers(strategy: StrategyBase, number: int) -> None:
    strategy._tqm._initialize_processes(number)
    strategy._workers = strategy._tqm._workers  # before 2.19 it is another list now
    strategy._cur_worker = 0


@contextmanager
def _all_hosts(strategy: StrategyBase, hosts: Sequence[Host]) -> Iterator[None]:
    """Let the strategy work on ``hosts``, whatever batch it is at, and put all back as it was.

    A batch restricts the inventory and sizes the workers; failed hosts of the checks are not failed hosts of the run.
    Facts that a check's task returns are not facts of the play, nor kept in a cache of facts.
    """
    tqm, inventory, manager = strategy._tqm, strategy._inventory, strategy._variable_manager
    restriction, workers = inventory._restriction, len(tqm._workers)
    failed, unreachable = dict(tqm._failed_hosts), dict(tqm._unreachable_hosts)
    caches = strategy._hosts_cache, strategy._hosts_cache_all
    facts = manager._nonpersistent_fact_cache  # with the variables that tasks have registered
    facts_before = {host.name: dict(facts[host.name]) for host in hosts if host.name in facts}
    inventory.restrict_to_hosts(hosts)
    manager.set_host_facts = lambda host, facts: None  # type: ignore[method-assign] # of this instance, for the checks
    _set_workers(strategy, min(tqm._forks, len(hosts)))
    try:
        yield
        _set_workers(strategy, workers)  # not after an error: ansible-core ends those that it finds at work
    finally:
        del manager.set_host_facts
        inventory._restriction = restriction
        tqm._failed_hosts, tqm._unreachable_hosts = failed, unreachable
        strategy._hosts_cache, strategy._hosts_cache_all = caches
        for host in hosts:
            facts.pop(host.name, None)
        facts.update(facts_before)


@dataclass
class _Step:
    """A task to run on the hosts of ``rule``: the action's, or that of ``check``. ``ready`` is the verdict if all is well."""

    rule: Rule
    task: Task
    check: Check | None
    ready: Verdict


@dataclass
class _Heard:
    """What is known of a host so far. ``gone`` is the verdict on all rules once the host does not answer any more."""

    answers: dict[str, Any] | None = None
    gone: Verdict | None = None
    parts: dict[str, list[Verdict]] = field(default_factory=dict)


class _Asking:
    def __init__(self, strategy: StrategyBase, play: Play, wanted: Wanted, hosts: Sequence[Host], quietly: bool) -> None:
        self.strategy, self.play, self.wanted, self.quietly = strategy, play, wanted, quietly
        self.folders = folders_of(play, strategy._loader)
        self.digests = self._digests()
        self.limit = C.TASK_TIMEOUT or TIME_LIMIT
        # One command asks all, so it may take what its checks may take together.
        self.action_limit = self.limit + sum(check.timeout or 0 for rule, _hosts in wanted for check in _checks_of_action(rule))
        self.become = any(check.become for rule, _hosts in wanted for check in _checks_of_action(rule))
        self.heard = {host.name: _Heard() for host in hosts}
        self.waiting: set[str] = set()  # the names of hosts that have a worker and have told nothing yet
        self.asked = [
            (rule.name, checks, {host.name for host in some}) for rule, some in wanted if (checks := _checks_of_action(rule))
        ]

        found = self._tasks()
        self.checks = self._check_play([task for _rule, _check, task in found])
        self.play_context = PlayContext(self.checks, strategy._tqm.passwords, strategy._tqm._connection_lockfile.fileno())
        self.iterator = PlayIterator(
            inventory=strategy._inventory,
            play=self.checks,
            play_context=self.play_context,
            variable_manager=strategy._variable_manager,
            all_vars={},
        )
        loaded = self.checks.tasks[0].block
        self.steps = [
            _Step(rule, task, check, verdict.all_ready(one.label for one in ([check] if check else _checks_of_action(rule))))
            for (rule, check, _data), task in zip(found, loaded)
        ]
        self.ready = {rule.name: verdict.all_ready(one.label for one in checks_on_hosts(rule)) for rule, _hosts in wanted}
        self.checks.roles = play.roles  # after the iterator has compiled the play: for their variables, not their tasks
        strategy._set_hosts_cache(self.checks)
        action_loader.get(CHECK, class_only=True)  # once here, and not in each worker

    def verdicts(self) -> dict[tuple[str, str], Verdict]:
        hosts_of = {rule.name: hosts for rule, hosts in self.wanted}
        for step in self.steps:
            if hosts := [host for host in hosts_of[step.rule.name] if not self.heard[host.name].gone]:
                self._run(step, hosts)
        return {(rule.name, host.name): self._verdict(rule, host) for rule, hosts in self.wanted for host in hosts}

    def _verdict(self, rule: Rule, host: Host) -> Verdict:
        heard = self.heard[host.name]
        parts = heard.parts.get(rule.name, [])
        if heard.gone is None and len(parts) != sum(step.rule is rule for step in self.steps):
            parts = [*parts, Verdict(UNVERIFIED, ("a check gave no result",))]
        if heard.gone:
            return heard.gone
        found = verdict.worst(parts)
        return self.ready[rule.name] if found.state == verdict.READY else found

    def _run(self, step: _Step, hosts: Sequence[Host]) -> None:
        """Run the step's task on ``hosts``, and hear what it tells."""
        strategy, manager = self.strategy, self.strategy._variable_manager
        strategy._tqm.send_callback("v2_playbook_on_task_start", step.task, is_conditional=False)
        passes = max(1, len(strategy._tqm._workers) // 10)
        self.waiting = set()
        for host in hosts:
            variables = manager.get_vars(
                play=self.checks, host=host, task=step.task, _hosts=strategy._hosts_cache, _hosts_all=strategy._hosts_cache_all
            )
            strategy.add_tqm_variables(variables, play=self.checks)
            if step.check is None:
                variables[ORDER] = self._order(step.rule, host.name)
            variables["ansible_become"] = bool(step.task.become)  # it outranks the keyword
            strategy._blocked_hosts[host.name] = True
            pending = strategy._pending_results
            strategy._queue_task(host, step.task, variables, self.play_context)
            if strategy._pending_results == pending:  # ansible-core keeps to itself that it could not start a worker
                strategy._workers[strategy._cur_worker] = None  # it may have closed the one before, and would fail on it
                strategy._blocked_hosts[host.name] = False
                self.heard[host.name].gone = NOT_STARTED
            else:
                self.waiting.add(host.name)
            self._hear_all(step, strategy._process_pending_results(self.iterator, max_passes=passes))
        self._wait(step)

    def _wait(self, step: _Step) -> None:
        """Hear the hosts that are still to tell. Those whose worker was killed never will.

        ansible-core's own way to wait ends with an error that names no host then, and where another worker has taken the
        place of the one that was killed it does not end.
        """
        strategy, quiet = self.strategy, 0
        ended: set[str] = set()  # the hosts whose worker has ended, and that have told nothing
        while self.waiting and strategy._pending_results > 0 and not strategy._tqm._terminated:
            at_work = {worker._host.name for worker in strategy._workers if worker and worker.is_alive()}
            results = strategy._process_pending_results(self.iterator)
            self._hear_all(step, results)
            ended, before = self.waiting - at_work, ended
            # While nobody reads what is printed, the queue is not read either: results come after the words of workers.
            is_read = strategy._final_q.empty()
            quiet = quiet + 1 if ended == before and not results and is_read else 0
            if quiet == QUIET:
                for name in ended:
                    strategy._pending_results -= 1
                    strategy._blocked_hosts[name] = False
                    self.heard[name].gone = KILLED
                self.waiting -= ended
            time.sleep(POLL)

    def _hear_all(self, step: _Step, results: Sequence[Any]) -> None:
        self.strategy.update_active_connections(results)
        for name, result in map(compat.host_and_result, results):
            self.waiting.discard(name)
            self._hear(step, name, result)

    def _order(self, rule: Rule, name: str) -> Order:
        """Return what the action is to tell of a host: at its first task, the answers for all its rules."""
        answers = self.heard[name].answers
        if answers is None:
            checks = {one: checks for one, checks, names in self.asked if name in names}
        else:
            checks = {rule.name: _checks_of_action(rule)}
        return Order(rule.name, checks, self.folders, self.digests, answers.get(rule.name) if answers else None)

    def _hear(self, step: _Step, name: str, result: Mapping[str, Any]) -> None:
        heard, parts = self.heard[name], self.heard[name].parts.setdefault(step.rule.name, [])
        lost = verdict.lost(result, self.action_limit if step.check is None else step.task.timeout)
        if step.check is None:
            if lost:
                heard.gone = lost
            else:
                told = verdict.of_checks(result)
                parts.append(step.ready if told.state == verdict.READY else told)
                heard.answers = heard.answers or result.get(ANSWERS, {})
            return
        one = lost or verdict.of_task(result, hidden=bool(step.check.value.get("no_log")))
        if lost and result.get("unreachable") and not step.task.delegate_to:
            heard.gone = lost
        host = self.strategy._inventory.get_host(name)
        names = self.strategy._hosts_cache_all
        variables = variables_of(self.strategy, self.play, host, names) if one.state == verdict.NOT_READY else {}
        parts.append(verdict.of_check(step.check.label, _worded(step.check, one, variables, self.strategy)))

    def _digests(self) -> dict[str, str]:
        """Return the digests of all files that ``same_as`` names without a template, worked out once."""
        checks = [check for rule, _hosts in self.wanted for check in rule.checks]
        names = {check.same_as for check in checks if check.same_as and not is_template(check.same_as)}
        return {name: digest_of(name, [], self.strategy._loader) for name in names}

    def _tasks(self) -> list[tuple[Rule, Check | None, dict[str, Any]]]:
        """Return the tasks of all rules: the one for the action where a rule has checks for it, and its own.

        What the command line or ansible.cfg would set otherwise (check mode, become, debugger, time limit), each sets
        itself.
        """
        found: list[tuple[Rule, Check | None, dict[str, Any]]] = []
        for rule, _hosts in self.wanted:
            common: dict[str, Any] = {"tags": [TAG], "check_mode": False, "debugger": "never"}
            if rule.severity == WARN:
                common |= {"ignore_errors": True, "ignore_unreachable": True}
            if _checks_of_action(rule):
                name = f"Precheck {rule.name}"
                own = common | {"name": name, CHECK: {}, "become": self.become, "timeout": self.action_limit}
                if self.quietly:
                    own["failed_when"] = False
                found.append((rule, None, compat.with_origin(own, rule.path, rule.line)))
            for check in rule.checks:
                if check.kind == TASK:
                    more = {
                        "name": f"Precheck {rule.name}: {check.label}",
                        "become": check.become,
                        "timeout": check.timeout or self.limit,
                        "register": RESULT,
                    }
                    found.append((rule, check, compat.with_origin(dict(check.value) | more | common, rule.path, check.line)))
        return found

    def _check_play(self, tasks: list[dict[str, Any]]) -> Play:
        """Return a play with these tasks. Of the covered play it has the hosts, and the keywords and variables by which
        they are reached, and nothing else.
        """
        play = self.play
        data = {"name": play.get_name(), "hosts": "all", "gather_facts": False, "become": False, "tasks": tasks}
        checks: Play = Play.load(data, variable_manager=play._variable_manager, loader=play._loader)
        for keyword in ("hosts", "connection", "port", "remote_user", "vars", "vars_files"):
            setattr(checks, keyword, getattr(play, keyword))
        return checks
