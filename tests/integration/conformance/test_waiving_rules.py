# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Opting out of single rules, with a reason if they want one, and checking single rules alone."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from support.output import assert_refused, is_printed
from support.policies import policy, rule
from support.project import LOCAL_HOST

PLAY = """
- name: Site
  hosts: all
  gather_facts: false
  serial: 1
  {keywords}
  tasks:
    - ansible.builtin.debug: {{msg: reached}}
      tags: [install]
    - ansible.builtin.debug: {{msg: always}}
      tags: [always]
"""
NEVER, ALWAYS = {"that": False}, {"that": True}


def site(project, *rules, keywords=""):
    """Give the project two local hosts, these rules, and a play that they cover."""
    project.inventory({"h1": LOCAL_HOST, "h2": LOCAL_HOST})
    project.write("precheck.yml", policy(*rules))
    project.write("site.yml", PLAY.format(keywords=keywords))


def checked(run):
    """Return the names of the rules whose checks ran: "a b"."""
    return " ".join(re.findall(r"^TASK \[Precheck (.*)\]", run.stdout, re.MULTILINE))


def assert_waived(run, project, rules, way):
    assert run.rc == 0, run.output
    assert run.stdout.count('"reached"') == 2
    at = f'play "Site" ({project.directory}/site.yml:2)'
    text = f"Precheck waived for {at}: {rules} not checked on 2 hosts ({way})."
    assert is_printed(text, run.stderr), run.stderr
    assert run.stderr.count("Precheck waived") == 1


# How a rule of the name "one" is waived: keywords of the play, options, and the way in the warning.
WAYS = {
    "play tag": ("tags: no_precheck:one", (), "the play is tagged no_precheck:one"),
    "play tags": ("tags: [a, 'no_precheck:one']", (), "the play is tagged no_precheck:one"),
    "play tag from a variable": (
        "tags: 'no_precheck:{{ which }}'\n  vars: {which: one}",
        (),
        "the play is tagged no_precheck:one",
    ),
    "option": ("", ("--skip-tags", "other,precheck:one"), "--skip-tags precheck:one"),
    "variable": ("", ("-e", "precheck_waive=one"), "precheck_waive"),
    "list": ("", ("-e", '{"precheck_waive": ["one"]}'), "precheck_waive"),
}
BY_WAY = pytest.mark.parametrize(
    ("keywords", "options", "way"),
    [
        pytest.param(*WAYS[how], marks=[pytest.mark.each_release] * ("variable" in how), id=how)
        for how in WAYS
    ],
)


@pytest.mark.claims(
    "who writes a playbook | the tag `no_precheck` or `no_precheck:RULE` on a play | the same"
)
@BY_WAY
def test_a_rule_is_waived_by_its_name_and_the_others_are_enforced(guarded, keywords, options, way):
    site(guarded, rule(NEVER, name="one"), rule(ALWAYS, name="other"), keywords=keywords)
    run = guarded.run("site.yml", *options)
    assert_waived(run, guarded, "one", way)
    assert checked(run) == "other"
    guarded.write("precheck.yml", policy(rule(ALWAYS, name="one"), rule(NEVER, name="other")))
    run = guarded.run("site.yml", *options)
    assert run.rc == 2
    assert "Rule other: 2 of 2 hosts are not ready." in run.stderr
    assert "reached" not in run.stdout


@pytest.mark.claims(
    "A report does not contain values of extra variables or arguments of ssh.",
    "`precheck_reason` is the exception: it is printed and in the report.",
)
@BY_WAY
def test_a_reason_goes_with_the_waiver_into_warning_and_report(guarded, keywords, options, way):
    site(guarded, rule(NEVER, name="one", waiver="reason"), keywords=keywords)
    reason = "precheck_reason=CHG-123 a spare\x1b node"
    run = guarded.run("site.yml", *options, "-e", reason, "-e", "precheck_report=report.json")
    assert_waived(run, guarded, "one", f"{way}; reason: CHG-123 a spare node")
    [waiver] = json.loads((guarded.directory / "report.json").read_text())["waivers"]
    assert waiver.pop("user")
    assert waiver == {
        "play": "Site",
        "path": f"{guarded.directory}/site.yml",
        "line": 2,
        "rules": ["one"],
        "hosts": 2,
        "opt_out_reason": way,
        "reason": "CHG-123 a spare node",
    }


