# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-precheck explain shows what the guard would do, and why. validate checks policies."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import sys

import pytest
import yaml
from ansible.release import __version__
from ansible_collections.precheck.guard.plugins.plugin_utils.report.document import VERSION

from support.commands import REPOSITORY, clean_environment
from support.corpus import vaulted
from support.output import is_printed, on_one_line
from support.policies import policy, rule
from support.project import LOCAL_HOST, PRECHECK

ALWAYS = {"that": True}
DEBUG_PLAY = "- hosts: all\n  gather_facts: false\n  tasks: [{ansible.builtin.debug: }]\n"

# After the name of each play: the hosts that the guard checks before it.
SITE = """
- name: cluster                       # h1 h2
  hosts: all
  tasks: [{ansible.builtin.debug: }]

- name: batches                       # h1 h2 h3
  hosts: all
  serial: 1
  tasks: [{ansible.builtin.debug: , name: begin, tags: install}]

- name: hosts ended                   # h1 h2
  hosts: all
  serial: 2
  tasks:
    - meta: end_host
      when: cluster is not defined
    - ansible.builtin.debug:
      tags: install

- name: ended by the first            #
  hosts: all
  tasks:
    - meta: end_play
      when: inventory_hostname == 'h1'
    - ansible.builtin.debug:

- name: not ended by the last         # h1 h2 h3
  hosts: all
  order: reverse_sorted
  tasks:
    - meta: end_play
      when: inventory_hostname == 'h1'
    - ansible.builtin.debug:

- name: free hosts do not end others  # h1 h2 h3
  hosts: all
  strategy: free
  tasks:
    - meta: end_play
      when: inventory_hostname == 'h1'
    - ansible.builtin.debug:

- name: batch ended                   # h1 h2 h3
  hosts: all
  serial: 2
  tasks:
    - meta: end_batch
      when: "'h1' in ansible_play_batch"
    - ansible.builtin.debug:

- name: opted out                     #
  hosts: all
  tags: no_precheck
  tasks: [{ansible.builtin.debug: }]

- name: "pair: one"                   # h1 h2
  hosts: h1
  tasks: [{ansible.builtin.debug: }]

- name: "pair: ended by the first"    #
  hosts: h1,h2
  tasks:
    - meta: end_play
      when: inventory_hostname == 'h1'
    - ansible.builtin.debug:

- name: "pair: not by the second"     #
  hosts: h1,h2
  tasks:
    - meta: end_play
      when: inventory_hostname == 'h2'
    - ansible.builtin.debug:

- name: facts                         # h1
  hosts: h1
  gather_facts: true
  gather_subset: ["!all", "!min"]
  tasks:
    - meta: end_host
      when: not (ansible_facts.gather_subset | default(false))
    - ansible.builtin.debug:

- name: nothing to do                 #
  hosts: all
  tasks: []

- name: nobody                        #
  hosts: nowhere
  tasks: [{ansible.builtin.debug: }]

- import_playbook: imported.yml
  when: inventory_hostname != 'h2'
"""

IMPORTED = """
- name: imported                      # h1 h3
  hosts: all
  roles: [{role: db, tags: install}]

- name: covered by nothing            #
  hosts: all
  tasks: [{ansible.builtin.debug: }]
"""

EXPECTED = [
    (name.strip('"'), hosts.split())
    for name, hosts in re.findall(r"- name: (.*?) +#(.*)", SITE + IMPORTED)
]


@pytest.fixture
def site(project):
    """A project with a rule for each play but one. The two plays of the pair have one rule."""
    names = {
        name.split(":")[0]: "cluster is defined" if name == "cluster" else True
        for name, _hosts in EXPECTED
    }
    del names["covered by nothing"]
    rules = (
        rule(ALWAYS, name=name, covers={"play": f"{name}*"}, when=when)
        for name, when in names.items()
    )
    project.configure("callback", "gathering = explicit")
    in_cluster = LOCAL_HOST | {"cluster": "a"}
    project.inventory({"h1": in_cluster, "h2": in_cluster, "h3": LOCAL_HOST})
    project.write("precheck.yml", policy(*rules))
    project.write("site.yml", SITE)
    project.write("imported.yml", IMPORTED)
    project.write("roles/db/tasks/main.yml", "- ansible.builtin.debug:\n")
    return project


