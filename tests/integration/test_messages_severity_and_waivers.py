# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages and remedies of rules, their severity, and whether a play can opt out of them."""

from __future__ import annotations

import functools
import re

import pytest

from support import policies
from support.output import is_printed
from support.plays import play
from support.project import LOCAL_HOST, UNREACHABLE_HOST

PLAY = """
- name: Site
  hosts: all
  gather_facts: false
  {keywords}
  tasks:
    - ansible.builtin.debug: {{msg: reached}}
    - ansible.builtin.debug: {{msg: and beyond}}
"""


rule = functools.partial(policies.rule, covers={"playbook": "site.yml"})
NEVER, ALWAYS = {"that": False}, {"that": True}


def site(project, *rules, keywords="", hosts=None):
    """Give the project local hosts with these variables, these rules, and the play of site.yml."""
    hosts = hosts or {"h1": {}, "h2": {}, "h3": {}}
    project.inventory({name: LOCAL_HOST | variables for name, variables in hosts.items()})
    project.write("precheck.yml", policies.policy(*rules))
    project.write("site.yml", PLAY.format(keywords=keywords))


CLOSING_BLOCK = """\
PRECHECK stopped the run before play "Site" ({directory}/site.yml:2): 3 of 3 hosts are not ready.

Rule each: 2 of 3 hosts are not ready.
  not ready: inventory_hostname == 'h2' does not hold
    h1, h3

h1 in rack A is not ready.
Ask in hall A.
h3 in rack B is not ready.
Ask in hall B.

Rule same: 3 of 3 hosts are not ready.
  not ready: False does not hold
    h1, h2, h3

Nobody is ready.

Rule silent: 3 of 3 hosts are not ready.
  not ready: False does not hold
    h1, h2, h3

Rule broken: 3 of 3 hosts are not ready.
  not ready: False does not hold
    h1, h2, h3

{{{{ gone }}}} is gone ('gone' is undefined)

Nothing was changed: no task of this play ran on any host.

    ./fix.sh site.yml 'Site' each h1,h3
    ./second --line
    ./fix.sh {{{{ gone.away }}}} ('gone' is undefined)

To run it unchecked all the same: tag the play no_precheck:each and no_precheck:same and\
 no_precheck:silent and no_precheck:broken,
or pass -e precheck_waive=each,same,silent,broken
"""


def test_messages_and_remedies_are_printed_with_their_variables(guarded):
    remedy = (
        "./fix.sh {{ precheck_playbook | basename }} '{{ precheck_play }}'"
        " {{ precheck_rule }} {{ precheck_hosts | join(',') }}\n./second --line"
    )
    each = "{{ inventory_hostname }} in rack {{ rack }} is not ready.\nAsk in hall {{ rack }}."
    only_h2 = {"that": "inventory_hostname == 'h2'"}
    site(
        guarded,
        rule(only_h2, name="each", message=each, remedy=remedy),
        rule(NEVER, name="same", message="{{ 'Nobody' }} is ready."),
        rule(NEVER, name="silent"),
        rule(NEVER, name="broken", message="{{ gone }} is gone", remedy="./fix.sh {{ gone.away }}"),
        hosts={"h1": {"rack": "A"}, "h2": {"rack": "A"}, "h3": {"rack": "B"}},
    )
    run = guarded.run("site.yml")
    assert run.rc == 2
    assert run.stderr.endswith(CLOSING_BLOCK.format(directory=guarded.directory))
    assert "reached" not in run.stdout


LANGUAGES = [
    "Größe überprüfen",
    "Où est le café ?",
    "Où est le café\u00a0?",  # a space that does not break
    "Сервер не готов",
    "サーバーの準備　できていません",
    "服务器未就绪：请先运行 ./node.yml",
    "서버가 준비되지 않았습니다",
    "الخادم غير جاهز",
    "می\u200cخواهم",  # Persian writes a joiner of no width within words
    "השרת אינו מוכן",
    "सर्वर तैयार नहीं है",
    "máy chủ chưa sẵn sàng",
    "🚫 👩\u200d🔧",
]

