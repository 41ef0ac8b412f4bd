# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-precheck test: what comes of the cases of a policy."""

from __future__ import annotations

import re
import stat as file_stat
from xml.etree import ElementTree

import pytest

from support.cases import case, cases_file, results_of, run_test
from support.commands import REPOSITORY
from support.output import on_one_line
from support.policies import policy, rule
from support.reports import read_report

DOCUMENT = (REPOSITORY / "docs/testing-policies.md").read_text()


CERTIFICATE = {"path": "/etc/pki/ca.crt"}
READY = {"ready": ["h1"]}


def not_ready(*reasons):
    return {"not_ready": {"h1": list(reasons)}}


def unverified(reason):
    return {"unverified": {"h1": reason}}


def stat(path="/etc/pki/ca.crt", **values):
    return {"path": path, "stat": {"exists": True, "isreg": True, **values}}


def answers(*given):
    return {"answers": list(given)}


def variables(**of_host):
    return {"hosts": {"h1": {"vars": of_host}}}


def asked(result=None, task="ansible.builtin.*", **arguments):
    """Return the answer to a task with these arguments: it fails, unless there is a result."""
    result = {"failed": True} if result is None else result
    return {"task": task, "result": result, "arguments": arguments}


# The check of a rule, what the case has, and what is expected of the rule.
CHECKS = {
    "a path is there": (CERTIFICATE, answers(stat()), READY),
    "a path is missing": (
        CERTIFICATE,
        answers({"path": "/etc/pki/ca.crt", "stat": {"exists": False}}),
        not_ready("/etc/pki/ca.crt is missing"),
    ),
    "a path has too many permissions": (
        {**CERTIFICATE, "mode": "0600"},
        answers(stat(mode="0644")),
        not_ready("/etc/pki/ca.crt has more permissions than 0600"),
    ),
    "a path belongs to somebody else": (
        {**CERTIFICATE, "owner": "root"},
        answers(stat(pw_name="joe", uid=1000)),
        not_ready("/etc/pki/ca.crt does not belong to root"),
    ),
    "a path has a variable": (
        {"path": "{{ x }}/y"},
        variables(x="/z") | answers(stat("/z/y")),
        READY,
    ),
    "a file has the content": (
        {**CERTIFICATE, "same_as": "ca.crt"},
        answers({**stat(), "content": "a certificate\n"}),
        READY,
    ),
    "a file has other content": (
        {**CERTIFICATE, "same_as": "ca.crt"},
        answers({**stat(), "content": "another"}),
        not_ready("/etc/pki/ca.crt exists, but it is not this installation's*"),
    ),
    "a command succeeds": ({"command": "true"}, answers({"command": "true"}), READY),
    "a command prints why it fails": (
        {"command": "check it"},
        answers({"command": "check *", "status": 3, "output": "one\ntwo\n"}),
        not_ready("two"),
    ),
    "a command fails in silence": (
        {"command": ["check", "{{ x }}"]},
        variables(x="a b") | answers({"command": ["check", "a b"], "status": 3}),
        not_ready("check '{{ x }}' ended with exit status 3"),
    ),
    "a command has a name and a message": (
        {"name": "disk", "command": "check", "message": "too full on {{ inventory_hostname }}"},
        answers({"command": "check", "status": 1}),
        not_ready("disk: too full on h1"),
    ),
    "a condition holds": ({"that": "x == 1"}, variables(x=1), READY),
    "a condition does not hold": (
        {"that": "x == 1"},
        variables(x=2),
        not_ready("x == 1 does not hold"),
    ),
    "a variable is a template": ({"that": "x == 1"}, variables(x="{{ y }}", y=1), READY),
    "a condition is not known": (
        {"that": "x == 1"},
        {},
        unverified("x == 1 cannot be evaluated: 'x' is undefined"),
    ),
    "variables of other hosts": (
        {"that": ["hostvars.h2.x == 'h2'", "groups.web | map('extract', hostvars, 'x') == ['h2']"]},
        {"hosts": {"h1": None, "h2": {"groups": "web", "vars": {"x": "{{ y }}", "y": "h2"}}}},
        {"ready": ["h1", "h2"]},
    ),
    "a condition once": (
        {"that": "ansible_play_hosts_all | length > 1", "once": True, "message": "too few"},
        {},
        {"play": {"not_ready": "too few"}},
    ),
    "a task by its module": (
        {"task": {"ansible.builtin.wait_for": {"port": 1}}},
        answers({"task": "ansible.builtin.wait_for", "result": {"failed": True, "msg": "Timeout"}}),
        not_ready("Timeout"),
    ),
    "a task by the name of its check": (
        {"name": "port", "task": {"ansible.builtin.wait_for": {"port": 1}}},
        answers({"task": "port", "result": {}}),
        READY,
    ),
    "a condition in failed_when": (
        {
            "task": {
                "ansible.builtin.stat": {"path": "/x"},
                "failed_when": "precheck_result.stat.exists",
            },
            "message": "there is one",
        },
        answers({"task": "ansible.builtin.stat", "result": {"stat": {"exists": True}}}),
        not_ready("there is one"),
    ),
    "all conditions in failed_when": (
        {
            "task": {
                "ansible.builtin.stat": {"path": "/x"},
                "failed_when": [True, "limit < 3"],
                "vars": {"limit": 3},
            }
        },
        answers({"task": "ansible.builtin.stat", "result": {}}),
        READY,
    ),
    "failed_when has the last word": (
        {
            "task": {
                "ansible.builtin.uri": {"url": "x"},
                "failed_when": "precheck_result.status > 499",
            }
        },
        answers({"task": "ansible.builtin.uri", "result": {"failed": True, "status": 404}}),
        READY,
    ),
    "a message with the result": (
        {
            "task": {"ansible.builtin.uri": {"url": "x"}},
            "message": "it says {{ precheck_result.status }}",
        },
        answers({"task": "ansible.builtin.uri", "result": {"failed": True, "status": 404}}),
        not_ready("it says 404"),
    ),
    "failed_when has no value": (
        {"task": {"ansible.builtin.uri": {"url": "x"}, "failed_when": "precheck_result.x == 1"}},
        answers({"task": "ansible.builtin.uri", "result": {"msg": "OK"}}),
        not_ready("OK"),
    ),
    "a loop has failed itself": (
        {
            "task": {
                "ansible.builtin.stat": {"path": "{{ item }}"},
                "loop": ["/x"],
                "failed_when": "precheck_result.stat.exists",
            }
        },
        answers({"task": "ansible.builtin.stat", "result": {"failed": True, "msg": "one is"}}),
        not_ready("one is"),
    ),
    "a delegated task": (
        {"task": {"ansible.builtin.stat": {"path": "/x"}, "delegate_to": "localhost"}},
        {"hosts": {"h1": {"unreachable": "no route"}}}
        | answers({"task": "ansible.builtin.stat", "result": {}}),
        READY,
    ),
    "a task once on the control node": (
        {"task": {"ansible.builtin.stat": {"path": "/x"}}, "once": True},
        {"hosts": {"h1": {"unreachable": "no route"}}}
        | answers({"task": "ansible.builtin.stat", "result": {}}),
        {"play": "ready"},
    ),
    "a task with arguments": (
        {"task": {"ansible.builtin.uri": {"url": "http://{{ x }}/{{ y }}"}, "vars": {"y": "a[b]"}}},
        variables(x="h1")
        | answers(
            asked(url="https://*"), asked(url="*", timeout=5), asked({}, url="http://h1/a[b]")
        ),
        READY,
    ),
    "a task with other arguments": (
        {"task": {"ansible.builtin.shell": "test {{ inventory_hostname }}"}, "name": "it"},
        answers(asked({}, "it", _raw_params="test h2"), asked(_raw_params="test *")),
        not_ready("it: the task failed"),
    ),
    "a task once": (
        {"task": {"ansible.builtin.uri": {"url": "x"}}, "once": True, "message": "no {{ change }}"},
        {"options": "-e change=CHG-1"} | answers({"task": "*uri", "result": {"failed": True}}),
        {"play": {"not_ready": "no CHG-1"}},
    ),
    "a host is unreachable": (
        CERTIFICATE,
        {"hosts": {"h1": {"unreachable": "no route"}}},
        unverified("unreachable: no route"),
    ),
    "a host is unreachable for a task": (
        {"task": {"ansible.builtin.stat": {"path": "/x"}}},
        {"hosts": {"h1": {"unreachable": "no route"}}},
        unverified("unreachable: no route"),
    ),
    "a condition needs no connection": (
        {"that": "true"},
        {"hosts": {"h1": {"unreachable": "no route"}}},
        READY,
    ),
}


