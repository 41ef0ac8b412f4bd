# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what doctor has found out to whether the guard is in force, and why not. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import NEWEST, OLDEST
from ..ini import DEFAULTS, Setting
from ..options import CALLBACK, KEY, OLD_KEY, STRATEGIES
from ..policy.misspelt import SECTION
from ..text import count_of, meant, one_line
from .explanation import PlayExplanation
from .facts import Config, Facts, Value, as_data

VARIABLE, OLD_VARIABLE = "ANSIBLE_CALLBACKS_ENABLED", "ANSIBLE_CALLBACK_WHITELIST"
OURS = ("ANSIBLE_CONFIG", "ANSIBLE_STRATEGY", VARIABLE)
# How alike words are of which one is a misspelling of the other.
ALIKE = 0.8

# Fine; to be looked at; keeps the guard from being in force.
Level = Literal["ok", "doubt", "wrong"]
MARKS: dict[Level, str] = {"ok": " ", "doubt": "?", "wrong": "!"}


@dataclass(frozen=True)
class Finding:
    topic: str
    text: str
    level: Level = "ok"

    def __str__(self) -> str:
        return one_line(f"{self.topic}: {self.text}")


@dataclass(frozen=True)
class Diagnosis:
    """The ``findings``, whether the guard is ``in_force``, and what is to be done if not."""

    facts: Facts
    findings: Sequence[Finding]
    in_force: bool
    advice: Sequence[str]

    def as_text(self) -> Iterator[tuple[Level, str]]:
        """Return the lines for people, each with how it is meant."""
        for finding in self.findings:
            yield finding.level, f"{MARKS[finding.level]} {finding}"
        yield "ok", ""
        yield ("ok", "IN FORCE") if self.in_force else ("wrong", "NOT IN FORCE")
        for line in self.advice:
            yield "ok", line

    def as_data(self) -> dict[str, Any]:
        return {
            "in_force": self.in_force,
            **as_data(self.facts),
            "findings": [
                {"topic": one.topic, "level": one.level, "text": one.text} for one in self.findings
            ],
            "plays": [_play_data(play) for play in self.facts.plays],
            "advice": list(self.advice),
        }


def diagnose(facts: Facts) -> Diagnosis:
    """Judge what is known."""
    findings = [finding for judge in _JUDGES for finding in judge(facts)]
    is_on = _callback_guards(facts) or _strategy_guards(facts)
    lacking = [play for play in facts.plays if play.lacks_guard]
    if facts.found and not is_on:
        text = "neither the callback nor a strategy of the collection is enabled"
        findings.append(Finding("guard", text, "wrong"))
    in_force = all(finding.level != "wrong" for finding in findings)
    advice = [] if in_force else _advice(facts, bool(lacking) or not is_on)
    return Diagnosis(facts, findings, in_force, advice)


def _callback_guards(facts: Facts) -> bool:
    return CALLBACK in facts.callbacks.names and facts.callbacks.loads


def _strategy_guards(facts: Facts) -> bool:
    return facts.strategy.names[0] in STRATEGIES and facts.strategy.loads


def _core(facts: Facts) -> Iterator[Finding]:
    core = facts.core
    text = f"{core.version} at {core.path}, Python {core.python}"
    match = re.match(r"(\d+)\.(\d+)", core.version)
    release = (int(match[1]), int(match[2])) if match else NEWEST
    oldest, newest = (".".join(map(str, one)) for one in (OLDEST, NEWEST))
    if release < OLDEST:
        yield Finding("ansible-core", f"{text}: Precheck requires {oldest} or later", "wrong")
    elif release > NEWEST:
        text += f": newer than {newest}, the newest release that Precheck is tested with"
        yield Finding("ansible-core", text, "doubt")
    else:
        yield Finding("ansible-core", f"{text}: tested")
    if core.other_playbook:
        text = f"{core.other_playbook} is of another installation, which may find other things"
        yield Finding("ansible-playbook", text, "doubt")


def _collection(facts: Facts) -> Iterator[Finding]:
    if not facts.found:
        places = ", ".join(facts.searched) or "nowhere"
        text = f"ansible-core does not find precheck.guard. It looks in {places}. "
        text += f"This command is of the copy {facts.own}"
        yield Finding("collection", text, "wrong")
        return
    yield Finding("collection", f"precheck.guard {facts.found}")
    if facts.found.path != facts.own.path:
        yield Finding("collection", f"this command is of another copy, {facts.own}", "doubt")
    for copy in facts.others:
        if copy.path != facts.own.path:
            yield Finding(
                "collection", f"there is another copy, {copy}, which is not used", "doubt"
            )