TERMINALS = {
    "utf-8": {"LC_ALL": "C.UTF-8"},
    "language c": {"LC_ALL": "", "LC_CTYPE": "", "LANG": "C"},  # Python makes C.UTF-8 of it
    "python in ascii": {"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii"},
}


@pytest.mark.parametrize("environment", TERMINALS.values(), ids=TERMINALS)
def test_text_in_any_language_comes_out_as_written(project, environment):
    """Without a UTF-8 locale (LC_ALL=C) ansible-core itself does not start."""
    project.configure("callback")
    text = "\n".join(LANGUAGES)
    check = NEVER | {"name": "größe", "message": "zu klein: {{ ort }}"}
    size = rule(check, name="größe", message=f"{{{{ ort }}}}\n{text}", remedy=text)
    site(project, size, hosts={"h1": {"ort": "Köln"}})
    run = project.run("site.yml", env=environment)
    assert run.rc == 2
    lines = run.stderr[run.stderr.index("PRECHECK stopped") :].splitlines()
    if "PYTHONIOENCODING" in environment:
        assert run.stderr.isascii()
        assert lines[3].startswith("  h1  not ready: gr") and ": zu klein: K" in lines[3]
        assert any("./node.yml" in line for line in lines)
        assert len(lines) == 12 + 2 * len(LANGUAGES)
    else:
        assert lines[2:4] == [
            "Rule größe: 1 of 1 host is not ready.",
            "  h1  not ready: größe: zu klein: Köln",
        ]
        assert lines[5 : 6 + len(LANGUAGES)] == ["Köln", *LANGUAGES]
        assert lines[9 + len(LANGUAGES) : -3] == [f"    {line}" for line in LANGUAGES]


@pytest.mark.one_release
def test_a_tab_in_a_command_is_kept(project):
    project.configure("callback")
    remedy = "cut -d'\t' -f1 {{ precheck_rule }}\n\tindented"
    site(project, rule(NEVER, name="tabs", remedy=remedy))
    assert "\n    cut -d'\t' -f1 tabs\n    \tindented\n" in project.run("site.yml").stderr


def test_control_characters_of_a_variable_do_not_reach_the_terminal(project):
    project.configure("callback")
    hostile = "\x1b[2Jred\x07\x9b31m \x1b]0;title\x07\u202eend"
    check = {"that": "false", "message": "found {{ owner }}"}
    clean = rule(check, name="clean", message="Ask {{ owner }}.", remedy="mail {{ owner }}")
    site(project, clean, hosts={"h1": {"owner": hostile}})
    run = project.run("site.yml")
    assert run.rc == 2
    block = run.stderr[run.stderr.index("PRECHECK stopped") :]
    assert "\n  h1  not ready: found [2Jred31m ]0;titleend\n" in block
    assert "\nAsk [2Jred31m ]0;titleend.\n" in block
    for character in "\x1b\x07\x9b\u202e":
        assert character not in run.output  # nor when ansible-core reports the failed task