GROUPS = {"hosts": {"h1": {"groups": ["db"]}, "h2": {"groups": "web"}}}
FAILS = {"that": False}
MESSAGE = {"message": "{{ inventory_hostname }}", "remedy": "x {{ precheck_limit }}"}

# The keys of a rule, those of the case, and what is expected of the rule.
RULES = {
    "the file": ({"plays": [{"playbook": "a*.yml"}]}, {"play": {"playbook": "ab.yml"}}, READY),
    "another file": (
        {"plays": [{"playbook": "a*.yml"}]},
        {"play": {"playbook": "b.yml"}},
        "not covered",
    ),
    "a role": ({"plays": [{"role": "db"}]}, {"play": {"name": "x", "roles": "acme.x.db"}}, READY),
    "a tag": ({"plays": [{"tag": "db"}]}, {"play": {"name": "x", "tags": ["a", "db"]}}, READY),
    "the pattern": ({}, {**GROUPS, "play": {"name": "x", "hosts": "db"}}, READY),
    "the limit": ({}, {**GROUPS, "options": "-l db"}, READY),
    "when": (
        {"when": "'db' in group_names"},
        GROUPS,
        {**READY, "left_out": {"h2": "the rule is only for hosts with 'db' in group_names"}},
    ),
    "waived by a tag": ({}, {"play": {"name": "x", "tags": "no_precheck"}}, {"waived": "h1"}),
    "waived by name": (
        {},
        {"options": "-e precheck_waive=only"},
        {"waived": {"h1": "precheck_waive"}},
    ),
    "waived by skipping": ({}, {"options": "--skip-tags precheck:only"}, {"waived": "h1"}),
    "waived with a reason": (
        {"waiver": "reason"},
        {"options": "-e precheck_waive=only -e precheck_reason=CHG-1"},
        {"waived": {"h1": "precheck_waive; reason: CHG-1"}},
    ),
    "not waived": ({"waiver": "forbidden"}, {"options": "--skip-tags precheck"}, READY),
    "check mode": ({"when": "not ansible_check_mode"}, {"options": "-C"}, {"left_out": "h1"}),
    "variables of the play": (
        {"checks": [{"that": "x == 1"}]},
        {"play": {"name": "p", "vars": {"x": 1}}},
        READY,
    ),
    "the variables of Precheck": (
        {
            "checks": [FAILS],
            "message": "{{ precheck_rule }} {{ precheck_play }} {{ precheck_playbook | basename }}",
        },
        {"play": {"name": "p", "playbook": "a/b.yml"}},
        {"not_ready": "h1", "message": "only p b.yml"},
    ),
    "the directory of the playbook": (
        {"checks": [FAILS], "message": "{{ playbook_dir | basename }}"},
        {"play": {"playbook": "a/b.yml"}},
        {"not_ready": "h1", "message": "a"},
    ),
    "message and remedy": (
        {"checks": [FAILS], **MESSAGE},
        {"hosts": {"h2": None, "h1": None}},
        {"not_ready": ["h1", "h2"], "message": ["h1", "h2"], "remedy": "x h1,h2"},
    ),
    "no remedy": ({}, {}, {**READY, "remedy": ""}),
    "facts": (
        {
            "facts": "min",
            "checks": [
                {
                    "that": "ansible_facts['system'] == 'BSD'",
                    "message": "{{ ansible_facts.system }}",
                }
            ],
        },
        {
            "hosts": {
                "h1": {"facts": {"ansible_system": "BSD"}},
                "h2": {"facts": {"system": "Linux"}},
            }
        },
        {**READY, "not_ready": {"h2": "Linux"}},
    ),
    "files of the control node": (
        {"checks": [{"that": ["(playbook_dir ~ '/x/y') is file", "lookup('file', 'x/y') == 'z'"]}]},
        {"play": {"playbook": "a.yml"}, "files": {"x/y": "z"}},
        READY,
    ),
    "no other files of the control node": (
        {"checks": [{"that": "(playbook_dir ~ '/ca.crt') is file"}]},
        {"play": {"playbook": "a.yml"}, "files": {"x": ""}},
        {"not_ready": "h1"},
    ),
    "files beside the case": (
        {"checks": [{"that": "(playbook_dir ~ '/ca.crt') is file"}]},
        {"play": {"playbook": "a.yml"}},
        READY,
    ),
    "the time": (
        {
            "checks": [
                {"that": ["now().hour == 22", "'%H' | strftime == '22'", "now(fmt='%Y') == '2026'"]}
            ]
        },
        {"time": "2026-01-31 22:30:00"},
        READY,
    ),
    "the time in a zone": (
        {"checks": [{"that": ["now(utc=true).hour == 20", "'%H' | strftime(utc=true) == '20'"]}]},
        {"time": "2026-01-31 22:30:00+02:00"},
        READY,
    ),
}