def checked_hosts_of_run(run):
    """Return the names of a run's plays, and the hosts that were checked before each."""
    plays = []
    for line in run.stdout.splitlines():
        if match := re.match(r"PLAY \[(.*)\]", line):
            if not plays or plays[-1][0] != match[1]:  # else a batch of the same play
                plays.append((match[1], []))
        elif match := re.match(r"[A-Z ]+ (?:\[(.*)\])?", line):
            is_check = (match[1] or "").startswith("Precheck ")
        elif (match := re.match(r"ok: \[(\w+)\] =>", line)) and is_check:
            plays[-1][1].append(match[1])
    return [(name, sorted(hosts)) for name, hosts in plays]


def explain(project, *arguments):
    """Return the plays in the explanation of playbooks."""
    run = project.run("ansible-precheck", "explain", *arguments, "--format", "json")
    assert run.rc == 0, run.output
    return json.loads(run.stdout)["plays"]


def checked_hosts(plays):
    """Return the names of explained plays, and the hosts that would be checked before each."""
    return [
        (
            play["name"],
            sorted({host for one in (*play["rules"], *play["ahead"]) for host in one["checked"]}),
        )
        for play in plays
    ]


one_release = pytest.mark.one_release
OPTIONS = [
    pytest.param("site.yml", id="none"),
    pytest.param("site.yml -t install -l h2,h3 -e cluster=b", id="tags, limit, extra variables"),
    pytest.param(
        "imported.yml site.yml --start-at-task begin -l h1,h3",
        id="start at task, two playbooks",
        marks=one_release,
    ),
    pytest.param("site.yml --skip-tags precheck -l h1", id="opted out", marks=one_release),
    pytest.param("imported.yml site.yml -t precheck", id="checks only", marks=one_release),
]


@pytest.mark.parametrize("arguments", OPTIONS)
def test_it_explains_what_a_run_does(site, arguments):
    run = site.run(*arguments.split(), "-v")
    assert run.rc == 0, run.output
    plays = explain(site, *arguments.split())
    assert checked_hosts(plays) == checked_hosts_of_run(run)


def test_it_explains_why_hosts_are_left_out(site):
    plays = explain(site, "site.yml")
    assert checked_hosts(plays) == EXPECTED
    lines = {play["name"]: play["line"] for play in plays}

    def at(name, line):
        """Return the location of a line of a play, of which the first is 0."""
        return f"{site.directory}/site.yml:{lines[name] + line}"

    def reasons(kind):
        """Return the reasons of this kind by play."""
        rules = [(play["name"], rule[kind]) for play in plays for rule in play["rules"]]
        return {name: by_host for name, by_host in rules if by_host}

    def for_hosts(reason, *names):
        return dict.fromkeys(names or ("h1", "h2", "h3"), reason)

    h1 = "inventory_hostname == 'h1'"
    by_first = f"end_play at {at('ended by the first', 3)}, when {h1}"
    already = f'checked already, before play "pair: one" ({at("pair: one", 0)})'
    assert reasons("left_out") == {
        "cluster": {"h3": "the rule is only for hosts with cluster is defined"},
        "hosts ended": {"h3": f"end_host at {at('hosts ended', 4)}, when cluster is not defined"},
        "ended by the first": for_hosts(by_first),
        "opted out": for_hosts("the play is tagged no_precheck"),
        "pair: ended by the first": for_hosts(already, "h1", "h2"),
        "pair: not by the second": for_hosts(already, "h1", "h2"),
        "nothing to do": for_hosts("it has no task to run"),
        "imported": {"h2": "imported only when inventory_hostname != 'h2'"},
    }
    second = "pair: not by the second"
    later = {"name": second, "path": f"{site.directory}/site.yml", "line": lines[second]}
    assert [play["ahead"] for play in plays if play["ahead"]] == [
        [later | {"rule": "pair", "checked": ["h2"]}]
    ]
    for_opted_out = f'for play "opted out" ({at("opted out", 0)}), which may prepare hosts'
    waited = reasons("waited")
    assert waited["pair: one"] == {"h1": for_opted_out}
    assert second not in waited and "cluster" not in waited
    condition = "not (ansible_facts.gather_subset | default(false))"
    open_reason = f"end_host at {at('facts', 5)}, when {condition}: may depend on facts"
    assert reasons("unsure") == {"facts": {"h1": open_reason}}
    assert [play["name"] for play in plays if not play["hosts"]] == ["nobody"]
    assert [play["name"] for play in plays if not play["rules"]] == ["covered by nothing"]
    assert [play["name"] for play in plays if play["hosts_may_come"]] == ["nobody"]
    assert {play["not_guarded"] for play in plays} == {""}


