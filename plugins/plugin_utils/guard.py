# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The guard: decides whether a play may run, asks its hosts, and stops the run when one of them is not ready.

Here is what it decides. What it does to ansible-core is in plays, asking and stopping, and in compat.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.inventory.host import Host
from ansible.playbook.play import Play
from ansible.plugins.loader import strategy_loader
from ansible.plugins.strategy import StrategyBase
from ansible.utils.display import Display

from . import compat, report, sources
from .door import Guarded, GuardError
from .matching import coverage, covering
from .plays import (
    TAG,
    Wanted,
    audit_of,
    do_something,
    files_of,
    hosts_meeting,
    hosts_reached,
    identify,
    is_ad_hoc,
    opted_out,
    tasks_to_run,
    variables_of,
)
from .policy import WARN, Rule
from .policy_values import is_template
from .record import Record, Waiver
from .stopping import refuse, stop, tell_at_the_end
from .verdict import READY, Verdict

display = Display()


def install(strategy_name: str) -> None:
    """Put the guard on the strategy plugin of this name, unless it is on already."""
    strategy = strategy_loader.get(strategy_name, class_only=True)
    if strategy is None or issubclass(strategy, Guarded) or hasattr(strategy.run, "guarded"):
        return  # None: ansible-core ends the run with a message of its own
    run = strategy.run

    @functools.wraps(run)
    def guarded_run(self: StrategyBase, iterator: PlayIterator, *args: Any) -> int:
        return guard(self, iterator, functools.partial(run, self, iterator, *args))

    guarded_run.guarded = True  # type: ignore[attr-defined] # a mark, and not what functions have
    strategy.run = guarded_run


class Run:
    """What the guard knows of one run of ansible-playbook.

    ``verdicts`` are by rule name and host name; ``plays`` are the ids of the plays that were begun; ``unmet`` has play,
    rule and host where the rule's ``when`` did not hold; ``stopped`` is whether the guard has ended the run. A guarded
    class that calls its guarded parent, as with both doors open, finds all said and done here. ``audits`` are the ids of
    plays that were audits; ``record`` is for the report, which ``is_new`` says to write again.
    """

    def __init__(self) -> None:
        self.verdicts: dict[tuple[str, str], Verdict] = {}
        self.plays: set[str] = set()
        self.unmet: set[tuple[str, str, str]] = set()
        self.stopped = False
        self.audits: set[str] = set()
        self.record = Record()
        self.is_new = False
        self._rules: tuple[Rule, ...] | None = None

    def rules(self, strategy: StrategyBase) -> tuple[Rule, ...]:
        """Return the rules in force, which are read at the first play. Raises PolicyError."""
        if self._rules is None:
            self._rules, where_from = sources.load(strategy._variable_manager.extra_vars, strategy._loader)
            display.v(where_from)
        return self._rules

    def is_settled(self, play: Play, rule: Rule, host: Host) -> bool:
        """Return whether nothing is left to find out about a host of the play for a rule."""
        return (rule.name, host.name) in self.verdicts or (play._uuid, rule.name, host.name) in self.unmet


_runs: WeakKeyDictionary[TaskQueueManager, Run] = WeakKeyDictionary()
begun: set[str] = set()  # the ids of the plays that the guard has seen


def guard(strategy: StrategyBase, iterator: PlayIterator, proceed: Callable[[], int]) -> int:
    """Run a batch of a play by ``proceed``, the strategy's own run, once every host that a rule covers is ready.

    Returns what ``proceed`` returns, or the code by which PlaybookExecutor ends the run. Raises AnsibleError when it
    could not be decided whether the play may run.
    """
    try:
        run = _runs.setdefault(strategy._tqm, Run())
        play = iterator._play
        if run.stopped:  # a release of ansible-core may count failed hosts in another way
            raise AnsibleError(f"Precheck stopped the run, so nothing of the play {play.get_name()!r} was run.")
        begun.add(play._uuid)
        if decide(strategy, iterator, run):
            run.stopped = True
            # PlaybookExecutor makes one exit status of both codes. The command ansible exits with what it is given.
            return strategy._tqm.RUN_FAILED_HOSTS | (0 if is_ad_hoc() else strategy._tqm.RUN_FAILED_BREAK_PLAY)
        if play._uuid in run.audits:
            return strategy._tqm.RUN_OK  # there is nothing else to do in the play
        if play.only_tags == {TAG} and not any(TAG in task.tags for task in iterator.all_tasks):
            return strategy._tqm.RUN_OK  # only the checks were asked for, so not even tasks tagged always run
    except AnsibleError:
        raise
    except Exception as ex:
        raise GuardError(f"Precheck could not check the play{_place(iterator)}, so nothing of it was run", ex) from ex
    return proceed()


