# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The condition ``when`` of a rule: what it has access to, and what happens on the other hosts."""

from __future__ import annotations

import functools

import pytest

from support import policies
from support.output import on_one_line
from support.policies import policy
from support.project import LOCAL_HOST

PLAY = """
- name: Site
  hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.debug: {msg: reached}}]
"""


rule = functools.partial(policies.rule, covers={"playbook": "site.yml"})
NEVER = {"that": False}


EARLIER = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact: {from_earlier_play: "%(value)s"}

- import_playbook: site.yml
"""

SITE = """
- hosts: all
  gather_facts: false
  vars:
    from_play: "%(value)s"
    from_template: "{{ from_play }} {{ from_inventory }} {{ inventory_hostname }}"
  vars_files: [variables.yml]
  vars_prompt:
    - {name: from_prompt, prompt: Which, default: "%(value)s", private: false}
    - {name: from_answer, prompt: Which, private: false}
  roles: [web]
  tasks: [{ansible.builtin.debug: {msg: reached}}]
"""

SOURCES = tuple(
    "inventory group host play file prompt answer defaults role extra earlier_play".split()
)


@pytest.mark.parametrize("value", ["mine", "other"])
def test_the_condition_has_the_variables_of_the_play(guarded, value):
    guarded.inventory({"h1": LOCAL_HOST | {"from_inventory": value}})
    files = {
        "group_vars/all.yml": "from_group",
        "host_vars/h1.yml": "from_host",
        "variables.yml": "from_file",
        "roles/web/defaults/main.yml": "from_defaults",
        "roles/web/vars/main.yml": "from_role",
    }
    for path, name in files.items():
        guarded.write(path, f'{name}: "{value}"\n')
    guarded.write("site.yml", SITE % {"value": value})
    guarded.write("all.yml", EARLIER % {"value": value})
    conditions = {source: f"from_{source} == 'mine'" for source in SOURCES} | {
        "template": "from_template == 'mine mine h1'",
        "special": [
            f"from_play == '{value}'",
            "groups.all == ['h1']",
            "ansible_play_hosts_all == ['h1']",
            "from_play == 'mine'",
        ],
    }
    rules = (rule(NEVER, name=name, when=when) for name, when in conditions.items())
    guarded.write("precheck.yml", policy(*rules))
    run = guarded.run("all.yml", "-e", f"from_extra={value} from_answer={value}")
    for name in conditions:
        applied = f"Rule {name}: 1 of 1 host is not ready." in run.stderr
        assert applied == (value == "mine"), name
    assert run.rc == (2 if value == "mine" else 0)
    assert ("reached" in run.stdout) == (value == "other")


CONDITIONS = {  # by rule name, the condition and whether it holds
    "one": ("inventory_hostname == 'h1'", True),
    "other": ("inventory_hostname == 'h2'", False),
    "both": (["inventory_hostname == 'h1'", "1 < 2"], True),
    "first-of-two": (["inventory_hostname == 'h1'", "1 > 2"], False),
    "second-of-two": (["1 > 2", "inventory_hostname == 'h1'"], False),
    "always": (True, True),
    "never": (False, False),
    "true-and-more": ([True, "1 < 2"], True),
    "false-and-more": (["1 < 2", False], False),
    "boolean-variable": ("switch", True),
    "defined": ("nothing is defined", False),
    "false-before-undefined": (["nothing is defined", "nothing.more == 1"], False),
    "default": ("nothing | default(true)", True),
}


def test_a_list_means_all_of_its_conditions_and_booleans_are_conditions(project):
    project.configure("callback")
    project.inventory({"h1": LOCAL_HOST | {"switch": True}})
    project.write("site.yml", PLAY)
    rules = (rule(NEVER, name=name, when=when) for name, (when, _holds) in CONDITIONS.items())
    project.write("precheck.yml", policy(*rules))
    run = project.run("site.yml")
    assert run.rc == 2
    names = [line.split(":")[0] for line in run.stderr.splitlines() if line.startswith("Rule ")]
    assert names == [f"Rule {name}" for name, (_when, holds) in CONDITIONS.items() if holds]


BROKEN = {  # the condition, and why it, or the last of a list, has no value
    "undefined": ("nowhere_defined == 1", "'nowhere_defined' is undefined"),
    "undefined on one host": (["1 < 2", "mine == 1"], "'mine' is undefined"),
    "undefined attribute": ("groups.nowhere.more == 1", "has no attribute 'nowhere'"),
    "no such filter": ("1 | nofilter", "nofilter"),
    "fails": ("1 / 0 == 1", "it fails (-vvv shows how)"),
}


@pytest.mark.parametrize(("when", "why"), BROKEN.values(), ids=BROKEN)
def test_a_condition_without_a_value_is_an_error(project, when, why):
    """h1 comes first, and has what h2 lacks."""
    project.configure("callback")
    project.inventory({"h1": LOCAL_HOST | {"mine": 1}, "h2": LOCAL_HOST})
    project.write("site.yml", PLAY)
    fine = rule({"that": True}, name="fine", when=True)
    project.write("precheck.yml", policy(fine, rule(NEVER, name="strict", when=when)))
    run = project.run("site.yml")
    assert run.rc not in (0, 2)
    assert "TASK [" not in run.stdout
    error = on_one_line(run.stderr)
    expression = when[-1] if isinstance(when, list) else when
    host = "h2" if "mine" in expression else "h1"
    beginning = (
        f"rule strict ({project.directory}/precheck.yml:3) applies to {host}, so nothing was run:"
        f" in its when, {expression}: "
    )
    assert beginning in error
    assert why in error.partition(beginning)[2]


WITNESS = (
    "\n- hosts: all\n  gather_facts: false\n  {keywords}\n"
    "  tasks: [{{ansible.builtin.raw: touch /etc/pki/witness}}]\n"
)
DATABASE = rule({"path": "/etc/pki/ca.crt"}, name="database", when="kind == 'db'")
WEB = rule({"path": "/etc/pki/web"}, name="web", when="kind == 'web'")


@pytest.mark.claims(
    "who writes a policy | omits a rule, or excludes hosts by `when` | the policy's history; with"
    " `-vv`, the rules that cover each play are printed"
)
def test_hosts_for_which_the_condition_is_false_are_not_checked(guarded, nodes):
    kinds = dict(zip(("n1", "n2", "n3", "n4", "n5"), ("db", "db", "web", "none", "none")))
    guarded.inventory({name: nodes.host(name) | {"kind": kind} for name, kind in kinds.items()})
    guarded.write("precheck.yml", policy(DATABASE, WEB))
    nodes.reset(ready="n1 n2")
    nodes.path("n3", "pki/web").touch()
    guarded.write("site.yml", WITNESS.format(keywords="serial: 2"))
    run = guarded.run("site.yml")
    assert run.rc == 0
    assert nodes.having("pki/witness") == "n1 n2 n3 n4 n5"
    assert run.stdout.count("TASK [Precheck") == 2
    for name, kind in kinds.items():
        commands = nodes.commands(name)
        assert ("ca.crt" in commands) == (kind == "db")
        assert ("/etc/pki/web" in commands) == (kind == "web")
        assert len(commands.splitlines()) == (1 if kind == "none" else 2)

    nodes.reset(ready="n1")
    run = guarded.run("site.yml")
    assert run.rc == 2
    assert nodes.having("pki/witness") == ""
    assert "Rule database: 1 of 2 hosts is not ready.\n  n2  not ready: " in run.stderr
    assert "Rule web: 1 of 1 host is not ready.\n  n3  not ready: " in run.stderr
    assert nodes.commands("n4") == nodes.commands("n5") == ""


@pytest.mark.one_release
def test_a_condition_that_is_false_for_all_hosts_leaves_the_play_as_it_is(project):
    project.configure("callback")
    project.local_hosts(missing="h1 h2")
    project.write("site.yml", PLAY)
    none = rule(NEVER, name="none", when="inventory_hostname == 'h3'")
    project.write("precheck.yml", policy(none))
    run = project.run("site.yml")
    assert run.rc == 0
    assert run.stderr == ""
    assert "Precheck" not in run.stdout
    assert "ok=1" in run.stdout


@pytest.mark.one_release
def test_the_condition_is_evaluated_again_for_each_play(project):
    """In the first play it is false for h1, in the second for no host."""
    project.configure("callback")
    project.local_hosts(missing="h1 h2")
    second = PLAY.replace("Site", "Second") + "  vars: {all_of_them: true}\n"
    project.write("site.yml", PLAY + second)
    when = "all_of_them is defined or inventory_hostname == 'h2'"
    project.write("precheck.yml", policy(rule({"that": ["late"]}, name="late", when=when)))
    with project.changed_inventory() as inventory:
        inventory["vars"]["late"] = "{{ inventory_hostname == 'h2' }}"
    run = project.run("site.yml")
    assert run.rc == 2
    assert '"reached"' not in run.stdout
    assert 'Rule late: 1 of 1 host is not ready for play "Second"' in run.stderr
    assert [line for line in run.stderr.splitlines() if line.startswith("  ")] == [
        "  h1  not ready: late does not hold",
    ]
