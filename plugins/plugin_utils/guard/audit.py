# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The audit: checks every host of a play for every rule, whatever plays the rules cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.inventory.host import Host
from ansible.module_utils.common.validation import check_type_list, check_type_path
from ansible.playbook.task import Task
from ansible.utils.display import Display

from .. import templates
from ..ansible_core.output import print_at_the_end
from ..ansible_core.plays.play import tasks_to_run
from ..ansible_core.plays.purpose import guards_of
from ..ansible_core.plays.tags import opt_out_of
from ..ansible_core.plays.targets import unmet_conditions
from ..ansible_core.run import PlayRun
from ..ansible_core.stop import stop
from ..ansible_core.tasks.check_run import Verdicts, check_hosts
from ..checks.facts import subsets_of
from ..checks.kinds import action_checks, needs_host, task_checks
from ..errors import PrecheckError, TemplateError
from ..policy.model import WARN, Rule
from ..report.audit_table import audit_table
from ..report.document import changes
from ..report.earlier import earlier_report
from ..report.files import current_document, write_page
from ..report.record import AUDIT, Record, RuleAndVerdict
from ..text import did_you_mean
from ..verdict import READY, Verdict, labelled, worst
from .messages import render_messages, undecided, unready
from .state import RunState

display = Display()

OFF = (
    "The guard is off in this configuration: it guards no play that does not name one of its"
    " strategies.\nansible-precheck doctor shows why."
)


def audit(task: Task, run: PlayRun, state: RunState) -> bool:
    """Audit the play that consists of ``task``, once for all its batches.

    Returns whether the run ends here, as something is not ready.
    """
    if run.play_id in state.audits:
        return False
    opt_out = opt_out_of(run.play, run.extra_vars)
    if ways := list(dict.fromkeys(filter(None, [opt_out.of_all, *opt_out.by_name.values()]))):
        state.record.kind = AUDIT
        raise PrecheckError(
            f"Precheck made no audit: it does nothing but check, and {', '.join(ways)} is set."
        )
    if not tasks_to_run(run):
        return False  # the tags did not select it
    state.record.kind = AUDIT
    options = _options(task, run)
    earlier = earlier_report(options["compare"]) if options["compare"] else None
    rules = chosen(state.rules_in_force(run), options["rules"])
    selected = [rule.name for rule in rules] if options["rules"] else []

    # What else the run did is not part of the audit. The report has both.
    record = Record(AUDIT, state.record.started, selected_rules=selected)
    hosts = run.hosts_of_play()
    covered = record.covered_play(run.play_id, state.identity_of(run), rules)
    covered.hosts.update(host.name for host in hosts)
    record.add_verdicts(check_all(run, rules, hosts), covered.identity)
    if not options["rules"]:
        record.not_audited = [rule for rule in state.rules_in_force(run) if not rule.host_checks]
    _add_messages(run, rules, record)

    document = current_document(record, run.extra_vars, run.groups_of)
    if earlier:
        record.changes = changes(document["verdicts"], earlier, run.names_in_inventory())
        document["changes"] = record.changes
    state.record.add(record)
    state.record_has_news = True
    print_at_the_end(run, audit_table(document, names_of_ready=display.verbosity > 0))
    if not state.audits and not guards_of(C.DEFAULT_STRATEGY):
        print_at_the_end(run, OFF)
    if options["page"] and (written := write_page(options["page"], document)):
        print_at_the_end(run, written)
    state.audits.add(run.play_id)
    if record.result == READY:
        return False
    stop(run)
    return True


def _names(value: Any) -> list[str]:
    return [str(name) for name in check_type_list(value)]


# The arguments of the task, and what makes a value of the right type or raises TypeError.
_ARGUMENTS: Mapping[str, Callable[[Any], Any]] = {
    "rules": _names,
    "compare": check_type_path,
    "page": check_type_path,
}


def _options(task: Task, run: PlayRun) -> Mapping[str, Any]:
    """Return the arguments of the task. Raises PrecheckError if they are wrong."""
    variables = run.variable_manager.get_vars(play=run.play)
    try:
        arguments = {
            key: templates.value_of(value, variables, run.loader)
            for key, value in task.args.items()
        }
    except TemplateError as ex:
        location = task.get_path()
        raise PrecheckError(
            f"Precheck cannot work out the arguments of the audit at {location}: {ex}"
        ) from None
    return options_of(arguments)


