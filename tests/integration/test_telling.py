# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a rule tells the operator, how grave it is, and whether it can be waived."""

from __future__ import annotations

import json

import pytest

PLAY = """
- name: Site
  hosts: all
  gather_facts: false
  {keywords}
  tasks:
    - ansible.builtin.debug: {{msg: reached}}
    - ansible.builtin.debug: {{msg: and beyond}}
"""


def rule(name, checks="[{that: false}]", **more):
    lines = [f"  - name: {name}", "    plays: [{playbook: site.yml}]", f"    checks: {checks}"]
    return "\n".join(lines + [f"    {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in more.items()]) + "\n"


def site(project, *rules, keywords="", hosts=None):
    """Give the project hosts on this machine, with these variables, these rules, and the playbook site.yml."""
    hosts = hosts or {"h1": {}, "h2": {}, "h3": {}}
    project.inventory({name: {"ansible_connection": "local"} | variables for name, variables in hosts.items()})
    project.write("precheck.yml", "rules:\n" + "".join(rules))
    project.write("site.yml", PLAY.format(keywords=keywords))


def squeezed(text):
    """Return the text without white space: ansible-core before 2.19 breaks lines of warnings anywhere."""
    return "".join(text.split())


TOLD = """\
PRECHECK stopped the run before play "Site" ({folder}/site.yml:2).

Rule each: 2 of 3 hosts are not ready.
  h1  not ready: inventory_hostname == 'h2' does not hold
  h3  not ready: inventory_hostname == 'h2' does not hold

h1 in rack A is not ready.
Ask in hall A.
h3 in rack B is not ready.
Ask in hall B.

    ./fix.sh site.yml 'Site' each h1,h3
    ./second --line

Rule same: 3 of 3 hosts are not ready.
  h1  not ready: False does not hold
  h2  not ready: False does not hold
  h3  not ready: False does not hold

Nobody is ready.

Rule silent: 3 of 3 hosts are not ready.
  h1  not ready: False does not hold
  h2  not ready: False does not hold
  h3  not ready: False does not hold

Rule broken: 3 of 3 hosts are not ready.
  h1  not ready: False does not hold
  h2  not ready: False does not hold
  h3  not ready: False does not hold

{{{{ gone }}}} is gone ('gone' is undefined)

    ./fix.sh {{{{ gone.away }}}} ('gone' is undefined)

Nothing was changed: no task of this play ran on any host.
To run it unchecked all the same: tag the play no_precheck, or pass --skip-tags precheck.
"""


def test_messages_and_remedies(guarded):
    remedy = (
        "./fix.sh {{ precheck_playbook | basename }} '{{ precheck_play }}' {{ precheck_rule }} {{ precheck_hosts | join(',') }}"
    )
    each = "{{ inventory_hostname }} in rack {{ rack }} is not ready.\nAsk in hall {{ rack }}."
    site(
        guarded,
        rule("each", "[{that: inventory_hostname == 'h2'}]", message=each, remedy=remedy + "\n./second --line"),
        rule("same", message="{{ 'Nobody' }} is ready."),
        rule("silent"),
        rule("broken", message="{{ gone }} is gone", remedy="./fix.sh {{ gone.away }}"),
        hosts={"h1": {"rack": "A"}, "h2": {"rack": "A"}, "h3": {"rack": "B"}},
    )
    run = guarded.run("site.yml")
    assert run.rc == 2
    assert run.stderr.endswith(TOLD.format(folder=guarded.folder))
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
    checks = json.dumps([{"that": False, "name": "größe", "message": "zu klein: {{ ort }}"}], ensure_ascii=False)
    site(project, rule("größe", checks, message="{{ ort }}\n" + text, remedy=text), hosts={"h1": {"ort": "Köln"}})
    run = project.run("site.yml", env=environment)
    assert run.rc == 2
    lines = run.stderr[run.stderr.index("PRECHECK stopped") :].splitlines()
    if "PYTHONIOENCODING" in environment:
        assert run.stderr.isascii()
        assert lines[3].startswith("  h1  not ready: gr") and ": zu klein: K" in lines[3]
        assert any("./node.yml" in line for line in lines)
        assert len(lines) == 10 + 2 * len(LANGUAGES)
    else:
        assert lines[2:4] == ["Rule größe: 1 of 1 host is not ready.", "  h1  not ready: größe: zu klein: Köln"]
        assert lines[5 : 6 + len(LANGUAGES)] == ["Köln", *LANGUAGES]
        assert lines[7 + len(LANGUAGES) : -3] == [f"    {line}" for line in LANGUAGES]


@pytest.mark.one_release
def test_a_tab_in_a_command_is_kept(project):
    project.configure("callback")
    site(project, rule("tabs", remedy="cut -d'\t' -f1 {{ precheck_rule }}\n\tindented"))
    assert "\n    cut -d'\t' -f1 tabs\n    \tindented\n" in project.run("site.yml").stderr


def test_control_characters_of_a_variable_do_not_reach_the_terminal(project):
    project.configure("callback")
    hostile = "\x1b[2Jred\x07\x9b31m \x1b]0;title\x07\u202eend"
    check = [{"that": "false", "message": "found {{ owner }}"}]
    site(
        project,
        rule("clean", json.dumps(check), message="Ask {{ owner }}.", remedy="mail {{ owner }}"),
        hosts={"h1": {"owner": hostile}},
    )
    run = project.run("site.yml")
    assert run.rc == 2
    block = run.stderr[run.stderr.index("PRECHECK stopped") :]
    assert "\n  h1  not ready: found [2Jred31m ]0;titleend\n" in block
    assert "\nAsk [2Jred31m ]0;titleend.\n" in block
    for character in "\x1b\x07\x9b\u202e":
        assert character not in run.output  # nor when ansible-core tells of the failed task before


@pytest.mark.claims("who writes a policy | `severity: warn` | a warning at each run")
def test_a_rule_that_warns_lets_the_play_go_on(guarded):
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    hosts = {"h1": {"precheck_root": str(guarded.folder)}, "h2": {}, "away": away}
    checks = "[{path: /ready}]"
    site(guarded, rule("advice", checks, severity="warn", message="Better not.", remedy="./fix.sh"), hosts=hosts)
    guarded.write("ready", "")
    guarded.write("site.yml", PLAY.format(keywords="serial: 2") + PLAY.format(keywords="").replace("Site", "Second"))
    run = guarded.run("site.yml")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == run.stdout.count('"and beyond"') == 6
    heading = f'PRECHECK found hosts that are not ready before play "Site" ({guarded.folder}/site.yml:2), which goes on.'
    assert f"[WARNING]: {heading}\n\nRule advice: 2 of 3 hosts are not ready.\n  away  unverified: unreachable: " in run.stderr
    assert "\n  h2    not ready: /ready is missing\n\nBetter not.\n\n    ./fix.sh\n" in run.stderr
    assert run.stderr.count("PRECHECK") == 1  # not again for the second play
    assert "Nothing was changed" not in run.stderr
    recap = {line.split()[0]: line for line in run.stdout.partition("PLAY RECAP")[2].splitlines()[1:] if line}
    assert "failed=0" in recap["h2"] and "ignored=1" in recap["h2"]
    assert "failed=0" in recap["away"] and "ignored=1" in recap["away"] and "unreachable=0" in recap["away"]
    assert "ignored=0" in recap["h1"]


def test_a_warning_and_an_error_together(project):
    project.configure("callback")
    advice = rule("advice", severity="warn", message="Better not.")
    site(project, advice, rule("strict", "[{that: inventory_hostname != 'h2'}]", message="Not on h2."))
    run = project.run("site.yml")
    assert run.rc == 2
    assert "reached" not in run.stdout
    warning, _, block = run.stderr.partition("PRECHECK stopped the run")
    assert "Rule advice: 3 of 3 hosts" in warning and "Better not." in warning and "Rule strict" not in warning
    assert "Rule strict: 1 of 3 hosts" in block and "Not on h2." in block and "Rule advice" not in block


WAYS = {  # keywords of the play, options, how the error puts it
    "tag": ("tags: no_precheck", (), "the play is tagged no_precheck"),
    "option": ("", ("--skip-tags", "precheck"), "--skip-tags precheck"),
}


@pytest.mark.claims(
    "who runs a playbook | `--skip-tags precheck` | a warning with play, rules and number of"
    " hosts; rules with `mandatory: true` are enforced all the same",
    "who writes a playbook | the tag `no_precheck` on a play | the same",
)
@pytest.mark.parametrize(("keywords", "options", "how"), WAYS.values(), ids=WAYS)
def test_a_mandatory_rule_cannot_be_waived(guarded, keywords, options, how):
    must = rule("must", "[{that: true}]", mandatory=True, when="kind == 'db'")
    site(guarded, rule("may"), must, keywords=keywords, hosts={"h1": {"kind": "web"}, "h2": {"kind": "db"}})
    run = guarded.run("site.yml", *options)
    assert run.rc not in (0, 2)
    assert "TASK [" not in run.stdout
    told = squeezed(run.stderr)
    assert squeezed(f'Precheck does not let play "Site" ({guarded.folder}/site.yml:2) go unchecked ({how})') in told
    assert squeezed(f"mandatory is rule must ({guarded.folder}/precheck.yml:5)") in told
    assert "waived" not in run.stderr

    run = guarded.run("site.yml", *options, "-e", "kind=web")  # where it applies to no host, there is nothing to refuse
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 2
    assert squeezed(f'waived for play "Site" ({guarded.folder}/site.yml:2): may not checked on 2 hosts ({how}).') in squeezed(
        run.stderr
    )


@pytest.mark.one_release
def test_the_block_of_a_mandatory_rule_offers_no_way_round(project):
    project.configure("callback")
    site(project, rule("may"), rule("must", mandatory=True))
    run = project.run("site.yml")
    assert run.rc == 2
    assert run.stderr.endswith("The play cannot be run unchecked: mandatory is must.\n")
    assert "no_precheck" not in run.stderr and "--skip-tags" not in run.stderr
    # A mandatory rule that holds does not stand in the way of waiving another.
    site(project, rule("may"), rule("must", "[{that: true}]", mandatory=True))
    assert "or pass --skip-tags precheck." in project.run("site.yml").stderr


def test_a_condition_for_the_play_as_a_whole(guarded):
    checks = "[{that: [ansible_limit is defined, ansible_play_hosts_all | length <= most], once: true}]"
    remedy = "add --limit to {{ precheck_hosts | join(',') }}"
    site(guarded, rule("limit", checks, remedy=remedy), keywords="serial: 1\n  vars: {most: 2}")
    run = guarded.run("site.yml")
    assert run.rc == 2
    assert "reached" not in run.stdout
    assert "TASK [" not in run.stdout  # no host is asked
    told = "\nRule limit: the play is not ready for 3 hosts.\n  not ready: ansible_limit is defined does not hold\n"
    whole = "             ansible_play_hosts_all | length <= most does not hold\n\n    add --limit to h1,h2,h3\n"
    assert told + whole in run.stderr

    run = guarded.run("site.yml", "--limit", "h1,h3")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 2
    run = guarded.run("site.yml", "--limit", "all")
    assert run.rc == 2
    assert "\n  not ready: ansible_play_hosts_all | length <= most does not hold\n" in run.stderr


def test_it_is_asked_at_each_play_also_of_hosts_that_are_known_to_be_ready(project):
    project.configure("callback")
    site(project, rule("few", "[{that: true}, {that: ansible_play_hosts_all | length == 1, once: true, message: Too many.}]"))
    plays = [PLAY.format(keywords="").replace("hosts: all", f"hosts: {hosts}") for hosts in ("h1", "h2", "h1,h2")]
    project.write("site.yml", "".join(plays))
    run = project.run("site.yml")
    assert run.rc == 2
    assert run.stdout.count("TASK [Precheck few]") == 2
    assert run.stdout.count('"reached"') == 2
    assert "\nRule few: the play is not ready for 2 hosts.\n  not ready: Too many.\n" in run.stderr
    assert f"{project.folder}/site.yml:{run.stderr.partition('site.yml:')[2].partition(')')[0]}" in run.stderr


@pytest.mark.one_release
def test_it_can_warn_and_cannot_be_guessed(project):
    project.configure("callback")
    advice = rule("advice", "[{that: ansible_limit is defined, once: true}]", severity="warn")
    site(project, advice)
    run = project.run("site.yml")
    assert run.rc == 0
    assert run.stdout.count('"reached"') == 3
    assert "Rule advice: the play is not ready for 3 hosts.\n  not ready: ansible_limit is defined does not hold\n" in run.stderr
    site(project, rule("strict", "[{that: nowhere_defined, once: true}]"))
    run = project.run("site.yml")
    assert run.rc == 2
    assert "\n  unverified: nowhere_defined cannot be evaluated: 'nowhere_defined' is undefined\n" in run.stderr
