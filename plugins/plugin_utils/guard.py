# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guard: decides whether a play may run, asks its hosts, and stops the run when one of them is not ready.

This is the only file that touches ansible-core's internals (compat holds what differs between its releases).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any
from weakref import WeakKeyDictionary

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.host import Host
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task import Task
from ansible.plugins.loader import strategy_loader
from ansible.plugins.strategy import StrategyBase
from ansible.plugins.strategy.linear import StrategyModule as LinearStrategy
from ansible.utils.display import Display
from ansible.utils.fqcn import add_internal_fqcns

from . import compat, report
from .matching import PlayIdentity, covering_rules, may_depend_on_facts
from .policy import BUILT_IN, Rule
from .verdict import READY, UNVERIFIED, Verdict, from_result

CHECK = "precheck.guard.check"
TAG = "precheck"
OPT_OUT_TAG = "no_precheck"
TIME_LIMIT = 30  # seconds that the check of one host may take, unless task_timeout is set in ansible.cfg

# ansible-core puts it at the head of roles, tagged always. It does nothing on a host.
_VALIDATE = add_internal_fqcns(("validate_argument_spec",))

display = Display()


class Guarded:
    """Goes before a strategy's own class in the bases of a guarded strategy plugin."""

    def run(self, iterator: PlayIterator, play_context: PlayContext) -> int:
        # Callbacks and ansible-core tell a built-in strategy by its name (the default callback prints task lines
        # later under free), so the play must not show by another name that its strategy is guarded.
        iterator._play.strategy = iterator._play.strategy.rpartition(".")[2]
        return guard(self, iterator, functools.partial(super().run, iterator, play_context))


def install(strategy_name: str) -> None:
    """Put the guard on the strategy plugin of this name, unless it is on already."""
    strategy = strategy_loader.get(strategy_name, class_only=True)
    if strategy is None or issubclass(strategy, Guarded) or hasattr(strategy.run, "guarded"):
        return  # None: ansible-core ends the run with a message of its own
    run = strategy.run

    @functools.wraps(run)
    def guarded_run(self: StrategyBase, iterator: PlayIterator, *args: Any) -> int:
        return guard(self, iterator, functools.partial(run, self, iterator, *args))

    guarded_run.guarded = True
    strategy.run = guarded_run


class Run:
    """What the guard knows of one run of ansible-playbook.

    ``verdicts`` are by rule name and host name; ``plays`` are the ids of the plays that were begun. A guarded class
    that calls its guarded parent, as with both doors open, finds all said and done here.
    """

    def __init__(self) -> None:
        self.verdicts: dict[tuple[str, str], Verdict] = {}
        self.plays: set[str] = set()


_runs: WeakKeyDictionary[TaskQueueManager, Run] = WeakKeyDictionary()


def guard(strategy: StrategyBase, iterator: PlayIterator, proceed: Callable[[], int]) -> int:
    """Run a batch of a play by ``proceed``, the strategy's own run, once every host that a rule covers is ready.

    Returns what ``proceed`` returns, or the code by which PlaybookExecutor ends the run. Raises AnsibleError when it
    could not be decided whether the play may run.
    """
    run = _runs.setdefault(strategy._tqm, Run())
    play = iterator._play
    try:
        failed = examine(strategy, iterator, run)
    except AnsibleError:
        raise
    except Exception as ex:
        where = play.get_path() or play.get_name()
        raise AnsibleError(f"Precheck could not check the play at {where}, so nothing of it was run: {ex!r}") from ex
    if failed:
        return strategy._tqm.RUN_FAILED_BREAK_PLAY
    if play.only_tags == {TAG} and not any(TAG in task.tags for task in iterator.all_tasks):
        return strategy._tqm.RUN_OK  # only the checks were asked for, so not even tasks tagged always run
    return proceed()


