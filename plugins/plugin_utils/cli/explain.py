# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From plays to what the guard would do before them, planned by the guard itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.plugins.loader import strategy_loader
from ansible.plugins.strategy import StrategyBase

from ..ansible_core.patches.strategies import replace_run
from ..ansible_core.plays.identity import identify_without_hosts, location_of
from ..ansible_core.plays.purpose import audit_task, guards_of, is_doctor, is_guarded
from ..ansible_core.run import PlayRun, id_of
from ..checks.kinds import KINDS
from ..errors import GuardError
from ..guard.ahead import look_ahead
from ..guard.plan import Reasons, RulePlan
from ..guard.state import PlayAndRule, RunState
from ..guard.survey import Survey, of_checks, opt_out_of, survey
from ..options import CALLBACK, PolicyPaths
from ..policy import discovery
from ..policy.matching import covering
from ..policy.model import Rules, Selector
from .explanation import AheadExplanation, Explanation, PlayExplanation, RuleExplanation


class ExplainingManager(TaskQueueManager):
    """Explains plays, where a TaskQueueManager runs them.

    Plays get to it as to any other: by its method ``run``, and by the callbacks that
    PlaybookExecutor sends. ``begin`` is called with the explanation, which the manager goes on to
    fill.
    """

    def __init__(self, begin: Callable[[Explanation], None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._begin = begin
        self._explainer: Explainer | None = None
        self._playbook = ""
        self._explained: set[str] = set()

    def load_callbacks(self) -> None:
        pass  # they are for runs

    def send_callback(self, method_name: str, *args: Any, **kwargs: Any) -> None:
        with _failing_with_an_error():
            if method_name == "v2_playbook_on_start":
                self._playbook = args[0]._file_name
                if self._explainer is None:
                    self._explainer = Explainer(discovery.find(self._variable_manager.extra_vars))
                    self._begin(self._explainer.explanation)
            elif method_name == "v2_playbook_on_play_start":
                self._play = args[0]
            elif method_name == "v2_playbook_on_no_hosts_matched" and self._explainer:
                self._explainer.explain_without_hosts(self._play, self._playbook)

    def run(self, play: Play) -> int:
        with _failing_with_an_error():
            if id_of(play) in self._explained:
                return self.RUN_OK  # a later batch
            self._explained.add(id_of(play))
            strategy = strategy_loader.get(play.strategy, class_only=True)
            if strategy is not None:  # otherwise ansible-core has an error for that
                replace_run(strategy, self._explain)
        status: int = super().run(play)  # type: ignore[no-untyped-call]
        return status

    def _explain(self, strategy: StrategyBase, iterator: PlayIterator) -> int:
        with _failing_with_an_error(location_of(iterator)):
            run = PlayRun(strategy, iterator)
            if self._explainer:
                self._explainer.explain(run, self._playbook)
        return self.RUN_OK


@contextlib.contextmanager
def _failing_with_an_error(location: str = "") -> Iterator[None]:
    """Turn whatever goes wrong into an error that ansible-core prints without a traceback."""
    try:
        yield
    except AnsibleError:
        raise
    except Exception as ex:
        raise GuardError(f"Precheck could not explain the play{location}", ex) from None


class Explainer:
    """Explains the plays of a run, in order. It assumes that each host that is checked is ready."""

    def __init__(self, policy: PolicyPaths) -> None:
        self._policy = policy
        self.explanation = Explanation(policy.paths, policy.origin)
        self._state = RunState()
        self._rules: Rules | None = None
        self._waited: dict[PlayAndRule, Reasons] = {}

    def explain_without_hosts(self, play: Play, playbook: str) -> None:
        """Explain a play that no host of the inventory and the limit is in. Raises PolicyError.

        An earlier play may make hosts or groups.
        """
        identity = identify_without_hosts(play)
        rules = self._rules_in_force(play.get_loader())
        coverages = covering(identity, rules)
        opt_out = opt_out_of(play, play.get_variable_manager().extra_vars, rules)
        explanation = PlayExplanation(
            playbook,
            identity,
            hosts=(),
            rules=[
                RuleExplanation(rule, selector, waived=opt_out.way(rule))
                for rule, selector in coverages
            ],
            not_guarded=_why_not_guarded(play),
            hosts_may_come=self._has_earlier_plays(),
            guarded_by=guards_of(play.strategy),
        )
        self.explanation.plays.append(explanation)

    def explain(self, run: PlayRun, playbook: str) -> None:
        """Explain a play. Raises PolicyError."""
        # Earlier plays may gather facts, or set variables.
        has_earlier_plays = self._has_earlier_plays()
        rules = self._rules_in_force(run.loader)
        known = survey(run, self._state, rules, facts_to_come=has_earlier_plays)
        self._state.remember(run.play_id, known.identity, known.plans, of_checks(run, known.plans))
        rule_explanations = [
            self._explain_rule(run, known, plan, selector)
            for plan, (_rule, selector) in zip(known.plans, known.coverages)
        ]
        self.explanation.plays.append(
            PlayExplanation(
                playbook,
                known.identity,
                known.hosts,
                rule_explanations,
                _why_not_guarded(run.play),
                ahead=() if known.idle_reason else list(self._look_ahead(run, rules, known)),
                guarded_by=guards_of(run.play.strategy),
            )
        )

    def _look_ahead(self, run: PlayRun, rules: Rules, known: Survey) -> Iterator[AheadExplanation]:
        """Explain what is checked now for later plays, and remember what waits for them."""
        for ahead in look_ahead(run, self._state, rules, known, to_the_end=True):
            for rule, reasons in ahead.waiting.items():
                self._waited[ahead.play_id, rule] = reasons
            self._state.remember_ahead(known.identity, ahead.fingerprints)
            for plan in ahead.plans:
                yield AheadExplanation(ahead.identity, plan.rule, plan.check)

    def _explain_rule(
        self, run: PlayRun, known: Survey, plan: RulePlan, selector: Selector
    ) -> RuleExplanation:
        unless = ", unless an earlier play sees to that" if self._has_earlier_plays() else ""
        waited = self._waited.get((run.play_id, plan.rule.name), {})
        return RuleExplanation(
            rule=plan.rule,
            selector=selector,
            waived="" if plan.is_enforced else known.opt_out.way(plan.rule),
            checked=plan.check,
            once_for=plan.once_for,
            left_out={
                **known.targets.left_out,
                **plan.left_out,
                **{name: f"the rule's when, {reason}" for name, reason in plan.undecided.items()},
            },
            unsure=plan.doubts,
            errors={
                name: f"the rule's when, {reason}{unless}" for name, reason in plan.refused.items()
            },
            waited={name: reason for name, reason in waited.items() if name in plan.check},
        )

    def _has_earlier_plays(self) -> bool:
        return any(play.hosts for play in self.explanation.plays)

    def _rules_in_force(self, loader: DataLoader) -> Rules:
        if self._rules is None:
            self._rules = discovery.rules_in_force(self._policy, loader, KINDS)
        return self._rules


def _why_not_guarded(play: Play) -> str:
    """Return why the guard would not do what is explained for a play; empty if it would."""
    if audit_task(play):
        return "it is an audit, which checks its hosts for all rules of the policy"
    if is_doctor(play):
        return "it only says whether the guard is in force"
    if is_guarded(play):
        return ""
    return f"its strategy is {play.strategy}, and the callback {CALLBACK} is not enabled"
