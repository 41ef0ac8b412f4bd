# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Checks that run once for a play, and belong to no host: conditions, and tasks."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from ansible.inventory.host import Host
from ansible.plugins.strategy import StrategyBase

from ...checks import condition, confirmation
from ...checks.event import RuleTexts
from ...policy.model import CONFIRM, Check, Rule, RuleAndHost
from ...verdict import Verdict, worst
from ..plays import own_variables
from ..run import PlayRun
from ..workers import lending
from ..workers.signals import nothing_left_behind
from .check_play import Step
from .check_run import CheckRun, labelled_part
from .variables import TaskVariables


def check_once(
    run: PlayRun, rule: Rule, hosts: Sequence[str], confirmed: Collection[RuleAndHost]
) -> Verdict | None:
    """Return the verdict on the checks of ``rule`` for the play as a whole; None if it has none.

    ``hosts`` are the names of those that the rule is for. The first one carries the tasks, as
    ansible-core runs none without a host. ``confirmed`` are the rules and hosts that the operator
    has confirmed.
    """
    parts = []
    variables = run.variables(None) | own_variables.of_rule(run, rule.scope)
    for check in rule.once_checks:
        if check.kind == CONFIRM:
            said = confirmation.said_before(rule.name, hosts, confirmed)
            parts.append(labelled_part(check, confirmation.judge(check, "", said), variables, run))
        elif check.kind != "task":
            verdict = condition.evaluate(check, variables, run.loader)
            parts.append(labelled_part(check, verdict, variables, run))
    if tasks := [_for_one(check) for check in rule.once_checks if check.kind == "task"]:
        [host] = run.hosts_named(hosts[:1])
        of_tasks = replace(rule, checks=tuple(tasks), facts=())
        with lending.lent_to(run, [host]), nothing_left_behind():
            once = CheckRun(run, [(of_tasks, [host])], variables=_VariablesOfPlay)
            parts += once.verdicts().values()
    return worst(parts) if parts else None


def _for_one(check: Check) -> Check:
    """Return the check as one of the host that carries it. There are no facts for it."""
    return replace(check, once=False, scope=check.scope and replace(check.scope, facts=()))


class _VariablesOfPlay(TaskVariables):
    """Those of tasks that run on the control node, unless they are delegated, and see no host's.

    A host of the play carries the tasks, as it does a task with ``run_once``.
    """

    def of_task(self, step: Step, host: Host) -> dict[str, Any]:
        variables = self.run.variables(None, step.task)
        StrategyBase.add_tqm_variables(self.run.strategy, variables, play=self.play)
        if step.task.delegate_to:
            # Until 2.15 it is found out here where the task goes.
            of_host = self.run.variables(host, step.task)
            names = ("ansible_delegated_vars", "_ansible_loop_cache")
            variables |= {name: of_host[name] for name in names if name in of_host}
        else:
            # As ansible-core has it for the localhost that is in no inventory.
            variables["ansible_connection"] = "local"
            variables["ansible_python_interpreter"] = sys.executable
        if step.check:
            own = self.of_policy(step.check, host.name, variables)
            variables |= {name: own[name] for name in own.keys() - step.task.get_vars().keys()}
        variables["ansible_become"] = bool(step.task.become)
        return variables

    def of_host(self, name: str) -> dict[str, Any]:
        return self.run.variables(None)

    def texts(self, rule: Rule, name: str) -> RuleTexts:
        own = own_variables.of_rule(self.run, rule.scope)
        return RuleTexts(rule.name, f"play {self.run.play_name}", "", "", own)
