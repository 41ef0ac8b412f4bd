# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has hosts left out of a play and of all after it, and says so."""

from __future__ import annotations

from collections.abc import Sequence

from ansible import constants as C
from ansible.utils.display import Display

from ..ansible_core.plays.left_out import leave_out, names_left_out
from ..ansible_core.run import PlayRun
from ..policy.model import Rule
from ..report.terminal import ClosingBlock, Failure, left_out_block, left_out_line
from ..verdict import READY
from .exclusion import Decision, HostsOfRules, PlayOfHosts, decide
from .state import RunState
from .survey import Survey

display = Display()


def decide_on(
    run: PlayRun, state: RunState, known: Survey, failures: Sequence[Failure]
) -> Decision:
    """Return whether ``failures``, none of which only warns, end the run."""
    hosts_of_rules = _hosts_of_rules(run, state, known)
    earlier = _left_out_before(run, state, known, hosts_of_rules)
    if not failures and not earlier:
        return Decision()
    batches = run.serialized_batches() if known.first_time else [run.hosts_of_batch()]
    targets = [host.name for host in known.targets.hosts]
    if not known.first_time:  # the hosts of other batches are of the play, too
        batch = {host.name for host in run.hosts_of_batch()}
        out = batch | names_left_out(run) | {*run.failed_hosts(), *run.unreachable_hosts()}
        targets += [host.name for host in run.hosts_of_play() if host.name not in out]
    play = PlayOfHosts(
        targets=targets,
        batches=[[host.name for host in batch] for batch in batches],
        any_errors_fatal=bool(run.play.any_errors_fatal),
        max_fail_percentage=run.play.max_fail_percentage,
    )
    return decide(failures, play, hosts_of_rules, earlier)


def _hosts_of_rules(run: PlayRun, state: RunState, known: Survey) -> HostsOfRules:
    """Return the hosts of the play so far that rules with a minimum apply to.

    They include those that such a rule left out before.
    """
    result = {}
    targets = [host.name for host in known.targets.hosts]
    for plan in known.plans:
        rule = plan.rule
        if rule.minimum and plan.is_enforced:
            hosts = state.applies_to.setdefault((run.play_id, rule.name), set())
            hosts.update(plan.check, state.were_checked(rule, targets))
            hosts.update(_left_out_for(run, state, rule).intersection(known.hosts))
            result[rule.name] = hosts
    return result


def _left_out_for(run: PlayRun, state: RunState, rule: Rule) -> set[str]:
    """Return the hosts that ``rule`` has left out of the run."""
    verdicts = state.record.verdicts
    return {
        name
        for name in names_left_out(run)
        if (rule.name, name) in verdicts and verdicts[rule.name, name].state != READY
    }


def _left_out_before(
    run: PlayRun, state: RunState, known: Survey, hosts_of_rules: HostsOfRules
) -> list[Failure]:
    """Return the failures because of which hosts of these rules are out already.

    Their messages are printed at the end of the run anyhow.
    """
    failures = []
    for plan in known.plans:
        hosts = hosts_of_rules.get(plan.rule.name, frozenset())
        if names := _left_out_for(run, state, plan.rule).intersection(hosts):
            of_rule = {name: state.record.verdicts[plan.rule.name, name] for name in names}
            failures.append(Failure(plan.rule, of_rule, None, sorted(hosts), (), ""))
    return failures


def leave(run: PlayRun, state: RunState, known: Survey, decision: Decision) -> ClosingBlock:
    """Leave out the hosts of a decision, and say who they are; return what is to say at the end."""
    leave_out(run, decision.names)
    state.record.plays[run.play_id].left_out |= decision.names
    line = left_out_line(known.identity, decision.names)
    display.display(line, color=C.COLOR_WARN, stderr=True)
    checked = state.record.hosts_checked_before(known.identity)
    return left_out_block(known.identity, decision.leaving, checked)
