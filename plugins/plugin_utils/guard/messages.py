# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What rules say about hosts that are not ready: messages and remedies, rendered."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.inventory.host import Host

from .. import templates
from ..ansible_core.plays import own_variables
from ..ansible_core.run import PlayRun
from ..ansible_core.tasks.facts import facts_of
from ..errors import OptionError, PrecheckError, TemplateError
from ..options import report_path
from ..policy.model import Rule
from ..report.lines import VerdictsByHost
from ..verdict import NOT_READY, UNVERIFIED, Verdict, unverified
from .limit import limit_to

LIMIT = "precheck_limit"


@dataclass(frozen=True)
class Unready:
    """The hosts of a rule that are not ready, and those that are unverified, sorted."""

    not_ready: list[str]
    unverified: list[str]


@dataclass(frozen=True)
class Messages:
    """What a rule says to the operator. No message comes twice."""

    messages: Sequence[str]
    remedy: str


def unready(verdicts: VerdictsByHost, hosts_of_play: Iterable[str] = ()) -> Unready:
    """Return which hosts are not ready, and which are unverified.

    If no host itself is not ready, but the play as a whole, they are ``hosts_of_play``.
    """
    not_ready, unverified = (
        sorted(name for name, verdict in verdicts.items() if verdict.state == state)
        for state in (NOT_READY, UNVERIFIED)
    )
    return Unready(not_ready or sorted(hosts_of_play), unverified)


def render_messages(run: PlayRun, rule: Rule, unready: Unready, started: float) -> Messages:
    """Return the message of ``rule`` for each of the hosts that are not ready, and its remedy.

    There are none if no host is not ready: nobody knows what an unverified one lacks. A template
    that cannot be rendered is shown as it is, with the reason. ``started`` is when the run did, in
    seconds since 1970.
    """
    if not unready.not_ready:
        return Messages([], "")
    own, no_limit = _own_variables(run, rule, unready), ""
    has_limit = LIMIT in f"{rule.message} {rule.remedy} {rule.variables}"
    if has_limit:
        try:
            own |= _limit(run, unready, started)
        except PrecheckError as ex:
            no_limit = str(ex)
    messages = [rule.message] if rule.message else []
    if templates.is_template(rule.message):
        # One after the other: the variables of a host take much memory.
        messages = [
            _render(run, rule.message, _of_host(run, rule, host) | own, no_limit)
            for host in run.hosts_named(unready.not_ready)
        ]
    remedy = rule.remedy
    if templates.is_template(remedy):
        try:
            remedy = templates.rendered(remedy, run.variables(None) | own, run.loader)
        except TemplateError as ex:
            is_for_nobody = has_limit and LIMIT not in own and not no_limit
            remedy = "" if is_for_nobody else _with_reason(remedy, ex, no_limit)
    return Messages(list(dict.fromkeys(messages)), remedy)


def _of_host(run: PlayRun, rule: Rule, host: Host) -> dict[str, Any]:
    variables = run.variables(host)
    return variables | facts_of(run, host.name).variables(rule.scope, variables)


def _own_variables(run: PlayRun, rule: Rule, unready: Unready) -> dict[str, Any]:
    return {
        "precheck_hosts": unready.not_ready,
        "precheck_unverified_hosts": unready.unverified,
        **own_variables.of_rule(run, rule.scope),
    }


def _limit(run: PlayRun, unready: Unready, started: float) -> dict[str, str]:
    """Return the variable that selects the hosts that are not ready; none if nothing can.

    Raises PrecheckError.
    """
    # --limit cannot select a localhost that is in no inventory.
    hosts = run.hosts_named(unready.not_ready)
    in_inventory = [host.name for host in hosts if not host.implicit]
    if not in_inventory:
        return {}
    limit = limit_to(in_inventory, _directory_of_report(run, started))
    return {LIMIT: f"{limit} {run.inventory_options}".strip()}


def _directory_of_report(run: PlayRun, started: float) -> str:
    """Return the directory of the report; an empty text if none is wanted."""
    try:
        path = report_path(run.extra_vars, started)
    except OptionError:  # there is a warning when the report is to be written
        return ""
    return os.path.dirname(os.path.abspath(path)) if path else ""


def undecided(reason: str) -> Verdict:
    """Return the verdict on a host for which a rule's ``when`` cannot be evaluated."""
    return unverified(f"cannot tell whether the rule applies: in its when, {reason}")


def _render(run: PlayRun, template: str, variables: dict[str, Any], no_limit: str) -> str:
    try:
        return templates.rendered(template, variables, run.loader)
    except TemplateError as ex:
        return _with_reason(template, ex, no_limit)


def _with_reason(template: str, ex: TemplateError, no_limit: str) -> str:
    """Return a template that cannot be rendered, and why; ``no_limit`` is why there is no limit."""
    return f"{template} ({'; '.join(filter(None, [str(ex), no_limit]))})"
