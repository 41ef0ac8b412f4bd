# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which plays a rule covers, by each selector, as -vv prints it."""

from __future__ import annotations

import pytest

from support.commands import REPOSITORY
from support.policies import policy, rule

RULES = {  # by name, the entries of plays
    "by-play": "{play: Set up *}",
    "by-tag": "{tag: [db, cache]}",
    "by-role": "{role: web}",
    "by-full-name": "{role: acme.site.*}",
    "by-path": "{playbook: db/*.yml}",
    "by-file": "{playbook: imported.yml}",
    "by-both": "{playbook: site.yml, tag: cache}",
    "either": "{play: nothing}, {tag: nothing}, {role: first}, {tag: db}",
    "by-not": "{play: Set up *, not: [{tag: safe}, {playbook: old*/*.yml}]}",
}
WEB, BOTH_WEB = "by-role (by role web)", "by-role (by role web); by-full-name (by role acme.site.*)"

SET_UP = (
    "by-play (by play Set up *); by-not (by play Set up *, not tag safe, not playbook old*/*.yml)"
)

PLAYS = {  # by name: the rest of the play, and the rules that cover it with their selectors
    "Nothing": ("tasks: [{debug: }]", "no rule"),
    "Set up a shop": ("tasks: [{debug: }]", SET_UP),
    "Set up safely": (
        "tags: safe\n  tasks: [{debug: }]",
        "by-play (by play Set up *)",
    ),
    "{{ verb }} {{ what }}": (
        "vars: {what: by template}\n  tasks: [{debug: }]",
        SET_UP,
    ),
    "Not to Set up": ("tasks: [{debug: }]", "no rule"),
    "Tag": (
        "tags: [other, db]\n  tasks: [{debug: }]",
        "by-tag (by tag db or cache); either (by tag db)",
    ),
    "Two selectors": (
        "tags: cache\n  tasks: [{debug: }]",
        "by-tag (by tag db or cache); by-both (by playbook site.yml, tag cache)",
    ),
    "Tag of a task": ("tasks: [{debug: , tags: db}]", "no rule"),
    "Listed": ("roles: [web]", WEB),
    "Listed by directory": ("roles: [{role: roles/web}]", WEB),
    "Listed by directory and a dot": ("roles: [roles/web/.]", WEB),
    "Listed by directory and a slash": ("roles: [{role: roles/web/}]", WEB),
    "Link to a role": ("roles: [link]", WEB),
    "Imported link to a role": ("tasks: [{import_role: {name: link}}]", WEB),
    "Included link to a role": ("tasks: [{include_role: {name: link}}]", WEB),
    "Link to a link to a role": ("roles: [chain]", WEB),
    "Listed with a variable": ("vars: {which: web}\n  roles: [{role: '{{ which }}'}]", WEB),
    "Dependency": ("roles: [dependent]", WEB),
    "First of two": ("roles: [first, web]", f"{WEB}; either (by role first)"),
    "Imported before": ("pre_tasks: [{import_role: {name: web}}]", WEB),
    "Included before": ("pre_tasks: [{include_role: {name: web}}]", WEB),
    "Imported": ("tasks: [{import_role: {name: web}}]", WEB),
    "Included": ("tasks: [{include_role: {name: web}, when: false}]", WEB),
    "Imported after": ("post_tasks: [{ansible.builtin.import_role: {name: web}}]", WEB),
    "Included after": ("post_tasks: [{ansible.builtin.include_role: {name: web}}]", WEB),
    "In blocks": ("tasks: [{block: [{block: [{include_role: {name: web}}]}]}]", WEB),
    "In a rescue": ("tasks: [{block: [{debug: }], rescue: [{include_role: {name: web}}]}]", WEB),
    "In a file": ("tasks: [{import_tasks: tasks.yml}]", WEB),
    "Imported in a role": ("roles: [importing]", WEB),
    "Included in a role": ("roles: [including]", WEB),
    "Included with a variable": (
        "vars: {which: web}\n  tasks: [{include_role: {name: '{{ which }}'}}]",
        "no rule",
    ),
    "Collection listed": ("roles: [acme.site.web]", BOTH_WEB),
    "Collection imported": ("tasks: [{import_role: {name: acme.site.web}}]", BOTH_WEB),
    "Collection included": ("tasks: [{include_role: {name: acme.site.web}}]", BOTH_WEB),
    "Collection searched": (
        "collections: [acme.site]\n  roles: [shop]",
        "by-full-name (by role acme.site.*)",
    ),
    "Collection searched later": (
        "collections: [acme.site]\n  tasks: [{include_role: {name: shop}}]",
        "by-full-name (by role acme.site.*)",
    ),
}


def play(name, rest):
    return f'- name: "{name}"\n  hosts: all\n  gather_facts: false\n  {rest}\n'


