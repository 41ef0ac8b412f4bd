# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells what is remembered of a run to those who do not read its output."""

from __future__ import annotations

from ansible import constants as C
from ansible.utils.display import Display

from ..ansible_core.output import print_at_the_end, print_errors_at_the_end
from ..ansible_core.run import PlayRun
from ..errors import text_for_report
from ..text import one_line
from .state import RunState

display = Display()


def note_error(run: PlayRun, state: RunState, error: Exception) -> None:
    """Remember for the report which error ends the run."""
    state.record.error = one_line(text_for_report(error))
    state.record_has_news = True
    if run.play_id in state.record.plays:
        state.record.plays[run.play_id].stopped = True


def write_news(run: PlayRun, state: RunState, stopped: bool) -> None:
    """Write the report and the metrics, and set the statistic, if wanted and if there is news.

    An audit, and a run that is ``stopped``, end with a line that says where the report is.
    """
    if not state.record_has_news:
        return
    from ..report.files import write_report  # no run without a covered play needs them
    from ..report.metrics_file import write_metrics
    from ..report.summary import STATISTIC, wanted_summary

    state.record_has_news = False
    if written := write_report(state.record, run.extra_vars, run.groups_of):
        if run.play_id in state.audits:
            print_at_the_end(run, written)
        elif stopped:
            print_errors_at_the_end(run, [(written, C.COLOR_ERROR)])
        else:
            display.v(written)
    # An error may be that no rules can be read. The metrics of an audit then stay as they are.
    rules = () if state.record.error else state.rules_in_force(run)
    names = [rule.name for rule in rules]
    hosts = run.names_in_inventory()
    if written := write_metrics(state.record, run.extra_vars, run.groups_of, names, hosts):
        display.v(written)
    if summary := wanted_summary(state.record, run.extra_vars, run.groups_of):
        run.set_stat(STATISTIC, summary)