@pytest.mark.claims("who writes a policy | `severity: warn` | a warning at each run")
def test_a_rule_that_warns_lets_the_play_run(guarded):
    ready = {"precheck_root": str(guarded.directory)}
    advice = rule(
        {"path": "/ready"},
        name="advice",
        severity="warn",
        message="Better not.",
        remedy="./fix.sh",
    )
    site(guarded, advice, hosts={"h1": ready, "h2": {}, "away": UNREACHABLE_HOST})
    guarded.write("ready", "")
    first = PLAY.format(keywords="serial: 2")
    second = PLAY.format(keywords="").replace("Site", "Second")
    guarded.write("site.yml", first + second)
    run = guarded.run("site.yml")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == run.stdout.count('"and beyond"') == 6
    heading = (
        'PRECHECK found hosts that are not ready before play "Site"'
        f" ({guarded.directory}/site.yml:2), which goes on."
    )
    assert (
        f"[WARNING]: {heading}\n\nRule advice: 1 of 3 hosts is not ready.\n"
        "  h2  not ready: /ready is missing\n\nBetter not.\n\n"
        "Rule advice: 1 of 3 hosts could not be checked, and is unverified.\n"
        "  away  unverified: unreachable: ssh: connect to host"
    ) in run.stderr
    assert "\n\n    ./fix.sh\n" in run.stderr
    assert run.stderr.count("PRECHECK") == 1  # the second play does not print it again
    assert "Nothing was changed" not in run.stderr
    recap = run.stdout.partition("PLAY RECAP")[2].split("\n", 1)[1]
    counts = {line.split()[0]: line.split() for line in recap.splitlines() if line}
    assert {"failed=0", "ignored=1"} <= set(counts["h2"])
    assert {"failed=0", "ignored=1", "unreachable=0"} <= set(counts["away"])
    assert "ignored=0" in counts["h1"]


def test_a_warning_and_a_closing_block_are_printed_separately(project):
    project.configure("callback")
    advice = rule(NEVER, name="advice", severity="warn", message="Better not.")
    not_h2 = {"that": "inventory_hostname != 'h2'"}
    site(project, advice, rule(not_h2, name="strict", message="Not on h2."))
    run = project.run("site.yml")
    assert run.rc == 2
    assert "reached" not in run.stdout
    warning, _, block = run.stderr.partition("PRECHECK stopped the run")
    assert "Rule advice: 3 of 3 hosts" in warning and "Rule strict" not in warning
    assert "Better not." in warning
    assert "Rule strict: 1 of 3 hosts" in block and "Rule advice" not in block
    assert "Not on h2." in block


WARN_ONLY = {  # keys of the rule, its check, and what the warning says
    "checks of hosts": ({}, NEVER, "not ready: False does not hold"),
    "checks that run once": (
        {},
        NEVER | {"once": True},
        "Rule advice: the play is not ready for 2 hosts.",
    ),
    "a when that is false": ({"when": False}, NEVER, ""),
    "a when that cannot be evaluated": (
        {"when": "nowhere_defined"},
        ALWAYS,
        "  unverified: cannot tell whether the rule applies: in its when, nowhere_defined:",
    ),
}


@pytest.mark.each_release
@pytest.mark.parametrize(("keys", "check", "warning"), WARN_ONLY.values(), ids=WARN_ONLY)
def test_a_rule_that_warns_never_ends_a_run(guarded, keys, check, warning):
    """h2 is unreachable when the hosts are checked, and the play brings it back."""
    site(guarded, rule(check, name="advice", covers={"play": "Site"}, severity="warn", **keys))
    with guarded.changed_inventory() as inventory:
        inventory["hosts"]["h2"] |= UNREACHABLE_HOST
    before = play(name="Before", tasks="- ansible.builtin.ping:")
    back = "- ansible.builtin.meta: clear_host_errors\n- ansible.builtin.debug: {msg: back}"
    tasks = f"- ansible.builtin.debug: {{msg: reached}}\n{back}"
    guarded.write("site.yml", before + play(name="Site", tasks=tasks))
    run = guarded.run("site.yml")
    assert "Precheck stopped" not in run.stderr and "PRECHECK stopped" not in run.stderr
    assert not is_printed("Precheck cannot tell", run.stderr)
    assert run.stdout.count('"back"') == 3
    assert warning in run.stderr


OPT_OUTS = {  # keywords of the play, options, the reason in the warning
    "tag": ("tags: no_precheck", (), "the play is tagged no_precheck"),
    "option": ("", ("--skip-tags", "precheck"), "--skip-tags precheck"),
}