# The keys of a rule, the options, and the error.
ERRORS = {
    "it cannot be waived": (
        {"waiver": "forbidden"},
        "-e precheck_waive=only",
        "Precheck cannot waive rule only *forbids that*",
    ),
    "it takes a reason": (
        {"waiver": "reason"},
        "-e precheck_waive=only",
        "Precheck waives rule only * only with a reason*",
    ),
    "there is no such rule": (
        {},
        "-e precheck_waive=onl",
        "Precheck knows no rule 'onl'*(did you mean only?)",
    ),
    "its when has no value": (
        {"when": "x"},
        None,
        "Precheck cannot tell whether rule only * applies to h1*'x' is undefined",
    ),
}


ERROR_CASES = {
    "right": [],
    "another": ["error: expected another, came Precheck "],
    "none": ["error: expected nothing, came Precheck "],
}
# Keys of a rule, the hosts that are not ready, of which h1 always is; whether the run stops.
STOPS = {
    "error": ({"severity": "error"}, "h1", True),
    "warn": ({"severity": "warn"}, "h1", False),
    "exclude": ({"severity": "exclude"}, "h1", False),
    "minimum": ({"severity": "exclude", "minimum": 2}, "h1", False),
    "minimum, and too few are left": ({"severity": "exclude", "minimum": "67%"}, "h1", True),
    "exclude, and no host is left": ({"severity": "exclude"}, "h1 h2 h3", True),
}

