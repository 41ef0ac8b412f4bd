# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which plays a selector matches, which rules cover a play, and the text about it."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.kinds import KINDS
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.extending import read
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.matching import (
    PlayIdentity,
    covering,
    describe,
    selects,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import (
    BUILT_IN as BUILT_IN_POLICY,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import (
    Rule,
    Selector,
)

BUILT_IN = read(BUILT_IN_POLICY, DataLoader(), "", KINDS)


def identity(path: str = "", *roles: str, name: str = "a play", tags: str = "") -> PlayIdentity:
    return PlayIdentity(
        name=name,
        path=path,
        line=1 if path else 0,
        roles=frozenset(roles),
        tags=frozenset(tags.split()),
    )


def names_of_rules(play: PlayIdentity, rules: tuple[Rule, ...] = BUILT_IN) -> list[str]:
    return [rule.name for rule, _selector in covering(play, rules)]


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
        "pgsql.yaml",
        "pgsql-db.yaml",
        "postgresql.yaml",
        "pg-init.yaml",
        "pg_init.yaml",
    ],
)
def test_files_that_the_built_in_rule_covers(path):
    assert names_of_rules(identity(f"/somewhere/{path}")) == ["pigsty-node"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "node.yml",
        "deploy.yml",
        "pg.yml",
        "my-pgsql.yml",
        "pgsql.yml.j2",
        "pgsql.json",
        "PGSQL.yml",
        "pgsql/site.yml",
    ],
)
def test_files_that_the_built_in_rule_does_not_cover(path):
    assert names_of_rules(identity(path and f"/somewhere/{path}")) == []


@pytest.mark.parametrize(
    "role",
    [
        "pgsql",
        "postgres",
        "postgresql",
        "acme.db.pgsql",
        "roles/pgsql",
        "/srv/roles/postgres/",
        "pg_remove",
        "pg_pitr",
        "pg_monitor",
        "pg_exporters",
    ],
)
def test_roles_that_the_built_in_rule_covers(role):
    assert names_of_rules(identity("/deploy.yml", "node", role)) == ["pigsty-node"]


@pytest.mark.parametrize(
    "role",
    [
        "pg_id",
        "pg_install",
        "patroni",
        "pgsql_exporter",
        "my_pgsql",
        "acme.pgsql.other",
        "pgsql/other",
    ],
)
def test_roles_that_the_built_in_rule_does_not_cover(role):
    assert names_of_rules(identity("/deploy.yml", role)) == []


PLAYBOOKS = [  # glob, path, whether they match
    ("site.yml", "/srv/site.yml", True),
    ("*.yml", "/srv/db/site.yml", True),
    ("s?te.y[am]*ml", "/srv/site.yaml", True),
    ("[!a-r]*.yml", "/srv/site.yml", True),
    ("[!a-z]*.yml", "/srv/site.yml", False),
    ("srv", "/srv/site.yml", False),
    ("Site.yml", "/srv/site.yml", False),
    ("db/site.yml", "/srv/db/site.yml", True),
    ("db/site.yml", "/db/site.yml", True),
    ("db/site.yml", "/srv/mydb/site.yml", False),
    ("db/site.yml", "/srv/db/old/site.yml", False),
    ("db/site.yml", "/site.yml", False),
    ("*/site.yml", "/srv/db/site.yml", True),
    ("db*/*.yml", "/srv/db-1/site.yml", True),
    ("srv/*.yml", "/srv/db/site.yml", False),  # * stays within a directory
    ("srv/*/site.yml", "/srv/db/site.yml", True),
    ("srv/*/site.yml", "/srv/a/b/site.yml", False),
    ("srv/?/site.yml", "/srv/a/site.yml", True),
    ("srv?site.yml", "/srv/site.yml", False),
    ("/srv/site.yml", "/srv/site.yml", True),
    ("/srv/site.yml", "/mnt/srv/site.yml", False),
    ("/srv/*.yml", "/srv/site.yml", True),
    ("/srv/*.yml", "/srv/db/site.yml", False),
    ("/site.yml", "/srv/site.yml", False),
    ("*", "", False),  # a play that is in no file
]