def examine(strategy: StrategyBase, iterator: PlayIterator, run: Run) -> bool:
    """Return whether the play must not run, having told the operator and marked the batch's hosts if so."""
    play = iterator._play
    tqm = strategy._tqm
    first_batch = play._uuid not in run.plays
    run.plays.add(play._uuid)

    tasks = tasks_to_run(iterator, tqm)
    if not any(task.action not in C._ACTION_META for task in tasks):
        return False
    identity = identify(play, tasks)
    rules = covering_rules(identity, BUILT_IN)
    if not rules:
        return False
    # At the first batch all hosts are looked at; at each later one those of the batch that were left alone then.
    hosts = strategy._inventory.get_hosts(play.hosts, ignore_restrictions=first_batch, order=play.order)
    new = [host for host in hosts if any((rule.name, host.name) not in run.verdicts for rule in rules)]
    if not new:
        return False
    reached = hosts_reached(strategy, iterator, tasks, new)

    if OPT_OUT_TAG in play.tags or TAG in play.skip_tags:
        if first_batch and reached:
            how = f"the play is tagged {OPT_OUT_TAG}" if OPT_OUT_TAG in play.tags else f"--skip-tags {TAG}"
            display.warning(report.waiver(identity, rules, len(reached), how))
        return False

    failures: list[tuple[Rule, dict[str, Verdict]]] = []
    for rule in rules:
        to_ask = [host for host in reached if (rule.name, host.name) not in run.verdicts]
        verdicts = ask(strategy, play, rule, to_ask) if to_ask else {}
        run.verdicts.update(((rule.name, name), verdict) for name, verdict in verdicts.items())
        not_ready = {name: verdict for name, verdict in verdicts.items() if verdict.state != READY}
        if not_ready:
            failures.append((rule, not_ready))
    if failures:
        stop(tqm, iterator, strategy._inventory.get_hosts(play.hosts))
        tell_at_the_end(tqm, report.closing_block(identity, failures, len(reached)))
        return True
    refuse(strategy, iterator, {host.name for host in new} - {host.name for host in reached})
    return False


def tasks_to_run(iterator: PlayIterator, tqm: TaskQueueManager) -> list[Task]:
    """Return the tasks of the play that the options leave to run, in order, without those that ansible-core adds."""
    play = iterator._play
    if context.CLIARGS.get("start_at_task") is not None and not tqm._start_at_done:
        return []  # the task to start at comes in a later play: TaskQueueManager sets this before it runs a strategy
    if play.only_tags == {TAG}:  # judge the play that is to be run afterwards, not what this selection leaves of it
        everything = [task for block in play.compile() for task in block.get_tasks()]
        variables = tqm._variable_manager.get_vars(play=play)
        tasks = [task for task in everything if task.evaluate_tags({"all"}, play.skip_tags, all_vars=variables)]
    else:
        tasks = iterator.all_tasks[len(iterator._blocks[0].get_tasks()) :]  # block 0 gathers facts, validates arguments
    return [task for task in tasks if not task.implicit and task.action not in _VALIDATE]


def identify(play: Play, tasks: Iterable[Task]) -> PlayIdentity:
    """Return what the play is known by. Roles count however they come in: listed, imported, included by a literal
    name, or as a dependency.
    """
    path, _, line = play.get_path().rpartition(":")
    roles = {role.get_name() for role in play.roles}
    roles.update(task._role.get_name() for task in tasks if task._role)
    roles.update(str(task._role_name) for task in tasks if isinstance(task, IncludeRole))
    return PlayIdentity(name=play.get_name(), path=path, line=int(line or 0), roles=frozenset(roles))


