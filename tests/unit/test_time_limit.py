# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a host may take to answer if no option says so."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.ansible_core.tasks.time_limit import (
    TimeLimit,
    by_default,
    of_check,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Check

pytestmark = pytest.mark.one_release

DEFAULTS = {  # timeout and retries of ssh, seconds
    "the defaults of ansible-core": ((10, 0), 30),
    "less time to connect": ((3, 0), 30),
    "none": ((0, 0), 30),
    "retries that fit": ((2, 3), 32),
    "more time to connect": ((60, 0), 80),
    "retries, with pauses between them": ((10, 10), 110 + 0 + 1 + 3 + 7 + 15 + 5 * 30 + 20),
    "more than a day": ((10, 10**9), 86400),
}


@pytest.mark.parametrize(("options", "seconds"), DEFAULTS.values(), ids=DEFAULTS)
def test_the_limit_grows_with_the_time_that_ssh_may_take_to_connect(options, seconds):
    limit = by_default(*options)
    assert limit.seconds == seconds
    grown = f"{seconds} s, which follows from timeout and retries of ssh"
    assert str(limit) == (grown if seconds > 30 else "30 s, the default of [precheck] timeout")


def test_checks_with_timeouts_extend_the_limit():
    limit = TimeLimit(5, "the limit of task_timeout")
    check = Check("command", "true", "true", timeout=7)
    without = Check("command", "true", "true")
    assert limit.extended_for([without]) == limit
    extended = limit.extended_for([check, without, check])
    assert str(extended) == "19 s, the limit of task_timeout and the timeouts of checks"
    assert of_check(without, limit) == limit
    assert str(of_check(check, limit)) == "7 s, the timeout of the check"