@pytest.fixture
def site(project):
    """A project with these rules, plays and roles. site.yml imports a few more plays."""
    project.configure("callback")
    project.local_hosts(missing="h1")

    def link(*chain):
        """Make a link of each of these paths to the next one."""
        for path, target in zip(chain, chain[1:]):
            (project.directory / path).parent.mkdir(exist_ok=True)
            (project.directory / path).symlink_to(project.directory / target)

    rules = "".join(
        f"  - name: {name}\n    plays: [{plays}]\n    checks: [{{that: true}}]\n"
        for name, plays in RULES.items()
    )
    project.write("precheck.yml", "rules:\n" + rules)
    plays = "".join(play(name, rest) for name, (rest, _covered) in PLAYS.items())
    imports = """\
- import_playbook: imported.yml
  tags: cache
- import_playbook: db/deep.yml
- import_playbook: olddb/deep.yml
- import_playbook: linked.yml
"""
    project.write("site.yml", plays + imports)
    for name in ("imported", "db/deep", "olddb/deep", "end/of/links"):
        project.write(f"{name}.yml", play(f"From {name}", "tasks: [{debug: }]"))
    link("linked.yml", "db/link.yml", "end/link.yml", "end/of/links.yml")

    roles = {
        "web": "- debug:\n",
        "first": "- debug:\n",
        "dependent": "- debug:\n",
        "importing": "- import_role: {name: web}\n",
        "including": "- include_role: {name: web}\n",
    }
    for name, tasks in roles.items():
        project.write(f"roles/{name}/tasks/main.yml", tasks)
    project.write("roles/dependent/meta/main.yml", "dependencies: [web]\n")
    link("roles/link", "roles/web")
    project.write("shared/shop/tasks/main.yml", "- debug:\n")
    link("roles/chain", "shared/web", "shared/shop")
    project.write("tasks.yml", "- include_role: {name: web}\n")
    for name in ("web", "shop"):
        role = f"more/ansible_collections/acme/site/roles/{name}"
        project.write(f"{role}/tasks/main.yml", "- debug:\n")
    return project


def coverage_of_run(site, *options):
    """Run site.yml and return, by the name of each play, what -vv prints of its rules."""
    paths = f"{REPOSITORY}/collections:{site.directory}/more"
    extra = ("-vv", "-e", "verb='Set up'")
    run = site.run("site.yml", *extra, *options, env={"ANSIBLE_COLLECTIONS_PATH": paths})
    assert run.rc == 0, run.output
    coverage = {}
    for line in run.stdout.splitlines():
        if line.startswith('Precheck: play "'):
            name, _, rest = line[len('Precheck: play "') :].partition('" (')
            location, _, coverage[name] = rest.partition(") is covered by ")
            assert location.startswith(str(site.directory))
    return coverage


@pytest.mark.claims(
    "who writes a playbook | a file, play or role with a name that no rule covers | with `-vv`,"
    " the rules that cover each play are printed",
    "who writes a policy | omits a rule, or excludes hosts by `when` | the policy's history; with"
    " `-vv`, the rules that cover each play are printed",
)
def test_each_play_is_covered_by_the_rules_that_select_it(site):
    expected = {name: covered for name, (_rest, covered) in PLAYS.items()}
    expected["Set up by template"] = expected.pop("{{ verb }} {{ what }}")
    expected["From imported"] = "by-tag (by tag db or cache); by-file (by playbook imported.yml)"
    expected["From db/deep"] = "by-path (by playbook db/*.yml)"
    expected["From olddb/deep"] = "no rule"
    expected["From end/of/links"] = "by-path (by playbook db/*.yml)"
    assert coverage_of_run(site) == expected


@pytest.mark.parametrize(
    "options",
    [("--tags", "left"), ("--tags", "all", "--skip-tags", "nothing")],
    ids=["tags leave out the role", "tags leave out nothing"],
)
def test_roles_that_the_tags_leave_out_count_too(site, options):
    """Each play has one task left to run, which does not belong to a role."""
    left = "post_tasks: [{debug: , tags: left}]"
    plays = {
        name: rest
        for name, (rest, covered) in PLAYS.items()
        if covered in (WEB, BOTH_WEB) and "post_tasks" not in rest
    }
    assert len(plays) > 10
    site.write("site.yml", "".join(play(name, f"{rest}\n  {left}") for name, rest in plays.items()))
    assert coverage_of_run(site, *options) == {name: PLAYS[name][1] for name in plays}


def test_the_strategy_prints_the_same_coverage_with_vv_only(site):
    names = ("Nothing", "Tag", "Included in a role")
    site.configure("strategy")
    site.write("site.yml", "".join(play(name, PLAYS[name][0]) for name in names))
    assert coverage_of_run(site) == {name: PLAYS[name][1] for name in names}
    assert "is covered by" not in site.run("site.yml", "-v").output


@pytest.mark.claims(
    "who runs `ansible` instead of `ansible-playbook` | no rule covers the play `Ansible Ad-Hoc`,"
    " or only the callback is on | the same"
)
def test_an_ad_hoc_command_is_guarded_by_the_strategy_and_not_by_the_callback(project):
    """It is a play with a name and without a file. ansible loads no callbacks for it."""
    project.configure("both")
    project.local_hosts(missing="h1")
    marker = rule({"path": "/etc/pki/ca.crt"}, name="any")
    project.write("precheck.yml", policy(marker))
    run = project.run("ansible", "all", "-m", "ansible.builtin.debug")
    assert run.rc == 2
    assert "Hello world!" not in run.stdout
    assert run.stderr.endswith(f"""\
PRECHECK stopped the run before play "Ansible Ad-Hoc": 1 of 1 host is not ready.

Rule any: 1 of 1 host is not ready.
  h1  not ready: {project.directory}/h1/etc/pki/ca.crt is missing

Nothing was changed: no task of this play ran on any host.

To run it unchecked all the same: pass -e precheck_waive=any
""")
    project.configure("callback")
    run = project.run("ansible", "all", "-m", "ansible.builtin.debug")
    assert (run.rc, "Hello world!" in run.stdout) == (0, True)
