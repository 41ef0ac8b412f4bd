# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A page of HTML about a history, with a timeline of hosts that a script draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..report.html import WARNING, CellState
from ..report.record import AUDIT
from ..report.template import render
from ..text import natural
from ..verdict import NOT_READY, READY, UNVERIFIED
from .output import moment
from .summary import History
from .timeline import timeline_of

TEMPLATE = "history.html.j2"
STATES: Mapping[str, CellState] = {"n": NOT_READY, "u": UNVERIFIED, "w": WARNING, "r": READY}


def page(history: History) -> str:
    """Return the page for a history, to be written as UTF-8."""
    timeline = timeline_of(history)
    hosts = timeline.hosts if timeline else []
    unready = sorted(history.unready, key=lambda one: (one.since, natural(one.host), one.rule))
    return render(
        TEMPLATE,
        audits=sum(one.kind == AUDIT for one in history.reports),
        first=history.reports[0].started,
        last=history.reports[-1].started,
        history=history,
        minute=moment,
        unready=[(one, WARNING if one.only_warns else one.state) for one in unready],
        total=Counter(STATES[timeline.last_letter(host)] for host in hosts) if timeline else {},
        timeline=timeline,
        data={
            "moments": timeline.moments,
            "lines": timeline.lines,
            "hosts": [[host.name, host.line, host.by_rule] for host in hosts],
        }
        if timeline
        else {},
    )
