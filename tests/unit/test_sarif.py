# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with policies, as SARIF: what that format requires, and what review tools need."""

from __future__ import annotations

import re
import typing

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.cli.sarif import RULES, as_sarif
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import Problem, ProblemId

from support.commands import REPOSITORY

PROBLEMS = [
    Problem("unknown key 'mod'", "/srv/ops/policies/a.yml", 7),
    Problem("there is no filter quoet", "/srv/ops/precheck.yml", 3, id="unknown-name"),
    Problem("a pipe", "/srv/ops/precheck.yml", 4, True, "pipe-always-succeeds"),
    Problem("there is no such file", "/srv/ops/gone.yml"),
    Problem("the variable precheck_policy names no policy file"),
]


def test_it_has_the_structure_that_the_format_requires():
    log = as_sarif(PROBLEMS, "/srv/ops")
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "ansible-precheck"
    assert re.fullmatch(r"\d+\.\d+\.\d+", driver["version"])
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    assert all(rule["shortDescription"]["text"].endswith(".") for rule in driver["rules"])
    assert len(run["results"]) == len(PROBLEMS)
    for result, problem in zip(run["results"], PROBLEMS):
        assert set(result) == {"ruleId", "ruleIndex", "level", "message", "locations"}
        assert ids[result["ruleIndex"]] == result["ruleId"] == problem.id
        assert result["level"] == ("warning" if problem.is_warning else "error")
        assert result["message"] == {"text": problem.text}
        for location in result["locations"]:
            assert list(location) == ["physicalLocation"]
            assert set(location["physicalLocation"]) == {"artifactLocation", "region"}
            assert location["physicalLocation"]["region"]["startLine"] >= 1


def test_braces_in_a_message_stand_for_themselves():
    [result] = as_sarif([Problem("'~/{{ x }}' or {0}")], "/srv")["runs"][0]["results"]
    assert result["message"]["text"] == "'~/{{{{ x }}}}' or {{0}}"


def places(*problems):
    """Return the address and the line of each problem, seen from /srv/ops."""
    return [
        (where["artifactLocation"]["uri"], where["region"]["startLine"])
        for result in as_sarif(problems, "/srv/ops")["runs"][0]["results"]
        for location in result["locations"]
        for where in [location["physicalLocation"]]
    ]


PATHS = {
    "/srv/ops/precheck.yml": "precheck.yml",
    "/srv/ops/policies/a b#1.yml": "policies/a%20b%231.yml",
    "/srv/ops/..a.yml": "..a.yml",
    "/srv/other/a b.yml": "file:///srv/other/a%20b.yml",
    "/srv/ops-2/a.yml": "file:///srv/ops-2/a.yml",
    "policies/a.yml": "policies/a.yml",
}


@pytest.mark.parametrize(("path", "uri"), PATHS.items())
def test_paths_are_relative_to_the_directory_if_they_are_in_it(path, uri):
    assert places(Problem("x", path, 7)) == [(uri, 7)]


def test_a_problem_of_a_file_is_at_its_first_line_and_one_of_no_file_nowhere():
    assert places(Problem("x", "/srv/ops/a.yml"), Problem("y")) == [("a.yml", 1)]


def test_without_problems_there_are_no_results():
    assert as_sarif([], "/srv/ops")["runs"][0]["results"] == []


def test_each_id_is_described_here_and_in_the_documents():
    assert set(RULES) == set(typing.get_args(ProblemId))
    text = (REPOSITORY / "docs/explain.md").read_text()
    assert re.findall(r"^\| `([\w-]+)` \| ", text.partition("`ruleId`")[2], re.M)[:3] == list(RULES)