MISSING = {
    "a path": ({"path": "/x"}, {}, "the case has no answer of h1 for the path /x"),
    "a command": (
        {"command": "check it"},
        answers({"command": "chek it"}),
        "the case has no answer of h1 for the command check it (did you mean chek it?)",
    ),
    "a task": (
        {"task": {"ansible.builtin.stat": {"path": "/x"}}},
        answers({"task": "stat", "result": {}}),
        "the case has no answer of h1 for the task ansible.builtin.stat",
    ),
    "a task with arguments": (
        {"name": "x", "task": {"ansible.builtin.uri": {"url": "{{ 1 }}", "body": "y"}}},
        answers(asked(url=2), asked(timeout=3)),
        "the case has no answer of h1 for the task x with timeout: none, url: 1",
    ),
    "a task whose arguments have no value": (
        {"name": "x", "task": {"ansible.builtin.uri": {"url": "{{ y }}"}}},
        answers(asked(url=2)),
        "the arguments of the task x: 'y' is undefined",
    ),
}


def error_cases(what):
    """Return cases for a rule that ends the run with an error."""
    _keys, options, error = ERRORS[what]
    expectations = {
        "right": {"error": error},
        "another": {"error": "another"},
        "none": {"expect": {}},
    }
    return [case(name=name, options=options, **expectations[name]) for name in ERROR_CASES]


