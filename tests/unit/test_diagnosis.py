# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What doctor says of what it has found out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.cli.diagnosis import diagnose
from ansible_collections.precheck.guard.plugins.plugin_utils.cli.explanation import (
    PlayExplanation,
    RuleExplanation,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.cli.facts import (
    Config,
    Copy,
    Core,
    Facts,
    Policy,
    Value,
    Written,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import Problem
from ansible_collections.precheck.guard.plugins.plugin_utils.ini import read
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.matching import PlayIdentity
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import (
    Check,
    Rule,
    Selector,
)

pytestmark = pytest.mark.one_release

CALLBACK, STRATEGY = "precheck.guard.enforce", "precheck.guard.linear"
CFG = "/p/ansible.cfg"
COPY = Copy("/c/precheck/guard", "0.1.0")
CORE = Core("2.21.5", "/lib/ansible", "3.13.0 at /bin/python")
KEYS = {"defaults": ["callbacks_enabled", "strategy", "forks", "callback_plugins"], "precheck": []}
ON, OFF = Value([CALLBACK], f"{CFG}:2"), Value([])
LINEAR = Value(["linear"])


def config(text="", **more):
    return Config(CFG, read(text), KEYS, **more)


def defaults(*lines):
    return config("\n".join(["[defaults]", *lines]))


def before_2_11(*lines):
    return replace(defaults(*lines), keys={"defaults": ["callback_whitelist", "strategy", "forks"]})


def play(strategy="linear", rules=True, guarded_by=(), not_guarded=""):
    selector = Selector(play=("*",))
    rule = Rule("node", (selector,), (Check("path", None, "/x"),))
    return PlayExplanation(
        "site.yml",
        PlayIdentity("DB", "/p/site.yml", 3),
        ("h1",),
        [RuleExplanation(rule, selector)] if rules else [],
        not_guarded=not_guarded,
        guarded_by=guarded_by,
    )


FINE = Facts(
    core=CORE,
    own=COPY,
    found=COPY,
    searched=["/c"],
    config=config(),
    callbacks=ON,
    strategy=LINEAR,
    policy=Policy(["/p/precheck.yml"], "beside ansible.cfg", 2),
    report=Written(),
)
ENV_CALLBACKS = Value(["timer"], "env: ANSIBLE_CALLBACKS_ENABLED")
ENV_STRATEGY = Value(["free"], "env: ANSIBLE_STRATEGY")

# What is other than fine, whether the guard is in force, and what is marked, with its mark.
CASES = {
    "all is fine": ({}, True, []),
    "the strategy alone": ({"callbacks": OFF, "strategy": Value([STRATEGY])}, True, []),
    "both": ({"strategy": Value([STRATEGY], f"{CFG}:3")}, True, []),
    "neither": ({"callbacks": OFF}, False, ["! guard: neither the callback nor a strategy of"]),
    "an old release": (
        {"core": replace(CORE, version="2.9.27")},
        False,
        ["! ansible-core: 2.9.27 at /lib/ansible, Python 3.13.0 at /bin/python: Precheck"],
    ),
    "a new release": (
        {"core": replace(CORE, version="2.99.1.dev0")},
        True,
        ["? ansible-core: 2.99.1.dev0 at /lib/ansible, Python 3.13.0 at /bin/python: newer than"],
    ),
    "another ansible-playbook": (
        {"core": replace(CORE, other_playbook="/usr/bin/ansible-playbook")},
        True,
        ["? ansible-playbook: /usr/bin/ansible-playbook is of another installation"],
    ),
    "no collection": (
        {"found": None, "callbacks": Value([CALLBACK], f"{CFG}:2", False)},
        False,
        [
            "! collection: ansible-core does not find precheck.guard. It looks in /c.",
            f"! callback: {CALLBACK} ({CFG}:2) cannot be loaded: ansible-core only warns",
        ],
    ),
    "another copy is used": (
        {"found": Copy("/d"), "others": [COPY, Copy("/e", "0.2.0")]},
        True,
        [
            "? collection: this command is of another copy, 0.1.0 at /c/precheck/guard",
            "? collection: there is another copy, 0.2.0 at /e, which is not used",
        ],
    ),
    "a file that is not read": (
        {"config": Config(ignored={CFG: "anybody may write in its directory"})},
        True,
        [f"? ansible.cfg: {CFG} is not read: anybody may write in its directory"],
    ),
    "a misspelt key": (
        {"callbacks": OFF, "config": defaults(f"callback_enabled = {CALLBACK}", "stategy = x")},
        False,
        [
            f"? ansible.cfg: {CFG}:2: unknown key callback_enabled: did you mean callbacks_en",
            f"? ansible.cfg: {CFG}:3: unknown key stategy: did you mean strategy?",
            "! guard: ",
        ],
    ),
    "a misspelt section": (
        {"config": config("[prechek]\npolicy = x\n[default]\n")},
        True,
        [
            f"? ansible.cfg: {CFG}:1: unknown section [prechek]: did you mean precheck?",
            f"? ansible.cfg: {CFG}:3: unknown section [default]: did you mean defaults?",
        ],
    ),
    "a key in another section": (
        {"config": config(f"[precheck]\ncallbacks_enabled = {CALLBACK}")},
        True,
        [f"? ansible.cfg: {CFG}:2: callbacks_enabled has an effect in the section [defaults] only"],
    ),
    "a line break that is missing": (
        {"config": defaults(f"forks = 5callbacks_enabled = {CALLBACK}")},
        True,
        [f"? ansible.cfg: {CFG}:2: {CALLBACK} is in the value of forks: is a line break missing?"],
    ),
    "a line break that is missing in another section": (
        {"config": config(f"[ssh_connection]\nretries = 3callbacks_enabled = {CALLBACK}")},
        True,
        [f"? ansible.cfg: {CFG}:2: {CALLBACK} is in the value of retries: is a line"],
    ),
    "a strategy of a collection that is missing": (
        {"found": None, "callbacks": OFF, "strategy": Value([STRATEGY], f"{CFG}:2", False)},
        False,
        [
            "! collection: ",
            f"! strategy: {STRATEGY} ({CFG}:2) cannot be loaded: ansible-core ends each run with an"
            " error",
        ],
    ),
    "the old key": (
        {"config": defaults("callback_whitelist = x")},
        True,
        [f"? ansible.cfg: {CFG}:2: callback_whitelist has no effect since ansible-core 2.15"],
    ),
    "the new key alone before 2.11": (
        {"callbacks": OFF, "config": before_2_11(f"callbacks_enabled = {CALLBACK}")},
        False,
        [
            f"? ansible.cfg: {CFG}:2: callbacks_enabled has no effect before ansible-core 2.11: add"
            f" {CALLBACK} to callback_whitelist",
            "! guard: neither the callback nor a strategy of",
        ],
    ),
    "both keys before 2.11": (
        {
            "config": before_2_11(
                f"callbacks_enabled = {CALLBACK}", f"callback_whitelist = {CALLBACK}"
            )
        },
        True,
        [],
    ),
    "the new variable before 2.11": (
        {"config": before_2_11(), "variables": ["ANSIBLE_CALLBACKS_ENABLED"]},
        True,
        ["? environment: ANSIBLE_CALLBACKS_ENABLED has no effect before ansible-core 2.11: set"],
    ),
    "overridden before 2.11": (
        {
            "callbacks": Value(["timer"], "env: ANSIBLE_CALLBACK_WHITELIST"),
            "config": before_2_11(f"callback_whitelist = {CALLBACK}"),
        },
        False,
        [
            f"? callback: {CALLBACK} is not enabled: timer (env: ANSIBLE_CALLBACK_WHITELIST);"
            f" ANSIBLE_CALLBACK_WHITELIST takes precedence over {CFG}:2, which names {CALLBACK}",
            "! guard: neither the callback nor a strategy of",
        ],
    ),
    "a misspelt variable": (
        {"variables": ["ANSIBLE_CALLBACK_ENABLED", "ANSIBLE_CALLBACK_WHITELIST", "ANSIBLE_FORKS"]},
        True,
        [
            "? environment: unknown variable ANSIBLE_CALLBACK_ENABLED: did you mean ANSIBLE_CALL",
            "? environment: ANSIBLE_CALLBACK_WHITELIST has no effect since ansible-core 2.15",
        ],
    ),
    "a misspelt variable of an option": (
        {
            "variables": ["ANSIBLE_PRECHECK_POLICIES"],
            "known_variables": ["ANSIBLE_PRECHECK_POLICY"],
        },
        True,
        ["? environment: unknown variable ANSIBLE_PRECHECK_POLICIES: did you mean ANSIBLE_PRECH"],
    ),
    "a misspelt callback": (
        {"callbacks": Value(["precheck.gaurd.enforce"], f"{CFG}:2")},
        False,
        [
            f"? callback: {CALLBACK} is not enabled: precheck.gaurd.enforce ({CFG}:2); did you",
            "! guard: ",
        ],
    ),
    "a misspelt strategy": (
        {"strategy": Value(["precheck.guard.linaer"], f"{CFG}:2", False)},
        False,
        [f"! strategy: precheck.guard.linaer ({CFG}:2) cannot be loaded: ansible-core ends"],
    ),
    "a variable before the callback": (
        {"callbacks": ENV_CALLBACKS, "config": defaults(f"callbacks_enabled = {CALLBACK}")},
        False,
        [
            f"? callback: {CALLBACK} is not enabled: timer (env: ANSIBLE_CALLBACKS_ENABLED);"
            f" ANSIBLE_CALLBACKS_ENABLED takes precedence over {CFG}:2, which names {CALLBACK}",
            "! guard: ",
        ],
    ),
    "a variable before the strategy": (
        {"callbacks": OFF, "strategy": ENV_STRATEGY, "config": defaults(f"strategy = {STRATEGY}")},
        False,
        [
            "? strategy: free (env: ANSIBLE_STRATEGY); ANSIBLE_STRATEGY takes precedence over /p/",
            "! guard: ",
        ],
    ),
    "a policy with problems": (
        {"policy": Policy(problems=[Problem("no", "/p/precheck.yml", 3)])},
        False,
        ["! policy: each run ends with an error: /p/precheck.yml:3: no"],
    ),
    "a report that cannot be written": (
        {"report": Written("/r/x.json", "its directory does not exist")},
        True,
        ["? report: /r/x.json cannot be written: its directory does not exist"],
    ),
    "metrics that cannot be written": (
        {"metrics": Written("", "the option metrics has a wrong value")},
        True,
        ["? metrics: cannot be written: the option metrics has a wrong value"],
    ),
    "a playbook that cannot be read": (
        {"playbook_error": "it is gone"},
        False,
        ["! playbooks: it is gone"],
    ),
    "plays that are guarded, or need not be": (
        {
            "plays": [
                play(guarded_by=["callback", "strategy"]),
                play(rules=False),
                play(guarded_by=["callback"], not_guarded="it is an audit"),
            ]
        },
        True,
        [],
    ),
    "a play that is not guarded": (
        {
            "callbacks": OFF,
            "strategy": Value([STRATEGY]),
            "plays": [play(not_guarded="its strategy is free")],
        },
        False,
        ['! play "DB" (/p/site.yml:3): not guarded: its strategy is free'],
    ),
}


@pytest.mark.parametrize(("facts", "in_force", "marked"), CASES.values(), ids=CASES)
def test_what_it_says(facts, in_force, marked):
    diagnosis = diagnose(replace(FINE, **facts))
    lines = [line for _level, line in diagnosis.as_text()]
    found = [line for line in lines if line[:1] in ("?", "!")]
    assert len(found) == len(marked), found
    for line, start in zip(found, marked):
        assert line.startswith(start)
        assert "did you mean precheck.guard.linear" not in line or "linaer" in line
    assert diagnosis.in_force == in_force
    assert ("IN FORCE" in lines) == in_force
    assert ("NOT IN FORCE" in lines) != in_force
    data = json.loads(json.dumps(diagnosis.as_data()))
    assert data["in_force"] == in_force
    assert [one["level"] for one in data["findings"]].count("wrong") == sum(
        line.startswith("!") for line in found
    )


# What is other than fine, and the advice.
ADVICE = {
    "nothing": ({}, []),
    "no line": (
        {"callbacks": OFF},
        [f"or add to the section [defaults] of {CFG}:", f"callbacks_enabled = {CALLBACK}"],
    ),
    "no file": ({"callbacks": OFF, "config": Config()}, ["of a file ansible.cfg in the directory"]),
    "another line": (
        {"callbacks": OFF, "config": defaults("callbacks_enabled = timer")},
        [f"or append to {CFG}:2:", CALLBACK],
    ),
    "no line before 2.11": (
        {"callbacks": OFF, "config": before_2_11()},
        [
            f"of {CFG}:\n    callback_whitelist = {CALLBACK}\n    callbacks_enabled = {CALLBACK}",
        ],
    ),
    "the new key alone before 2.11": (
        {"callbacks": OFF, "config": before_2_11(f"callbacks_enabled = {CALLBACK}")},
        [f"of {CFG}:\n    callback_whitelist = {CALLBACK}"],
    ),
    "a variable": (
        {"callbacks": ENV_CALLBACKS},
        [f"Add {CALLBACK} to ANSIBLE_CALLBACKS_ENABLED in the environment"],
    ),
    "no collection": ({"found": None, "callbacks": OFF}, ["Install the collection where"]),
    "a policy": ({"policy": Policy(problems=[Problem("no")])}, ["Mend what is marked with !"]),
}


@pytest.mark.parametrize(("facts", "advice"), ADVICE.values(), ids=ADVICE)
def test_what_to_do(facts, advice):
    given = diagnose(replace(FINE, **facts)).advice
    assert bool(given) == bool(advice)
    for text in advice:
        assert text in "\n".join(given)
