# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-precheck doctor says whether the guard is in force, and why not."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from ansible.release import __version__

from support.commands import REPOSITORY, run_command
from support.output import is_printed
from support.policies import policy, rule
from support.project import DOCTOR, ENTRY_POINTS, PRECHECK

PLAY = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: ran}}]}\n"
NAME = "precheck.guard.enforce"
CALLBACK, STRATEGY, BOTH = (ENTRY_POINTS[name] for name in ("callback", "strategy", "both"))
SINCE_2_15 = tuple(map(int, __version__.split(".")[:2])) >= (2, 15)


@pytest.fixture
def bare(project):
    """A project with a host that is not ready, and without the guard."""
    project.local_hosts(missing="h1")
    project.write("pgsql.yml", PLAY)
    return project


def doctor(project, *arguments, **more):
    """Return the run of the command, and whether it says that the guard is in force."""
    run = project.run("ansible-precheck", "doctor", *arguments, **more)
    lines = run.stdout.splitlines()
    assert ("IN FORCE" in lines) != ("NOT IN FORCE" in lines), run.output
    assert run.rc == (0 if "IN FORCE" in lines else 1)
    return run, "IN FORCE" in lines


def test_it_says_that_the_guard_is_in_force(guarded):
    guarded.local_hosts(missing="h1")
    guarded.write("pgsql.yml", PLAY)
    run, in_force = doctor(guarded, "pgsql.yml")
    assert in_force, run.output
    config = f"{guarded.directory}/ansible.cfg"
    line = (guarded.directory / "ansible.cfg").read_text().splitlines()
    number = line.index(ENTRY_POINTS[guarded.entry_point]) + 1
    named = ENTRY_POINTS[guarded.entry_point].split()[-1]
    assert f"  {guarded.entry_point}: {named} ({config}:{number})\n" in run.stdout
    assert f"  ansible-core: {__version__} at " in run.stdout
    assert f"  ansible.cfg: {config}\n" in run.stdout
    assert "/policy/builtin.yml (built in), 1 rule\n" in run.stdout
    play = f'play "all" ({guarded.directory}/pgsql.yml:1)'
    assert f"  {play}: guarded by the {guarded.entry_point}, for pigsty-node\n" in run.stdout
    assert "\n!" not in run.stdout


# What ansible.cfg has, the environment, and what is marked. In all cases the play runs unguarded.
OFF = {
    "nothing": (
        "",
        {},
        "! guard: neither the callback nor a strategy of the collection is enabled",
    ),
    "a misspelt key": (
        f"callback_enabled = {NAME}",
        {},
        "unknown key callback_enabled: did you mean callbacks_enabled?",
    ),
    "another misspelt key": (
        "stategy = precheck.guard.linear",
        {},
        "unknown key stategy: did you mean strategy?",
    ),
    "the strategy of the environment": (
        STRATEGY,
        {"ANSIBLE_STRATEGY": "linear"},
        "? strategy: linear (env: ANSIBLE_STRATEGY); ANSIBLE_STRATEGY takes precedence over ",
    ),
    "the callbacks of the environment": (
        CALLBACK,
        {"ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.tree"},
        "; ANSIBLE_CALLBACKS_ENABLED takes precedence over ",
    ),
    "a misspelt callback": (
        "callbacks_enabled = precheck.gaurd.enforce",
        {},
        f"did you mean {NAME}?",
    ),
    "a line break that is missing": (
        f"private_role_vars = falsecallbacks_enabled = {NAME}",
        {},
        f"{NAME} is in the value of private_role_vars: is a line break missing?",
    ),
    "another section": (
        f"[colors]\n{CALLBACK}",
        {},
        "callbacks_enabled has an effect in the section [defaults] only, and not in [colors]",
    ),
    "a misspelt variable": (
        "",
        {"ANSIBLE_CALLBACK_ENABLED": NAME},
        "? environment: unknown variable ANSIBLE_CALLBACK_ENABLED: did you mean ANSIBLE_CALLBACKS",
    ),
}
if SINCE_2_15:
    OFF["the old key"] = (
        f"callback_whitelist = {NAME}",
        {},
        "callback_whitelist has no effect since",
    )


