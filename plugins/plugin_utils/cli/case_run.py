# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a case: the guard does before its play what it does in a run, on hosts that answer by it."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader

from ..ansible_core.patches.clocks import clock_stands_at
from ..ansible_core.patches.traces import without_warnings
from ..ansible_core.run import PlayRun
from ..guard.execution import find_failures
from ..guard.leaving import decide_on
from ..guard.state import RunState
from ..guard.survey import Survey, survey
from ..policy.matching import PlayIdentity
from ..policy.model import WARN, Rule
from ..report.terminal import Failure
from ..verdict import STATES, Verdict
from .case import Case, CasePlay, Found, Place
from .case_options import run_with
from .case_play import begun, files_of
from .stand_in import CaseStandIn

Labels = dict[str, set[str]]  # of checks, by the name of their rule


@dataclass(frozen=True)
class Outcome:
    """What came of a case, by the name of each rule that covers the play, or the ``error``.

    ``stops`` is whether a host that is not ready, or unverified, ends the run. ``checked`` are the
    checks with a verdict.
    """

    found: dict[str, Found] = field(default_factory=dict)
    stops: bool = False
    checked: Labels = field(default_factory=dict)
    error: str = ""


def run_case(case: Case, rules: Sequence[Rule], loader: DataLoader) -> Outcome:
    """Return what the guard does before the play of ``case``.

    ``loader`` looks for files in the directory of the test file.
    """
    # What it says to the operator is no part of the outcome.
    quiet = io.StringIO()
    directory = loader.get_basedir()
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.redirect_stdout(quiet))
            stack.enter_context(contextlib.redirect_stderr(quiet))
            stack.enter_context(without_warnings())
            if case.time:
                stack.enter_context(clock_stands_at(case.time))
            stack.enter_context(run_with(case.options))
            root = stack.enter_context(files_of(case)) if case.files else directory
            play = case.play
            if play.playbook:
                play = replace(play, playbook=os.path.normpath(os.path.join(root, play.playbook)))
            loader.set_basedir(os.path.dirname(play.playbook) or root)
            case = replace(case, play=play)
            return _outcome(stack.enter_context(begun(case, loader)), case, rules)
    except AnsibleError as ex:
        return Outcome(error=str(ex))
    except Exception as ex:
        return Outcome(error=f"the case cannot be run: {ex!r}")
    finally:
        loader.set_basedir(directory)


def _outcome(run: PlayRun, case: Case, rules: Sequence[Rule]) -> Outcome:
    state = RunState(identities={run.play_id: _identity(case.play, run)})
    run.stand_in = CaseStandIn(case, run)
    known = survey(run, state, rules)
    failures = find_failures(run, state, known) if known.coverages else []
    of_play = {
        rule.name: verdict for play in state.record.plays.values() for rule, verdict in play.checks
    }
    by_rule = {failure.rule.name: failure for failure in failures}
    found = {}
    checked: Labels = {}
    for plan in known.plans:
        name = plan.rule.name
        verdicts = {
            host: verdict for (rule, host), verdict in state.record.verdicts.items() if rule == name
        }
        found[name] = _found(known, name, verdicts, of_play.get(name), by_rule.get(name))
        for verdict in (*verdicts.values(), *filter(None, [of_play.get(name)])):
            checked.setdefault(name, set()).update(label for label, _part in verdict.checks)
    errors = [failure for failure in failures if failure.rule.severity != WARN]
    return Outcome(found, bool(decide_on(run, state, known, errors).stopping), checked)


def _found(
    known: Survey,
    name: str,
    verdicts: dict[str, Verdict],
    of_play: Verdict | None,
    failure: Failure | None,
) -> Found:
    [plan] = [plan for plan in known.plans if plan.rule.name == name]
    hosts: dict[Place, Any] = {
        state: {host: one.reasons for host, one in verdicts.items() if one.state == state}
        for state in STATES
    }
    hosts["waived"] = {host: (plan.left_out[host],) for host in plan.waived}
    hosts["left_out"] = {
        host: (reason,)
        for host, reason in {**known.targets.left_out, **plan.left_out}.items()
        if host not in plan.waived
    }
    return Found(
        hosts=hosts,
        of_play={of_play.state: of_play.reasons} if of_play else {},
        messages=tuple(failure.messages) if failure else (),
        remedy=failure.remedy if failure else "",
    )


def _identity(play: CasePlay, run: PlayRun) -> PlayIdentity:
    return PlayIdentity(
        name=run.play_name,
        path=play.playbook,
        line=1 if play.playbook else 0,
        roles=frozenset(play.roles),
        tags=frozenset(play.tags),
    )