def test_it_explains_what_options_leave_out(site):
    plays = explain(site, "site.yml", "-t", "install", "--start-at-task", "begin")
    reasons = {
        play["name"]: reason
        for play in plays
        for rule in play["rules"]
        for reason in rule["left_out"].values()
    }
    assert reasons["cluster"] == "it comes before the task of --start-at-task"
    assert reasons["not ended by the last"] == "the tags leave no task to run"
    assert "batches" not in reasons


def small(project, *rules, entry_point="callback", keywords=""):
    """Give the project a playbook of one play on h1 and h2, and a policy."""
    project.configure(entry_point)
    project.local_hosts(missing="h1 h2")
    project.write("precheck.yml", policy(*rules or [rule(ALWAYS)]))
    project.write("play.yml", DEBUG_PLAY + keywords)


@one_release
def test_a_condition_without_a_value_is_an_error_unless_an_earlier_play_may_give_it_one(project):
    condition = rule(ALWAYS, when='cluster == "a"')
    small(project, condition, keywords="- import_playbook: play2.yml\n")
    project.write("play2.yml", DEBUG_PLAY)
    [one, two] = explain(project, "play.yml", "-l", "h1")
    reason = "the rule's when, cluster == \"a\": 'cluster' is undefined"
    assert one["rules"][0]["errors"] == {"h1": reason}
    may_change = "'cluster' is undefined, unless an earlier play sees to that"
    assert two["rules"][0]["errors"]["h1"].endswith(may_change)


@one_release
def test_a_rule_that_warns_leaves_a_host_out_if_its_when_cannot_be_evaluated(project):
    small(project, rule(ALWAYS, when="cluster == 'a'", severity="warn"))
    [play] = explain(project, "play.yml", "-l", "h1")
    [explained] = play["rules"]
    reason = "the rule's when, cluster == 'a': 'cluster' is undefined"
    assert explained["left_out"] == {"h1": reason}
    assert (explained["checked"], explained["unsure"], explained["errors"]) == ([], {}, {})


@one_release
def test_opting_out_does_not_change_what_is_checked_for_a_rule_that_cannot_be_waived(project):
    small(project, rule(ALWAYS, waiver="forbidden"))
    opted_out = explain(project, "play.yml", "--skip-tags", "precheck")
    assert opted_out == explain(project, "play.yml")
    assert opted_out[0]["rules"][0]["checked"] == ["h1", "h2"]


@one_release
def test_checks_that_are_made_once_for_the_play(project):
    never_once = {"that": False, "once": True}
    small(project, rule(never_once, name="all", when="inventory_hostname == 'h1'"))
    [play] = explain(project, "play.yml")
    [explained] = play["rules"]
    assert (explained["checked"], explained["once_for"]) == ([], ["h1"])
    assert list(explained["left_out"]) == ["h2"]
    assert "Rule all: the play is not ready for 1 host.\n" in project.run("play.yml").stderr


