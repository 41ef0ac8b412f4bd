# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cases of the policies of the gallery pass, and find what is broken in these policies."""

from __future__ import annotations

import json

import pytest

from support.cases import run_test
from support.commands import REPOSITORY

pytestmark = pytest.mark.one_release


def test_the_cases_of_the_gallery_pass_and_reach_all_of_it():
    gallery = sorted((REPOSITORY / "docs/policies").iterdir())
    tests = [path for path in gallery if path.name.endswith(".test.yml")]
    policies = [path for path in gallery if path not in tests]
    assert [path.name.replace(".test.", ".") for path in tests] == [path.name for path in policies]
    run = run_test(REPOSITORY, "--format", "json", *map(str, tests))
    assert (run.rc, run.stderr) == (0, "")
    for result in json.loads(run.stdout):
        assert (result["rules_not_reached"], result["checks_not_reached"]) == ([], [])


# Of each policy of the gallery, what is changed in it. Its cases find that.
BROKEN = {
    "change-freeze": [
        ("is not exists", "is exists"),
        ("when: not ansible_check_mode", "when: true"),
        ("waiver: forbidden", "waiver: allowed"),
        ("emergency is defined", "emergency is not defined"),
    ],
    "free-space": [
        ("severity: warn", "severity: error"),
        ('[ "$free" -ge', '[ "$free" -gt'),
        ("free_space_directory | default('/var') | quote", "'/var'"),
        ("full_percent | default(90)", "full_percent | default(99)"),
        ("There must be room", "There must be space"),
    ],
    "fresh-backup": [
        ("*upgrade*.yml", "*.yml"),
        ("-mtime -1", "-mtime +1"),
        ("waiver: forbidden", "waiver: reason"),
        ("| quote }}", "}}"),
        ("backup.yml --limit {{ precheck_limit }}", "backup.yml"),
    ],
    "large-run": [
        ("ansible_limit is defined", "false"),
        ("<= large_run", "< large_run"),
        ("default(20)", "default(30)"),
        ("once: true", "once: false"),
    ],
    "maintenance": [
        ("not maintenance", "maintenance"),
        ("| bool", ""),
        ("'/etc/maintenance'", "'/etc/maint'"),
        ("maintenance_file |", "file |"),
        (",!", ","),
    ],
    "pigsty": [
        ("same_as:", "owner:"),
        (" or inventory_hostname in groups.get('infra', [])", ""),
        ("pgsql-migration.yml, ", ""),
        ("type: directory", "type: file"),
        ("haproxy_enabled | default(true) | bool", "true"),
        ("pg_monitor, ", ""),
    ],
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_cases_of_the_gallery_find_what_is_broken(tmp_path, name):
    text = (REPOSITORY / f"docs/policies/{name}.yml").read_text()
    cases = (REPOSITORY / f"docs/policies/{name}.test.yml").read_text()
    files = []
    for number, (before, after) in enumerate(BROKEN[name]):
        assert before in text
        _comments, _, rules = text.partition("rules:\n")
        (tmp_path / f"{number}.yml").write_text(f"rules:\n{rules.replace(before, after)}")
        (tmp_path / f"{number}.test.yml").write_text(cases)
        files.append(f"{number}.test.yml")
    run = run_test(tmp_path, "--format", "json", *files)
    results = json.loads(run.stdout)
    assert [result["problems"] for result in results] == [[] for _before in BROKEN[name]]
    found = [any(one["differences"] for one in result["cases"]) for result in results]
    assert dict(zip(BROKEN[name], found)) == dict.fromkeys(BROKEN[name], True)
