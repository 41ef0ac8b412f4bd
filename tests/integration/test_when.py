# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The condition that says on which hosts a rule applies: what it sees, and what becomes of the other hosts."""

from __future__ import annotations

import json

import pytest

PLAY = """
- name: Site
  hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.debug: {msg: reached}}]
"""


def rule(name, when, check="that: false"):
    return f"  - name: {name}\n    when: {json.dumps(when)}\n    plays: [{{playbook: site.yml}}]\n    checks: [{{{check}}}]\n"


SEEN = """
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

SOURCES = ("inventory", "group", "host", "play", "file", "prompt", "answer", "defaults", "role", "extra", "earlier_play")


@pytest.mark.parametrize("value", ["mine", "other"])
def test_what_it_sees(guarded, value):
    guarded.inventory({"h1": {"ansible_connection": "local", "from_inventory": value}})
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
    guarded.write("all.yml", SEEN % {"value": value})
    rules = [rule(source, f"from_{source} == 'mine'") for source in SOURCES]
    rules.append(rule("template", "from_template == 'mine mine h1'"))
    rules.append(
        rule(
            "special",
            [f"from_play == '{value}'", "groups.all == ['h1']", "ansible_play_hosts_all == ['h1']", "from_play == 'mine'"],
        )
    )
    guarded.write("precheck.yml", "rules:\n" + "".join(rules))
    run = guarded.run("all.yml", "-e", f"from_extra={value} from_answer={value}")
    for source in (*SOURCES, "template", "special"):
        assert (f"Rule {source}: 1 of 1 host is not ready." in run.stderr) == (value == "mine"), source
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


def test_a_list_means_all_of_them_and_booleans_are_conditions(project):
    project.configure("callback")
    project.inventory({"h1": {"ansible_connection": "local", "switch": True}})
    project.write("site.yml", PLAY)
    project.write("precheck.yml", "rules:\n" + "".join(rule(name, when) for name, (when, _holds) in CONDITIONS.items()))
    run = project.run("site.yml")
    assert run.rc == 2
    told = [line.split(":")[0] for line in run.stderr.splitlines() if line.startswith("Rule ")]
    assert told == [f"Rule {name}" for name, (_when, holds) in CONDITIONS.items() if holds]


BROKEN = {  # the condition, the part of it that is told, what is told of it
    "undefined": ("nowhere_defined == 1", "nowhere_defined == 1", "'nowhere_defined' is undefined"),
    "undefined on one host": (["1 < 2", "mine == 1"], "mine == 1", "'mine' is undefined"),
    "undefined attribute": ("groups.nowhere.more == 1", "groups.nowhere.more == 1", "has no attribute 'nowhere'"),
    "no such filter": ("1 | nofilter", "1 | nofilter", "nofilter"),
    "fails": ("1 / 0 == 1", "1 / 0 == 1", "it fails (-vvv shows how)"),
}


@pytest.mark.parametrize(("when", "expression", "why"), BROKEN.values(), ids=BROKEN)
def test_a_condition_without_a_value_is_an_error(project, when, expression, why):
    """h1 comes first, and has what h2 lacks."""
    project.configure("callback")
    local = {"ansible_connection": "local"}
    project.inventory({"h1": local | {"mine": 1}, "h2": local})
    project.write("site.yml", PLAY)
    project.write("precheck.yml", "rules:\n" + rule("fine", True, "that: true") + rule("strict", when))
    run = project.run("site.yml")
    assert run.rc not in (0, 2)
    assert "TASK [" not in run.stdout
    text = " ".join(run.stderr.split())
    host = "h2" if "mine" in expression else "h1"
    place = f"rule strict ({project.folder}/precheck.yml:6) applies to {host}, so nothing was run: in its when, {expression}: "
    assert place in text
    assert why in text.partition(place)[2]


WITNESS = "\n- hosts: all\n  gather_facts: false\n  {keywords}\n  tasks: [{{ansible.builtin.raw: touch /etc/pki/witness}}]\n"
TWO_RULES = (
    "rules:\n" + rule("database", "kind == 'db'", "path: /etc/pki/ca.crt") + rule("web", "kind == 'web'", "path: /etc/pki/web")
)


@pytest.mark.claims(
    "who writes a policy | omits a rule, or excludes hosts by `when` | the policy's history; with"
    " `-vv`, the rules that cover each play are printed"
)
def test_hosts_for_which_it_is_false_are_not_asked_and_the_play_runs_on_them(guarded, nodes):
    kinds = dict(zip(("n1", "n2", "n3", "n4", "n5"), ("db", "db", "web", "none", "none")))
    guarded.inventory({name: nodes.host(name) | {"kind": kind} for name, kind in kinds.items()})
    guarded.write("precheck.yml", TWO_RULES)
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
def test_where_it_is_false_for_all_nothing_is_asked(project):
    project.configure("callback")
    project.local_hosts(missing="h1 h2")
    project.write("site.yml", PLAY)
    project.write("precheck.yml", "rules:\n" + rule("none", "inventory_hostname == 'h3'"))
    run = project.run("site.yml")
    assert run.rc == 0
    assert run.stderr == ""
    assert "Precheck" not in run.stdout
    assert "ok=1" in run.stdout


@pytest.mark.one_release
def test_it_is_asked_anew_at_each_play(project):
    """In the first play it is false for h1, in the second for none."""
    project.configure("callback")
    project.local_hosts(missing="h1 h2")
    second = PLAY.replace("Site", "Second") + "  vars: {all_of_them: true}\n"
    project.write("site.yml", PLAY + second)
    project.write(
        "precheck.yml", "rules:\n" + rule("late", "all_of_them is defined or inventory_hostname == 'h2'", "that: [late]")
    )
    inventory = json.loads((project.folder / "inventory.json").read_text())
    inventory["all"]["vars"]["late"] = "{{ inventory_hostname == 'h2' }}"
    (project.folder / "inventory.json").write_text(json.dumps(inventory))
    run = project.run("site.yml")
    assert run.rc == 2
    assert run.stdout.count('"reached"') == 2
    assert "PLAY [Second]" in run.stdout
    assert [line for line in run.stderr.splitlines() if line.startswith("  ")] == ["  h1  not ready: late does not hold"]