@one_release
def test_a_condition_on_facts_of_earlier_plays_is_open(project):
    when = "ansible_facts.system is undefined"
    every_host = rule(ALWAYS, name="all", when=when)
    once = rule(ALWAYS, ALWAYS | {"once": True}, name="once", when=when)
    small(project, every_host, once, keywords="  tags: a\n")
    [first, second] = explain(project, "play.yml", "play.yml", "-l", "h1")
    unsure = [rule["unsure"] for rule in first["rules"]]
    assert unsure == [{}, {}]  # like the guard, which finds no gathered facts
    reason = f"the rule's when may depend on facts: {when}"
    assert [rule["unsure"] for rule in second["rules"]] == [{}, {"h1": reason}]
    assert [rule["once_for"] for rule in second["rules"]] == [[], ["h1"]]
    assert [list(rule["left_out"]) for rule in second["rules"]] == [["h1"], ["h1"]]


GROUPS_MADE_IN_THE_RUN = """
- name: Group hosts
  hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.group_by: {key: "made_{{ kind }}"}}]
- name: By role
  hosts: made_db
  roles: [outer]
- name: By include and tag
  hosts: made_db
  tags: [db]
  tasks: [{ansible.builtin.include_role: {name: pg}}]
- name: Opted out
  hosts: made_db
  tags: [db, no_precheck]
  tasks: [{ansible.builtin.debug: }]
- name: Not covered
  hosts: made_db
  tasks: [{ansible.builtin.debug: }]
"""


SELECTORS = {"role": "pg", "tag": "db"}


@pytest.mark.each_release
def test_a_play_whose_hosts_earlier_plays_make_has_its_rules(project):
    """explain does not run the earlier plays. The rules are those that a run then applies."""
    roles, tags = (rule(ALWAYS, name=name, covers={name: glob}) for name, glob in SELECTORS.items())
    must = rule(ALWAYS, name="must", covers={"play": ["By i*", "Op*"]}, waiver="forbidden")
    small(project, roles, tags, must)
    project.inventory({"h1": LOCAL_HOST | {"kind": "db"}})
    project.write("roles/outer/meta/main.yml", "dependencies: [pg]\n")
    project.write("roles/pg/tasks/main.yml", "- ansible.builtin.debug:\n")
    project.write("play.yml", GROUPS_MADE_IN_THE_RUN)
    plays = explain(project, "play.yml")
    covered = {play["name"]: [rule["name"] for rule in play["rules"]] for play in plays}
    assert covered == {
        "Group hosts": [],
        "By role": ["role"],
        "By include and tag": ["role", "tag", "must"],
        "Opted out": ["tag", "must"],
        "Not covered": [],
    }
    assert [play["hosts_may_come"] for play in plays] == [False, True, True, True, True]
    waived = {
        (play["name"], rule["name"]): rule["waived"] for play in plays for rule in play["rules"]
    }
    assert {key: reason for key, reason in waived.items() if reason} == {
        ("Opted out", "tag"): "the play is tagged no_precheck"
    }
    run = project.run("play.yml", "-vv")
    for name, rules in covered.items():
        [line] = re.findall(f'Precheck: play "{name}" .* is covered by (.*)', run.stdout)
        assert re.findall(r"(\w+) \(by", line) == rules
    text = project.run("ansible-precheck", "explain", "play.yml").stdout
    assert (
        f'Play "By role" ({project.directory}/play.yml:6)\n'
        "  no hosts are known yet: an earlier play may make some\n"
        "  rule role, by role pg\n"
        "    for       True\n" in text
    )
    assert (
        "  rule tag, by tag db\n"
        "    left out  any host: the play is tagged no_precheck\n"
        "  rule must, by play By i* or Op*, cannot be waived\n"
        "    for       True\n" in text
    )