@pytest.mark.parametrize(
    ("glob", "path", "matches"),
    PLAYBOOKS,
    ids=[f"{glob} {path}" for glob, path, _matches in PLAYBOOKS],
)
def test_playbook_matches_the_name_or_the_end_of_the_path(glob, path, matches):
    assert selects(Selector(playbook=(glob,)), identity(path)) is matches
    assert selects(Selector(playbook=("nothing", glob)), identity(path)) is matches


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("Set up*", "Set up a/b", True),
        ("Set up", "Set up more", False),
        ("set up", "Set up", False),
        ("Datenbänke *", "Datenbänke einrichten", True),
        ("*", "", True),
    ],
)
def test_play_matches_the_whole_name(glob, name, matches):
    assert selects(Selector(play=(glob,)), identity(name=name)) is matches


@pytest.mark.parametrize(
    ("glob", "tags", "matches"),
    [("db", "web db", True), ("d*", "db", True), ("db", "dbs", False), ("*", "", False)],
)
def test_tag_matches_one_of_the_plays_own_tags(glob, tags, matches):
    assert selects(Selector(tag=(glob,)), identity(tags=tags)) is matches


ROLES = [  # glob, the role as Ansible names it, whether they match
    ("web", "web", True),
    ("web", "acme.site.web", True),
    ("acme.site.web", "acme.site.web", True),
    ("acme.site.*", "acme.site.web", True),
    ("acme.*", "acme.site.web", True),
    ("acme.site.web", "web", False),
    ("acme.site.web", "acme.other.web", False),
    ("site", "acme.site.web", False),
    ("web", "roles/web", True),
    ("web", "../shared/roles/web/", True),
    ("roles/web", "roles/web", True),
    ("roles", "roles/web", False),
    ("web", "webserver", False),
    ("web*", "webserver", True),
    ("*", "{{ which }}", True),
]


@pytest.mark.parametrize(
    ("glob", "role", "matches"), ROLES, ids=[f"{glob} {role}" for glob, role, _matches in ROLES]
)
def test_a_role_matches_by_its_name_with_or_without_collection_and_directory(glob, role, matches):
    assert selects(Selector(role=(glob,)), identity("/play.yml", "other", role)) is matches


def test_no_role_matches_where_there_is_none():
    assert not selects(Selector(role=("*",)), identity("/play.yml"))


def test_every_list_of_a_selector_must_match():
    both = Selector(playbook=("site*.yml",), role=("web", "db*"))
    assert selects(both, identity("/site.yml", "db1"))
    assert not selects(both, identity("/site.yml", "other"))
    assert not selects(both, identity("/other.yml", "web"))
    all_four = Selector(playbook=("site.yml",), play=("a*",), role=("web",), tag=("t",))
    assert selects(all_four, identity("/site.yml", "web", tags="t"))
    assert not selects(all_four, identity("/site.yml", "web"))
    assert not selects(all_four, identity("/site.yml", "web", tags="t", name="other"))


def test_a_link_matches_by_each_of_its_names(tmp_path):
    (tmp_path / "target.yml").touch()
    (tmp_path / "middle.yml").symlink_to("target.yml")
    (tmp_path / "pgsql.yml").symlink_to("middle.yml")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/site.yml").symlink_to("../pgsql.yml")
    site = identity(str(tmp_path / "app/site.yml"))
    for name in ("site.yml", "pgsql.yml", "middle.yml", "target.yml", f"{tmp_path.name}/pgsql.yml"):
        assert selects(Selector(playbook=(name,)), site), name
    assert not selects(Selector(playbook=("app/pgsql.yml",)), site)


def test_a_role_matches_by_each_name_of_its_folder(tmp_path):
    (tmp_path / "pgsql-3").mkdir()
    (tmp_path / "pgsql").symlink_to("pgsql-3")
    (tmp_path / "app").symlink_to("pgsql")
    play = PlayIdentity(
        "", "", 0, frozenset({"app"}), role_directories=frozenset({f"{tmp_path}/app"})
    )
    for name in ("app", "pgsql", "pgsql-3"):
        assert selects(Selector(role=(name,)), play), name
    assert not selects(Selector(role=("*/app",)), play)