def hosts_reached(strategy: StrategyBase, iterator: PlayIterator, tasks: list[Task], hosts: list[Host]) -> list[Host]:
    """Return those of ``hosts`` that the play would do something on: those that are not out already, for which the
    ``when`` of an import_playbook holds, and that none of the meta tasks at the play's head ends.
    """
    play = iterator._play
    leading = takewhile(lambda task: task.action in C._ACTION_META, tasks)
    actions = [(task, task.args.get("_raw_params")) for task in leading]
    gathers_facts = bool(iterator._blocks[0].get_tasks()) and (
        C.DEFAULT_GATHERING != "explicit" if play.gather_facts is None else play.gather_facts
    )
    names = [host.name for host in hosts]

    def holds(conditions: list[Any], host: Host, task: Task | None = None) -> bool | None:
        if not conditions:
            return True
        variables = strategy._variable_manager.get_vars(play=play, host=host, task=task, _hosts=names, _hosts_all=names)
        return compat.holds(conditions, variables, strategy._loader)

    def ends(task: Task, host: Host) -> bool:
        state = iterator.host_states.get(host.name)
        if state and state.did_start_at_task:  # --start-at-task passes over the leading tasks
            return False
        if gathers_facts and may_depend_on_facts(task.when):
            return False
        return holds(task.when, host, task) is True

    out = set(iterator.get_failed_hosts())
    if not any(action == "clear_host_errors" for task, action in actions):  # it brings back the unreachable at once
        out.update(strategy._tqm._unreachable_hosts)
    reached = [host for host in hosts if host.name not in out and holds(play._included_conditional, host) is not False]
    for task, action in actions:
        if action == "end_host":
            reached = [host for host in reached if not ends(task, host)]
        elif action == "end_play" or (action == "end_batch" and not play.serial):
            # linear asks the first host for all (StrategyBase._execute_meta); elsewhere each host ends by itself.
            one_decides = isinstance(strategy, LinearStrategy) and play.order != "shuffle"
            if all(ends(task, host) for host in (reached[:1] if one_decides else reached)):
                reached = []
    return reached