REASONS = {  # options, and the reason in the warning
    "words": (("-e", "precheck_reason=CHG-123, a spare node"), "CHG-123, a spare node"),
    "quotes": (("-e", "precheck_reason='CHG-123  a spare'"), "CHG-123 a spare"),
    "lines": (("-e", '{"precheck_reason": "two\\nlines \\u001b[2J"}'), "two lines [2J"),
    "the last one": (
        ("-e", "precheck_reason=the first", "-e", "precheck_reason=the second"),
        "the second",
    ),
    "another form": (("-e", "precheck_reason=the first", "-e", '{"precheck_reason": "b"}'), "b"),
    "another variable": (("-e", "precheck_reason=CHG-123 other=x"), "CHG-123"),
    "a template": (("-e", "precheck_reason={{ a }}", "-e", "a=secret"), "{{ a }}"),
}


@pytest.mark.each_release
@pytest.mark.parametrize(("options", "reason"), REASONS.values(), ids=REASONS)
def test_the_reason_is_on_one_line_as_it_was_given(guarded, options, reason):
    site(guarded, rule(NEVER, name="one"))
    run = guarded.run("site.yml", "--skip-tags", "precheck", *options)
    assert_waived(run, guarded, "one", f"--skip-tags precheck; reason: {reason}")
    assert "secret" not in run.output


@pytest.mark.claims(
    "who runs a playbook | `--skip-tags precheck:RULE`, `-e precheck_waive=RULE` | the same"
    " warning; an error if that rule is not waived so"
)
@BY_WAY
def test_to_name_a_rule_that_is_not_waived_so_ends_the_run(guarded, keywords, options, way):
    at = f"rule one ({guarded.directory}/precheck.yml:2)"
    site(guarded, rule(ALWAYS, name="one", waiver="reason"), keywords=keywords)
    error = (
        f"Precheck waives {at} only with a reason, so the play was not run ({way}). Give one on the"
        " command line: -e precheck_reason='...'"
    )
    run = guarded.run("site.yml", *options)
    assert_refused(run)
    assert is_printed(error, run.stderr)
    site(guarded, rule(ALWAYS, name="one", waiver="forbidden"), keywords=keywords)
    error = f"Precheck cannot waive {at}, so the play was not run: its policy forbids that ({way})."
    run = guarded.run("site.yml", *options, "-e", "precheck_reason=CHG-123")
    assert_refused(run)
    assert is_printed(error, run.stderr)


BLANKET = pytest.mark.parametrize(
    ("keywords", "options", "way"),
    [
        ("tags: no_precheck", (), "the play is tagged no_precheck"),
        ("", ("--skip-tags", "precheck"), "--skip-tags precheck"),
    ],
    ids=["play tag", "option"],
)


@BLANKET
def test_what_waives_all_rules_leaves_a_rule_that_wants_a_reason_enforced(
    guarded, keywords, options, way
):
    rules = rule(NEVER, name="may"), rule(NEVER, name="one", waiver="reason")
    site(guarded, *rules, keywords=keywords)
    run = guarded.run("site.yml", *options)
    assert run.rc == 2
    assert checked(run) == "one"
    assert "reached" not in run.stdout
    run = guarded.run("site.yml", *options, "-e", "precheck_reason=CHG-123")
    assert_waived(run, guarded, "may, one", f"{way}; reason: CHG-123")
    site(guarded, rules[0], rule(ALWAYS, name="one", waiver="reason"), keywords=keywords)
    assert_waived(guarded.run("site.yml", *options), guarded, "may", way)


def test_rules_that_are_waived_in_several_ways_are_in_a_warning_for_each(guarded):
    rules = [rule(NEVER, name=name) for name in ("a", "b", "c")]
    site(guarded, *rules, keywords="tags: no_precheck:a")
    run = guarded.run("site.yml", "-e", "precheck_waive=b, c", "-e", "precheck_reason=why")
    assert run.rc == 0, run.output
    for text in (
        ": a not checked on 2 hosts (the play is tagged no_precheck:a; reason: why).",
        ": b, c not checked on 2 hosts (precheck_waive; reason: why).",
    ):
        assert is_printed(text, run.stderr)
    assert run.stderr.count("Precheck waived") == 2


