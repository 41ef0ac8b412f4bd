# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks ahead: which hosts of later plays can be checked now, as nothing prepares them before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ansible.errors import AnsibleError
from ansible.playbook.play import Play
from ansible.utils.display import Display

from ..ansible_core.plays.identity import identify, identify_without_hosts
from ..ansible_core.plays.later import (
    LaterPlay,
    files_are_in,
    hosts_of,
    plays_after,
    without_traces,
)
from ..ansible_core.plays.play import has_work, names_that_tasks_set, results_of_tasks, tasks_to_run
from ..ansible_core.plays.purpose import audit_task, is_doctor, is_guarded
from ..ansible_core.plays.tags import opt_out_of
from ..ansible_core.run import Fingerprint, PlayRun, id_of
from ..errors import text_for_report
from ..policy.matching import PlayIdentity, covering
from ..policy.model import Rule, RuleAndHost
from ..text import one_line
from .plan import Reasons, RulePlan
from .state import PlayId, RunState
from .survey import Survey, of_checks, survey
from .way import PlayOnTheWay, Way, can_be_checked_ahead, may_turn_out_otherwise

display = Display()

AnyFinding = TypeVar("AnyFinding")
PlayAndSurvey = tuple[PlayId, Survey]


@dataclass(frozen=True)
class Ahead:
    """What can be found out now about a later play.

    ``plans`` have the hosts that are to be checked now. ``waiting`` says of others, by the name of
    a rule, why they are only checked before their play. ``run`` is None if no host is checked now;
    ``fingerprints`` are those of the checks.
    """

    play_id: PlayId
    identity: PlayIdentity
    plans: Sequence[RulePlan]
    waiting: Mapping[str, Reasons]
    run: LaterPlay | None = None
    fingerprints: Mapping[RuleAndHost, Fingerprint] = field(default_factory=dict)


def look_ahead(
    run: PlayRun, state: RunState, rules: Sequence[Rule], known: Survey, to_the_end: bool = False
) -> Iterator[Ahead]:
    """Yield what can be found out now about each later play that a rule covers.

    ``known`` is what is known about the play of ``run``, which has a task to run. What was yielded
    has to be checked before the next is asked for. With ``to_the_end``, go on to the plays about
    which nothing can be found out.
    """
    ways = [Way(rule) for rule in rules if can_be_checked_ahead(rule)]
    here = _on_the_way(run, rules, known.identity, known.hosts)
    for way in ways:
        way.add(here)
    if not any(way.is_open for way in ways) and not to_the_end:
        return
    for later in _later_plays(run, state, rules, here):
        if ahead := later.look(ways):
            yield ahead
        for way in ways:
            way.add(later.on_the_way)
        if not any(way.is_open for way in ways) and not to_the_end:
            return


def surveys_of_later_plays(
    run: PlayRun, state: RunState, rules: Sequence[Rule], known: Survey
) -> Iterator[PlayAndSurvey]:
    """Yield the id of each later play that a rule covers, and what would be done if it began now.

    ``known`` is what is known about the play of ``run``, and ``rules`` are all in force.
    """
    here = _on_the_way(run, rules, known.identity, known.hosts)
    for later in _later_plays(run, state, rules, here):
        if found := later.survey():
            yield later.id, found


def _later_plays(
    run: PlayRun, state: RunState, rules: Sequence[Rule], here: PlayOnTheWay
) -> Iterator[_Later]:
    """Yield the later plays. Meanwhile, ansible-core looks for files where they would."""
    sets = here.sets
    for play, directory in plays_after(run):
        later = _Later(run, state, rules, play, sets)
        with files_are_in(directory, run):
            yield later
        sets |= later.on_the_way.sets if later.on_the_way else frozenset()


