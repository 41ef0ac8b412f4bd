# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A page of HTML about a history, with a timeline of hosts that a script draws."""

from __future__ import annotations

from collections import Counter

from ..report.html import RANKS, WARNING, CellState
from ..report.record import AUDIT
from ..report.template import render
from ..text import natural
from .output import moment
from .summary import History
from .timeline import timeline_of

TEMPLATE = "history.html.j2"


def page(history: History) -> str:
    """Return the page for a history, to be written as UTF-8."""
    timeline = timeline_of(history)
    unready = sorted(history.unready, key=lambda one: (one.since, natural(one.host), one.rule))
    states = [(one, WARNING if one.only_warns else one.state) for one in unready]
    worst: dict[str, CellState] = {}
    for state in RANKS:
        for one, its_state in states:
            if its_state == state:
                worst.setdefault(one.host, state)
    return render(
        TEMPLATE,
        audits=sum(one.kind == AUDIT for one in history.reports),
        first=history.reports[0].started,
        last=history.reports[-1].started,
        history=history,
        minute=moment,
        unready=states,
        total=Counter(worst.values()),
        timeline=timeline,
        data={
            "moments": timeline.moments,
            "lines": timeline.lines,
            "hosts": [[host.name, host.lines] for host in timeline.hosts],
        },
    )
