# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cases of the policies of the gallery pass, and find what is broken in these policies."""

from __future__ import annotations

import json

import pytest

from support.cases import run_test
from support.commands import REPOSITORY


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
    "certificate-expiry": [
        ("* 86400", "* 3600"),
        ("default(30)", "default(3)"),
        (" || exit 1", ""),
        ('"renew-*.yml"', '"renew.yml"'),
        ("| map('quote')", ""),
    ],
    "change-freeze": [
        ("is not exists", "is exists"),
        ("when: not ansible_check_mode", "when: true"),
        ("waiver: forbidden", "waiver: allowed"),
        ("emergency is defined", "emergency is not defined"),
    ],
    "change-ticket": [
        ("precheck_result.status != 200 or ", ""),
        ("!= 'approved'", "== 'approved'"),
        ("| replace('/', '%2F')", ""),
        ("when: not ansible_check_mode", "when: true"),
        ("waiver: forbidden", "waiver: allowed"),
        ("timeout: 10", "timeout: 100"),
    ],
    "consistent-inventory": [
        ("host.ansible_port | default(22)", "22"),
        ("'local'", "'docker'"),
        ("haproxy_port", "etcd_port"),
        ("| map('string')", ""),
        ("'match', 'pg-'", "'match', 'web'"),
        (", pg_version", ""),
        ("default='nothing'", "default='pg-test'"),
    ],
    "existing-cluster": [
        ("|| exit 0", "|| exit 1"),
        ("inactive |", "active |"),
        ("- role: pgsql", "- role: node"),
        ("pgsql, pg_bootstrap", "pgsql"),
        ("playbooks/audit", "playbooks/other"),
        ("default('/pg/data') | quote", "default('/pg/data')"),
        ("waiver: reason", "waiver: allowed"),
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
    "mandatory-variables": [
        ("pg_seq is defined and ", ""),
        (" and pg_seq is integer", ""),
        ("[a-z][a-z0-9-]", "[a-z0-9-]"),
        ("'DBUser.DBA'", "'DBUser.X'"),
        ("'offline', ", ""),
        ("- role: pgsql", "- role: '*'"),
    ],
    "pigsty": [
        ("same_as:", "owner:"),
        ("ca: files/pki/ca/ca.crt", "ca: files/pki/ca.crt"),
        (" or inventory_hostname in groups.get('infra', [])", ""),
        ("pgsql-migration.yml, ", ""),
        ("type: directory", "type: file"),
        ("haproxy_enabled | default(true) | bool", "true"),
        ("pg_monitor, ", ""),
    ],
    "production": [
        ("production in group_names", "production not in group_names"),
        ("not ansible_check_mode", "true"),
        ("{tag: read_only}", "{tag: read}"),
        ("precheck_hosts | join", "groups['all'] | join"),
        ("production: production", "production: test"),
    ],
    "removal": [
        ("window_opens: 22", "window_opens: 21"),
        ("window_closes: 5", "window_closes: 6"),
        ('"*-rm.yml", ', ""),
        ("-mmin -60", "-mmin +60"),
        ("! -user", "-user"),
        ("grep -vxFf", "grep -vFf"),
        ("map('quote') | ", ""),
        ("waiver: forbidden", "waiver: reason"),
        ("waiver: reason", "waiver: allowed"),
    ],
    "rolling-upgrade": [
        ("'state', 'eq', 'running'", "'state', 'eq', 'streaming'"),
        ("length != 1", "length < 1"),
        ("['streaming', 'running']", "['streaming', 'starting']"),
        ("'le', replica_lag", "'lt', replica_lag"),
        ("'replica', ", ""),
        ("length - 1", "length - 2"),
        ("default(8008)", "default(8009)"),
    ],
    "supported-systems": [
        ("this_system in supported_systems or ", ""),
        (" or this_major in supported_systems", ""),
        ("Debian 13", "Debian 14"),
        (", aarch64", ""),
        ("in supported_architectures", "not in supported_architectures"),
        ("{{ this_system }} is", "{{ this_major }} is"),
    ],
    "synchronised-clocks": [
        ("waitsync 1", "waitsync"),
        ("default(0.1)", "default(0.5)"),
        ('"$answer" = yes', '"$answer" != no'),
        ("are not in step", "are wrong"),
    ],
}


def test_each_policy_of_the_gallery_is_broken_here():
    gallery = (REPOSITORY / "docs/policies").iterdir()
    assert BROKEN.keys() == {path.name.partition(".")[0] for path in gallery}


@pytest.mark.one_release
@pytest.mark.parametrize("name", BROKEN)
def test_the_cases_of_the_gallery_find_what_is_broken(tmp_path, name):
    lines = (REPOSITORY / f"docs/policies/{name}.yml").read_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("#"))
    cases = (REPOSITORY / f"docs/policies/{name}.test.yml").read_text()
    files = []
    for number, (before, after) in enumerate(BROKEN[name]):
        assert before in text
        (tmp_path / f"{number}.yml").write_text(text.replace(before, after))
        (tmp_path / f"{number}.test.yml").write_text(cases)
        files.append(f"{number}.test.yml")
    run = run_test(tmp_path, "--format", "json", *files)
    results = json.loads(run.stdout)
    assert [result["problems"] for result in results] == [[] for _before in BROKEN[name]]
    found = [any(one["differences"] for one in result["cases"]) for result in results]
    assert dict(zip(BROKEN[name], found)) == dict.fromkeys(BROKEN[name], True)