def _config(facts: Facts) -> Iterator[Finding]:
    config = facts.config
    yield Finding("ansible.cfg", config.path or "none is read")
    for path, reason in config.ignored.items():
        yield Finding("ansible.cfg", f"{path} is not read: {reason}", "doubt")


def _misspelt(facts: Facts) -> Iterator[Finding]:
    """Find what is written in ansible.cfg, and has no effect there."""
    config = facts.config
    for section, line in config.settings.sections.items():
        hint = meant(section, (SECTION, DEFAULTS), ALIKE)
        if hint and section not in (SECTION, DEFAULTS, *config.keys):
            text = f"{config.path}:{line}: unknown section [{section}]: {hint}"
            yield Finding("ansible.cfg", text, "doubt")
    for setting in config.settings.settings:
        if text := _why_without_effect(setting, config):
            yield Finding("ansible.cfg", f"{config.path}:{setting.line}: {text}", "doubt")


def _why_without_effect(setting: Setting, config: Config) -> str:
    """Return why a setting that seems to be ours has no effect; empty if it has, or is not ours."""
    is_in_defaults = setting.section == DEFAULTS
    known = config.keys.get(setting.section, ())
    hint = meant(setting.key, (KEY, "strategy", "collections_path"), ALIKE)
    if setting.key == KEY and _is_before_2_11(config) and CALLBACK in setting.names:
        old = config.settings.find(OLD_KEY)
        add = f"{KEY} has no effect before ansible-core 2.11: add {CALLBACK} to {OLD_KEY}"
        return "" if old and CALLBACK in old.names else add
    if setting.key in (KEY, "strategy"):
        only = f"{setting.key} has an effect in the section [{DEFAULTS}] only, and not in"
        return "" if is_in_defaults else f"{only} [{setting.section}]"
    if setting.key == OLD_KEY and is_in_defaults:
        rename = f"{OLD_KEY} has no effect since ansible-core 2.15: rename it to {KEY}"
        return "" if setting.key in known else rename
    if is_in_defaults and hint and setting.key not in known:
        return f"unknown key {setting.key}: {hint}"
    if CALLBACK in setting.value:
        return f"{CALLBACK} is in the value of {setting.key}: is a line break missing?"
    return ""


def _environment(facts: Facts) -> Iterator[Finding]:
    ours = {*OURS, *(name for name in facts.known_variables if name.startswith("ANSIBLE_PRECHECK"))}
    if _is_before_2_11(facts.config) and VARIABLE in facts.variables:
        text = f"{VARIABLE} has no effect before ansible-core 2.11: set {OLD_VARIABLE}"
        yield Finding("environment", text, "doubt")
    for name in sorted(set(facts.variables).difference(facts.known_variables, OURS)):
        if name == OLD_VARIABLE:
            text = f"{name} has no effect since ansible-core 2.15: rename it to {VARIABLE}"
            yield Finding("environment", text, "doubt")
        elif hint := meant(name, ours, ALIKE):
            yield Finding("environment", f"unknown variable {name}: {hint}", "doubt")


def _is_before_2_11(config: Config) -> bool:
    """Return whether only the old names of the setting for callbacks have an effect."""
    known = config.keys.get(DEFAULTS, ())
    return OLD_KEY in known and KEY not in known


def _keys(config: Config) -> Sequence[str]:
    """Return the keys that are to enable the callback, and first the one that does so here."""
    return (OLD_KEY, KEY) if _is_before_2_11(config) else (KEY,)


def _overridden(facts: Facts, key: str, value: Value, names: Sequence[str]) -> str:
    """Return what the environment takes precedence over, if that switches the guard on."""
    setting = facts.config.settings.find(key)
    if value.variable and setting and set(setting.names).intersection(names):
        path = f"{facts.config.path}:{setting.line}"
        return f"; {value.variable} takes precedence over {path}, which names {setting.value}"
    return ""


def _callback(facts: Facts) -> Iterator[Finding]:
    value = facts.callbacks
    if CALLBACK not in value.names:
        text = f"{CALLBACK} is not enabled: {', '.join(value.names) or 'no callback is'}"
        text += f" ({value.origin}){_overridden(facts, _keys(facts.config)[0], value, [CALLBACK])}"
        hints = [hint for name in value.names if (hint := meant(name, [CALLBACK], ALIKE))]
        yield Finding(
            "callback", "; ".join([text, *hints]), "doubt" if hints or ";" in text else "ok"
        )
    elif value.loads:
        yield Finding("callback", f"{CALLBACK} ({value.origin})")
    else:
        text = f"{CALLBACK} ({value.origin}) cannot be loaded: ansible-core only warns"
        yield Finding("callback", text, "wrong")


