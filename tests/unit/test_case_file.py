# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong with a test file of a policy, in words."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.precheck.guard.plugins.plugin_utils.cli.policy_tests import run_file

from support.cases import case, cases_file
from support.policies import policy, rule

POLICY = policy(rule({"path": "/x"}, name="prepared"))


def result_of(directory, policy, *cases):
    """Return what comes of the test file with these cases."""
    (directory / "policy.yml").write_text(policy)
    (directory / "policy.test.yml").write_text(cases_file(*cases))
    return run_file(str(directory / "policy.test.yml"), DataLoader())


def expecting(**keys):
    return case(expect={"prepared": keys})


def answering(**keys):
    return case(expect={}, answers=[keys])


PROBLEMS = [
    ("text", "a case: expected a mapping, not text"),
    (case(), "a case: expected one of expect, error"),
    (case(expect={}, error="x"), "a case: expected only one of expect, error"),
    (case(error="x", stops=True), "a case: stops requires expect"),
    (case(expect={}, name=None), "a case: missing: name"),
    (case(expect={}, hosts=["h1"]), "hosts: expected a mapping, not a list"),
    (case(expect={}, hosts={"h1": {"groups": 1}}), "groups: expected text, not a number"),
    (case(expect={}, play={}), "play: expected at least the key playbook or name"),
    (case(expect={}, play={"roles": "x"}), "play: expected one of playbook, name"),
    (
        case(expect={}, time="22:30"),
        "time: expected a time, as in 2026-01-31 22:30:00, not '22:30'",
    ),
    (case(expect={}, options="--help"), "options: expected options of a run, not '--help'"),
    (
        case(expect={}, options="--limt x"),
        "options: ansible-playbook does not take '--limt x': unrecognized arguments: --limt",
    ),
    (
        case(expect={}, options="-C site.yml"),
        "options: ansible-playbook does not take '-C site.yml': expected options only, not"
        " 'site.yml'",
    ),
    (case(expect={}, options="-e 'x"), "options: No closing quotation"),
    (
        case(expect={}, files={"../x": ""}),
        "files: expected the path of a file below the directory, not '../x'",
    ),
    (case(expect={}, files={"x": 1}), "files: expected text, not a number"),
    (answering(path="/x"), "an answer: path requires stat"),
    (
        answering(path="/x", stat={"isreg": True}),
        "stat: expected what the stat module returns, at least exists: true or false",
    ),
    (answering(task="x"), "an answer: task requires result"),
    (answering(command="x", result={}), "an answer: result requires task"),
    (answering(command="x", arguments={}), "an answer: arguments requires task"),
    (answering(command="x", path="x"), "an answer: expected only one of path, command, task"),
    (answering(command="x", status=256), "status: expected a number from 0 to 255, not 256"),
    (answering(command="x", output=["y"]), "output: expected text, not a list"),
    (
        case(expect={"prepard": {}}),
        "expect: the policy has no rule 'prepard' (did you mean prepared?)",
    ),
    (
        case(expect={"prepared": "not coverd"}),
        "what is expected of a rule (or not covered): expected a mapping, not text",
    ),
    (expecting(ready="h1x"), "ready: the case has no host 'h1x' (did you mean h1?)"),
    (expecting(ready="h1", waived="h1"), "h1 is under ready and waived"),
    (expecting(ready={"h1": 1}), "ready: expected text, not a number"),
    (
        expecting(play="redy"),
        "play: expected ready or not_ready or unverified, not 'redy' (did you mean ready?)",
    ),
]


@pytest.mark.parametrize(("one", "problem"), PROBLEMS)
def test_a_wrong_case_is_named_with_its_line(tmp_path, one, problem):
    found = result_of(tmp_path, POLICY, one)
    assert found.has_failed
    assert f"{tmp_path}/policy.test.yml:2: {problem}" in list(map(str, found.problems))


def test_a_misspelt_key_comes_with_what_may_be_meant(tmp_path):
    wrong = case(expect={"prepared": {"reddy": []}}, hosts={"h1": {"var": {}}}, tme=1)
    found = [problem.text for problem in result_of(tmp_path, POLICY, wrong).problems]
    meant = [text.rpartition(" (did you mean ")[2] for text in found]
    assert sorted(meant) == ["ready?)", "time?)", "vars?)"]


def test_no_two_cases_have_the_same_name(tmp_path):
    one = case(expect={})
    [problem] = result_of(tmp_path, POLICY, one, one).problems
    text = "there is a case of this name already, at line 2: a case"
    assert (problem.line, problem.text) == (3, text)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            "other.yml",
            "is not a test file, and there is none beside it: expected {directory}/other.test.yml",
        ),
        ("gone.test.yml", "there is no policy {directory}/gone.yml beside it"),
        ("policy.test.yml", "not valid YAML: "),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, name, problem):
    (tmp_path / "policy.yml").write_text(POLICY)
    (tmp_path / "policy.test.yml").write_text("cases: [")
    found = run_file(str(tmp_path / name), DataLoader())
    assert found.has_failed
    [one] = found.problems
    assert one.path == str(tmp_path / name)
    assert one.text.startswith(problem.format(directory=tmp_path))


def test_what_is_wrong_with_the_policy_is_wrong_with_its_test(tmp_path):
    [problem] = result_of(tmp_path, "rules: []", case(expect={})).problems
    assert (problem.path, problem.line) == (f"{tmp_path}/policy.yml", 1)