def policies_and_cases():
    """Yield a policy and its cases by a name."""
    for what, (check, keys, expected) in CHECKS.items():
        right = case(**keys, expect={"only": expected})
        wrong = case(**keys, name="wrong", expect={"only": {"waived": "h1"}})
        yield what, (policy(rule(check)), [right, wrong])
    for what, (keys, of_case, expected) in RULES.items():
        of_rule = {**rule({"that": True}), **keys}
        yield what, (policy(of_rule), [case(**of_case, expect={"only": expected})])
    for what, (keys, _options, _error) in ERRORS.items():
        yield what, (policy({**rule({"that": True}), **keys}), error_cases(what))
    for what, (keys, not_ready, stops) in STOPS.items():
        names = ["h1", "h2", "h3"]
        bad = not_ready.split()
        expect = {"only": {"not_ready": bad, "ready": [name for name in names if name not in bad]}}
        of_case = {"hosts": dict.fromkeys(names), "expect": expect}
        cases = [case(**of_case, name=str(one), stops=one) for one in (stops, not stops)]
        yield what, (policy(rule({"that": f"inventory_hostname not in {bad}"}, **keys)), cases)
    for what, (check, keys, _text) in MISSING.items():
        yield f"no answer: {what}", (policy(rule(check)), [case(**keys, expect={"only": READY})])
    away = case(hosts={"h1": {"unreachable": "no route"}}, expect={"only": {"unverified": "h1"}})
    yield "a rule that waits", (policy(rule({"path": "/a"}, wait=3600)), [away])
    text = policy(rule({"that": True}, facts=["min"]))
    yield "no facts", (text, [case(expect={"only": READY})])
    of_host = {"command": "check *", "status": 1, "output": "its own"}
    one = case(
        hosts={"h1": {"answers": [of_host]}, "h2": None},
        answers=[{"command": "check it"}],
        expect={"only": {"ready": "h2", "not_ready": {"h1": "its own"}}},
    )
    yield "own answers", (policy(rule({"command": "check it"})), [one])
    not_ready_then = {"expect": {"only": {"not_ready": "h1"}}}
    cases = [
        case(name="one", options="-C -e x=1", **not_ready_then),
        case(name="two", hosts={"h1": {"vars": {"x": 1}}}, **not_ready_then),
        case(name="three", time="2026-01-31 22:30:00", **not_ready_then),
        case(name="four", expect={"only": READY}),
    ]
    condition = "x is not defined and not ansible_check_mode and now(fmt='%F') != '2026-01-31'"
    yield "apart", (policy(rule({"that": condition})), cases)
    text = policy(
        rule({"command": "a"}, {"that": True, "once": True}, name="half"),
        rule({"that": True}, name="covers_no_play", covers={"play": "x"}),
        rule({"that": True}, name="waived"),
        rule({"that": True}, name="reached"),
    )
    keys = {"options": "-e precheck_waive=waived", "hosts": {"h1": {"unreachable": "no route"}}}
    yield "not reached", (text, [case(**keys, expect={})])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the command prints of all of them, which takes less time at once."""
    directory = tmp_path_factory.mktemp("policies")
    (directory / "ca.crt").write_text("a certificate\n")
    return results_of(directory, dict(policies_and_cases()))


def differences(result):
    """Return what differs in each case of a file. The file can be used."""
    assert result["problems"] == []
    return [one["differences"] for one in result["cases"]]


@pytest.mark.parametrize("what", CHECKS)
def test_the_answers_of_a_case_are_judged_as_those_of_a_host(results, what):
    right, wrong = differences(results[what])
    assert right == []
    assert wrong != []


@pytest.mark.parametrize("what", RULES)
def test_a_rule_is_planned_and_rendered_as_in_a_run(results, what):
    assert differences(results[what]) == [[]]


@pytest.mark.parametrize("what", ERRORS)
def test_a_case_can_expect_the_error_that_ends_the_run(results, what):
    for found, expected in zip(differences(results[what]), ERROR_CASES.values()):
        assert [line[: len(start)] for line, start in zip(found, expected)] == expected
        assert len(found) == len(expected)


@pytest.mark.parametrize("what", STOPS)
def test_a_case_can_expect_that_the_run_stops(results, what):
    words = ["that it stops", "that it goes on"]
    expected, came = reversed(words) if STOPS[what][2] else words
    line = f"the run: expected {expected}, came {came}"
    assert differences(results[what]) == [[], [line]]


@pytest.mark.parametrize("what", MISSING)
def test_a_case_without_an_answer_fails(results, what):
    text = f"error: expected nothing, came {MISSING[what][2]}"
    assert differences(results[f"no answer: {what}"]) == [[text]]


def test_a_case_does_not_wait(results):
    assert differences(results["a rule that waits"]) == [[]]


def test_a_case_without_facts_fails(results):
    lacking = "a rule asks for facts of h1, and the case has none"
    assert differences(results["no facts"]) == [[f"error: expected nothing, came {lacking}"]]


def test_a_host_has_its_own_answer_before_that_of_all(results):
    assert differences(results["own answers"]) == [[]]


def test_no_case_sees_what_another_one_has(results):
    assert differences(results["apart"]) == [[], [], [], []]


def test_what_no_case_reaches_is_printed(results):
    found = results["not reached"]
    assert differences(found) == [[]]
    assert found["rules_not_reached"] == ["covers_no_play", "waived"]
    assert found["checks_not_reached"] == [{"rule": "half", "check": "a", "line": 2}]


def blocks(words):
    """Return the text of the block of the document with these words after the fence."""
    [text] = re.findall(rf"^```{words}\n((?:.*\n)+?)```$", DOCUMENT, re.MULTILINE)
    return text


@pytest.fixture
def example(tmp_path):
    """A directory with the policy of the document, and its cases."""
    (tmp_path / "precheck.yml").write_text(blocks("yaml policy"))
    (tmp_path / "precheck.test.yml").write_text(blocks("yaml test"))
    return tmp_path


def test_the_document_shows_what_the_command_prints(example):
    command, _, printed = blocks("console").partition("\n")
    run = run_test(example, *command.split()[3:])
    assert (run.rc, run.stdout, run.stderr) == (1, printed, "")


def test_without_a_file_the_cases_of_the_policy_in_use_run(example):
    text = (example / "precheck.test.yml").read_text()
    (example / "precheck.test.yml").write_text(text.replace("{ready: [pg-1]}", "{waived: [pg-1]}"))
    (example / "ansible.cfg").write_text("[defaults]\n")
    run = run_test(example)
    assert (run.rc, run.stdout.splitlines()[-1], run.stderr) == (0, "3 cases, 0 failed", "")
    (example / "precheck.test.yml").unlink()
    run = run_test(example)
    beside = f"{example}/precheck.yml: there is no test file beside the policy"
    assert run.rc == 1
    assert f"{beside}: expected {example}/precheck.test.yml" in on_one_line(run.stderr)
    (example / "precheck.yml").unlink()
    assert "no policy is configured here: name a test file" in run_test(example).stderr


def test_what_is_wrong_and_what_no_case_reaches_comes_with_its_line(example):
    text = (example / "precheck.test.yml").read_text()
    (example / "broken.test.yml").write_text(text.replace("stops:", "stop:"))
    (example / "broken.yml").write_text(blocks("yaml policy"))
    begin = text.index("  - name: a play that only reads")
    end = text.index("  - name: an operator")
    (example / "precheck.test.yml").write_text("cases:\n" + text[begin:end])
    run = run_test(example, "broken.test.yml", "precheck.test.yml")
    assert (run.rc, run.stderr) == (1, "")
    problem, passed, unreached, summary = run.stdout.splitlines()
    assert problem.startswith(f"{example}/broken.test.yml:20: a case: unknown key 'stop': ")
    assert problem.endswith("(did you mean stops?)")
    assert passed == "precheck.test.yml:2: PASSED a play that only reads is not covered"
    assert unreached == f"{example}/precheck.yml:2: no case reaches the rule prepared"
    assert summary == "1 case, 0 failed; 1 file cannot be used"


def test_the_results_are_written_as_junit_has_them(example):
    (example / "gone.test.yml").write_text("cases: []")
    run = run_test(example, "precheck.test.yml", "gone.test.yml", "--junit-xml", "results.xml")
    assert run.rc == 1
    suite, other = ElementTree.parse(example / "results.xml").getroot()
    assert [suite.get(key) for key in ("tests", "failures", "errors")] == ["3", "1", "0"]
    assert [other.get(key) for key in ("tests", "failures", "errors")] == ["1", "0", "1"]
    assert [case.get("line") for case in suite] == ["2", "30", "36"]
    [failure] = suite.iter("failure")
    assert failure.text.splitlines()[0] == "rule prepared: ready: expected pg-1, came nothing"
    [error] = other.iter("error")
    assert error.get("message") == f"there is no policy {example}/gone.yml beside it"
    run = run_test(example, "precheck.test.yml", "--junit-xml", "no/such/directory")
    assert (run.rc, "no/such/directory cannot be written" in run.stderr) == (1, True)


def test_a_policy_stands_for_the_test_file_beside_it(example):
    (example / "other.yml").write_text("rules: []")
    run = run_test(example, "precheck.yml", "precheck.test.yml", "other.yml")
    problem = "is not a test file, and there is none beside it: expected"
    lines = run.stdout.splitlines()
    assert lines[-1] == "3 cases, 1 failed; 1 file cannot be used"
    assert f"{example}/other.yml: {problem} {example}/other.test.yml" in lines


SITE_POLICY = """
rules:
  - name: shell
    plays: [{role: db}]
    when: db is defined
    checks:
      - {path: /etc/pki/ca.crt, mode: "0600"}
      - {name: command, command: "echo {{ inventory_hostname }} fails; exit {{ status }}"}
      - {that: status == 0, message: "status {{ status }}"}
    message: "{{ inventory_hostname }} of {{ ansible_play_hosts_all | length }} {{ precheck_rule }}"
    remedy: "make {{ precheck_limit }}"
  - name: tasks
    plays: [{playbook: "s*.yml"}]
    checks:
      - task:
          ansible.builtin.stat: {path: /}
          failed_when: not precheck_result.stat.isdir or db is defined
        message: "a task of {{ inventory_hostname }}"
      - {that: ansible_play_hosts_all | length > 5, once: true, message: too few}
    severity: warn
  - name: waived
    plays: [{play: "*"}]
    checks: [{that: false}]
