# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whom the plays on the way to a later one may still prepare for a rule."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.guard.way import (
    PlayOnTheWay,
    Way,
    can_be_checked_ahead,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.matching import PlayIdentity
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import (
    WARN,
    Check,
    Rule,
    Selector,
)

pytestmark = pytest.mark.one_release

CHECK = Check("path", None, "/etc/pki/ca.crt")
NODE = (Selector(play=("node",)),)
PREPARED_BY = {"any": None, "none": (), "node": NODE}


def on_the_way(name, has_work=True, hosts=("a", "b")):
    return PlayOnTheWay(PlayIdentity(name, "/x.yml", 1), has_work, hosts)


# The play on the way, and for each prepared_by which of the hosts a, b and c wait.
WAITING = {
    "the rule covers it": (on_the_way("database"), "", "", ""),
    "it is another": (on_the_way("other"), "a b c", "", ""),
    "it is named": (on_the_way("node"), "a b c", "", "a b"),
    "it is named and has no work": (on_the_way("node", has_work=False), "", "", ""),
    "it is named and has no hosts": (on_the_way("node", hosts=()), "a b c", "", ""),
    "its hosts are not known": (on_the_way("node", hosts=None), "a b c", "", "a b c"),
    "another's hosts are not known": (on_the_way("other", hosts=None), "a b c", "", ""),
    "nothing is known": (None, "a b c", "", "a b c"),
}


@pytest.mark.parametrize("prepared_by", PREPARED_BY)
@pytest.mark.parametrize("case", WAITING)
def test_who_waits(case, prepared_by):
    play, *expected = WAITING[case]
    covers = (Selector(play=("database",)),)
    way = Way(Rule("r", covers, (CHECK,), prepared_by=PREPARED_BY[prepared_by]))
    way.add(play)
    waiting = way.waiting(["a", "b", "c"])
    assert " ".join(waiting) == expected[list(PREPARED_BY).index(prepared_by)]
    assert way.is_open == ("c" not in waiting)
    if play and waiting:
        assert set(waiting.values()) == {
            f'for play "{play.identity.name}" (/x.yml:1), which may prepare hosts'
        }


def test_the_first_play_that_closes_the_way_is_the_reason():
    way = Way(Rule("r", (Selector(play=("database",)),), (CHECK,)))
    for name in ("database", "first", "second"):
        way.add(on_the_way(name))
    assert way.waiting(["a"])["a"].startswith('for play "first"')


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("r", (), (CHECK,)), True),
        (Rule("r", (), (CHECK,), severity=WARN), False),
        (Rule("r", (), (Check("that", None, "x", once=True),)), False),
    ],
)
def test_what_can_be_checked_ahead(rule, expected):
    assert can_be_checked_ahead(rule) is expected
