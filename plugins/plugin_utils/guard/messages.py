# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What rules say about hosts that are not ready: messages and remedies, rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .. import compat
from ..ansible_core.play import files_of
from ..ansible_core.run import PlayRun
from ..errors import TemplateError
from ..policy.model import Rule
from ..report.terminal import HOSTS_SHOWN
from ..verdict import Verdict, unverified


@dataclass(frozen=True)
class Messages:
    """What a rule says to the operator. No message comes twice."""

    messages: Sequence[str]
    remedy: str


def render_messages(run: PlayRun, rule: Rule, names: list[str]) -> Messages:
    """Return the message of ``rule`` for each of the hosts that are shown, and its remedy for all.

    ``names`` are those of the hosts that are not ready. A template that cannot be rendered is shown
    as it is, with the reason. A remedy for hosts is left out if no --limit matches any of them.
    """
    messages = [rule.message] if rule.message else []
    if compat.is_template(rule.message):
        hosts = run.hosts_named(names[:HOSTS_SHOWN])
        messages = [_render(run, rule.message, run.variables(host)) for host in hosts]
    remedy = rule.remedy
    # No --limit matches the localhost that ansible-core adds to an inventory without one.
    in_inventory = sorted(set(names) & set(run.names_in_inventory()))
    if "precheck_hosts" in remedy and not in_inventory:
        remedy = ""
    if compat.is_template(remedy):
        variables = run.variables(None) | {
            "precheck_hosts": in_inventory,
            "precheck_playbook": files_of(run.play)[0],
            "precheck_play": run.play_name,
            "precheck_rule": rule.name,
        }
        remedy = _render(run, remedy, variables)
    return Messages(list(dict.fromkeys(messages)), remedy)


def undecided(reason: str) -> Verdict:
    """Return the verdict on a host for which a rule's ``when`` cannot be evaluated."""
    return unverified(f"cannot tell whether the rule applies: in its when, {reason}")


def _render(run: PlayRun, template: str, variables: dict[str, Any]) -> str:
    try:
        return compat.rendered(template, variables, run.loader)
    except TemplateError as ex:
        return f"{template} ({ex})"
