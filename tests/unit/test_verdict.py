# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict on a rule is the worst of its checks."""

from __future__ import annotations

from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import (
    NOT_READY,
    READY,
    UNVERIFIED,
    Verdict,
    all_ready,
    labelled,
    worst,
)


def test_a_rule_has_the_worst_verdict_of_its_checks_and_all_reasons():
    ready, missing, unknown = (
        Verdict(READY),
        Verdict(NOT_READY, ("missing",)),
        Verdict(UNVERIFIED, ("no access",)),
    )
    assert worst([ready, ready]) == ready
    assert worst([ready, unknown]) == unknown
    assert worst([unknown, Verdict(READY, ("there",)), missing]) == Verdict(
        NOT_READY, ("no access", "missing")
    )
    assert worst([]) == Verdict(UNVERIFIED, ("the checks gave no result",))
    assert worst([Verdict(UNVERIFIED)]) == Verdict(UNVERIFIED, ("the checks gave no result",))


def test_the_verdicts_on_the_checks_are_kept():
    ready, missing = Verdict(READY), Verdict(NOT_READY, ("b is missing",))
    unknown = Verdict(UNVERIFIED, ("no access to c",))
    whole = worst([labelled("a", ready), labelled("c", unknown)])
    assert whole.checks == (("a", ready), ("c", unknown))
    other = labelled("d", missing)
    assert other == Verdict(NOT_READY, ("b is missing",), (("d", missing),))
    assert worst([whole, other]) == Verdict(
        NOT_READY, ("no access to c", "b is missing"), (*whole.checks, ("d", missing))
    )
    assert worst([all_ready(["a", "b"]), labelled("c", ready)]) == all_ready(["a", "b", "c"])
    assert worst([all_ready(["a"]), other]).checks == (("a", ready), ("d", missing))