def _place(iterator: PlayIterator) -> str:
    try:
        return f" at {iterator._play.get_path() or iterator._play.get_name()}"
    except Exception:  # it may be what is wrong
        return ""


def decide(strategy: StrategyBase, iterator: PlayIterator, run: Run) -> bool:
    """Return whether the play must not run. Whatever comes of it, the report is written if there is to be one."""
    play = iterator._play
    judge = examine
    if task := audit_of(play):
        from .audit import audit  # few runs are audits

        judge = functools.partial(audit, task)
    try:
        return judge(strategy, iterator, run)
    except Exception as ex:
        run.record.error, run.is_new = report.error(ex), True
        if play._uuid in run.record.plays:
            run.record.plays[play._uuid].stopped = True
        raise
    finally:
        if run.is_new:
            from .report_file import keep  # few runs keep a report

            run.is_new = False
            keep(run.record, strategy._variable_manager.extra_vars, strategy._inventory)


def examine(strategy: StrategyBase, iterator: PlayIterator, run: Run) -> bool:
    """Return whether the play must not run, having told the operator and marked the batch's hosts if so."""
    play, tqm = iterator._play, strategy._tqm
    first_batch = play._uuid not in run.plays
    run.plays.add(play._uuid)

    rules = run.rules(strategy)
    tasks = tasks_to_run(iterator, tqm)
    if not do_something(tasks):
        display.vv(f"Precheck: play {play.get_name()} has no task to run, so it is not guarded")
        return False
    identity = identify(iterator)
    found = covering(identity, rules)
    if first_batch:
        display.vv(coverage(identity, found))
    if not found:
        return False
    covered = run.record.covers(play._uuid, identity, [rule for rule, _selector in found])
    run.is_new = first_batch
    # At the first batch all hosts are looked at; at each later one those of the batch that were left alone then.
    hosts = strategy._inventory.get_hosts(play.hosts, ignore_restrictions=first_batch, order=play.order)
    new = [host for host in hosts if not all(run.is_settled(play, rule, host) for rule, _selector in found)]
    once = first_batch and any(check.once for rule, _selector in found for check in rule.checks)
    if not (new or once):
        known = (host for host in hosts if any((rule.name, host.name) in run.verdicts for rule in covered.rules))
        covered.hosts.update(host.name for host in known)
        return False
    reach = hosts_reached(strategy, iterator, tasks, hosts)  # of all hosts, as the first may decide for the others
    new_names = {host.name for host in new}
    reached = [host for host in reach.hosts if once or host.name in new_names]
    if how := opted_out(play):
        if first_batch and reached:
            waive(strategy, play, run, reached, how)
        return False

    wanted: Wanted = [
        (rule, [host for host in reached if once or not run.is_settled(play, rule, host)]) for rule, _selector in found
    ]
    met = hosts_meeting(strategy, play, wanted)
    for (rule, some), (_rule, all_some) in zip(met, wanted):
        run.unmet.update((play._uuid, rule.name, host.name) for host in set(all_some) - set(some))
    asked = {host.name for _rule, some in met for host in some}
    covered.hosts |= asked
    run.is_new |= bool(asked)
    failures = ask_all(strategy, play, run, met, first_batch)
    warnings = [failure for failure in failures if failure.rule.severity == WARN]
    errors = [failure for failure in failures if failure.rule.severity != WARN]
    if warnings:
        display.display(report.warning_block(identity, warnings), color=C.COLOR_WARN, stderr=True)
    if errors:
        covered.stopped = True
        stop(tqm, iterator, strategy._inventory.get_hosts(play.hosts))
        tell_at_the_end(tqm, report.closing_block(identity, errors))
        return True
    refuse(strategy, iterator, new_names - {host.name for host in reached})
    return False