@one_release
def test_hosts_come_only_from_earlier_plays_with_hosts(project):
    small(project)
    project.write("play.yml", DEBUG_PLAY.replace("all", "nowhere"))
    plays = explain(project, "play.yml", "play.yml")
    assert [(play["hosts"], play["hosts_may_come"]) for play in plays] == [([], False)] * 2
    assert [len(play["rules"]) for play in plays] == [1, 1]


@one_release
def test_it_explains_why_a_play_is_not_guarded(project):
    small(project, entry_point="strategy", keywords="  strategy: free\n")
    [play] = explain(project, "play.yml")
    reason = "its strategy is free, and the callback precheck.guard.enforce is not enabled"
    assert play["not_guarded"] == reason
    assert play["rules"][0]["checked"] == ["h1", "h2"]
    run = project.run("ansible-precheck", "explain", "play.yml")
    assert "\n  not guarded: its strategy is free, " in run.stdout


@one_release
@pytest.mark.parametrize("entry_point", ["strategy", "callback", "both", "none"])
def test_it_shows_by_what_a_play_is_guarded_and_requires_it_if_asked(project, entry_point):
    small(project, entry_point=entry_point)
    [play] = explain(project, "play.yml")
    names = {"both": ["callback", "strategy"], "none": []}.get(entry_point, [entry_point])
    assert play["guarded_by"] == names
    assert (play["not_guarded"] == "") == bool(names)
    run = project.run("ansible-precheck", "explain", "play.yml", "--require-guard")
    assert "  rule " in run.stdout
    assert run.rc == (0 if names else 1)
    error = 'Precheck does not guard all covered plays: play "all" ('
    assert is_printed(error, run.stderr) != bool(names)


@one_release
def test_a_play_that_no_rule_covers_needs_no_guard(project):
    small(project, rule(ALWAYS, covers={"play": "other"}), entry_point="none")
    assert project.run("ansible-precheck", "explain", "play.yml", "--require-guard").rc == 0


@one_release
def test_the_command_prints_its_version_and_that_of_ansible_core(project):
    run = project.run("ansible-precheck", "--version")
    python = f"Python {platform.python_version()} at {sys.executable}"
    assert run.stdout == f"ansible-precheck {VERSION} (ansible-core {__version__}, {python})\n"


@one_release
def test_an_audit_is_not_guarded(project):
    project.configure("strategy")
    project.local_hosts("h1")
    [play] = explain(project, "precheck.guard.audit")
    assert (
        play["not_guarded"] == "it is an audit, which checks its hosts for all rules of the policy"
    )


def test_it_requires_no_connection_no_callback_no_strategy_and_no_password(project):
    small(project)
    options = "stdout_callback = nowhere\nbecome_ask_pass = true\nask_pass = true"
    project.configure("callback", options)
    arguments = "play.yml -e ansible_connection=nowhere -K -b --step -C -f 3"
    [play] = explain(project, *arguments.split())
    assert play["rules"][0]["checked"] == ["h1", "h2"]


def test_its_messages_are_not_on_stdout(project):
    prompt = "  vars_prompt: [{name: answer, prompt: Which, private: false}]\n"
    small(project, keywords=prompt)
    run = project.run("ansible-precheck", "explain", "play.yml", "--format", "json", "-vvv")
    files = [f"{project.directory}/precheck.yml"]
    assert json.loads(run.stdout)["policy"] == {"files": files, "origin": "beside ansible.cfg"}
    assert "ansible.cfg as config file" in run.stderr


@one_release
@pytest.mark.parametrize("command", ["explain play.yml", "doctor", "rules all", "validate"])
def test_a_reader_of_its_output_may_leave_early(project, command):
    small(project)
    reader, output = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, PRECHECK, *command.split()],
        cwd=project.directory,
        env=clean_environment(ANSIBLE_CONFIG=f"{project.directory}/ansible.cfg"),
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        timeout=180,
        check=False,
    )
    os.close(output)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, "")


REFUSED = {
    "missing playbook": "nowhere.yml",
    "invalid playbook": "broken.yml",
    "limit without hosts": "play.yml -l nowhere",
    "invalid option": "play.yml --forks 0",
}


