# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Random playbooks: the guard checks the hosts that a small model says, before the same plays."""

from __future__ import annotations

import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, configuration, given, seed, settings
from hypothesis import strategies as st

from support.plays import play
from support.policies import policy, rule

TEN = settings(
    database=None,  # no directory beside the tests that stores the last examples
    deadline=None,
    phases=[Phase.generate],  # to look for a smaller example takes minutes
    max_examples=10,
    suppress_health_check=list(HealthCheck),
)
HOSTS = ("h1", "h2", "h3", "h4")
PREPARED_BY = {"any": {}, "none": {"prepared_by": []}, "node": {"prepared_by": [{"play": "node*"}]}}

configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / f"hypothesis-{os.getuid()}")


@dataclass(frozen=True)
class Play:
    """A play of a ``kind``: covered, node (which makes its hosts ready), other, or idle."""

    kind: str
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Case:
    """A playbook, the hosts that are ready at its beginning, and who may prepare the others."""

    plays: tuple[Play, ...]
    ready: frozenset[str]
    prepared_by: str


@dataclass
class Outcome:
    """Before which plays which hosts are checked, for which plays; and whether a play is stopped.

    Plays are known by their numbers.
    """

    checks: list[tuple[int, int, str]]
    stopped_at: int | None = None


def model(case: Case) -> Outcome:
    """Return what section "When" of the contract says."""
    ready, checked, outcome = set(case.ready), set(), Outcome([])

    def check(now: int, needed_for: int, hosts: tuple[str, ...]) -> bool:
        due = [host for host in hosts if host not in checked]
        outcome.checks.extend((now, needed_for, host) for host in due)
        checked.update(due)
        return ready.issuperset(due)

    for now, here in enumerate(case.plays):
        if here.kind == "idle":
            continue
        all_ready = here.kind != "covered" or check(now, now, here.hosts)
        prepared: set[str] = set()
        for later, there in enumerate(case.plays[now:], now):
            if there.kind == "covered" and later > now:
                hosts = tuple(host for host in there.hosts if host not in prepared)
                all_ready &= check(now, later, hosts)
            if there.kind in ("node", "other") and case.prepared_by == "any":
                break
            if (there.kind, case.prepared_by) == ("node", "node"):
                prepared.update(there.hosts)
        if not all_ready:
            outcome.stopped_at = now
            return outcome
        if here.kind == "node":
            ready.update(here.hosts)
    return outcome


plays = st.builds(
    Play,
    st.sampled_from(["covered", "covered", "covered", "idle", "idle", "node", "other"]),
    st.lists(st.sampled_from(HOSTS), min_size=1, max_size=3, unique=True).map(
        lambda names: tuple(sorted(names))
    ),
)
cases = st.builds(
    Case,
    st.lists(plays, min_size=3, max_size=7).map(tuple),
    st.frozensets(st.sampled_from(HOSTS), min_size=2),
    st.sampled_from(list(PREPARED_BY)),
)

MARK = "- ansible.builtin.command: touch {{ precheck_root }}/ready"
TASKS = {"covered": "- ansible.builtin.debug:", "node": MARK, "other": "- ansible.builtin.debug:"}


def write(project, case: Case) -> None:
    project.local_hosts(missing=" ".join(HOSTS))
    for host in HOSTS:
        (project.directory / host).mkdir(exist_ok=True)
        (project.directory / host / "ready").unlink(missing_ok=True)
        if host in case.ready:
            project.write(f"{host}/ready", "")
    keys = {"covers": {"play": "covered *"}, **PREPARED_BY[case.prepared_by]}
    project.write("precheck.yml", policy(rule({"path": "/ready"}, **keys)))
    texts = (
        play(",".join(one.hosts), TASKS.get(one.kind, "[]"), name=f"{one.kind} {number}")
        for number, one in enumerate(case.plays)
    )
    project.write("site.yml", "".join(texts))


def number_of(name: str) -> int:
    return int(name.rpartition(" ")[2])


def outcome_of(run) -> Outcome:
    """Return what a run with -v did."""
    outcome, now, needed_for = Outcome([]), 0, None
    for line in run.stdout.splitlines():
        if match := re.match(r"PLAY \[(.*)\]", line):
            now = number_of(match[1])
        elif match := re.match(r"TASK \[(Precheck only)?(?: \(for (.*)\))?", line):
            needed_for = number_of(match[2]) if match[2] else now
            needed_for = needed_for if match[1] else None
        elif (match := re.match(r"\w+: \[(\w+)\]", line)) and needed_for is not None:
            outcome.checks.append((now, needed_for, match[1]))
    if match := re.search(r'PRECHECK stopped the run before play "(.*?)"', run.stderr):
        outcome.stopped_at = number_of(match[1])
    return outcome


def explained(project) -> list[tuple[int, int, str]]:
    """Return the checks that explain shows."""
    run = project.run("ansible-precheck", "explain", "site.yml", "--format", "json")
    assert run.rc == 0, run.output
    checks = []
    for one in json.loads(run.stdout)["plays"]:
        now = number_of(one["name"])
        checks += [(now, now, host) for of_rule in one["rules"] for host in of_rule["checked"]]
        for ahead in one["ahead"]:
            checks += [(now, number_of(ahead["name"]), host) for host in ahead["checked"]]
    return checks


@pytest.mark.parametrize("number", range(4))
def test_the_guard_checks_what_the_model_says(guarded, number):
    outcomes = []

    @seed(number)
    @TEN
    @given(cases)
    def compare(case: Case) -> None:
        write(guarded, case)
        run = guarded.run("site.yml", "-v")
        expected, outcome = model(case), outcome_of(run)
        assert run.rc == (0 if expected.stopped_at is None else 2), run.output
        assert outcome.stopped_at == expected.stopped_at
        assert sorted(outcome.checks) == sorted(expected.checks)
        outcomes.append(expected)

    compare()
    assert any(now != needed_for for one in outcomes for now, needed_for, _host in one.checks)
    assert any(one.stopped_at is not None for one in outcomes)


def test_explain_shows_what_the_model_says(project):
    """As if all hosts were ready."""
    project.configure("strategy")

    @seed(0)
    @TEN
    @given(cases)
    def compare(case: Case) -> None:
        write(project, case)
        all_ready = Case(case.plays, frozenset(HOSTS), case.prepared_by)
        assert sorted(explained(project)) == sorted(model(all_ready).checks)

    compare()
