# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a controller's user sees of a host that was checked: the result of its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import TemplateError
from ..text import one_line
from ..verdict import NOT_READY, READY
from .context import HostVariables

# The key of a result for its checks. Callbacks do not get it.
CHECKS = "_ansible_precheck_checks"


@dataclass(frozen=True)
class RuleTexts:
    """What a rule says about one host.

    ``message`` and ``remedy`` are templates, empty if there is none; ``variables`` are those that
    they have beside the host's.
    """

    rule: str
    host: str
    message: str
    remedy: str
    variables: Mapping[str, Any]


def as_event(result: dict[str, Any], texts: RuleTexts, host: HostVariables) -> dict[str, Any]:
    """Return the ``result`` of a check, with one sentence for this host in place of its checks."""
    checks = result["checks"]
    event = {key: value for key, value in result.items() if key not in ("checks", "msg")}
    event |= {"rule": texts.rule, CHECKS: checks}
    if result["verdict"] == READY:
        return event | {"msg": result["msg"]}
    reasons = [check["msg"] for check in checks if check["verdict"] != READY]
    message = remedy = ""
    if result["verdict"] == NOT_READY:
        message, remedy = (_rendered(text, texts, host) for text in (texts.message, texts.remedy))
    if remedy:
        event["remedy"] = remedy
    msg = _sentence(texts.host, result["verdict"], reasons, message, remedy)
    return event | {"msg": msg, "reasons": reasons}


def _rendered(template: str, texts: RuleTexts, host: HostVariables) -> str:
    variables = {**host.variables, **texts.variables}
    try:
        return one_line(host.with_variables(variables).rendered(template)).strip()
    except TemplateError:  # the closing block shows it, with the reason
        return ""


def _sentence(host: str, verdict: str, reasons: Sequence[str], message: str, remedy: str) -> str:
    """Return what is wrong with a host, why, and what puts it right."""
    why = "; ".join(reasons)
    if not message:
        text = f"{host} is {verdict.replace('_', ' ')}: {why}"
    elif host in message:
        text = f"{message.rstrip('.')}: {why}"
    else:
        text = f"{host}: {message.rstrip('.')}: {why}"
    return f"{text}. Run {remedy}" if remedy else text
