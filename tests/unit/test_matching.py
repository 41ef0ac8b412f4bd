# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.matching import (
    PlayIdentity,
    covering_rules,
    may_depend_on_facts,
    selects,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy import BUILT_IN, Selector


def identity(path: str = "", *roles: str) -> PlayIdentity:
    return PlayIdentity(name="a play", path=path, line=1, roles=frozenset(roles))


@pytest.mark.parametrize(
    "path",
    [
        "pgsql.yml",
        "pgsql-db.yml",
        "pgsql-rm.yml",
        "postgres.yml",
        "postgres-14.yml",
        "postgresql.yml",
        "pg-init.yml",
        "pg_init.yml",
    ],
)
def test_files_that_the_built_in_rule_covers(path):
    assert covering_rules(identity(f"/somewhere/{path}"), BUILT_IN) == list(BUILT_IN)


@pytest.mark.parametrize(
    "path", ["", "node.yml", "deploy.yml", "pg.yml", "my-pgsql.yml", "pgsql.yaml", "PGSQL.yml", "pgsql/site.yml"]
)
def test_files_that_it_does_not_cover(path):
    assert covering_rules(identity(path and f"/somewhere/{path}"), BUILT_IN) == []


@pytest.mark.parametrize("role", ["pgsql", "postgres", "postgresql", "acme.db.pgsql", "roles/pgsql", "/srv/roles/postgres/"])
def test_roles_that_it_covers(role):
    assert covering_rules(identity("/deploy.yml", "node", role), BUILT_IN) == list(BUILT_IN)


@pytest.mark.parametrize("role", ["pg_id", "pg_install", "pgsql_exporter", "my_pgsql", "acme.pgsql.other", "pgsql/other"])
def test_roles_that_it_does_not_cover(role):
    assert covering_rules(identity("/deploy.yml", role), BUILT_IN) == []


def test_every_list_of_a_selector_must_match():
    both = Selector(playbook=("site*.yml",), role=("web", "db*"))
    assert selects(both, identity("/site.yml", "db1"))
    assert not selects(both, identity("/site.yml", "other"))
    assert not selects(both, identity("/other.yml", "web"))


def test_a_link_counts_by_both_its_names(tmp_path):
    (tmp_path / "target.yml").touch()
    (tmp_path / "pgsql.yml").symlink_to("target.yml")
    for name in ("pgsql.yml", "target.yml"):
        assert selects(Selector(playbook=(name,)), identity(str(tmp_path / "pgsql.yml")))


@pytest.mark.parametrize(
    "condition", ["ansible_system == 'Linux'", "not ansible_facts.x | default(1)", "hostvars[h].x", "vars['x']", "a and facter_b"]
)
def test_conditions_that_may_depend_on_facts(condition):
    assert may_depend_on_facts([True, condition])


@pytest.mark.parametrize("condition", ["pg_cluster is not defined", "my_ansible_thing", "vars_of_mine", True])
def test_conditions_that_do_not(condition):
    assert not may_depend_on_facts([condition])