@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED)
@one_release
def test_it_refuses_what_ansible_playbook_refuses_with_the_same_message(project, arguments):
    small(project)
    project.write("broken.yml", "- hosts: all\n  tusks: []\n")
    run = project.run(*arguments.split())
    explained = project.run("ansible-precheck", "explain", *arguments.split())
    assert run.rc != 0
    assert explained.rc == run.rc
    assert explained.stdout == ""
    errors = [line for line in run.stderr.splitlines() if "rror" in line or "ERROR" in line]
    assert errors[-1].rpartition("ansible-playbook")[2] in explained.stderr


@one_release
def test_it_refuses_the_options_that_only_list(project):
    small(project)
    run = project.run("ansible-precheck", "explain", "play.yml", "--list-tasks")
    assert run.rc == 2
    assert "error: --list-tasks is an option of ansible-playbook only" in run.stderr


BROKEN = """
rules:
  - name: a
    plays: [{playbok: site.yml}]
    checks: [{path: /etc, mode: 0644}]
"""


@pytest.fixture
def broken(project):
    """A project whose policy has three problems, and the path, line and text of each."""
    small(project)
    project.write("precheck.yml", BROKEN)
    path = f"{project.directory}/precheck.yml"
    entry = "rule a: an entry of plays:"
    octal = 'expected an octal number in quotes, as in "0644", not a number'
    return project, [
        (
            path,
            4,
            f"{entry} unknown key 'playbok': expected playbook, play, role, tag, not"
            " (did you mean playbook?)",
        ),
        (path, 4, f"{entry} expected one of playbook, play, role, tag"),
        (path, 5, f"rule a: mode: {octal}"),
    ]


def test_explain_ends_with_the_error_of_a_run_when_the_policy_is_wrong(broken):
    project, _problems = broken
    run = project.run("play.yml")
    explained = project.run("ansible-precheck", "explain", "play.yml")
    assert (explained.rc, explained.stdout, explained.stderr) == (1, "", run.stderr)


def test_validate_lists_the_problems_of_the_policy_in_use(broken):
    project, problems = broken
    lines = "".join(f"{path}:{line}: {text}\n" for path, line, text in problems)
    run = project.run("ansible-precheck", "validate")
    assert (run.rc, run.stdout, run.stderr) == (1, lines, "")


def test_validate_lists_the_problems_of_files_as_json(broken):
    project, problems = broken
    project.write("other.yml", BROKEN.replace("playbok", "playbook").replace(", mode: 0644", ""))
    project.write("third.yml", "rules: [{name: a, plays: [{play: x}], checks: [{that: true}]}]")
    files = ["precheck.yml", "other.yml", "third.yml", "gone.yml"]
    run = project.run("ansible-precheck", "validate", "--format", "json", "-v", *files)
    assert run.rc == 1
    listed = [(one["path"], one["line"], one["message"]) for one in json.loads(run.stdout)]
    directory = project.directory
    same_name = f"rule a: there is a rule of this name at {directory}/other.yml:3"
    assert listed == [
        *problems,
        (f"{directory}/third.yml", 1, same_name),
        (f"{directory}/gone.yml", None, "there is no such file"),
    ]


def test_schema_prints_the_schema(project):
    run = project.run("ansible-precheck", "schema", env={"ANSIBLE_CONFIG": "/nowhere"})
    text = (REPOSITORY / "docs/policy.schema.json").read_text()
    assert (run.rc, run.stdout, run.stderr) == (0, text, "")