EXEMPT = [  # the selectors under not, and whether the play matches all the same
    ([Selector(playbook=("pgsql-migration.yml",))], False),
    ([Selector(playbook=("plans/*.yml",))], False),
    ([Selector(playbook=("other.yml",))], True),
    ([Selector(playbook=("other.yml",)), Selector(play=("a *",))], False),
    ([Selector(role=("web",))], False),
    ([Selector(tag=("t",))], False),
    ([Selector(playbook=("pgsql-*.yml",), role=("web",))], False),
    ([Selector(playbook=("pgsql-*.yml",), role=("db",))], True),
    ([Selector(playbook=("other.yml", "pgsql-*.yml"))], False),
]


@pytest.mark.parametrize(("exempt", "matches"), EXEMPT, ids=[str(e[0]) for e in EXEMPT])
def test_an_entry_does_not_match_what_is_under_its_not(exempt, matches):
    play = identity("/plans/pgsql-migration.yml", "web", tags="t")
    selector = Selector(playbook=("pgsql*.yml",), exempt=tuple(exempt))
    assert selects(selector, play) is matches
    assert names_of_rules(play, (rule("r", selector),)) == ["r"] * matches
    # An exemption is of its entry.
    assert names_of_rules(play, (rule("r", selector, Selector(role=("web",))),)) == ["r"]


def test_an_exemption_holds_only_for_the_path_that_it_names(tmp_path):
    """A link that is named like an exempt file does not get its target past the rule."""
    selector = Selector(
        playbook=("pgsql*.yml",), exempt=(Selector(playbook=("pgsql-migration.yml",)),)
    )
    every = Selector(play=("*",), exempt=selector.exempt)
    for target, link in (("pgsql", "a/pgsql-migration"), ("b/pgsql-migration", "link")):
        (tmp_path / target).parent.mkdir(exist_ok=True)
        (tmp_path / f"{target}.yml").touch()
        (tmp_path / link).parent.mkdir(exist_ok=True)
        (tmp_path / f"{link}.yml").symlink_to(tmp_path / f"{target}.yml")
    assert selects(selector, identity(f"{tmp_path}/a/pgsql-migration.yml"))
    assert not selects(selector, identity(f"{tmp_path}/b/pgsql-migration.yml"))
    assert not selects(selector, identity(f"{tmp_path}/link.yml"))
    assert selects(every, identity(f"{tmp_path}/link.yml"))
    assert selects(every, identity())  # a play that is in no file


def test_a_play_whose_file_is_uncertain_matches_by_each_possible_file():
    play = PlayIdentity(
        name="", path="/srv/a.json", line=0, other_paths=frozenset({"/srv/pgsql.yml"})
    )
    assert names_of_rules(play) == ["pigsty-node"]
    assert selects(Selector(playbook=("a.json",)), play)
    assert str(play) == 'play "" (/srv/a.json)'


def rule(name: str, *plays: Selector) -> Rule:
    return Rule(name=name, plays=plays, checks=())


FIRST = Selector(play=("a play",), tag=("t",))
SECOND = Selector(playbook=("*.yml", "*.yaml"))


def test_entries_are_alternatives_and_the_first_match_is_reported():
    rules = (
        rule("either", FIRST, SECOND),
        rule("strict", FIRST),
        rule("no", Selector(play=("other",))),
    )
    without, tagged = identity("/site.yml"), identity("/site.yml", tags="t")
    assert covering(without, rules) == [(rules[0], SECOND)]
    assert covering(tagged, rules) == [(rules[0], FIRST), (rules[1], FIRST)]
    assert covering(identity("/site.json"), rules) == []

    assert describe(without, covering(without, rules)) == (
        'Precheck: play "a play" (/site.yml:1) is covered by either (by playbook *.yml or *.yaml)'
    )
    assert describe(tagged, covering(tagged, rules)) == (
        'Precheck: play "a play" (/site.yml:1) is covered by either (by play a play, tag'
        " t); strict (by play a play, tag t)"
    )
    assert describe(identity(), []) == 'Precheck: play "a play" is covered by no rule'


def test_what_a_selector_exempts_is_in_its_text():
    exempt = (Selector(playbook=("a.yml", "b.yml")), Selector(role=("x",), tag=("t",)))
    assert str(Selector(play=("*",), exempt=exempt)) == (
        "play *, not playbook a.yml or b.yml, not (role x, tag t)"
    )