def _strategy(facts: Facts) -> Iterator[Finding]:
    value = facts.strategy
    text = f"{value.names[0]} ({value.origin})"
    if not value.loads:
        is_misspelt = value.names[0] not in STRATEGIES
        hint = meant(value.names[0], STRATEGIES, ALIKE) if is_misspelt else ""
        text += " cannot be loaded: ansible-core ends each run with an error"
        yield Finding("strategy", "; ".join(filter(None, [text, hint])), "wrong")
    elif value.names[0] in STRATEGIES:
        yield Finding("strategy", text)
    else:
        overridden = _overridden(facts, "strategy", value, STRATEGIES)
        yield Finding("strategy", text + overridden, "doubt" if overridden else "ok")


def _policy(facts: Facts) -> Iterator[Finding]:
    for problem in facts.policy.problems:
        yield Finding("policy", f"each run ends with an error: {problem}", "wrong")
    if facts.policy.files and not facts.policy.problems:
        rules = count_of(facts.policy.rules, "rule")
        text = f"{', '.join(facts.policy.files)} ({facts.policy.origin}), {rules}"
        yield Finding("policy", text)


def _report(facts: Facts) -> Iterator[Finding]:
    if facts.report.error:
        text = f"{facts.report.path} cannot be written: {facts.report.error}".lstrip()
        yield Finding("report", text, "doubt")
    elif facts.found:
        yield Finding("report", facts.report.path or "none is written")


def _metrics(facts: Facts) -> Iterator[Finding]:
    if facts.metrics.error:
        text = f"{facts.metrics.path} cannot be written: {facts.metrics.error}".lstrip()
        yield Finding("metrics", text, "doubt")
    elif facts.metrics.path:
        yield Finding("metrics", facts.metrics.path)


def _plays(facts: Facts) -> Iterator[Finding]:
    if facts.playbook_error:
        yield Finding("playbooks", facts.playbook_error, "wrong")
    for play in facts.plays:
        if play.lacks_guard:
            yield Finding(str(play.play), f"not guarded: {play.not_guarded}", "wrong")
        elif not play.rules:
            yield Finding(str(play.play), "no rule covers it")
        elif play.not_guarded:
            yield Finding(str(play.play), f"not guarded: {play.not_guarded}")
        else:
            rules = ", ".join(rule.rule.name for rule in play.rules)
            by = " and ".join(f"the {one}" for one in play.guarded_by)
            yield Finding(str(play.play), f"guarded by {by}, for {rules}")


Judge = Callable[[Facts], Iterator[Finding]]
_JUDGES: Sequence[Judge] = (
    _core,
    _collection,
    _config,
    _misspelt,
    _environment,
    _callback,
    _strategy,
    _policy,
    _report,
    _metrics,
    _plays,
)


def _advice(facts: Facts, lacks_callback: bool) -> list[str]:
    if not facts.found:
        return ["Install the collection where this ansible-core looks, or set collections_path."]
    if not lacks_callback or _callback_guards(facts):
        return ["Mend what is marked with !"]
    if variable := facts.callbacks.variable:
        return [f"Add {CALLBACK} to {variable} in the environment, or unset that."]
    path = facts.config.path or "a file ansible.cfg in the directory that you start playbooks from"
    keys = _keys(facts.config)
    found = {key: facts.config.settings.find(key) for key in keys}
    setting = found[keys[0]]
    if setting:
        return [
            f"Run ansible-precheck enable, or append to {path}:{setting.line}:",
            f"    {CALLBACK}",
        ]
    enable = "Run ansible-precheck enable, or add to the section"
    missing = [key for key, setting in found.items() if not setting]
    return [f"{enable} [{DEFAULTS}] of {path}:", *(f"    {key} = {CALLBACK}" for key in missing)]


def _play_data(play: PlayExplanation) -> dict[str, Any]:
    return {
        "playbook": play.playbook,
        "name": play.play.name,
        "path": play.play.path,
        "line": play.play.line,
        "rules": [rule.rule.name for rule in play.rules],
        "guarded_by": list(play.guarded_by),
        "not_guarded": play.not_guarded,
    }