def waive(strategy: StrategyBase, play: Play, run: Run, hosts: list[Host], how: str) -> None:
    """Warn that the rules are not enforced on the play. Raises AnsibleError when one of them is mandatory and applies."""
    covered = run.record.plays[play._uuid]
    identity = covered.identity
    mandatory = hosts_meeting(strategy, play, [(rule, hosts) for rule in covered.rules if rule.mandatory])
    if refused := [rule.place for rule, some in mandatory if some]:
        raise AnsibleError(
            f"Precheck does not let {identity} go unchecked ({how}), so nothing of it was run: mandatory is {', '.join(refused)}"
        )
    if waived := [rule for rule in covered.rules if not rule.mandatory]:
        run.record.waivers.append(Waiver(identity, waived, len(hosts), how))
        display.warning(report.waiver(identity, waived, len(hosts), how))


def ask_all(strategy: StrategyBase, play: Play, run: Run, wanted: Wanted, first_batch: bool) -> list[report.Failure]:
    """Check the hosts of each rule, unless they were checked before; return what is not ready."""
    # Not at the top: runs in which no rule covers a play are spared the time.
    from .asking import ask, ask_once

    new = [(rule, [host for host in hosts if not run.is_settled(play, rule, host)]) for rule, hosts in wanted]
    verdicts = ask(strategy, play, new)
    run.verdicts.update(verdicts)
    run.record.verdicts.update(verdicts)
    failures = []
    for (rule, hosts), (_rule, all_hosts) in zip(new, wanted):
        of_play = ask_once(strategy, play, rule) if first_batch and all_hosts else None
        if of_play:
            run.record.plays[play._uuid].checks.append((rule, of_play))
        of_hosts = {host.name: verdicts[rule.name, host.name] for host in hosts if (rule.name, host.name) in verdicts}
        bad = {name: verdict for name, verdict in of_hosts.items() if verdict.state != READY}
        bad_play = of_play if of_play and of_play.state != READY else None
        if bad or bad_play:
            names = sorted(bad) or sorted(host.name for host in all_hosts)
            messages, remedy = words(strategy, play, rule, names)
            run.record.messages.setdefault(rule.name, []).extend(messages)
            run.record.remedies.setdefault(rule.name, []).append(remedy)
            failures.append(report.Failure(rule, bad, bad_play, len(all_hosts), messages, remedy))
    return failures


def words(strategy: StrategyBase, play: Play, rule: Rule, names: list[str]) -> tuple[list[str], str]:
    """Return the rule's message and remedy, rendered: the message for each host that is shown, but no text twice."""

    def rendered(template: str, variables: dict[str, Any]) -> str:
        try:
            return compat.rendered(template, variables, strategy._loader)
        except compat.TemplateError as ex:
            return f"{template} ({ex})"

    messages = [rule.message] if rule.message else []
    if is_template(rule.message):
        hosts = [strategy._inventory.get_host(name) for name in names[: report.HOSTS_SHOWN]]
        messages = [rendered(rule.message, variables_of(strategy, play, host, names)) for host in hosts]
    remedy = rule.remedy
    if is_template(remedy):
        variables = strategy._variable_manager.get_vars(play=play, _hosts=names, _hosts_all=names)
        variables |= {
            "precheck_hosts": names,
            "precheck_playbook": files_of(play)[0],
            "precheck_play": play.get_name(),
            "precheck_rule": rule.name,
        }
        remedy = rendered(remedy, variables)
    return list(dict.fromkeys(messages)), remedy
