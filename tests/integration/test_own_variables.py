# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The variables that templates and conditions of a policy have beside those of hosts and plays."""

from __future__ import annotations

import pytest

from support.output import reasons
from support.policies import policy, rule
from support.project import LOCAL_HOST

PLAY = """
- name: Set up databases
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch {{ playbook_dir }}/witness
"""
NAME = "Set up databases"
SECOND = "second {{ in braces }}"  # not a template


@pytest.fixture
def covered(guarded):
    """A project with a play on one host, which defines the variables of Precheck itself."""
    guarded.write("site.yml", PLAY)
    own = {"precheck_playbook": "no", "precheck_play": "no", "precheck_rule": "no"}
    guarded.inventory({"h1": LOCAL_HOST | own | {"through": "{{ precheck_rule }}"}})
    return guarded


def is_the_play(rule_name):
    """Return conditions that say where they are."""
    return [
        "precheck_playbook is search('/site.yml$')",
        f"precheck_play == '{NAME}'",
        f"precheck_rule.startswith('{rule_name}')",
    ]


def test_every_condition_has_them(covered):
    """Also if rules have the same condition, and if it uses them through another variable."""
    through = "'second' in through"
    covered.write(
        "precheck.yml",
        policy(
            rule({"that": False}, name="first", when=through),
            rule(
                {"that": is_the_play("second")},
                {"that": is_the_play("second"), "once": True},
                {
                    "task": {
                        "ansible.builtin.debug": {"msg": "{{ precheck_rule }}"},
                        "failed_when": "not (precheck_result.msg == precheck_rule)",
                    }
                },
                {"command": "case '{{ precheck_rule }}' in second*braces*) ;; *) false; esac"},
                name=SECOND,
                when=[*is_the_play("second"), through],
            ),
        ),
    )
    run = covered.run("site.yml")
    assert run.rc == 0, run.output
    assert (covered.directory / "witness").exists()


def test_every_template_has_them(covered):
    where = "{{ precheck_playbook | basename }} {{ precheck_play }} {{ precheck_rule }}"
    keys = {"message": f"a {where}", "remedy": f"./b {where}"}
    covered.write(
        "precheck.yml",
        policy(
            rule({"command": "false"}, name="unlike", **keys),
            rule(
                {"path": "/no/{{ precheck_rule }}"},
                {"command": f"echo '{where}'; false"},
                {"command": ["sh", "-c", "echo $0; false", where]},
                {"that": False, "message": f"c {where}"},
                {"that": False, "once": True, "message": f"d {where}"},
                {"task": {"ansible.builtin.fail": {"msg": f"e {where}"}}},
                {"task": {"ansible.builtin.fail": None}, "message": f"f {where}"},
                **keys,
            ),
        ),
    )
    run = covered.run("site.yml")
    assert run.rc == 2, run.output
    here = f"site.yml {NAME} only"
    _unlike, first, *others = reasons(run)["h1"]
    assert first == "not ready: /no/only is missing"
    assert others == [here, here, f"c {here}", f"e {here}", f"f {here}"]
    assert f"d {here}" in run.stderr
    for text in (f"a {here}", f"    ./b {here}", f"a site.yml {NAME} unlike"):
        assert text in run.stderr, text


def test_a_play_does_not_have_them(covered):
    covered.write(
        "site.yml", PLAY.replace("touch", "'test {{ precheck_play }} = no && touch") + "'"
    )
    covered.write("precheck.yml", policy(rule({"that": "precheck_play != 'no'"})))
    run = covered.run("site.yml")
    assert run.rc == 0, run.output
    assert (covered.directory / "witness").exists()


def test_an_audit_of_several_rules_has_the_name_of_each(covered):
    covered.write("audit.yml", "- {hosts: all, tasks: [{precheck.guard.audit: }]}\n")
    failing = {"command": "echo '{{ precheck_rule }}'; false"}
    covered.write("precheck.yml", policy(rule(failing, name="one"), rule(failing, name="two")))
    run = covered.run("audit.yml", "-v")
    assert run.rc == 2, run.output
    for name in ("one", "two"):
        assert f": {name}\n" in run.output, name