@pytest.mark.claims(
    "who runs a playbook | `--skip-tags precheck` | a warning with play, rules, number of hosts and"
    " reason; rules with `waiver: forbidden`, or `reason` without one, are enforced all the same",
)
@pytest.mark.parametrize(("keywords", "options", "reason"), OPT_OUTS.values(), ids=OPT_OUTS)
def test_a_play_cannot_opt_out_of_a_rule_that_cannot_be_waived(guarded, keywords, options, reason):
    site_with_a_forbidden_waiver(guarded, keywords, NEVER)
    run = guarded.run("site.yml", *options)
    assert run.rc == 2
    assert "reached" not in run.stdout
    assert re.findall(r"^TASK \[(.*)\]", run.stdout, re.MULTILINE) == ["Precheck must"]
    assert "Rule must: 1 of 1 host is not ready.\n  h2  not ready: " in run.stderr
    assert run.stderr.endswith("The play cannot be run unchecked: rule must cannot be waived.\n")


@pytest.mark.parametrize(("keywords", "options", "reason"), OPT_OUTS.values(), ids=OPT_OUTS)
def test_a_play_opts_out_of_the_other_rules_if_its_hosts_pass_one_that_cannot_be_waived(
    guarded, keywords, options, reason
):
    site_with_a_forbidden_waiver(guarded, keywords, ALWAYS)
    run = guarded.run("site.yml", *options)
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 2
    assert "TASK [Precheck must]" in run.stdout and "TASK [Precheck may]" not in run.stdout
    waived = f'waived for play "Site" ({guarded.directory}/site.yml:2)'
    assert is_printed(f"{waived}: may not checked on 2 hosts ({reason}).", run.stderr)


@pytest.mark.parametrize(("keywords", "options", "reason"), OPT_OUTS.values(), ids=OPT_OUTS)
def test_a_rule_that_cannot_be_waived_that_applies_to_no_host_prevents_no_opt_out(
    guarded, keywords, options, reason
):
    site_with_a_forbidden_waiver(guarded, keywords, NEVER)
    run = guarded.run("site.yml", *options, "-e", "kind=web")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 2
    waived = f'waived for play "Site" ({guarded.directory}/site.yml:2)'
    assert is_printed(f"{waived}: may not checked on 2 hosts ({reason}).", run.stderr)


def site_with_a_forbidden_waiver(project, keywords, check):
    """Give the project a rule, and one with this check, for h2 only, that cannot be waived."""
    must = rule(check, name="must", waiver="forbidden", when="kind == 'db'")
    hosts = {"h1": {"kind": "web"}, "h2": {"kind": "db"}}
    site(project, rule(NEVER, name="may"), must, keywords=keywords, hosts=hosts)


@pytest.mark.one_release
def test_the_block_of_a_rule_that_cannot_be_waived_does_not_suggest_an_opt_out(project):
    project.configure("callback")
    site(project, rule(NEVER, name="may"), rule(NEVER, name="must", waiver="forbidden"))
    run = project.run("site.yml")
    assert run.rc == 2
    assert run.stderr.endswith("The play cannot be run unchecked: rule must cannot be waived.\n")
    assert "no_precheck" not in run.stderr and "--skip-tags" not in run.stderr


@pytest.mark.one_release
def test_a_rule_that_cannot_be_waived_that_is_met_does_not_prevent_opting_out_of_another(project):
    project.configure("callback")
    site(project, rule(NEVER, name="may"), rule(ALWAYS, name="must", waiver="forbidden"))
    assert "or pass -e precheck_waive=may\n" in project.run("site.yml").stderr


@pytest.fixture
def limited(guarded):
    """A project whose play requires --limit, and at most two hosts."""
    condition = {
        "that": ["ansible_limit is defined", "ansible_play_hosts_all | length <= most"],
        "once": True,
    }
    remedy = "add --limit to {{ precheck_hosts | join(',') }}"
    limit = rule(condition, name="limit", remedy=remedy)
    site(guarded, limit, keywords="serial: 1\n  vars: {most: 2}")
    return guarded