@pytest.mark.each_release
@pytest.mark.parametrize(("config", "env", "marked"), OFF.values(), ids=OFF)
def test_it_says_why_a_play_runs_unguarded(bare, config, env, marked):
    bare.configure("none", config)
    run = bare.run("pgsql.yml", env=env)
    if "falsecallbacks" not in config:
        assert (run.rc, '"ran"' in run.stdout) == (0, True)
    run, in_force = doctor(bare, env=env)
    assert not in_force
    assert marked in run.stdout
    _run, in_force = doctor(bare, "pgsql.yml", env=env)
    assert not in_force


def test_it_says_why_a_play_with_another_strategy_is_not_guarded(bare):
    bare.configure("strategy")
    bare.write("free.yml", PLAY.replace("tasks:", "strategy: free, tasks:"))
    assert doctor(bare)[1]
    run, in_force = doctor(bare, "pgsql.yml", "free.yml")
    assert in_force
    assert f"{bare.directory}/free.yml:1): no rule covers it\n" in run.stdout
    bare.write("pgsql-free.yml", PLAY.replace("tasks:", "strategy: free, tasks:"))
    run, in_force = doctor(bare, "pgsql.yml", "pgsql-free.yml")
    assert not in_force
    reason = f"not guarded: its strategy is free, and the callback {NAME} is not enabled"
    assert f'! play "all" ({bare.directory}/pgsql-free.yml:1): {reason}\n' in run.stdout
    assert "pgsql.yml:1): guarded by the strategy" in run.stdout


@pytest.mark.each_release
def test_an_ansible_cfg_that_is_not_read_is_named(bare):
    bare.configure("callback")
    other = bare.directory / "other"
    other.mkdir()
    config = f"{bare.directory}/ansible.cfg"

    def elsewhere(directory, **env):
        command = [sys.executable, REPOSITORY / "plugins/plugin_utils/cli/main.py", "doctor"]
        paths = f"{REPOSITORY}/collections"
        return run_command(
            [*command, f"{bare.directory}/pgsql.yml"],
            directory,
            ANSIBLE_NOCOLOR="1",
            HOME=str(other),
            ANSIBLE_COLLECTIONS_PATH=paths,
            **env,
        )

    run = elsewhere(other)
    assert run.rc == 1
    reason = "it is beside a playbook, and not in the current directory"
    assert f"? ansible.cfg: {config} is not read: {reason}\n" in run.stdout
    (other / "other.cfg").write_text("[defaults]\n")
    run = elsewhere(bare.directory, ANSIBLE_CONFIG=f"{other}/other.cfg")
    assert run.rc == 1
    assert f"{config} is not read: ANSIBLE_CONFIG is {other}/other.cfg\n" in run.stdout
    run = elsewhere(bare.directory, ANSIBLE_CONFIG=f"{other}/none.cfg")
    assert f"{other}/none.cfg is not read: ANSIBLE_CONFIG names it, and it is" in run.stdout
    os.chmod(bare.directory, 0o777)
    run = elsewhere(bare.directory)
    assert run.rc == 1
    assert f"{config} is not read: anybody may write in its directory\n" in run.stdout


def test_a_collection_that_is_not_found_is_no_error_of_the_command(bare):
    bare.configure("callback")
    path = bare.directory / "ansible.cfg"
    path.write_text(path.read_text().replace(f"{REPOSITORY}/collections", "/nowhere"))
    assert "unable to load" in " ".join(bare.run("pgsql.yml").stderr.split())
    run, in_force = doctor(bare, "pgsql.yml")
    assert not in_force
    assert "! collection: ansible-core does not find precheck.guard. It looks in " in run.stdout
    assert f"! callback: {NAME} ({path}:" in run.stdout
    assert run.stdout.endswith("where this ansible-core looks, or set collections_path.\n")


def copy_of_collection(directory: Path) -> Path:
    collection = directory / "ansible_collections/precheck/guard"
    collection.mkdir(parents=True)
    for name in ("plugins", "galaxy.yml", "meta"):
        (collection / name).symlink_to(REPOSITORY / name)
    return collection


@pytest.mark.one_release
def test_a_copy_beside_the_playbook_is_the_one_that_is_used(bare):
    bare.configure("callback")
    copy = copy_of_collection(bare.directory / "collections")
    run, in_force = doctor(bare, "pgsql.yml")
    assert in_force, run.output
    assert f"  collection: precheck.guard 0.1.0 at {copy}\n" in run.stdout
    assert "? collection: this command is of another copy, 0.1.0 at " in run.stdout


