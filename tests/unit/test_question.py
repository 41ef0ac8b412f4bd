# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the operator is asked, and what counts as an answer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.playbook.play import Play
from ansible_collections.precheck.guard.plugins.plugin_utils.ansible_core.tasks.once import (
    check_once,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.confirmation import Said, judge
from ansible_collections.precheck.guard.plugins.plugin_utils.options import confirmed_number
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.matching import PlayIdentity
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Check, Rule
from ansible_collections.precheck.guard.plugins.plugin_utils.report.question import (
    Concern,
    question,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import NOT_READY, READY

CHECK = Check("confirm", "Go?", "Go?", once=True)


def test_the_question_has_the_first_hosts_of_each_rule():
    names = [f"h{number:02}" for number in range(1, 24)]
    play = PlayIdentity(name="Change\x1b[31m", path="site.yml", line=3)
    concerns = [
        Concern("production", names, ["One.\nTwo.", "Three\x07."]),
        Concern("slow", ["h01"], ["Slow."]),
    ]
    shown = ", ".join(names[:20])
    assert question(play, concerns, 23) == (
        'PRECHECK asks before play "Change[31m" (site.yml:3):\n\n'
        f"Rule production:\nOne.\nTwo.\nThree.\n  23 hosts: {shown} and 3 more\n\n"
        "Rule slow:\nSlow.\n  1 host: h01\n\n"
        "This is about 23 hosts in all. Type the number to go on:"
    )


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("3", READY),
        (" 3\n", READY),
        ("", NOT_READY),
        ("\n", NOT_READY),
        ("03", NOT_READY),
        ("3.0", NOT_READY),
        ("33", NOT_READY),
        ("y", NOT_READY),
        (None, NOT_READY),
    ],
)
def test_only_the_number_is_an_answer(text, state):
    assert judge(CHECK, "", Said(text, 3)).state == state


@pytest.mark.parametrize(
    ("confirmed", "state"),
    [
        ("production h1, production h2, other h3", READY),
        ("production h1", NOT_READY),
        ("other h1, other h2", NOT_READY),
        ("", NOT_READY),
    ],
)
def test_a_check_that_runs_once_passes_only_if_it_is_confirmed_for_all_its_hosts(confirmed, state):
    rule = Rule("production", (), (CHECK,))
    # Replaces a play that ansible-core runs. Without tasks, no more of it is used.
    play = Play.load({"name": "a play", "hosts": "all"})
    run = SimpleNamespace(play=play, play_name="a play", loader=None, variables=lambda host: {})
    pairs = {tuple(one.split()) for one in confirmed.split(", ") if one}
    assert check_once(run, rule, ["h1", "h2"], pairs).state == state


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({}, None),
        ({"precheck_confirm": None}, None),
        ({"precheck_confirm": "3"}, "3"),
        ({"precheck_confirm": 3}, "3"),
        ({"precheck_confirm": True}, "True"),
        ({"precheck_confirm": ""}, ""),
        ({"precheck_confirm": [3]}, "[3]"),
    ],
)
def test_what_the_command_line_says(variables, text):
    assert confirmed_number(variables) == text
