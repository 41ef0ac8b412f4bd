# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Strategy, callback or both: what each line in ansible.cfg guards.

docs/contract.md has the same as a table.
"""

from __future__ import annotations

import json
import re

import pytest
from ansible.release import __version__

from support.project import CALLBACKS

ELSEWHERE = (
    "from ansible.plugins.strategy.free import StrategyModule as Free\n\n"
    "class StrategyModule(Free):\n    pass\n"
)

# By name, what the play names as its strategy.
PLAYS = {
    "none": None,
    "ours": "precheck.guard.free",
    "built-in": "free",
    "from elsewhere": "elsewhere",
}
GUARDED_PLAYS = {"strategy": ["none", "ours"], "callback": list(PLAYS), "both": list(PLAYS)}

# What ansible.cfg names as strategy and as callback, and the outcome.
MISSPELT = {
    "both": ("precheck.guard.linaer", "precheck.gaurd.enforce", "error"),
    "the strategy": ("precheck.guard.linaer", "precheck.guard.enforce", "error"),
    "the callback": ("linear", "precheck.gaurd.enforce", "runs"),
    "the callback beside the strategy": (
        "precheck.guard.linear",
        "precheck.gaurd.enforce",
        "guarded",
    ),
}


@pytest.mark.claims(
    "a play that names no strategy | guarded | guarded | guarded, once",
    "a play that names a strategy of this collection | guarded | guarded | guarded, once",
    "a play that names `free` or another of ansible-core's strategies | not guarded | guarded |"
    " guarded",
    "a play that names a third-party strategy, such as Mitogen's | not guarded | guarded | guarded",
    "who writes a playbook | another strategy for a play, if only the strategy line is in"
    " `ansible.cfg` | no task `Precheck ...` in the output",
)
@pytest.mark.one_release
@pytest.mark.parametrize("entry_point", GUARDED_PLAYS)
def test_which_plays_are_guarded(project, entry_point):
    project.configure(entry_point, "strategy_plugins = strategies")
    project.local_hosts(ready="h1 h2")
    project.write("strategies/elsewhere.py", ELSEWHERE)
    play = {
        "hosts": "all",
        "gather_facts": False,
        "serial": 1,
        "tasks": [{"ansible.builtin.debug": {"msg": "ran"}}],
    }
    plays = [
        play | {"name": name} | ({"strategy": strategy} if strategy else {})
        for name, strategy in PLAYS.items()
    ]
    rules = [
        {"name": name, "plays": [{"play": name}], "checks": [{"that": True}]} for name in PLAYS
    ]
    project.write("site.yml", json.dumps(plays))
    project.write("precheck.yml", json.dumps({"rules": rules}))
    run = project.run("site.yml")
    assert run.rc == 0, run.output
    assert (
        re.findall(r"^TASK \[Precheck (.*)\]", run.stdout, re.MULTILINE)
        == GUARDED_PLAYS[entry_point]
    )
    assert run.stdout.count('"ran"') == 2 * len(PLAYS)


@pytest.mark.claims(
    "the name is misspelt, or the collection is missing | the run ends with an error | a warning,"
    " and no guard | an error if it is the strategy's name; otherwise a warning, and the strategy"
    " guards",
    "For a misspelt callback name, or if the collection is missing, ansible-core only prints a"
    " warning.",
    "ansible-core 2.19 and later | each run prints a warning that third-party strategies are"
    " deprecated | no warning | the same warning",
)
@pytest.mark.parametrize(("strategy", "callback", "outcome"), MISSPELT.values(), ids=MISSPELT)
def test_a_misspelt_name_ends_the_run_or_is_a_warning(project, strategy, callback, outcome):
    project.configure("none", f"strategy = {strategy}\n{CALLBACKS} = {callback}")
    project.local_hosts(missing="h1")
    project.write(
        "pgsql.yml",
        "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: ran}}]}\n",
    )
    run = project.run("pgsql.yml", env={"ANSIBLE_DEPRECATION_WARNINGS": "true"})
    warned = f"Skipping callback plugin '{callback}', unable to load" in " ".join(
        run.stderr.split()
    )
    if outcome == "error":
        assert run.rc == 1
        assert f"Invalid play strategy specified: {strategy}" in run.stderr
    else:
        assert warned
        assert run.rc == (0 if outcome == "runs" else 2)
        assert ("PRECHECK stopped" in run.stderr) == (outcome == "guarded")
        since_2_19 = tuple(map(int, __version__.split(".")[:2])) >= (2, 19)
        assert ("strategy plugins" in run.stderr) == (since_2_19 and outcome == "guarded")
    assert ('"ran"' in run.stdout) == (outcome == "runs")


@pytest.mark.each_release
@pytest.mark.parametrize("is_in_environment", [False, True], ids=["ansible.cfg", "environment"])
def test_the_old_names_of_callbacks_enabled_have_no_effect_since_2_15(project, is_in_environment):
    """Nor does ansible-core say so. docs/operations.md does."""
    name = "precheck.guard.enforce"
    project.configure("none", "" if is_in_environment else f"callback_whitelist = {name}")
    project.local_hosts(missing="h1")
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": None}]}
    project.write("pgsql.yml", json.dumps([play]))
    env = {"ANSIBLE_CALLBACK_WHITELIST": name} if is_in_environment else {}
    run = project.run("pgsql.yml", env=env)
    since_2_15 = tuple(map(int, __version__.split(".")[:2])) >= (2, 15)
    assert run.rc == (0 if since_2_15 else 2)
    assert run.stderr == "" or not since_2_15


# Its methods rely on what its run prepares, and it passes an argument by its name.
PARTICULAR = """
from ansible.plugins.strategy.linear import StrategyModule as Linear

class StrategyModule(Linear):
    def run(self, iterator, play_context):
        self.seen = []
        return super().run(iterator, play_context=play_context)

    def _queue_task(self, host, task, task_vars, play_context):
        self.seen.append(host)
        return super()._queue_task(host, task, task_vars, play_context)

    def _process_pending_results(self, *args, **kwargs):
        self.seen.append(None)
        return super()._process_pending_results(*args, **kwargs)
"""


@pytest.mark.each_release
@pytest.mark.parametrize("entry_point", ["callback", "both"])
@pytest.mark.parametrize("is_ready", [True, False], ids=["ready", "not ready"])
def test_a_strategy_from_elsewhere_may_rely_on_what_its_own_run_prepares(
    project, entry_point, is_ready
):
    project.configure(entry_point, "strategy_plugins = strategies")
    project.local_hosts(ready="h1 h2" if is_ready else "h1", missing="" if is_ready else "h2")
    project.write("strategies/particular.py", PARTICULAR)
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": None}]}
    project.write("first.yml", json.dumps([play | {"strategy": "linear"}]))
    project.write("pgsql.yml", json.dumps([play | {"strategy": "particular"}]))
    run = project.run("first.yml", "pgsql.yml")
    assert run.rc == (0 if is_ready else 2), run.output
    assert run.stdout.count("TASK [ansible.builtin.debug]") == (2 if is_ready else 1)
    assert run.stdout.count("TASK [Precheck pigsty-node]") == 1
    assert ("PRECHECK stopped the run" in run.stderr) is not is_ready