def test_validate_takes_files_together_or_each_by_itself_as_before_a_commit(project):
    hook, _tests = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text())
    assert re.search(hook["files"], "a/precheck.yml")
    assert not re.search(hook["files"], "a/precheck.yml.j2")
    small(project)
    text = (project.directory / "precheck.yml").read_text()
    project.write("a/precheck.yml", text)
    project.write("b/precheck.yml", text.replace("rules", "ruls"))
    command = [*hook["entry"].split(), "precheck.yml", "a/precheck.yml"]
    assert project.run(*command).rc == 0
    assert project.run(*(word for word in command if word != "--each")).rc == 1
    run = project.run(*command, "b/precheck.yml")
    assert (run.rc, run.stdout.count(f"{project.directory}/b/precheck.yml:")) == (1, 2)
    assert run.stdout.count("\n") == 2


def test_validate_finds_names_that_nothing_has_and_warns_of_pipes(project):
    small(project)
    text = policy(rule({"command": "a | sort"}, name="a", when="x is definde"))
    project.write("precheck.yml", text)
    here = f"{project.directory}/precheck.yml:2"
    run = project.run("ansible-precheck", "validate")
    pipe = (
        "rule a: command: the last command of the pipe, sort, succeeds also if nothing comes out of"
    )
    assert run.rc == 1
    assert run.stdout.startswith(
        f"{here}: rule a: when: there is no test definde (did you mean defined?)\n"
        f"{here}: warning: {pipe}"
    )
    project.write("precheck.yml", text.replace("definde", "defined"))
    run = project.run("ansible-precheck", "validate", "--format", "json")
    [warning] = json.loads(run.stdout)
    assert (run.rc, warning["severity"], warning["line"]) == (0, "warning", 2)
    assert warning["message"].startswith(pipe)


def test_validate_prints_sarif_for_code_review_tools(broken):
    project, problems = broken
    pipe = policy(rule({"command": "a | sort"}, when="x is definde")).replace('"only"', '"b"')
    project.write("policies/more.yml", pipe)
    files = ["../precheck.yml", "more.yml"]
    command = ["ansible-precheck", "validate", "--format", "sarif", *files]
    run = project.run(*command, cwd="policies")
    assert (run.rc, run.stderr) == (1, "")
    [log] = json.loads(run.stdout)["runs"]
    results = [
        (
            result["ruleId"],
            result["level"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for result in log["results"]
    ]
    outside = f"file://{project.directory}/precheck.yml"
    assert results == [("invalid-policy", "error", outside, line) for _p, line, _t in problems]
    project.write("precheck.yml", policy(rule(ALWAYS)))
    run = project.run(*command, cwd="policies")
    results = json.loads(run.stdout)["runs"][0]["results"]
    assert [(one["ruleId"], one["level"]) for one in results] == [
        ("unknown-name", "error"),
        ("pipe-always-succeeds", "warning"),
    ]
    [place] = results[0]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "more.yml"},
        "region": {"startLine": 2},
    }
    assert project.run(*command[:-1], cwd="policies").rc == 0


def test_validate_finds_nothing_wrong_in_a_valid_policy(project):
    small(project)
    run = project.run("ansible-precheck", "validate")
    message = f"{project.directory}/precheck.yml: nothing is wrong\n"
    assert (run.rc, run.stdout, run.stderr) == (0, message, "")


def test_the_json_for_a_valid_policy_is_an_empty_list(project):
    small(project)
    run = project.run("ansible-precheck", "validate", "--format", "json")
    assert (run.rc, json.loads(run.stdout)) == (0, [])


@one_release
def test_validate_searches_files_and_modules_in_the_playbook_directory(project):
    small(project, rule({"path": "/x", "same_as": "ca.crt"}, {"task": {"own_module": {}}}))
    project.write("playbooks/files/ca.crt", "x")
    project.write("playbooks/library/own_module.py", "")
    run = project.run("ansible-precheck", "validate")
    assert run.rc == 1
    missing = "there is no file ca.crt on the control node"
    assert f"same_as: {missing}, looked for in {project.directory}\n" in run.stdout
    assert "own_module" in run.stdout
    assert project.run("ansible-precheck", "validate", "--playbook-dir", "playbooks").rc == 0


PASSWORD = ("--vault-password-file", "password")


