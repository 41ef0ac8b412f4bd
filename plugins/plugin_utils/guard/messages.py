# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What rules say about hosts that are not ready: messages and remedies, rendered."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import compat
from ..ansible_core.play import files_of
from ..ansible_core.run import PlayRun
from ..errors import OptionError, PrecheckError, TemplateError
from ..options import report_path
from ..policy.model import Rule
from ..report.terminal import HOSTS_SHOWN
from ..verdict import Verdict, unverified
from .limit import limit_to

LIMIT = "precheck_limit"  # the variable of remedies


@dataclass(frozen=True)
class Messages:
    """What a rule says to the operator. No message comes twice."""

    messages: Sequence[str]
    remedy: str


def render_messages(run: PlayRun, rule: Rule, names: list[str], started: float) -> Messages:
    """Return the message of ``rule`` for each of the hosts that are shown, and its remedy for all.

    ``names`` are those of the hosts that are not ready. A template that cannot be rendered is shown
    as it is, with the reason. ``started`` is when the run did, in seconds since 1970.
    """
    messages = [rule.message] if rule.message else []
    if compat.is_template(rule.message):
        hosts = run.hosts_named(names[:HOSTS_SHOWN])
        messages = [_render(run, rule.message, run.variables(host)) for host in hosts]
    remedy = rule.remedy
    if compat.is_template(remedy):
        remedy = _rendered_remedy(run, rule, names, started)
    return Messages(list(dict.fromkeys(messages)), remedy)


def _rendered_remedy(run: PlayRun, rule: Rule, names: list[str], started: float) -> str:
    variables = run.variables(None) | {
        "precheck_hosts": names,
        "precheck_playbook": files_of(run.play)[0],
        "precheck_play": run.play_name,
        "precheck_rule": rule.name,
    }
    if LIMIT not in rule.remedy:
        return _render(run, rule.remedy, variables)
    # --limit cannot select a localhost that is in no inventory.
    in_inventory = [host.name for host in run.hosts_named(names) if not host.implicit]
    if not in_inventory:
        try:
            return compat.rendered(rule.remedy, variables, run.loader)
        except TemplateError:
            return ""
    try:
        variables[LIMIT] = limit_to(in_inventory, _directory_of_report(run, started))
    except PrecheckError as ex:
        return f"{rule.remedy} ({ex})"
    return _render(run, rule.remedy, variables)


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


def _render(run: PlayRun, template: str, variables: dict[str, Any]) -> str:
    try:
        return compat.rendered(template, variables, run.loader)
    except TemplateError as ex:
        return f"{template} ({ex})"
