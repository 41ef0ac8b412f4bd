# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-precheck explain tells what the guard does, and why."""

from __future__ import annotations

import json
import re

import pytest

from support.commands import REPOSITORY
from support.project import PRECHECK

# After the name of each play: the hosts that are asked before it.
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

- name: "pair: one"                   # h1
  hosts: h1
  tasks: [{ansible.builtin.debug: }]

- name: "pair: ended by the first"    #
  hosts: h1,h2
  tasks:
    - meta: end_play
      when: inventory_hostname == 'h1'
    - ansible.builtin.debug:

- name: "pair: not by the second"     # h2
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
    """A project with a rule for each play. The plays of the pair have one together, and one has none."""
    names = {
        name.split(":")[0]: "cluster is defined" if name == "cluster" else True
        for name, _hosts in EXPECTED
    }
    del names["covered by nothing"]
    rules = [
        {"name": name, "plays": [{"play": f"{name}*"}], "when": when, "checks": [{"that": True}]}
        for name, when in names.items()
    ]
    project.configure("callback", "gathering = explicit")
    project.inventory(
        {
            name: {"ansible_connection": "local"} | ({"cluster": "a"} if name != "h3" else {})
            for name in ("h1", "h2", "h3")
        }
    )
    project.write("precheck.yml", json.dumps({"rules": rules}))
    project.write("site.yml", SITE)
    project.write("imported.yml", IMPORTED)
    project.write("roles/db/tasks/main.yml", "- ansible.builtin.debug:\n")
    return project


def asked(run):
    """Return the names of a run's plays, and the hosts that were asked before each."""
    plays = []
    for line in run.stdout.splitlines():
        if found := re.match(r"PLAY \[(.*)\]", line):
            if not plays or plays[-1][0] != found[1]:  # else a batch of the same play
                plays.append((found[1], []))
        elif found := re.match(r"[A-Z ]+ (?:\[(.*)\])?", line):
            is_check = (found[1] or "").startswith("Precheck ")
        elif (found := re.match(r"ok: \[(\w+)\]", line)) and is_check:
            plays[-1][1].append(found[1])
    return [(name, sorted(hosts)) for name, hosts in plays]


def explain(project, *arguments):
    """Return the explanation of playbooks: their plays."""
    run = project.run("ansible-precheck", "explain", *arguments, "--format", "json")
    assert run.rc == 0, run.output
    return json.loads(run.stdout)["plays"]