"""
SITE = """
- name: A site
  hosts: all
  gather_facts: false
  roles: [db]
"""


def stat_of(path):
    """Return what the stat module says about a path, as far as the policy looks at it."""
    if not path.exists():
        return {"exists": False}
    return {"exists": True, "mode": f"{file_stat.S_IMODE(path.stat().st_mode):04o}"}


def in_report(report):
    """Return what a report says about each rule, in the words of a case."""
    expected = {}
    for head in report["rules"]:
        of_rule = expected[head["name"]] = {key: head[key] for key in ("message", "remedy")}
        of_rule["message"] = of_rule["message"].splitlines()
        for one in report["verdicts"]:
            if one["rule"] == head["name"]:
                reasons = [reason for check in one["checks"] for reason in check["reasons"]]
                of_rule.setdefault(one["verdict"], {})[one["host"]] = reasons or None
    for check in (check for play in report["plays"] for check in play["checks"]):
        expected[check["rule"]]["play"] = {check["verdict"]: check["reasons"]}
    return expected


def test_a_case_gets_what_a_run_gets(guarded):
    """The same policy, hosts and options: once with the hosts, and once with their answers."""
    project = guarded
    project.local_hosts(ready="h1 h2", missing="h3 h4")
    with project.changed_inventory() as group:
        for name, variables in group["hosts"].items():
            variables["status"] = 2 if name == "h2" else 0
            variables.update({} if name == "h4" else {"db": name})
    for name, mode in (("h1", 0o600), ("h2", 0o644)):
        (project.directory / name / "etc/pki/ca.crt").chmod(mode)
    project.write("precheck.yml", SITE_POLICY)
    project.write("site.yml", SITE)
    project.write("roles/db/tasks/main.yml", "- ansible.builtin.debug:\n")
    waived = "-e precheck_waive=waived"
    run = project.run("site.yml", *waived.split(), "-e", "precheck_report=report.json")
    assert run.rc == 2
    expected = in_report(read_report(project.directory / "report.json"))
    assert {place for one in expected.values() for place in one} > {"ready", "not_ready", "play"}
    expected["shell"]["left_out"] = ["h4"]
    expected["waived"]["waived"] = ["h1", "h2", "h3", "h4"]
    hosts = {
        name: {
            "vars": variables,
            "answers": [
                {
                    "path": f"{project.directory}/{name}/etc/pki/ca.crt",
                    "stat": stat_of(project.directory / name / "etc/pki/ca.crt"),
                },
                {
                    "command": f"echo {name} fails; exit {variables['status']}",
                    "status": variables["status"],
                    "output": f"{name} fails\n",
                },
            ],
        }
        for name, variables in project.hosts().items()
    }
    one = case(
        play={"playbook": "site.yml", "name": "A site", "roles": ["db"]},
        options=waived,
        hosts=hosts,
        answers=[{"task": "ansible.builtin.stat", "result": {"stat": {"isdir": True}}}],
        stops=True,
        expect=expected,
    )
    project.write("precheck.test.yml", cases_file(one))
    run = project.run("ansible-precheck", "test")
    passed, unreached, _summary = run.stdout.splitlines()
    assert (run.rc, passed, run.stderr) == (0, "precheck.test.yml:2: PASSED a case", "")
    assert unreached.endswith("no case reaches the rule waived")