UNKNOWN = {
    "option": (("--skip-tags", "precheck:tow"), "--skip-tags precheck:tow"),
    "variable": (("-e", "precheck_waive=one,tow"), "precheck_waive"),
    "checks alone": (("--tags", "precheck:tow"), "--tags precheck:tow"),
    "checks and more": (("--tags", "precheck:tow,install"), "--tags precheck:tow"),
}


@pytest.mark.parametrize(("options", "way"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_name_that_no_rule_has_is_an_error_at_the_first_play(guarded, options, way):
    """Also if no rule covers that play."""
    uncovered = {"play": "no such play"}
    site(guarded, *(rule(ALWAYS, name=name, covers=uncovered) for name in ("one", "two")))
    run = guarded.run("site.yml", *options)
    assert_refused(run)
    error = f"Precheck knows no rule 'tow', so the play was not run ({way}). The rules are: one,"
    error += " two (did you mean two?)"
    assert is_printed(error, run.stderr)
    explained = guarded.run("ansible-precheck", "explain", "site.yml", *options)
    assert explained.rc == 1
    assert is_printed(error, explained.stderr)


def test_a_name_in_the_tag_of_a_play_that_no_rule_has_is_an_error_at_that_play(guarded):
    site(guarded, rule(ALWAYS, name="one"))
    second = PLAY.format(keywords="tags: 'no_precheck:'").replace("Site", "Second")
    guarded.write("site.yml", PLAY.format(keywords="") + second)
    run = guarded.run("site.yml")
    assert run.rc == 1
    assert run.stdout.count('"reached"') == 2
    error = "Precheck knows no rule '', so the play was not run (the play is tagged no_precheck:)."
    assert is_printed(error, run.stderr)


NO_NAMES = (
    "the variable precheck_waive has a wrong value: expected the name of a rule, or a list of names"
)
WRONG = {
    "waive a number": ('{"precheck_waive": 3}', NO_NAMES),
    "waive false": ('{"precheck_waive": false}', NO_NAMES),
    "waive a mapping": ('{"precheck_waive": {"one": "secret"}}', NO_NAMES),
    "waive a list of numbers": ('{"precheck_waive": ["one", 3]}', NO_NAMES),
    "reason a number": (
        '{"precheck_reason": 3}',
        "the variable precheck_reason has a wrong value: expected text",
    ),
    "reason a list": (
        '{"precheck_reason": ["secret"]}',
        "the variable precheck_reason has a wrong value: expected text",
    ),
}


@pytest.mark.parametrize(("value", "error"), WRONG.values(), ids=WRONG)
def test_a_value_of_a_wrong_type_is_an_error(guarded, value, error):
    site(guarded, rule(ALWAYS, name="one"))
    run = guarded.run("site.yml", "-e", value)
    assert_refused(run)
    assert is_printed(error, run.stderr)
    assert "secret" not in run.output


@pytest.mark.parametrize("value", ["precheck_waive=", '{"precheck_waive": []}'])
def test_no_name_waives_nothing(guarded, value):
    site(guarded, rule(NEVER, name="one"))
    assert guarded.run("site.yml", "-e", value).rc == 2


def test_variables_of_plays_and_of_the_inventory_waive_nothing(guarded):
    site(
        guarded,
        rule(NEVER, name="one", waiver="reason"),
        keywords="vars: {precheck_waive: one, precheck_reason: why}\n  tags: no_precheck",
    )
    guarded.write("group_vars/all.yml", "precheck_waive: one\nprecheck_reason: why\n")
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert "Precheck waived" not in run.stderr


NAMES = ["two words", "it's", "a, b", "{{ braces }}", 'a "quote"', "back\\slash", "x=1", "Prüfung"]


@pytest.mark.parametrize("waiver", ["allowed", "reason"])
@pytest.mark.parametrize("names", [*([name] for name in NAMES), ["a", "b c"]], ids=" and ".join)
def test_the_closing_block_suggests_a_way_that_works(guarded, names, waiver):
    site(guarded, *(rule(NEVER, name=name, waiver=waiver) for name in names))
    run = guarded.run("site.yml")
    assert run.rc == 2
    suggestion = run.stderr.split("To run it unchecked all the same: ")[1].strip()
    *by_tag, options = suggestion.split("\nor ")
    options = shlex.split(options.removeprefix("pass "))
    assert guarded.run("site.yml", *options).rc == 0
    assert ("precheck_reason=..." in options) == (waiver == "reason")
    assert len(by_tag) == (waiver == "allowed" and not any("," in name for name in names))
    if by_tag:
        tags = by_tag[0].removeprefix("tag the play ").removesuffix(",").split(" and ")
        # In a playbook, braces make a template.
        if "{" not in by_tag[0]:
            guarded.write("site.yml", PLAY.format(keywords=f"tags: {json.dumps(tags)}"))
            assert guarded.run("site.yml").rc == 0


@pytest.mark.one_release
@pytest.mark.parametrize("tags", ["precheck", "precheck:one"])
def test_a_run_of_the_checks_alone_suggests_no_way_to_run_unchecked(guarded, tags):
    site(guarded, rule(NEVER, name="one"))
    run = guarded.run("site.yml", "--tags", tags)
    assert run.rc == 2
    assert "Rule one: 2 of 2 hosts are not ready." in run.stderr
    assert "unchecked" not in run.stderr


def test_an_ad_hoc_command_can_waive_a_rule_as_its_closing_block_suggests(project):
    project.configure("strategy")
    site(project, rule(NEVER, name="one"))
    command = ("ansible", "all", "-m", "ansible.builtin.ping")
    run = project.run(*command)
    assert run.rc != 0
    suggestion = "To run it unchecked all the same: pass -e precheck_waive=one\n"
    assert run.stderr.endswith(suggestion)
    run = project.run(*command, "-e", "precheck_waive=one")
    assert run.rc == 0
    assert "Precheck waived" in run.stderr


TWO = rule(NEVER, name="one"), rule(ALWAYS, name="other")


@pytest.mark.each_release
def test_tags_precheck_with_a_name_run_the_checks_of_that_rule_alone(guarded):
    site(guarded, *TWO)
    run = guarded.run("site.yml", "--tags", "precheck:other")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [") == 1
    assert checked(run) == "other"
    run = guarded.run("site.yml", "--tags", "precheck:one")
    assert run.rc == 2
    assert checked(run) == "one"
    run = guarded.run("site.yml", "--tags", "precheck:one,precheck")
    assert checked(run) == "one other"
    assert run.rc == 2


@pytest.mark.parametrize("tag", ["install", "precheck:other"])
def test_if_anything_of_the_play_is_to_run_all_rules_are_checked(guarded, tag):
    site(guarded, *TWO)
    guarded.write("site.yml", PLAY.format(keywords="").replace("[install]", f"['{tag}']"))
    run = guarded.run("site.yml", "--tags", f"precheck:other,{tag}")
    assert run.rc == 2, run.output
    assert checked(run) == "one other"
    assert "reached" not in run.stdout and "always" not in run.stdout
    guarded.write("precheck.yml", policy(rule(ALWAYS, name="one"), TWO[1]))
    run = guarded.run("site.yml", "--tags", f"precheck:other,{tag}")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 2


@BY_WAY
def test_a_rule_is_waived_also_if_only_checks_run(guarded, keywords, options, way):
    site(guarded, *TWO, keywords=keywords)
    run = guarded.run("site.yml", "--tags", "precheck", *options)
    assert run.rc == 0, run.output
    assert checked(run) == "other"
    assert "reached" not in run.stdout
    assert is_printed(f"one not checked on 2 hosts ({way}).", run.stderr)


SHOW_TAGS = """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "show_tags"

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._display.display(f"TAGS {task.name}: {sorted(map(str, task.tags))}")
"""


@pytest.mark.each_release
def test_the_tasks_of_checks_are_tagged_with_the_name_of_their_rule(guarded):
    with_task = rule(
        ALWAYS, {"name": "a task", "task": {"ansible.builtin.ping": {}}}, name="{{ odd }}"
    )
    site(guarded, with_task)
    guarded.write("callback_plugins/show_tags.py", SHOW_TAGS)
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    tags = "['precheck', 'precheck:{{ odd }}']"
    assert f"TAGS Precheck {{{{ odd }}}}: {tags}\n" in run.stdout
    assert f"TAGS Precheck {{{{ odd }}}}: a task: {tags}\n" in run.stdout


@pytest.mark.parametrize(
    ("options", "way"),
    [
        (("-e", "precheck_waive=one"), "precheck_waive"),
        (("--skip-tags", "precheck:one"), "--skip-tags precheck:one"),
    ],
    ids=["variable", "option"],
)
def test_an_audit_waives_nothing(guarded, options, way):
    site(guarded, rule(ALWAYS, name="one"))
    guarded.write("audit.yml", "- hosts: all\n  tasks: [{precheck.guard.audit: }]\n")
    run = guarded.run("audit.yml", *options)
    assert_refused(run)
    error = f"Precheck made no audit: it does nothing but check, and {way} is set."
    assert is_printed(error, run.stderr)


def test_explain_shows_how_and_why_a_rule_is_waived(guarded):
    rules = rule(NEVER, name="one", waiver="reason"), rule(NEVER, name="must", waiver="forbidden")
    site(guarded, *rules)
    options = ("-e", "precheck_waive=one", "-e", "precheck_reason=CHG-123")
    explained = guarded.run("ansible-precheck", "explain", "site.yml", *options)
    assert explained.rc == 0, explained.output
    assert "  rule one, by play *, waived only with a reason\n" in explained.stdout
    assert "    left out  all 2 hosts: precheck_waive; reason: CHG-123\n" in explained.stdout
    assert "  rule must, by play *, cannot be waived\n" in explained.stdout
    assert "    checked   h1, h2\n" in explained.stdout


# What names the other policy: options and environment.
REPLACEMENTS = {
    "command line": (("-e", "precheck_policy=other.yml"), {}, "var: precheck_policy"),
    "environment": (
        (),
        {"ANSIBLE_PRECHECK_POLICY": "other.yml"},
        "env: ANSIBLE_PRECHECK_POLICY",
    ),
}


@pytest.mark.claims(
    "who runs a playbook | another policy: `-e precheck_policy=...`, `ANSIBLE_PRECHECK_POLICY` |"
    " each run names it on stderr; rules of `ansible.cfg` with `waiver: forbidden` stay in force"
)
@pytest.mark.each_release
@pytest.mark.parametrize("configured", ["beside", "named"])
@pytest.mark.parametrize(
    ("options", "env", "origin"), REPLACEMENTS.values(), ids=list(REPLACEMENTS)
)
def test_another_policy_takes_no_rule_away_that_cannot_be_waived(
    guarded, options, env, origin, configured
):
    must = rule({"that": "ready | default(false) | bool"}, name="must", waiver="forbidden")
    site(guarded, rule(NEVER, name="may"), must, rule(NEVER, name="why", waiver="reason"))
    kept = guarded.directory / "precheck.yml"
    if configured == "named":
        kept = kept.rename(guarded.directory / "configured.yml")
        guarded.configure(guarded.entry_point, "[precheck]\npolicy = configured.yml")
    guarded.write("other.yml", policy(rule(ALWAYS, name="other"), rule(ALWAYS, name="must")))
    run = guarded.run("site.yml", *options, env=env)
    assert run.rc == 2, run.output
    assert checked(run) == "other must"
    line = (
        f"Precheck: policy {guarded.directory}/other.yml ({origin}), and of the configured policy"
        f" rule must ({kept}:3)\n"
    )
    assert line in run.stderr
    assert "cannot be waived" in run.stderr
    run = guarded.run(
        "site.yml", *options, "-e", "ready=true", "-e", "precheck_report=r.json", env=env
    )
    assert run.rc == 0, run.output
    assert run.stdout.count('"reached"') == 2
    report = json.loads((guarded.directory / "r.json").read_text())
    assert report["policies"] == [f"{guarded.directory}/other.yml", str(kept)]
    guarded.write("other.yml", policy(rule(ALWAYS, name="other")))
    assert checked(guarded.run("site.yml", *options, env=env)) == "other must"
    explained = guarded.run("ansible-precheck", "explain", "site.yml", *options, env=env)
    assert "\n  rule must, by play *, cannot be waived\n" in explained.stdout
    assert "Precheck: policy" not in explained.stderr


@pytest.mark.one_release
def test_a_broken_configured_policy_ends_also_a_run_with_another_one(guarded):
    site(guarded, rule(ALWAYS, name="may"))
    guarded.write("other.yml", policy(rule(ALWAYS, name="other")))
    guarded.write("precheck.yml", "rules: 3\n")
    run = guarded.run("site.yml", "-e", "precheck_policy=other.yml")
    assert_refused(run, f"{guarded.directory}/precheck.yml:1: rules: expected a list")
