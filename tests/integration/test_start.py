# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What runs and commands load of Precheck, and that Python keeps what it compiled."""

from __future__ import annotations

import re
import shutil

import pytest

from support.commands import REPOSITORY
from support.output import is_printed

PLAY = """
- hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.debug: }]
"""
# Python prints each module that it imports.
IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
MODULE = "ansible_collections.precheck.guard.plugins.plugin_utils."


def own_collection(project):
    """Give the project a collection of its own. Return the directory of its modules."""
    collection = project.directory / "collections/ansible_collections/precheck/guard"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "plugins", collection / "plugins", ignore=ignored)
    shutil.copytree(REPOSITORY / "meta", collection / "meta")
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(project.directory / "collections")}
    return collection / "plugins/plugin_utils", collections


def loaded(run):
    return {module for module in run.stderr.split() if module.startswith(MODULE)}


@pytest.mark.each_release
def test_what_checks_and_reports_is_loaded_only_if_a_rule_covers_a_play(guarded):
    guarded.local_hosts(ready="h1")
    for name in ("site.yml", "pgsql.yml"):
        guarded.write(name, PLAY)
    uncovered, covered = (guarded.run(name, env=IMPORTS) for name in ("site.yml", "pgsql.yml"))
    assert uncovered.rc == covered.rc == 0
    assert f"{MODULE}guard.survey" in loaded(uncovered)
    late = {"guard.execution", "guard.ahead", "report.terminal", "ansible_core.tasks.check_run"}
    assert loaded(uncovered).isdisjoint({MODULE + name for name in late})
    assert {MODULE + name for name in late} <= loaded(covered)


@pytest.mark.each_release
def test_python_keeps_the_bytecode_of_the_guard(guarded):
    guarded.local_hosts(missing="h1")
    guarded.write("pgsql.yml", PLAY)
    modules, collections = own_collection(guarded)
    for _turn in range(2):
        run = guarded.run("pgsql.yml", env=collections | {"PYTHONDONTWRITEBYTECODE": ""})
        assert run.rc == 2
        kept = {path.name.partition(".")[0] for path in modules.rglob("__pycache__/*.pyc")}
        assert {"enforce", "plan", "loader", "script", "check_run", "terminal"} <= kept


@pytest.mark.each_release
def test_a_changed_module_is_compiled_anew_and_bytecode_may_be_impossible_to_keep(guarded):
    guarded.local_hosts(missing="h1")
    guarded.write("pgsql.yml", PLAY)
    modules, collections = own_collection(guarded)
    (modules / "guard/__pycache__").write_text("a file")
    env = collections | {"PYTHONDONTWRITEBYTECODE": ""}
    assert guarded.run("pgsql.yml", env=env).rc == 2
    terminal = modules / "report/terminal.py"
    text = terminal.read_text()
    terminal.write_text(text.replace("PRECHECK stopped", "PRECHECK ended"))
    assert is_printed("PRECHECK ended the run", guarded.run("pgsql.yml", env=env).stderr)


OF_HELP = {"copies"}
OF_SCHEMA = {"copies", "base", "executor", "schema"}


@pytest.mark.each_release
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [("--version", OF_HELP), ("--help", OF_HELP), ("schema --help", OF_SCHEMA)],
)
def test_the_command_loads_only_what_it_runs(project, arguments, expected):
    # The other variable does not print what is imported by a name that is worked out.
    run = project.run("ansible-precheck", *arguments.split(), env={"PYTHONVERBOSE": "1"})
    assert run.rc == 0
    modules = set(re.findall(r"^import '(\S+)'", run.stderr, re.MULTILINE))
    assert {name for name in modules if name.startswith("precheck_commands.")} == {
        f"precheck_commands.{name}" for name in expected
    }
    elsewhere = ("ansible_collections.precheck", "ansible.cli.playbook")
    assert [name for name in modules if name.startswith(elsewhere)] == []
