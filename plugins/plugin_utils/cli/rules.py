# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From hosts to the rules that can apply to them, as far as that is known without a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Union

from ansible import constants as C
from ansible.inventory.host import Host
from ansible.parsing.dataloader import DataLoader
from ansible.vars.manager import VariableManager

from .. import templates
from ..ansible_core.plays.targets import UnmetCondition, unmet_with
from ..checks.context import HostVariables
from ..checks.host import probe_by_variables
from ..checks.kinds import KINDS
from ..checks.path import PathSpec
from ..checks.script import CommandQuestion, PathQuestion
from ..errors import TemplateError
from ..policy import discovery
from ..policy.conditions import may_depend_on_facts, names_facts, names_of_runs, with_templates
from ..policy.model import Check, Rule, Rules
from ..verdict import Verdict
from .listing import CheckOfHost, Listing, RuleOfHost

OpenConditions = Mapping[Union[str, bool], str]  # what may change each of them


def rules_of_hosts(
    hosts: Iterable[Host], variable_manager: VariableManager, loader: DataLoader
) -> Listing:
    """Return which rules of the policy in force can apply to each host. Raises PolicyError."""
    policy = discovery.find(variable_manager.extra_vars)
    rules = discovery.rules_in_force(policy, loader, KINDS)
    return Listing(
        policy.paths,
        policy.origin,
        {host.name: _of_host(rules, _known(host, variable_manager, loader)) for host in hosts},
    )


def _known(host: Host, variable_manager: VariableManager, loader: DataLoader) -> HostVariables:
    """Return what is known about a host without a run."""
    variables: dict[str, Any] = variable_manager.get_vars(host=host)
    # In a run, the guard sets them, whatever a host has.
    for name in ("precheck_playbook", "precheck_play"):
        variables.pop(name, None)
    connection = variables.get("ansible_connection", C.DEFAULT_TRANSPORT)
    try:
        is_local = templates.value_of(connection, variables, loader) == "local"
    except TemplateError:
        is_local = False
    return HostVariables(variables, loader, [loader.get_basedir()], {}, is_local, literal=False)


def _of_host(rules: Rules, host: HostVariables) -> list[RuleOfHost]:
    open_conditions = {rule.name: _open_conditions(rule, host.variables) for rule in rules}
    closed = [
        replace(rule, when=tuple(one for one in rule.when if one not in open_conditions[rule.name]))
        for rule in rules
    ]
    unmet = unmet_with(host.variables, closed, host.loader)
    return [_rule(rule, unmet.get(rule.name), open_conditions[rule.name], host) for rule in rules]


def _open_conditions(rule: Rule, variables: Mapping[str, Any]) -> OpenConditions:
    """Return what conditions of the rule's ``when`` depend on that only a run has."""
    conditions = {}
    for condition in rule.when:
        if names := names_of_runs([condition], {**variables, **rule.scope.variables}):
            conditions[condition] = f"{', '.join(names)}, which only a run has"
        # As before a play that comes after others: they may have gathered facts.
        elif may_depend_on_facts(with_templates([condition], rule.variables)):
            conditions[condition] = "facts"
    return conditions


def _rule(
    rule: Rule, unmet: UnmetCondition | None, open_conditions: OpenConditions, host: HostVariables
) -> RuleOfHost:
    if unmet and not unmet.error:
        return RuleOfHost(rule, False, f"the rule is only for hosts with {unmet.text}")
    reason = ""
    if unmet and rule.is_vaulted:
        reason = f"the rule's when has no value: {unmet.text}"
    elif unmet:
        reason = f"the rule's when, {unmet.text}: {unmet.error}"
    elif open_conditions:
        condition, what = next(iter(open_conditions.items()))
        what = "the run" if rule.is_vaulted else what
        reason = f"the rule's when may depend on {what}: {rule.shown(condition)}"
    checks = [_check(rule, check, host) for check in rule.checks]
    return RuleOfHost(rule, None if reason else True, reason, checks)


def _check(rule: Rule, check: Check, host: HostVariables) -> CheckOfHost:
    if rule.is_vaulted:
        return CheckOfHost(check)
    as_written = KINDS[check.kind].label(check.spec)
    # Tasks are rendered when they run, and conditions are no templates.
    if KINDS[check.kind].MEANS != "shell" or rule.has_vaulted_variables or C.DEFAULT_NO_LOG:
        return CheckOfHost(check, as_written)
    host = host.in_scope(check.scope)
    if unsure := _what_lacks(check, host.variables):
        return CheckOfHost(check, as_written, unsure)
    probe = probe_by_variables(check, host)
    if isinstance(probe, Verdict):
        unsure = "; ".join(probe.reasons).removeprefix(f"{check.label} ")
        return CheckOfHost(check, as_written, unsure)
    if isinstance(probe, CommandQuestion):
        return CheckOfHost(check, probe.command)
    return CheckOfHost(check, _required(probe, check.spec, host))


def _what_lacks(check: Check, variables: Mapping[str, Any]) -> str:
    """Return what a check needs that only a run has; empty if nothing."""
    if names := names_of_runs([check.spec], variables):
        return f"it needs {', '.join(names)}, which only a run has"
    if names_facts(with_templates([check.spec], variables)):
        return "it needs facts, which only a run has"
    return ""


def _required(question: PathQuestion, spec: PathSpec, host: HostVariables) -> str:
    """Return what is required of a path."""
    required = {
        "a": question.type,
        "mode at most": question.mode,
        "owner": question.owner,
        "group": question.group,
        "content of": host.rendered(spec.same_as),
    }
    parts = [f"{words} {value}" for words, value in required.items() if value]
    return ", ".join([question.path, *parts])
