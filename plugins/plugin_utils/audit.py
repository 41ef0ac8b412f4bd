# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The audit: checks every host of a play by every rule, whatever plays the rules cover, and tells what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.inventory.host import Host
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.strategy import StrategyBase
from ansible.utils.display import Display

from . import compat, report, report_file, verdict
from .asking import ask, checks_on_hosts
from .plays import identify, opted_out, tasks_to_run, unmet_conditions
from .policy import TASK, WARN, Rule
from .record import AUDIT, Record, changes
from .stopping import stop, tell_at_the_end
from .verdict import READY, UNVERIFIED, Verdict

if TYPE_CHECKING:
    from .guard import Run

display = Display()

Verdicts = dict[tuple[str, str], Verdict]


def audit(task: Task, strategy: StrategyBase, iterator: PlayIterator, run: Run) -> bool:
    """Audit the play that consists of ``task``, once for all its batches. Return whether the run ends here, since something
    is not ready.
    """
    play = iterator._play
    if play._uuid in run.audits:
        return False
    if how := opted_out(play):
        raise AnsibleError(f"Precheck made no audit: it does nothing but check, and {how} is set.")
    if not tasks_to_run(iterator, strategy._tqm):
        return False  # the tags did not select it
    run.record.kind = AUDIT
    options = _options(task, strategy, play)
    earlier = report_file.read(options["compare"]) if options["compare"] else None
    rules = chosen(run.rules(strategy), options["rules"])
    hosts = strategy._inventory.get_hosts(play.hosts, ignore_restrictions=True, order=play.order)
    # What else the run did is not part of the audit. The report has both.
    mine = Record(AUDIT, run.record.started)
    mine.covers(play._uuid, identify(iterator), rules).hosts.update(host.name for host in hosts)
    mine.verdicts = check_all(strategy, play, rules, hosts)
    for name, (messages, remedy) in _words(strategy, play, rules, mine.verdicts).items():
        mine.messages[name], mine.remedies[name] = messages, [remedy]

    document = report_file.made(mine, strategy._variable_manager.extra_vars, strategy._inventory)
    if earlier:
        mine.changes = document["changes"] = changes(document["verdicts"], earlier, strategy._inventory.hosts)
    run.record.add(mine)
    run.is_new = True
    if options["page"]:
        report_file.keep_page(options["page"], document)
    tell_at_the_end(strategy._tqm, report.audit_table(document, names_of_ready=display.verbosity > 0), stdout=True)
    run.audits.add(play._uuid)
    if mine.result == READY:
        return False
    stop(strategy._tqm, iterator, strategy._inventory.get_hosts(play.hosts))
    return True


def _options(task: Task, strategy: StrategyBase, play: Play) -> Mapping[str, Any]:
    """Return the arguments of the task. Raises AnsibleError when they are wrong."""
    spec = {"rules": {"type": "list", "elements": "str", "default": []}, "compare": {"type": "path"}, "page": {"type": "path"}}
    variables = strategy._variable_manager.get_vars(play=play)
    try:
        args = {key: compat.value_of(value, variables, strategy._loader) for key, value in task.args.items()}
    except compat.TemplateError as ex:
        raise AnsibleError(f"Precheck cannot work out the arguments of the audit at {task.get_path()}: {ex}") from ex
    checked = ArgumentSpecValidator(spec).validate(args)
    if checked.error_messages:
        raise AnsibleError(f"Precheck cannot use the arguments of the audit: {'; '.join(checked.error_messages)}")
    found: Mapping[str, Any] = checked.validated_parameters
    return found


def chosen(rules: Sequence[Rule], names: Sequence[str]) -> list[Rule]:
    """Return the rules of these names, or all of them, that have checks for hosts. Raises AnsibleError."""
    names = [name.strip() for name in names if name.strip()]
    able = [rule for rule in rules if checks_on_hosts(rule)]
    known = ", ".join(rule.name for rule in able)
    for name in names:
        if name not in {rule.name for rule in rules}:
            raise AnsibleError(f"Precheck knows no rule {name}, so nothing was asked. The rules are: {known}")
        if name not in {rule.name for rule in able}:
            raise AnsibleError(f"Precheck cannot audit by rule {name}: it has checks of plays, and none of hosts")
    return [rule for rule in able if rule.name in names or not names]


def check_all(strategy: StrategyBase, play: Play, rules: Sequence[Rule], hosts: Sequence[Host]) -> Verdicts:
    """Return the verdicts by the names of rule and host. One task for a host asks for all its rules: hosts to which the
    same rules apply are asked together, as if by one rule.
    """
    unmet = unmet_conditions(strategy, play, [(rule, hosts) for rule in rules])
    found: Verdicts = {
        pair: Verdict(UNVERIFIED, (f"cannot tell whether the rule applies: in its when, {condition}: {error}",))
        for pair, (condition, error) in unmet.items()
        if error
    }
    alike: dict[tuple[int, ...], list[Host]] = {}
    for host in hosts:
        applying = tuple(number for number, rule in enumerate(rules) if (rule.name, host.name) not in unmet)
        alike.setdefault(applying, []).append(host)
    alike.pop((), None)
    combined = {}
    wanted: list[tuple[Rule, list[Host]]] = []
    for numbers, some in alike.items():
        name = "audit" if len(alike) == 1 else f"audit {len(wanted) + 1} of {len(alike)}"
        combined[name] = [rules[number] for number in numbers]
        checks = tuple(check for rule in combined[name] for check in rule.checks)
        first = combined[name][0]
        wanted.append((Rule(name, (), checks, severity=WARN, path=first.path, line=first.line), some))
    for (name, host_name), one in ask(strategy, play, wanted, quietly=True).items():
        found.update(((rule.name, host_name), part) for rule, part in _apart(combined[name], one))
    return found


def _apart(rules: Sequence[Rule], one: Verdict) -> list[tuple[Rule, Verdict]]:
    """Return the verdict on each of the rules that were asked for together."""
    asked = [(rule, check) for rule in rules for check in checks_on_hosts(rule)]
    asked.sort(key=lambda pair: pair[1].kind == TASK)  # as checks_on_hosts has them for all together
    if len(asked) != len(one.checks):  # the host was lost
        return [(rule, one) for rule in rules]
    parts: dict[str, list[Verdict]] = {rule.name: [] for rule in rules}
    for (rule, _check), (label, verdict_on_check) in zip(asked, one.checks):
        parts[rule.name].append(verdict.of_check(label, verdict_on_check))
    return [(rule, verdict.worst(parts[rule.name])) for rule in rules]


def _words(strategy: StrategyBase, play: Play, rules: Sequence[Rule], found: Verdicts) -> dict[str, tuple[list[str], str]]:
    """Return the messages and the remedy, rendered, of each rule for which something is not ready."""
    from .guard import words  # guard imports this

    bad: dict[str, list[str]] = {}
    for (name, host), one in found.items():
        if one.state != READY:
            bad.setdefault(name, []).append(host)
    return {rule.name: words(strategy, play, rule, sorted(bad[rule.name])) for rule in rules if rule.name in bad}