@pytest.mark.each_release
def test_options_are_those_of_the_command_and_all_else_is_of_the_copy_that_is_used(bare):
    bare.configure("callback")
    copy = bare.directory / "collections/ansible_collections/precheck/guard"
    shutil.copytree(REPOSITORY / "meta", copy / "meta")
    shutil.copytree(REPOSITORY / "plugins", copy / "plugins")
    shutil.rmtree(copy / "plugins/plugin_utils/cli/commands")
    for name in ("explanation", "diagnosis"):
        path = copy / f"plugins/plugin_utils/cli/{name}.py"
        path.write_text(path.read_text().replace("Policy {", "Rules {").replace("IN FORCE", "ON"))
    explained = bare.run("ansible-precheck", "explain", "pgsql.yml")
    assert explained.stdout.startswith("Rules "), explained.output
    assert "\nON\n" in bare.run("ansible-precheck", "doctor", "pgsql.yml").stdout
    # Without a playbook, the copy is not beside one.
    assert "\nIN FORCE\n" in bare.run("ansible-precheck", "doctor").stdout


@pytest.mark.one_release
def test_an_older_copy_is_one_clear_error(bare):
    bare.configure("callback")
    copy = bare.directory / "collections/ansible_collections/precheck/guard/plugins/plugin_utils"
    copy.mkdir(parents=True)
    run = bare.run("ansible-precheck", "doctor", "pgsql.yml")
    assert run.rc == 1
    assert is_printed("ansible-core finds another copy of the collection than that of", run.stderr)


@pytest.mark.one_release
def test_an_ansible_core_that_is_too_old_is_named_and_nothing_else(bare):
    """It has not all that the command needs."""
    code = (
        "import runpy, sys, ansible.release\n"
        "ansible.release.__version__ = '2.9.27'\n"
        "sys.argv = ['ansible-precheck', 'doctor']\n"
        f"runpy.run_path('{PRECHECK}', run_name='__main__')"
    )
    run = run_command([sys.executable, "-c", code], bare.directory)
    assert (run.rc, run.stdout) == (1, "")
    assert run.stderr == "NOT IN FORCE: ansible-core 2.9.27 is older than 2.10\n"


@pytest.mark.each_release
@pytest.mark.parametrize("line", ["forks = 1\nforks = 2", "forks = many", "forks"])
def test_an_ansible_cfg_that_ansible_core_cannot_read_is_one_error(bare, line):
    config = bare.directory / "ansible.cfg"
    config.write_text(f"[defaults]\n{line}\n")
    run = bare.run("ansible-precheck", "doctor", "pgsql.yml")
    assert (run.rc, run.stdout) == (1, "")
    assert run.stderr.startswith("NOT IN FORCE: ansible-core ends every command with an error: ")
    assert str(config) in run.stderr


# What is wrong besides, and what is printed of it.
WRONG = {
    "a misspelt setting": ("[precheck]\npolicies = x", "ansible.cfg:", "did you mean policy?"),
    "a misspelt section": ("[prechek]\npolicy = x", "unknown section [prechek]", "mean precheck?"),
    "a policy that is not there": ("[precheck]\npolicy = x.yml", "x.yml: there is no such file"),
    "a timeout": ("[precheck]\ntimeout = 0", "the option timeout", "has a wrong value"),
    "a report": ("[precheck]\nreport = no/x.json", "no/x.json cannot be written: its directory"),
    "metrics": ("[precheck]\nmetrics = x", "metrics: cannot be written:", "ends in .prom, not"),
}


@pytest.mark.parametrize("case", WRONG)
def test_it_says_what_is_wrong_with_settings_of_its_own(guarded, case):
    config, *texts = WRONG[case]
    guarded.local_hosts(missing="h1")
    guarded.configure(guarded.entry_point, config)
    run, in_force = doctor(guarded)
    assert in_force == (case in ("a misspelt section", "a report", "metrics"))
    for text in texts:
        assert text in run.stdout