def ask(strategy: StrategyBase, play: Play, rule: Rule, hosts: list[Host]) -> dict[str, Verdict]:
    """Run the rule's check on ``hosts``, in parallel up to the number of forks; return the verdicts by host name.

    The check runs as a task of a small play of its own, on the play's strategy instance: another instance would read
    from the same result queue. It is queued here and not by the strategy's run, so that tags, --start-at-task, --step
    and a strategy's own order of things have no say.
    """
    tqm = strategy._tqm
    inventory = strategy._inventory
    limit = C.TASK_TIMEOUT or TIME_LIMIT
    restriction, workers = inventory._restriction, len(tqm._workers)
    failed, unreachable = dict(tqm._failed_hosts), dict(tqm._unreachable_hosts)
    caches = strategy._hosts_cache, strategy._hosts_cache_all
    # A batch restricts the inventory and sizes the workers; the checks are for the hosts of all batches.
    inventory.restrict_to_hosts(hosts)
    tqm._initialize_processes(min(tqm._forks, len(hosts)))
    strategy._cur_worker = 0
    try:
        checks = check_play(play, rule, limit)
        play_context = PlayContext(checks, tqm.passwords, tqm._connection_lockfile.fileno())
        iterator = PlayIterator(
            inventory=inventory,
            play=checks,
            play_context=play_context,
            variable_manager=strategy._variable_manager,
            all_vars={},
        )
        task = checks.tasks[0].block[0]
        checks.roles = play.roles  # after the iterator has compiled the play: for their variables, not their tasks
        strategy._set_hosts_cache(checks)
        results = []
        tqm.send_callback("v2_playbook_on_task_start", task, is_conditional=False)
        for host in hosts:
            task_vars = strategy._variable_manager.get_vars(
                play=checks, host=host, task=task, _hosts=strategy._hosts_cache, _hosts_all=strategy._hosts_cache_all
            )
            strategy.add_tqm_variables(task_vars, play=checks)
            strategy._blocked_hosts[host.name] = True
            strategy._queue_task(host, task, task_vars, play_context)
            results += strategy._process_pending_results(iterator, max_passes=max(1, len(tqm._workers) // 10))
        results += strategy._wait_on_pending_results(iterator)
        strategy.update_active_connections(results)
    finally:
        inventory._restriction = restriction
        tqm._initialize_processes(workers)
        strategy._cur_worker = 0
        tqm._failed_hosts, tqm._unreachable_hosts = failed, unreachable
        strategy._hosts_cache, strategy._hosts_cache_all = caches
    verdicts = {host.name: Verdict(UNVERIFIED, "the check gave no result") for host in hosts}
    verdicts.update((name, from_result(result, limit)) for name, result in map(compat.host_and_result, results))
    return verdicts


def check_play(play: Play, rule: Rule, limit: int) -> Play:
    """Return a play with the rule's check for its only task.

    Of the covered play it has the hosts, and the keywords and variables by which they are reached, and nothing else. What
    the command line or ansible.cfg would set otherwise (check mode, become, debugger, time limit), it sets itself.
    """
    task = {
        "name": f"Precheck {rule.name}",
        CHECK: {"path": rule.path, "become": False},
        "tags": [TAG],
        "check_mode": False,
        "debugger": "never",
        "timeout": limit,
    }
    tasks = [compat.with_origin(task, play.get_path().rpartition(":")[0])]
    data = {"name": play.get_name(), "hosts": "all", "gather_facts": False, "become": False, "tasks": tasks}
    checks = Play.load(data, variable_manager=play._variable_manager, loader=play._loader)
    for keyword in ("hosts", "connection", "port", "remote_user", "vars", "vars_files"):
        setattr(checks, keyword, getattr(play, keyword))
    return checks


def stop(tqm: TaskQueueManager, iterator: PlayIterator, batch: list[Host]) -> None:
    """Make PlaybookExecutor.run end the run after this batch.

    RUN_FAILED_BREAK_PLAY ends its loop over plays. The loop over batches ends only when as many hosts have newly
    failed or become unreachable as the batch has: so each host of the batch is counted once, and one that failed in
    an earlier play by the list in which it is not yet.
    """
    for host in batch:
        if iterator.is_failed(host):
            tqm._unreachable_hosts[host.name] = True
        else:
            iterator.mark_host_failed(host)


def tell_at_the_end(tqm: TaskQueueManager, text: str) -> None:
    """Print ``text`` to stderr after the last callback has had its say, so that no recap pushes it out of sight and
    stdout stays what the stdout callback makes it.
    """
    send_callback = tqm.send_callback

    def send_and_tell(method_name: str, *args: Any, **kwargs: Any) -> None:
        send_callback(method_name, *args, **kwargs)
        if method_name == "v2_playbook_on_stats":
            sys.stdout.flush()  # Display leaves it to the end of the run, which would be after this when both go to one file
            display.display(text, color=C.COLOR_ERROR, stderr=True)

    tqm.send_callback = send_and_tell


def refuse(strategy: StrategyBase, iterator: PlayIterator, unasked: set[str]) -> None:
    """End the run with an error when the play goes on to do something on a host that was left unasked.

    It would when a condition turns out otherwise after all, or when ``meta: clear_host_errors`` brings a host back that
    was unreachable in an earlier play.
    """
    if not unasked:
        return
    preparation = {task._uuid for task in iterator._blocks[0].get_tasks()}
    imported_when = iterator._play._included_conditional
    queue_task = strategy._queue_task

    def queue_unless_unasked(host: Host, task: Task, task_vars: dict[str, Any], play_context: PlayContext) -> None:
        refused = host.name in unasked and task._uuid not in preparation
        # While the import's condition does not hold, each task is queued, and then skipped by its own condition.
        if refused and (not imported_when or compat.holds(imported_when, task_vars, strategy._loader)):
            raise AnsibleError(
                f"Precheck stopped the run before the task '{task.get_name()}' ({task.get_path()}) on {host.name}: the host"
                " was not checked, as the play was not to do anything on it."
            )
        queue_task(host, task, task_vars, play_context)

    strategy._queue_task = queue_unless_unasked