def test_a_condition_for_the_play_as_a_whole_stops_it_without_checking_a_host(limited):
    run = limited.run("site.yml")
    assert run.rc == 2
    assert "reached" not in run.stdout
    assert "TASK [" not in run.stdout
    assert (
        """
Rule limit: the play is not ready for 3 hosts.
  not ready: ansible_limit is defined does not hold
             ansible_play_hosts_all | length <= most does not hold

Nothing was changed: no task of this play ran on any host.

    add --limit to h1,h2,h3

"""
        in run.stderr
    )


def test_a_play_that_meets_the_condition_as_a_whole_runs(limited):
    run = limited.run("site.yml", "--limit", "h1,h3")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 2


def test_a_play_that_meets_a_part_of_the_condition_is_stopped(limited):
    run = limited.run("site.yml", "--limit", "all")
    assert run.rc == 2
    assert "\n  not ready: ansible_play_hosts_all | length <= most does not hold\n" in run.stderr


def test_a_condition_for_the_play_is_checked_at_each_play_also_for_ready_hosts(project):
    project.configure("callback")
    alone = {"that": "ansible_play_hosts_all | length == 1", "once": True, "message": "Too many."}
    site(project, rule(ALWAYS, alone, name="few"))
    plays = [
        PLAY.format(keywords="").replace("hosts: all", f"hosts: {hosts}")
        for hosts in ("h1", "h2", "h1,h2")
    ]
    project.write("site.yml", "".join(plays))
    run = project.run("site.yml")
    assert run.rc == 2
    assert run.stdout.count("TASK [Precheck few") == 2
    assert run.stdout.count('"reached"') == 2
    assert "\nRule few: the play is not ready for 2 hosts.\n  not ready: Too many.\n" in run.stderr
    first, second, third = (2 + number * PLAY.count("\n") for number in range(3))
    assert f"({project.directory}/site.yml:{third})" in run.stderr
    assert re.findall(r"^Precheck few: .*site\.yml:(\d+)\)$", run.stderr, re.MULTILINE) == [
        str(first),
        str(second),
    ]


@pytest.mark.each_release
def test_a_condition_for_the_play_that_holds_leaves_a_line(guarded):
    """It is on stderr: stdout has what the stdout callback prints."""
    holds = {"that": "ansible_play_hosts_all | length > 0", "once": True}
    site(guarded, rule(holds, name="some"), rule(holds, ALWAYS, name="more", severity="warn"))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    play = f'play "Site" ({guarded.directory}/site.yml:2)'
    assert run.stderr == "".join(
        f"Precheck {name}: the checks that run once passed for {play}\n"
        for name in ("some", "more")
    )


@pytest.mark.one_release
def test_a_condition_for_the_play_can_warn(project):
    project.configure("callback")
    limited = {"that": "ansible_limit is defined", "once": True}
    site(project, rule(limited, name="advice", severity="warn"))
    run = project.run("site.yml")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 3
    heading = "Rule advice: the play is not ready for 3 hosts."
    assert f"{heading}\n  not ready: ansible_limit is defined does not hold\n" in run.stderr


@pytest.mark.one_release
def test_a_condition_for_the_play_that_has_no_value_is_unverified(project):
    project.configure("callback")
    site(project, rule({"that": "nowhere_defined", "once": True}, name="strict"))
    run = project.run("site.yml")
    assert run.rc == 2
    reason = "nowhere_defined cannot be evaluated: 'nowhere_defined' is undefined"
    assert f"\n  unverified: {reason}\n" in run.stderr


@pytest.mark.each_release
def test_a_message_that_is_empty_does_not_take_the_reason_away(guarded):
    check = NEVER | {"message": "{{ '' }}"}
    site(guarded, rule(check, name="empty", message="{{ ' ' }}"), hosts={"h1": {}})
    run = guarded.run("site.yml")
    assert run.rc == 2
    assert "  h1  not ready: False does not hold\n" in run.stderr
    assert "all checks passed" not in run.output