@pytest.mark.one_release
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("gone.yml", "gone.yml could not be found"),
        ("broken.yml", "broken.yml"),
        ("pgsql.yml -l nobody", "hosts"),
        ("pgsql.yml --vault-password-file gone", "gone"),
        ("pgsql.yml -e @gone", "gone"),
    ],
)
def test_what_is_wrong_with_playbooks_is_one_of_its_lines(bare, arguments, error):
    bare.configure("callback")
    bare.write("broken.yml", "- hosts: [\n")
    run, in_force = doctor(bare, *arguments.split())
    assert not in_force
    [line] = [line for line in run.stdout.splitlines() if line.startswith("! playbooks: ")]
    assert error in line


@pytest.mark.one_release
def test_it_prints_the_same_for_programs(bare):
    bare.configure("both")
    bare.write("precheck.yml", policy(rule({"that": True}, name="one")))
    run = bare.run("ansible-precheck", "doctor", "pgsql.yml", "--format", "json")
    assert run.rc == 0
    data = json.loads(run.stdout)
    assert data["in_force"] is True
    assert data["ansible_core"]["version"] == __version__
    assert data["policy"]["files"] == [f"{bare.directory}/precheck.yml"]
    assert data["callbacks_enabled"]["value"] == [NAME]
    assert data["strategy"]["value"] == "precheck.guard.linear"
    assert [play["guarded_by"] for play in data["plays"]] == [["callback", "strategy"]]
    assert {one["level"] for one in data["findings"]} == {"ok"}


def test_the_playbook_of_the_collection_fails_where_the_guard_is_not_on(bare):
    run = bare.run(DOCTOR)
    assert run.rc == 2
    assert "NOT IN FORCE; guard: neither the callback nor a strategy of the" in run.stdout


def test_the_playbook_of_the_collection_succeeds_where_it_is_on(guarded):
    """It does so whatever the rules cover, with a limit, in a dry run, and without an inventory."""
    guarded.local_hosts(missing="h1 h2")
    guarded.write("precheck.yml", policy(rule({"path": "/etc/pki/ca.crt"}, covers={"play": "*"})))
    for arguments in ("", "-l h2 --check", "-i empty.yml"):
        guarded.write("empty.yml", "")
        run = guarded.run(DOCTOR, *arguments.split())
        assert run.rc == 0, run.output
        assert "TASK [Precheck" not in run.stdout
    explained = guarded.run("ansible-precheck", "explain", DOCTOR)
    assert "not guarded: it only says whether the guard is in force" in explained.stdout


def test_a_playbook_may_begin_with_it(guarded):
    guarded.local_hosts(ready="h1", missing="h2")
    guarded.write("site.yml", f"- import_playbook: {DOCTOR}\n- import_playbook: pgsql.yml\n")
    guarded.write("pgsql.yml", PLAY)
    run = guarded.run("site.yml")
    assert run.rc == 2
    # It changes nothing, so the hosts of the later play are checked before it.
    assert 'PRECHECK stopped the run before play "Doctor" (' in run.stderr
    assert "Nothing was changed: no task of" in run.stderr
    assert '"ran"' not in run.stdout
    guarded.configure("none")
    run = guarded.run("site.yml")
    assert (run.rc, '"ran"' in run.stdout) == (2, False)


@pytest.mark.one_release
def test_the_document_shows_what_it_prints(bare):
    document = (REPOSITORY / "docs/doctor.md").read_text()
    [shown] = re.findall(r"```console\n\$ ansible-precheck doctor\n(.*?)```", document, re.DOTALL)
    (bare.directory / "ansible.cfg").write_text("[defaults]\nstategy = precheck.guard.linear\n")
    bare.write("precheck.yml", policy(rule({"that": True})))
    run = bare.run(
        "ansible-precheck", "doctor", env={"ANSIBLE_COLLECTIONS_PATH": f"{REPOSITORY}/collections"}
    )
    printed = run.stdout.replace(str(bare.directory), "/srv/pigsty").splitlines()
    assert printed[2:] == shown.splitlines()[2:]
    assert [line.split(":")[0] for line in printed] == [
        line.split(":")[0] for line in shown.splitlines()
    ]


@pytest.mark.one_release
def test_a_python_without_ansible_core_is_named(tmp_path):
    # With -S, Python does not look where ansible-core is.
    run = run_command([sys.executable, "-I", "-S", PRECHECK, "doctor"], tmp_path)
    assert run.rc == 1
    assert run.output == (
        f"NOT IN FORCE: {sys.executable} has no ansible-core. Run this command by the Python that"
        " ansible --version prints.\n"
    )
