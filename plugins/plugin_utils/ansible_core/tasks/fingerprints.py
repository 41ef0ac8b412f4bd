# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a verdict belongs to: a machine, reached in a certain way, and what it was asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleError
from ansible.inventory.host import Host

from ... import templates
from ...checks.context import HostVariables
from ...checks.kinds import KINDS, OF_ACTION
from ...checks.path import known_digests
from ...errors import PrecheckError
from ...policy.conditions import looks_further, mentioned
from ...policy.model import Check, Rule, RuleAndHost
from ..plays.detours import detours_of
from ..plays.identity import directories_of
from ..plays.machines import machine_of
from ..plays.own_variables import of_play
from ..plays.targets import HostsByRule, rules_by_host
from ..run import Fingerprint, PlayRun
from .facts import facts_of


class Fingerprints:
    """Finds out of what machine and question a verdict on one of ``rules`` would be.

    A verdict on the same name holds for another play only if both are the same there: a variable,
    or a keyword of the play, can send tasks elsewhere or change what is checked.
    """

    def __init__(self, run: PlayRun, rules: Sequence[Rule]) -> None:
        self._run = run
        self._digests = known_digests(
            (check for rule in rules for check in rule.checks), run.loader
        )
        self._directories = directories_of(run)
        self._of_play = of_play(run)
        self._detours = [str(detour) for detour in detours_of(run)] if rules else []

    def of(self, rule: Rule, variables: dict[str, Any]) -> Fingerprint:
        """Return that of ``rule`` and a host with these variables."""
        run = self._run
        try:
            machine = machine_of(run, variables, any(check.become for check in rule.host_checks))
            known = HostVariables(
                variables | self._of_play,
                run.loader,
                self._directories,
                self._digests,
                machine["local"],
                literal=False,
            )
            facts = facts_of(run, variables.get("inventory_hostname", ""))
            questions = [
                _question(run, check, known.in_scope(check.scope, facts))
                for check in rule.host_checks
            ]
            text = json.dumps([machine, self._detours, questions], sort_keys=True, default=str)
        except (PrecheckError, AnsibleError):
            return ""
        # Only a digest, as it has values of variables.
        return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def fingerprints(run: PlayRun, hosts_by_rule: HostsByRule) -> dict[RuleAndHost, Fingerprint]:
    """Return the fingerprints of these rules and hosts.

    Those that workers found when they checked the hosts are taken from ``run``, once: the variables
    may change.
    """
    of_rules = Fingerprints(run, [rule for rule, hosts in hosts_by_rule if hosts])
    result = {}
    for host, of_host in rules_by_host(hosts_by_rule):
        found = {rule.name: run.fingerprints.pop((rule.name, host.name), None) for rule in of_host}
        variables = run.variables(host) if None in found.values() else {}
        for rule in of_host:
            fingerprint = found[rule.name]
            if fingerprint is None:
                fingerprint = of_rules.of(rule, variables)
            result[rule.name, host.name] = fingerprint
    return result


def _question(run: PlayRun, check: Check, host: HostVariables) -> Any:
    """Return what ``check`` asks: for a condition, that is whether it holds."""
    if check.kind in OF_ACTION:
        return repr(KINDS[check.kind].probe(check, host))
    return [check.spec, _values(check.spec, host), _delegate(run, check.spec, host)]


def _values(spec: Any, host: HostVariables) -> dict[str, Any]:
    """Return the variables that ``spec`` mentions, as text of a template or of a condition."""
    names = mentioned([spec])
    if looks_further([spec]):
        raise PrecheckError("it looks at more than the variables that it mentions")
    return {
        name: templates.value_of(host.variables[name], host.variables, host.loader)
        for name in sorted(names.intersection(host.variables))
    }


def _delegate(run: PlayRun, spec: dict[str, Any], host: HostVariables) -> Any:
    """Return the machine to which a task is delegated; None if it is not."""
    if not (delegate_to := spec.get("delegate_to")):
        return None
    name = host.rendered(delegate_to)
    delegate: Host | None = run.inventory.get_host(name)
    variables = run.variables(delegate) if delegate else host.variables
    return [name, machine_of(run, variables, becomes=True)]
