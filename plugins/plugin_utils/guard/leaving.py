# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Has hosts left out of a play and of all after it, and says so."""

from __future__ import annotations

from collections.abc import Sequence

from ansible import constants as C
from ansible.utils.display import Display

from ..ansible_core.left_out import leave_out, names_left_out
from ..ansible_core.run import PlayRun
from ..report.terminal import ClosingBlock, Failure, left_out_block, left_out_line
from .exclusion import Decision, PlayOfHosts, decide
from .state import RunState
from .survey import Survey

display = Display()


def decide_on(run: PlayRun, known: Survey, failures: Sequence[Failure]) -> Decision:
    """Return whether ``failures``, none of which only warns, end the run."""
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
    return decide(failures, play)


def leave(run: PlayRun, state: RunState, known: Survey, decision: Decision) -> ClosingBlock:
    """Leave out the hosts of a decision, and say who they are; return what is to say at the end."""
    leave_out(run, decision.names)
    state.record.plays[run.play_id].left_out |= decision.names
    line = left_out_line(known.identity, decision.names)
    display.display(line, color=C.COLOR_WARN, stderr=True)
    checked = state.record.hosts_checked_before(known.identity)
    return left_out_block(known.identity, decision.leaving, checked)
