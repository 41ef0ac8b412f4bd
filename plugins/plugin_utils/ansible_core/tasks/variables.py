# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables of the tasks that check a host, and of what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.inventory.host import Host
from ansible.playbook.play import Play
from ansible.plugins.strategy import StrategyBase

from ... import templates
from ...checks import kinds
from ...checks.event import RuleTexts
from ...checks.facts import NONE, Facts
from ...checks.host import REQUEST, Answers, CheckRequest
from ...checks.path import known_digests
from ...errors import TemplateError
from ...policy.model import Check, Rule
from ...text import is_plain_name
from ..plays import own_variables
from ..plays.identity import directories_of
from ..plays.targets import HostsByRule
from ..run import PlayRun
from .check_play import Step
from .fingerprints import Fingerprints
from .progress import HostProgress


class TaskVariables:
    """The variables of the tasks of ``play``, which checks hosts before the play of ``run``.

    ``progress`` is that of each host by its name, and changes meanwhile. So do ``facts``, those
    that were gathered for rules. Without ``fingerprints``, verdicts are not remembered.
    """

    def __init__(
        self,
        run: PlayRun,
        play: Play,
        hosts_by_rule: HostsByRule,
        progress: Mapping[str, HostProgress],
        fingerprints: Fingerprints | None,
    ) -> None:
        self.run, self.play = run, play
        self._progress, self._fingerprints = progress, fingerprints
        rules = [rule for rule, _hosts in hosts_by_rule]
        self.facts: Mapping[str, Facts] = {}
        self.directories = directories_of(run)
        self._of_play = own_variables.of_play(run)
        self._digests = known_digests(
            (check for rule in rules for check in rule.checks), run.loader
        )
        self._checks_by_rule = {
            rule.name: checks for rule in rules if (checks := kinds.action_checks(rule))
        }
        self._asking = {rule.name for rule in rules if kinds.asks_node(rule)}
        self._names_by_rule = {
            rule.name: {host.name for host in hosts} for rule, hosts in hosts_by_rule
        }
        self._in_inventory = set(run.names_in_inventory())

    def of_task(self, step: Step, host: Host) -> dict[str, Any]:
        """Return the variables of the task of ``step`` on ``host``."""
        variables = self.run.variables(host, step.task)
        StrategyBase.add_tqm_variables(self.run.strategy, variables, play=self.play)
        variables |= self._of_play
        if step.check is None:
            fingerprint = None
            if self._fingerprints:
                fingerprint = self._fingerprints.of(step.rule, variables)
            connection = self._needless_connection(step, variables)
            variables[REQUEST] = self._request(step.rule, host.name, connection, fingerprint)
            if connection:
                variables["ansible_connection"] = "local"
        else:
            own = self.of_policy(step.check, host.name, variables)
            variables |= {name: own[name] for name in own.keys() - step.task.get_vars().keys()}
        # The variable takes precedence over the keyword.
        variables["ansible_become"] = bool(step.task.become)
        return variables

    def of_message(self, name: str, check: Check | None = None) -> dict[str, Any]:
        """Return the variables for a message about the host of this name, and about a check."""
        variables = self.of_host(name)
        return variables | self.of_policy(check, name, variables) if check else variables

    def of_host(self, name: str) -> dict[str, Any]:
        """Return the variables of the host of this name."""
        [host] = self.run.hosts_named([name])
        return self.run.variables(host)

    def texts(self, rule: Rule, name: str) -> RuleTexts:
        """Return what ``rule`` says about the host of this name."""
        variables: dict[str, Any] = {
            "precheck_hosts": [name],
            "precheck_unverified_hosts": [],
            **rule.scope.variables,
            **self._of_play,
            **self._facts_of(name).variables(rule.scope, {}),
        }
        if is_plain_name(name) and name in self._in_inventory:
            variables["precheck_limit"] = f"{name} {self.run.inventory_options}".strip()
        return RuleTexts(rule.name, name, rule.message, rule.remedy, variables)

    def of_policy(self, check: Check, name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return what ``check`` has beside the ``variables`` of the host of this name."""
        if not check.scope:
            return {}
        known = self._facts_of(name).variables(check.scope, variables)
        return {**known, **self._of_play, **check.scope.variables}

    def _facts_of(self, name: str) -> Facts:
        return self.facts.get(name, NONE)

    def _needless_connection(self, step: Step, variables: dict[str, Any]) -> str:
        """Return the connection of a host that has to be replaced for the step; empty if none has.

        ansible-core makes the connection before the action runs, and there may be no such plugin.
        Those that are always there connect only when they are used.
        """
        connection: str = variables.get("ansible_connection") or step.task.connection
        try:
            name = templates.value_of(connection, variables, self.run.loader)
        except TemplateError:
            name = ""
        if kinds.asks_node(step.rule) or name in ("ssh", "local", "smart"):
            return ""
        return connection

    def _request(
        self, rule: Rule, name: str, connection: str, fingerprint: str | None
    ) -> CheckRequest:
        """Return what the action is to find out: when it first asks a host, for all its rules."""
        answers = self._progress[name].answers
        checks = {rule.name: self._checks_by_rule[rule.name]}
        of_rule: Answers | None = answers.get(rule.name) if answers else None
        if not kinds.asks_node(rule):
            of_rule = ()
        elif answers is None:
            checks = {
                other: checks
                for other, checks in self._checks_by_rule.items()
                if other in self._asking and name in self._names_by_rule[other]
            }
        return CheckRequest(
            rule.name,
            checks,
            self.directories,
            self._digests,
            self.texts(rule, name),
            of_rule,
            connection,
            fingerprint,
            ahead=self.run.is_later,
            facts=self._facts_of(name),
            reconnects=name in self.run.reconnecting,
        )