@pytest.fixture
def vaulted_files(project):
    """A project with a vaulted policy and a vaulted file of variables, and their password."""
    small(project)
    secret = policy(rule(ALWAYS, when='secret == "x"'))
    project.write("precheck.yml", vaulted(secret).decode())
    project.write("group_vars/all.yml", vaulted("secret: x\n").decode())
    project.write("password", "a password\n")
    return project


@one_release
def test_explain_decrypts_policies_and_variables(vaulted_files):
    [play] = explain(vaulted_files, "play.yml", *PASSWORD)
    assert play["rules"][0]["checked"] == ["h1", "h2"]


@one_release
def test_validate_decrypts_policies(vaulted_files):
    assert vaulted_files.run("ansible-precheck", "validate", *PASSWORD).rc == 0
    run = vaulted_files.run("ansible-precheck", "validate")
    assert (run.rc, "no vault secrets" in run.stdout) == (1, True)


@one_release
@pytest.mark.parametrize("command", ["explain play.yml", "rules h1", "validate"])
def test_a_project_without_the_collection_is_an_error(project, command):
    small(project)
    config = "[defaults]\ninventory = inventory.json\ncollections_path = nowhere\n"
    project.write("ansible.cfg", config)
    run = project.run("ansible-precheck", *command.split())
    assert run.rc == 1
    message = "ansible-core does not find the collection precheck.guard"
    assert message in on_one_line(run.stderr)


DOCUMENT = (REPOSITORY / "docs/explain.md").read_text()
DEPLOY = """
- name: Initialise nodes
  hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.debug: }]
- import_playbook: pgsql.yml
"""
PGSQL = """
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.meta: end_host
      when: pg_cluster is not defined
    - ansible.builtin.debug:


- name: Tune PostgreSQL
  hosts: pg-*
  gather_facts: false
  tasks: [{ansible.builtin.debug: }]
"""
POLICY = """
rules:
  - name: pigsty-node
    plays: [{playbook: "pgsql*.yml"}]
    checks:
      - path: /etc/pki/ca.crt
      - command: sudo -n true
        become: true
  - name: tuned
    plays: [{play: "Tune *"}]
    when: pg_role != 'offline'
    checks: [{name: profile, command: test -s /etc/tuned/active_profile}]
    severity: warn
"""
DRAFT = """
rules:
  - name: tuned
    plays: [{playbok: "*"}]
    checks:
      - path: /etc/tuned
        mode: 0755
"""


@one_release
def test_the_document_shows_what_explain_and_validate_print(project):
    project.configure("callback")
    roles = {"infra-1": "", "pg-1": "primary", "pg-2": "replica", "pg-3": "offline"}
    in_cluster = {name: {"pg_cluster": "pg", "pg_role": role} for name, role in roles.items()}
    project.inventory(in_cluster | {"infra-1": {}})
    files = {"deploy": DEPLOY, "pgsql": PGSQL, "precheck": POLICY, "draft": DRAFT}
    for name, text in files.items():
        project.write(f"{name}.yml", text.removeprefix("\n"))
    of_others = DOCUMENT.split("\n## Rules of hosts\n")[1].split("\n## ")[0]
    document = DOCUMENT.replace(of_others, "")
    shown = re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```", document)
    assert len(shown) == 3
    for line, output in shown:
        command, _pipe, program = line.partition(" | ")
        if program:
            [rules] = re.findall(r"jq -c '(.*)'", program)
            assert rules == ".plays[].rules[] | [.name, .checked]"
            plays = explain(project, *command.split()[2:-2])
            pairs = [[rule["name"], rule["checked"]] for play in plays for rule in play["rules"]]
            assert [json.loads(line) for line in output.splitlines()] == pairs
            assert " " not in output  # as jq -c prints it
        elif command.startswith("ansible-precheck"):
            run = project.run(*command.split())
            # Where lines are folded depends on the length of the path.
            printed = run.stdout.replace(str(project.directory), "/srv/pigsty")
            assert printed.split() == output.split()