def told(plays):
    """Return the names of explained plays, and the hosts that would be asked before each."""
    return [
        (play["name"], sorted({host for rule in play["rules"] for host in rule["asked"]}))
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
def test_it_tells_what_a_run_does(site, arguments):
    run = site.run(*arguments.split())
    assert run.rc == 0, run.output
    assert told(explain(site, *arguments.split())) == asked(run)


def test_the_reasons(site):
    plays = explain(site, "site.yml")
    assert told(plays) == EXPECTED
    lines = {play["name"]: play["line"] for play in plays}

    def at(name, line):
        """Return the place of a line of a play, of which the first is 0."""
        return f"{site.directory}/site.yml:{lines[name] + line}"

    all_hosts, h1 = ("h1", "h2", "h3"), "inventory_hostname == 'h1'"
    left_out = {
        play["name"]: rule["left_out"]
        for play in plays
        for rule in play["rules"]
        if rule["left_out"]
    }
    assert left_out == {
        "cluster": {"h3": "the rule is only for hosts with cluster is defined"},
        "hosts ended": {"h3": f"end_host at {at('hosts ended', 4)}, when cluster is not defined"},
        "ended by the first": dict.fromkeys(
            all_hosts, f"end_play at {at('ended by the first', 3)}, when {h1}"
        ),
        "opted out": dict.fromkeys(all_hosts, "the play is tagged no_precheck"),
        "pair: ended by the first": dict.fromkeys(
            ("h1", "h2"), f"end_play at {at('pair: ended by the first', 3)}, when {h1}"
        ),
        "pair: not by the second": {
            "h1": f'asked already, before play "pair: one" ({at("pair: one", 0)})'
        },
        "nothing to do": dict.fromkeys(all_hosts, "it has no task to run"),
        "imported": {"h2": "imported only when inventory_hostname != 'h2'"},
    }
    unsure = {
        play["name"]: rule["unsure"] for play in plays for rule in play["rules"] if rule["unsure"]
    }
    condition = "not (ansible_facts.gather_subset | default(false))"
    assert unsure == {
        "facts": {"h1": f"end_host at {at('facts', 5)}, when {condition}: may depend on facts"}
    }
    assert [play["name"] for play in plays if not play["hosts"]] == ["nobody"]
    assert [play["name"] for play in plays if not play["rules"]] == ["nobody", "covered by nothing"]
    assert {play["not_guarded"] for play in plays} == {""}


def test_reasons_that_options_bring(site):
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


def small(
    project,
    policy='rules: [{name: all, plays: [{play: "*"}], checks: [{that: true}]}]',
    entry_point="callback",
    keywords="",
):
    """Give the project a playbook of one play on h1 and h2, and a policy."""
    project.configure(entry_point)
    project.local_hosts(missing="h1 h2")
    project.write("precheck.yml", policy)
    project.write(
        "play.yml",
        f"- hosts: all\n  gather_facts: false\n  tasks: [{{ansible.builtin.debug: }}]\n{keywords}",
    )


@one_release
def test_what_ends_the_run_with_an_error(project):
    when = (
        'rules: [{name: all, plays: [{play: "*"}], when: cluster == "a", checks: [{that: true}]}]'
    )
    small(project, when, keywords="- import_playbook: play2.yml\n")
    project.write(
        "play2.yml",
        (project.directory / "play.yml").read_text().replace("- import_playbook: play2.yml\n", ""),
    )
    [one, two] = explain(project, "play.yml", "-l", "h1")
    assert one["rules"][0]["errors"] == {
        "h1": "the rule's when, cluster == \"a\": 'cluster' is undefined"
    }
    assert two["rules"][0]["errors"]["h1"].endswith(
        "'cluster' is undefined, unless an earlier play sees to that"
    )
    small(
        project,
        'rules: [{name: all, plays: [{play: "*"}], checks: [{that: true}], mandatory: true}]',
    )
    [play] = explain(project, "play.yml", "--skip-tags", "precheck")
    assert play["rules"][0]["errors"] == dict.fromkeys(
        ["h1", "h2"], "--skip-tags precheck, but the rule is mandatory"
    )
    assert play["rules"][0]["asked"] == []


@one_release
def test_checks_that_are_made_once_for_the_play(project):
    when = "when: inventory_hostname == 'h1'"
    small(
        project,
        f'rules: [{{name: all, plays: [{{play: "*"}}], {when}, checks: [{{that: false, once:'
        " true}]}]",
    )
    [play] = explain(project, "play.yml")
    [rule] = play["rules"]
    assert (rule["asked"], rule["once_for"], list(rule["left_out"])) == ([], ["h1"], ["h2"])
    assert "Rule all: the play is not ready for 1 host.\n" in project.run("play.yml").stderr


@one_release
def test_a_condition_on_facts_of_earlier_plays_is_open(project):
    rule = (
        '{{name: {}, plays: [{{play: "*"}}], when: ansible_facts.system is undefined,'
        " checks: [{{that: true}}{}]}}"
    )
    small(
        project,
        f"rules: [{rule.format('all', '')}, {rule.format('once', ', {that: true, once: true}')}]",
        keywords="  tags: a\n",
    )
    [first, second] = explain(project, "play.yml", "play.yml", "-l", "h1")
    assert [rule["unsure"] for rule in first["rules"]] == [
        {},
        {},
    ]  # as the guard, which finds that none are gathered
    reason = "the rule's when may depend on facts: ansible_facts.system is undefined"
    assert [rule["unsure"] for rule in second["rules"]] == [{}, {"h1": reason}]
    assert [rule["once_for"] for rule in second["rules"]] == [[], ["h1"]]
    assert [list(rule["left_out"]) for rule in second["rules"]] == [["h1"], ["h1"]]


@one_release
def test_what_the_guard_is_not_on(project):
    small(project, entry_point="strategy", keywords="  strategy: free\n")
    [play] = explain(project, "play.yml")
    assert (
        play["not_guarded"]
        == "its strategy is free, and the callback precheck.guard.enforce is not enabled"
    )
    assert play["rules"][0]["asked"] == ["h1", "h2"]
    run = project.run("ansible-precheck", "explain", "play.yml")
    assert "\n  not guarded: its strategy is free, " in run.stdout
    small(project, entry_point="strategy")
    assert explain(project, "play.yml")[0]["not_guarded"] == ""


@one_release
def test_an_audit(project):
    project.configure("strategy")
    project.local_hosts("h1")
    [play] = explain(project, "precheck.guard.audit")
    assert play["not_guarded"] == "it is an audit, which asks its hosts by all rules of the policy"


def test_no_connection_no_callback_no_strategy_and_no_password_is_needed(project):
    small(project)
    project.configure(
        "callback", "stdout_callback = nowhere\nbecome_ask_pass = true\nask_pass = true"
    )
    [play] = explain(
        project,
        "play.yml",
        "-e",
        "ansible_connection=nowhere",
        "-K",
        "-b",
        "--step",
        "-C",
        "-f",
        "3",
    )
    assert play["rules"][0]["asked"] == ["h1", "h2"]


def test_messages_are_not_on_stdout(project):
    prompt = "  vars_prompt: [{name: answer, prompt: Which, private: false}]\n"
    small(project, keywords=prompt)
    run = project.run("ansible-precheck", "explain", "play.yml", "--format", "json", "-vvv")
    assert json.loads(run.stdout)["policy"] == {
        "files": [f"{project.directory}/precheck.yml"],
        "origin": "beside ansible.cfg",
    }
    assert "ansible.cfg as config file" in run.stderr


@pytest.mark.parametrize(
    "arguments", ["nowhere.yml", "broken.yml", "play.yml -l nowhere", "play.yml --forks 0"]
)
@one_release
def test_what_ansible_playbook_refuses_is_refused_in_its_words(project, arguments):
    small(project)
    project.write("broken.yml", "- hosts: all\n  tusks: []\n")
    run = project.run(*arguments.split())
    same = project.run("ansible-precheck", "explain", *arguments.split())
    assert run.rc != 0
    assert same.rc == run.rc
    assert same.stdout == ""
    own_words = [line for line in run.stderr.splitlines() if "rror" in line or "ERROR" in line]
    assert own_words[-1].rpartition("ansible-playbook")[2] in same.stderr


@one_release
def test_options_that_make_ansible_playbook_list_things_are_refused(project):
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


def test_policies_that_are_wrong(project):
    small(project, BROKEN)
    project.write("other.yml", BROKEN.replace("playbok", "playbook").replace(", mode: 0644", ""))
    project.write("third.yml", "rules: [{name: a, plays: [{play: x}], checks: [{that: true}]}]")
    directory = project.directory
    problems = [
        (
            f"{directory}/precheck.yml",
            4,
            "rule a: an entry of plays: unknown key 'playbok': expected playbook, play, role, tag",
        ),
        (
            f"{directory}/precheck.yml",
            4,
            "rule a: an entry of plays: expected one of playbook, play, role, tag",
        ),
        (
            f"{directory}/precheck.yml",
            5,
            'rule a: mode: expected an octal number in quotes, as in "0644", not a number',
        ),
    ]
    lines = "".join(f"{path}:{line}: {text}\n" for path, line, text in problems)
    run = project.run("play.yml")
    same = project.run("ansible-precheck", "explain", "play.yml")
    assert (same.rc, same.stdout, same.stderr) == (1, "", run.stderr)
    run = project.run("ansible-precheck", "validate")
    assert (run.rc, run.stdout, run.stderr) == (1, lines, "")
    files = ["precheck.yml", "other.yml", "third.yml", "gone.yml"]
    run = project.run("ansible-precheck", "validate", "--format", "json", "-v", *files)
    assert run.rc == 1
    told = [(one["path"], one["line"], one["message"]) for one in json.loads(run.stdout)]
    assert told == [
        *problems,
        (
            f"{directory}/third.yml",
            1,
            f"rule a: there is a rule of this name at {directory}/other.yml:3",
        ),
        (f"{directory}/gone.yml", None, "there is no such file"),
    ]


def test_policies_that_are_right(project):
    small(project)
    run = project.run("ansible-precheck", "validate")
    assert (run.rc, run.stdout, run.stderr) == (
        0,
        f"{project.directory}/precheck.yml: nothing is wrong\n",
        "",
    )
    run = project.run("ansible-precheck", "validate", "--format", "json")
    assert (run.rc, json.loads(run.stdout)) == (0, [])


@one_release
def test_where_a_policy_that_is_validated_finds_files_and_modules(project):
    policy = (
        'rules: [{name: a, plays: [{play: "*"}], checks: [{path: /x, same_as: ca.crt},'
        " {task: {own_module: {}}}]}]"
    )
    small(project, policy)
    project.write("playbooks/files/ca.crt", "x")
    project.write("playbooks/library/own_module.py", "")
    run = project.run("ansible-precheck", "validate")
    assert run.rc == 1
    assert (
        f"same_as: there is no file ca.crt on the control node, looked for in {project.directory}\n"
        in run.stdout
    )
    assert "own_module" in run.stdout
    assert project.run("ansible-precheck", "validate", "--playbook-dir", "playbooks").rc == 0


@one_release
def test_vaulted_policies_and_variables(project):
    small(
        project,
        'rules: [{name: a, plays: [{play: "*"}], when: secret == "x", checks: [{that: true}]}]',
    )
    project.write("password", "correct\n")
    project.write("group_vars/all.yml", "secret: x\n")
    for name in ("precheck.yml", "group_vars/all.yml"):
        assert (
            project.run("ansible-vault", "encrypt", "--vault-password-file", "password", name).rc
            == 0
        )
    [play] = explain(project, "play.yml", "--vault-password-file", "password")
    assert play["rules"][0]["asked"] == ["h1", "h2"]
    assert project.run("ansible-precheck", "validate", "--vault-password-file", "password").rc == 0
    run = project.run("ansible-precheck", "validate")
    assert (run.rc, "no vault secrets" in run.stdout) == (1, True)


@one_release
def test_a_project_without_the_collection_is_told_so(project):
    small(project)
    project.write(
        "ansible.cfg", "[defaults]\ninventory = inventory.json\ncollections_path = nowhere\n"
    )
    for arguments in ("explain play.yml", "validate"):
        run = project.run("ansible-precheck", *arguments.split())
        assert run.rc == 1
        assert "ansible-core does not find the collection precheck.guard" in " ".join(
            run.stderr.split()
        )


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
def test_the_manual_shows_what_is_printed(project):
    project.configure("callback")
    roles = {"infra-1": "", "pg-1": "primary", "pg-2": "replica", "pg-3": "offline"}
    project.inventory(
        {
            name: {"pg_cluster": "pg", "pg_role": role} if role else {}
            for name, role in roles.items()
        }
    )
    for name, text in {
        "deploy.yml": DEPLOY,
        "pgsql.yml": PGSQL,
        "precheck.yml": POLICY,
        "draft.yml": DRAFT,
    }.items():
        project.write(name, text.removeprefix("\n"))
    shown = re.findall(r"```console\n\$ (.*)\n((?:.*\n)*?)```", DOCUMENT)
    assert len(shown) == 4
    for line, output in shown:
        command, _pipe, program = line.partition(" | ")
        if program:
            [rules] = re.findall(r"jq -c '(.*)'", program)
            assert rules == ".plays[].rules[] | [.name, .asked]"
            plays = explain(project, *command.split()[2:-2])
            assert output == "".join(
                json.dumps([rule["name"], rule["asked"]], separators=(",", ":")) + "\n"
                for play in plays
                for rule in play["rules"]
            )
        elif command.startswith("ansible-precheck"):
            run = project.run(*command.split())
            # Where lines are folded depends on the length of the path.
            assert (
                run.stdout.replace(str(project.directory), "/srv/pigsty").split() == output.split()
            )
    assert f"`{PRECHECK.relative_to(REPOSITORY)}`" in DOCUMENT