class _Later:
    """A later play, and what is found out about it."""

    def __init__(
        self,
        run: PlayRun,
        state: RunState,
        rules: Sequence[Rule],
        play: Play,
        names_set_before: frozenset[str],
    ) -> None:
        self._run, self._state, self._rules, self._play = run, state, rules, play
        self._names_set_before = names_set_before
        self.id = id_of(play)
        self.on_the_way: PlayOnTheWay | None = None

    def look(self, ways: Sequence[Way]) -> Ahead | None:
        """Return what can be found out now; None if no rule covers the play, or it is not known."""
        return self._tried(lambda: self._look(ways))

    def survey(self) -> Survey | None:
        """Return what would be done if the play began now; None as with ``look``."""
        return self._tried(self._survey)

    def _tried(self, find_out: Callable[[], AnyFinding | None]) -> AnyFinding | None:
        try:
            with without_traces(self._run):
                return find_out()
        # Whatever is wrong with it, its turn will come, and a play on the way may cure it.
        except Exception as ex:
            reason = one_line(text_for_report(ex))
            print_it = display.vvv if isinstance(ex, AnsibleError) else display.v
            print_it(f"Precheck: play {self._play.get_name()} cannot be checked ahead: {reason}")
            return None

    def _look(self, ways: Sequence[Way]) -> Ahead | None:
        self.on_the_way = known = self._identified()
        identity = known.identity
        names = [host.name for host in hosts_of(self._run, self._play)]
        has_hosts = bool(names or hosts_of(self._run, self._play, ignore_limit=True))
        self.on_the_way = replace(known, hosts=names if has_hosts else None)
        covered = [way for way in ways if covering(identity, [way.rule])]
        if not covered or _changes_nothing(self._play) or not is_guarded(self._play):
            return None
        waiting = {way.rule.name: self._waiting(way, names) for way in covered}
        seen = self._state.seen_ahead.setdefault(self.id, set())
        to_see = {
            way.rule.name: [
                name
                for name in names
                if name not in waiting[way.rule.name] and (way.rule.name, name) not in seen
            ]
            for way in covered
        }
        seen.update((rule, name) for rule, names in to_see.items() for name in names)
        if not any(to_see.values()):
            return Ahead(self.id, identity, (), waiting)
        later = LaterPlay(self._run, self._play, self._names_set_before)
        plans = [
            _now(plan, to_see[plan.rule.name], waiting[plan.rule.name])
            for plan in survey(later, self._state, self._rules, facts_to_come=True).plans
            if plan.rule.name in to_see
        ]
        marks = of_checks(later, plans)
        plans = [_if_known(plan, marks, waiting[plan.rule.name]) for plan in plans]
        plans = [plan for plan in plans if plan.check]
        return Ahead(self.id, identity, plans, waiting, later if plans else None, marks)

    def _survey(self) -> Survey | None:
        self.on_the_way = known = self._identified()
        is_covered = covering(known.identity, self._rules)
        if not is_covered or _changes_nothing(self._play) or not is_guarded(self._play):
            return None
        later = LaterPlay(self._run, self._play, self._names_set_before)
        return survey(later, self._state, self._rules, facts_to_come=True)

    def _waiting(self, way: Way, names: Sequence[str]) -> dict[str, str]:
        """Return which hosts wait for the play, whatever else is found out, and why."""
        if may_turn_out_otherwise(way.rule, self._names_set_before):
            return dict.fromkeys(names, "as the checks may depend on what earlier plays do")
        return dict(way.waiting(names))

    def _identified(self) -> PlayOnTheWay:
        """Return what the play is, found out once for all plays before it, without its hosts."""
        if self.id not in self._state.foreseen:
            try:
                later = LaterPlay(self._run, self._play)
            except Exception:  # it cannot begin yet, as its hosts are not known, say
                identity = identify_without_hosts(self._play)
                return PlayOnTheWay(identity, has_work=True, hosts=None)
            identity = identify(later)
            self._state.foreseen[self.id] = _on_the_way(later, self._rules, identity, None)
        return self._state.foreseen[self.id]


def _changes_nothing(play: Play) -> bool:
    return audit_task(play) is not None or is_doctor(play)


def _on_the_way(
    run: PlayRun, rules: Sequence[Rule], identity: PlayIdentity, hosts: Sequence[str] | None
) -> PlayOnTheWay:
    opt_out = opt_out_of(run.play, run.extra_vars)
    waived = frozenset(rule.name for rule in rules if opt_out.way(rule))
    has_tasks = not _changes_nothing(run.play) and has_work(tasks_to_run(run))
    sets = names_that_tasks_set(run) | results_of_tasks(run)
    return PlayOnTheWay(identity, has_tasks, hosts, frozenset(sets), waived)


def _if_known(
    plan: RulePlan, fingerprints: Mapping[RuleAndHost, Fingerprint], waiting: dict[str, str]
) -> RulePlan:
    """Return ``plan`` for the hosts of which it is known what they are asked. The others wait.

    They would be checked again at their play, as it could not be told that it is the same question.
    """
    known = [name for name in plan.check if fingerprints[plan.rule.name, name]]
    unknown = (name for name in plan.check if name not in known)
    waiting.update(dict.fromkeys(unknown, "as it is not known yet what is asked"))
    return RulePlan(plan.rule, check=known)


def _now(plan: RulePlan, names: Sequence[str], waiting: dict[str, str]) -> RulePlan:
    """Return ``plan`` with what can be known now. Adds to ``waiting`` what cannot."""
    waiting.update(plan.doubts)
    waiting.update((name, f"in the rule's when, {why}") for name, why in plan.refused.items())
    check = [name for name in plan.check if name in names and name not in waiting]
    return RulePlan(plan.rule, check=check if plan.is_enforced else ())