def options_of(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the ``arguments`` say, of the right types. Raises PrecheckError."""
    options: dict[str, Any] = {"rules": [], "compare": None, "page": None}
    problems = [
        f"unknown argument {name}{did_you_mean(name, list(_ARGUMENTS))}"
        for name in arguments
        if name not in _ARGUMENTS
    ]
    for name, convert in _ARGUMENTS.items():
        try:
            if arguments.get(name) is not None:
                options[name] = convert(arguments[name])
        except TypeError:
            problems.append(f"{name} cannot be of type {type(arguments[name]).__name__}")
    if problems:
        problem = "; ".join(problems)
        raise PrecheckError(f"Precheck cannot use the arguments of the audit: {problem}")
    return options


def chosen(rules: Sequence[Rule], names: Sequence[str]) -> list[Rule]:
    """Return the rules of these names, or all of them, that have checks for hosts.

    Raises PrecheckError.
    """
    names = [name.strip() for name in names if name.strip()]
    with_host_checks = [rule for rule in rules if rule.host_checks]
    for name in names:
        if name not in {rule.name for rule in rules}:
            known = [rule.name for rule in with_host_checks]
            raise PrecheckError(
                f"Precheck knows no rule {name}, so nothing was checked. The rules are:"
                f" {', '.join(known)}{did_you_mean(name, known)}"
            )
        if name not in {rule.name for rule in with_host_checks}:
            raise PrecheckError(
                f"Precheck cannot audit rule {name}: it has checks of plays, and none of hosts"
            )
    return [rule for rule in with_host_checks if rule.name in names or not names]


def check_all(run: PlayRun, rules: Sequence[Rule], hosts: Sequence[Host]) -> Verdicts:
    """Return the verdicts on all hosts.

    The hosts to which the same rules apply are checked together, as if for one rule that has all
    their checks. So an audit costs one task for each host, however many rules there are. Only for
    hosts that are lost, the rules that need no host are checked again, by themselves.
    """
    unmet = unmet_conditions(run, [(rule, hosts) for rule in rules])
    verdicts: Verdicts = {
        rule_and_host: undecided(f"{condition.text}: {condition.error}")
        for rule_and_host, condition in unmet.items()
        if condition.error
    }
    hosts_by_rules: dict[tuple[int, ...], list[Host]] = {}
    for host in hosts:
        applicable = tuple(
            number for number, rule in enumerate(rules) if (rule.name, host.name) not in unmet
        )
        hosts_by_rules.setdefault(applicable, []).append(host)
    hosts_by_rules.pop((), None)
    parts: dict[str, list[Rule]] = {}
    combined: list[tuple[Rule, list[Host]]] = []
    for number, (numbers, some_hosts) in enumerate(hosts_by_rules.items(), 1):
        count = len(hosts_by_rules)
        name = "audit" if count == 1 else f"audit {number} of {count}"
        parts[name] = [rules[index] for index in numbers]
        combined.append((_combined(name, parts[name]), some_hosts))
    for (name, host_name), verdict in check_hosts(run, combined, quietly=True).items():
        verdicts.update(
            ((rule.name, host_name), part) for rule, part in _apart(parts[name], verdict)
        )
    # The verdict on a lost host names no checks. Nor does one by a when that cannot be evaluated.
    lost = {key for key, verdict in verdicts.items() if not verdict.checks} - unmet.keys()
    alone = [
        (rule, [host for host in hosts if (rule.name, host.name) in lost])
        for rule in rules
        if not needs_host(rule)
    ]
    verdicts.update(check_hosts(run, alone, quietly=True))
    return verdicts


def _combined(name: str, rules: Sequence[Rule]) -> Rule:
    """Return one rule that has the checks of all ``rules``."""
    checks = tuple(check for rule in rules for check in rule.checks)
    first = rules[0]
    facts = tuple(sorted(subsets_of(rules)))
    return Rule(name, (), checks, severity=WARN, facts=facts, path=first.path, line=first.line)


def _apart(rules: Sequence[Rule], verdict: Verdict) -> list[RuleAndVerdict]:
    """Return the verdict on each of the rules that were combined."""
    # In the order of host_checks for the combined rule: checks that are tasks come last.
    owners = [rule for rule in rules for _check in action_checks(rule)]
    owners += [rule for rule in rules for _check in task_checks(rule)]
    if len(owners) != len(verdict.checks):  # the host was lost
        return [(rule, verdict) for rule in rules]
    parts: dict[str, list[Verdict]] = {rule.name: [] for rule in rules}
    for rule, (label, part) in zip(owners, verdict.checks):
        parts[rule.name].append(labelled(label, part))
    return [(rule, worst(parts[rule.name])) for rule in rules]


def _add_messages(run: PlayRun, rules: Sequence[Rule], record: Record) -> None:
    """Render the messages and the remedy of each rule for which something is not ready."""
    for rule in rules:
        of_rule = {
            host: verdict
            for (name, host), verdict in record.verdicts.items()
            if name == rule.name and verdict.state != READY
        }
        if of_rule:
            rendered = render_messages(run, rule, unready(of_rule), record.started)
            record.messages[rule.name] = list(rendered.messages)
            record.remedies[rule.name] = [rendered.remedy]
