# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tables in docs/contract.md say what the tests of this directory show, no more and no less."""

from __future__ import annotations

import re

import pytest
import test_bypass_attempts
import test_faults
import test_later_plays
import test_leaving_out

from support.commands import REPOSITORY

TABLES = {
    "Bypass attempts": test_bypass_attempts.TABLE,
    "Faults": test_faults.FAULTS,
    "Later plays": test_later_plays.TABLE,
    "Leaving hosts out": test_leaving_out.TABLE,
}


@pytest.mark.one_release
@pytest.mark.parametrize("heading", TABLES, ids=lambda heading: heading.lower())
def test_the_table_in_the_contract_is_that_of_the_tests(heading):
    text = (
        (REPOSITORY / "docs/contract.md")
        .read_text()
        .split(f"\n## {heading}\n")[1]
        .split("\n## ")[0]
    )
    rows = [
        re.split(r"(?<!\\) \| ", line.strip("| "))
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    assert [tuple(row) for row in rows[2:]] == list(TABLES[heading].items())
