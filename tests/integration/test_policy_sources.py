# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where policies come from, which of them the guard uses, and those that it cannot read."""

from __future__ import annotations

import re

import pytest

from support.commands import REPOSITORY
from support.corpus import vaulted
from support.output import (
    UNUSABLE_POLICY,
    UNUSABLE_SETTINGS,
    assert_refused,
    is_printed,
    on_one_line,
    squeezed,
)
from support.policies import policy, rule
from support.project import LOCAL_HOST

PLAY = """
- name: Site
  hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.debug: {msg: reached}}]
"""

POLICY = """
rules:
  - name: {name}
    plays: [{{playbook: site.yml}}]
    checks: [{{that: true}}]
"""


def project_with_policies(project, *names):
    """Give the project a playbook and policies: policies/NAME.yml has one rule, NAME."""
    project.local_hosts(missing="h1")
    project.write("site.yml", PLAY)
    for name in names:
        project.write(f"policies/{name}.yml", POLICY.format(name=name))


def enforced(run):
    """Return the names of the rules by which a successful run checked its hosts: "a b"."""
    assert run.rc == 0, run.output
    head = "TASK [Precheck "
    return " ".join(
        line[len(head) : line.index("]")]
        for line in run.stdout.splitlines()
        if line.startswith(head)
    )


def assert_policy_refused(run, *problems):
    """Assert that the run ended before any task because of its policy: of these problems alone."""
    assert_refused(run, UNUSABLE_POLICY)
    assert squeezed(run.stderr).endswith(squeezed(UNUSABLE_POLICY + "".join(problems))), run.stderr


# From the one that takes precedence over all others, and what -v prints of it.
SOURCES = {
    "extra": "{directory}/policies/extra.yml (var: precheck_policy)",
    "environment": "{directory}/policies/environment.yml (env: ANSIBLE_PRECHECK_POLICY)",
    "config": "{directory}/policies/config.yml ({directory}/ansible.cfg)",
    "beside": "{directory}/precheck.yml (beside ansible.cfg)",
    "": "/policy/builtin.yml (built in)",
}


@pytest.mark.claims(
    "Variables of plays, of the inventory and of hosts cannot name a policy or a report.",
    "Extra variables can.",
    "who runs a playbook | another policy: `-e precheck_policy=...`, `ANSIBLE_PRECHECK_POLICY` |"
    " each run names it on stderr; rules of `ansible.cfg` with `waiver: forbidden` stay in force",
)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source or "built in")
def test_each_source_takes_precedence_over_those_below_it(guarded, source):
    present = list(SOURCES)[list(SOURCES).index(source) :]
    project_with_policies(guarded, *present[:-1], "variable")
    guarded.write("site.yml", PLAY + "  vars: {precheck_policy: policies/variable.yml}\n")
    guarded.write("group_vars/all.yml", "precheck_policy: policies/variable.yml\n")
    if "beside" in present:
        guarded.write("precheck.yml", POLICY.format(name="beside"))
    if "config" in present:
        guarded.configure(guarded.entry_point, "[precheck]\npolicy = policies/config.yml")
    extra = ("-e", "precheck_policy=policies/extra.yml") if "extra" in present else ()
    env = {"ANSIBLE_PRECHECK_POLICY": "policies/environment.yml"}
    run = guarded.run("site.yml", "-v", *extra, env=env if "environment" in present else {})
    assert enforced(run) == source
    is_replacement = source in ("extra", "environment")
    printed = run.stderr if is_replacement else run.stdout
    assert run.output.count("Precheck: policy ") == 1
    [used] = [line for line in printed.splitlines() if line.startswith("Precheck: policy ")]
    assert used.endswith(SOURCES[source].format(directory=guarded.directory))


def test_the_policy_in_use_is_printed_once_and_only_with_v(project):
    project.configure("callback")
    project_with_policies(project)
    project.local_hosts(ready="h2 h3")
    project.write("precheck.yml", POLICY.format(name="beside"))
    project.write("site.yml", PLAY + "  serial: 1\n" + PLAY)
    assert project.run("site.yml", "-v").stdout.count("Precheck: policy ") == 1
    assert "Precheck: " not in project.run("site.yml").output


EXTRA_VARIABLES = {
    "file": "@more.yml",
    "JSON": '{"precheck_policy": ["policies/a.yml", "policies/b.yml"]}',
    "key and value": "precheck_policy=policies/a.yml,policies/b.yml",
}


@pytest.mark.one_release
@pytest.mark.parametrize("value", EXTRA_VARIABLES.values(), ids=EXTRA_VARIABLES)
def test_extra_variables_of_any_form_can_name_policies(project, value):
    project.configure("callback", "[precheck]\npolicy = policies/c.yml")
    project_with_policies(project, "a", "b", "c")
    project.write("more.yml", "precheck_policy: [policies/a.yml, policies/b.yml]\n")
    assert enforced(project.run("site.yml", "-e", value)) == "a b"


@pytest.mark.claims(
    "Precheck looks for a policy beside `ansible.cfg` and where the configuration says, but not in"
    " the current directory and not beside a playbook or the inventory."
)
@pytest.mark.parametrize(
    ("source", "config", "options", "env"),
    [
        ("config", "[precheck]\npolicy = policies/config.yml", (), {}),
        ("extra", "", ("-e", "precheck_policy=extra.yml"), {}),
        ("environment", "", (), {"ANSIBLE_PRECHECK_POLICY": "environment.yml"}),
        ("beside", "", (), {}),
    ],
    ids=["config", "extra", "environment", "beside"],
)
def test_relative_paths_start_from_ansible_cfg_or_from_the_current_directory(
    project, source, config, options, env
):
    """Those in ansible.cfg start from its directory, all others from the current one."""
    project.configure("callback", config)
    project_with_policies(project, "config")
    project.write("precheck.yml", POLICY.format(name="beside"))
    for name in ("policies/config", "precheck"):
        project.write(f"elsewhere/{name}.yml", POLICY.format(name="wrong"))
    for name in ("extra", "environment"):
        project.write(f"elsewhere/{name}.yml", POLICY.format(name=name))
    run = project.run("../site.yml", *options, env=env, cwd="elsewhere")
    assert enforced(run) == source


@pytest.mark.claims(
    "Precheck looks for a policy beside `ansible.cfg` and where the configuration says, but not in"
    " the current directory and not beside a playbook or the inventory."
)
@pytest.mark.one_release
def test_without_a_configuration_file_there_is_no_search_for_precheck_yml(project):
    project_with_policies(project)
    project.write("elsewhere/precheck.yml", POLICY.format(name="wrong"))
    environment = {
        "ANSIBLE_CONFIG": str(project.directory / "nothing.cfg"),
        "HOME": str(project.directory),
        "ANSIBLE_COLLECTIONS_PATH": f"{REPOSITORY}/collections",
        "ANSIBLE_CALLBACKS_ENABLED": "precheck.guard.enforce",
    }
    options = ("-v", "-i", "../inventory.json")
    run = project.run("../site.yml", *options, env=environment, cwd="elsewhere")
    assert enforced(run) == ""
    assert "policy/builtin.yml (built in)\n" in run.stdout


NO_FILES = {  # configuration, options, environment, and the problem
    "config": (
        "[precheck]\npolicy = policies/gone.yml",
        (),
        {},
        "{directory}/policies/gone.yml: there is no such file",
    ),
    "environment": (
        "",
        (),
        {"ANSIBLE_PRECHECK_POLICY": "policies/a.yml,gone.yml"},
        "{directory}/gone.yml: there is no such file",
    ),
    "directory": (
        "",
        ("-e", "precheck_policy=policies"),
        {},
        "{directory}/policies: is not a file (is the option that names it empty?)",
    ),
}


@pytest.mark.parametrize(("config", "options", "env", "problem"), NO_FILES.values(), ids=NO_FILES)
def test_a_policy_that_is_not_a_file_is_an_error(project, config, options, env, problem):
    project_with_policies(project, "a")
    project.configure("callback", config)
    run = project.run("site.yml", *options, env=env)
    assert_policy_refused(run, problem.format(directory=project.directory))


# What ansible.cfg has, the file beside it, and what is wrong.
MISSPELT = {
    "a key": (
        "[precheck]\n# note\npolicies = policies/a.yml",
        "",
        "ansible.cfg:{line}: the section [precheck] has an unknown key 'policies': did you mean"
        " policy?",
    ),
    "a key that is like no other": (
        "[precheck]\nx = 1",
        "",
        "ansible.cfg:{line}: the section [precheck] has an unknown key 'x': expected forks,"
        " metrics, policy, report, report_keep, set_stats, timeout",
    ),
    "the file beside ansible.cfg": (
        "",
        "precheck.yaml",
        "precheck.yaml: is not read, as its name is not precheck.yml: rename it",
    ),
}


@pytest.mark.parametrize(("config", "beside", "problem"), MISSPELT.values(), ids=MISSPELT)
def test_what_is_misspelt_ends_the_run(guarded, config, beside, problem):
    """Otherwise the built-in policy would be in force in the place of the one that is meant."""
    project_with_policies(guarded, "a")
    guarded.configure(guarded.entry_point, config)
    if beside:
        guarded.write(beside, POLICY.format(name="beside"))
    lines = (guarded.directory / "ansible.cfg").read_text().splitlines()
    line = lines.index(config.splitlines()[-1]) + 1 if config else 0
    problem = f"{guarded.directory}/{problem.format(line=line)}"
    run = guarded.run("site.yml")
    assert_refused(run, UNUSABLE_SETTINGS)
    assert squeezed(run.stderr).endswith(squeezed(UNUSABLE_SETTINGS + problem)), run.stderr
    # Nor does another policy help, as that may not take away what is configured.
    for command in ("ansible-playbook", "ansible-precheck explain"):
        run = guarded.run(*command.split(), "site.yml", "-e", "precheck_policy=policies/a.yml")
        assert run.rc == 1
        assert is_printed(problem, run.stderr)
    assert guarded.run("ansible-precheck", "validate").stdout == f"{problem}\n"


def test_what_is_named_or_beside_the_right_name_is_not_misspelt(guarded):
    project_with_policies(guarded, "a")
    guarded.write("precheck.yaml", POLICY.format(name="beside"))
    guarded.write("precheck.yml", POLICY.format(name="right"))
    assert enforced(guarded.run("site.yml")) == "right"
    (guarded.directory / "precheck.yml").unlink()
    guarded.configure(guarded.entry_point, "[precheck]\nPolicy = precheck.yaml\nforks = 3")
    assert enforced(guarded.run("site.yml")) == "beside"
    guarded.configure(guarded.entry_point, "[precheck]\npolicy = policies/a.yml")
    assert enforced(guarded.run("site.yml")) == "a"


NO_PATHS = (
    "the variable precheck_policy names no policy file: expected the path of a file, or a list of"
    " paths"
)
WRONG = {  # the option's value, and the error
    "a number": ('{"precheck_policy": 3}', NO_PATHS),
    "a mapping": ('{"precheck_policy": {"a.yml": 3}}', NO_PATHS),
    "true": ('{"precheck_policy": true}', NO_PATHS),
    "null": ('{"precheck_policy": null}', NO_PATHS),
    "an empty list": ('{"precheck_policy": []}', NO_PATHS),
    "a list of nothing": ('{"precheck_policy": [null]}', NO_PATHS),
    "a list with empty text": ('{"precheck_policy": ["policies/a.yml", ""]}', NO_PATHS),
    "spaces": ('{"precheck_policy": "  "}', NO_PATHS),
    "a template": ("precheck_policy={{ inventory_dir }}/policies/a.yml", "there is no such file"),
    "nothing": ("precheck_policy=", NO_PATHS),
}


@pytest.mark.parametrize(("value", "error"), WRONG.values(), ids=WRONG)
def test_a_value_that_cannot_be_used_is_an_error(guarded, value, error):
    """ansible-core continues without a callback whose options are wrong. The plays must not."""
    project_with_policies(guarded, "a")
    assert_refused(guarded.run("site.yml", "-e", value), UNUSABLE_POLICY, error)
    explained = guarded.run("ansible-precheck", "explain", "site.yml", "-e", value)
    assert explained.rc == 1
    assert is_printed(error, explained.stderr)


@pytest.mark.parametrize("value", ["", " ", ","])
def test_an_option_that_names_nothing_is_an_error(guarded, value):
    """In the environment and in ansible.cfg, it stands for the current directory."""
    project_with_policies(guarded)
    error = "is not a file (is the option that names it empty?)"
    run = guarded.run("site.yml", env={"ANSIBLE_PRECHECK_POLICY": value})
    assert_refused(run, UNUSABLE_POLICY, error)
    guarded.configure(guarded.entry_point, f"[precheck]\npolicy = {value}")
    assert_refused(guarded.run("site.yml"), UNUSABLE_POLICY, error)


@pytest.fixture
def three_policies(project):
    """A project with three policies, the first of which its configuration names twice."""
    files = "policies/a.yml, policies/b.yml, policies/c.yml, ./policies/a.yml"
    project.configure("callback", f"[precheck]\npolicy = {files}")
    project_with_policies(project, "a", "b", "c")
    return project


def test_the_rules_of_several_files_add_up(three_policies):
    run = three_policies.run("site.yml")
    assert enforced(run) == "a b c"  # the file that is listed twice counts once


def test_two_rules_of_the_same_name_are_an_error(three_policies):
    three_policies.write("policies/b.yml", POLICY.format(name="a"))
    policies = f"{three_policies.directory}/policies"
    problem = f"{policies}/b.yml:3: rule a: there is a rule of this name at {policies}/a.yml:3"
    assert_policy_refused(three_policies.run("site.yml"), problem)


def test_the_problems_of_several_files_are_in_one_error(three_policies):
    policy = POLICY.format(name="a")
    three_policies.write("policies/b.yml", policy + "    sevrity: warn\n")
    three_policies.write("policies/c.yml", policy.replace("true", "[}"))
    policies = f"{three_policies.directory}/policies"
    unknown = f"{policies}/b.yml:6: rule a: a rule: unknown key 'sevrity'"
    invalid = f"{policies}/c.yml:5: not valid YAML"
    assert_refused(three_policies.run("site.yml"), UNUSABLE_POLICY, unknown, invalid)


@pytest.fixture
def link(project):
    """A project whose precheck.yml is a link to policies/a.yml."""
    project.configure("callback")
    project_with_policies(project, "a")
    (project.directory / "precheck.yml").symlink_to("policies/a.yml")
    return project


def test_a_policy_may_be_a_link(link):
    run = link.run("site.yml", "-v")
    assert enforced(run) == "a"
    assert f"Precheck: policy {link.directory}/precheck.yml (beside ansible.cfg)\n" in run.stdout


def test_a_policy_that_is_a_dangling_link_is_an_error(link):
    (link.directory / "policies/a.yml").unlink()
    problem = f"{link.directory}/precheck.yml: there is no such file"
    assert_policy_refused(link.run("site.yml"), problem)


@pytest.fixture
def vaulted_policy(project):
    """A project with an encrypted policy, the file of its password, and one of another password."""
    project.configure("callback")
    project_with_policies(project)
    project.write("precheck.yml", vaulted(POLICY.format(name="secret")).decode())
    project.write("password", "a password\n")
    project.write("wrong", "wrong\n")
    return project


def test_a_vaulted_policy_is_decrypted_with_its_password(vaulted_policy):
    run = vaulted_policy.run("site.yml", "--vault-password-file", "password")
    assert enforced(run) == "secret"


@pytest.mark.parametrize(
    ("options", "error"),
    [((), "no vault secrets"), (("--vault-password-file", "wrong"), "Decryption failed")],
    ids=["no password", "another password"],
)
def test_a_vaulted_policy_without_its_password_is_an_error(vaulted_policy, options, error):
    run = vaulted_policy.run("site.yml", *options)
    path = f"{vaulted_policy.directory}/precheck.yml"
    assert_refused(run, f"{UNUSABLE_POLICY} {path}: ", error)


NOT_THE_SAME = "exists, but it is not this installation's: its content differs from"
SECRETS = [  # a check with a text that must not be printed, and its reason; N is its line
    ({"command": "true sesame; exit 3"}, "command at line N ended with exit status 3"),
    ({"command": ["false", "sesame"]}, "command at line N ended with exit status 1"),
    ({"that": "'sesame' == 1"}, "condition at line N does not hold"),
    ({"that": "x == 'sesame'"}, "condition at line N cannot be evaluated: 'x' is undefined"),
    ({"that": "'sesame' == 1", "once": True}, "condition at line N does not hold"),
    ({"path": "/sesame"}, "path at line N is missing"),
    ({"path": "{{ '/sesame' }}"}, "path at line N is missing"),
    ({"path": "{{ sesame }}"}, "path at line N cannot be checked: 'sesame' is undefined"),
    ({"path": "/etc", "mode": "0000"}, "path at line N has more permissions than allowed"),
    ({"path": "/etc", "owner": "sesame"}, "path at line N does not belong to the required user"),
    ({"path": "/etc", "group": "sesame"}, "path at line N does not belong to the group required"),
    (
        {"path": "/etc", "same_as": "{{ 'sesame' }}"},
        "path at line N cannot be checked: a file on the control node cannot be used",
    ),
    (
        {"path": "/etc", "same_as": "{{ playbook_dir }}/sesame.yml"},
        f"path at line N {NOT_THE_SAME} the file on the control node",
    ),
    ({"task": {"ansible.builtin.fail": {"msg": "no"}, "vars": {"a": "sesame"}}}, "no"),
    (
        {"command": "exit 4 # sesame", "name": "backup"},
        "backup: command at line N ended with exit status 4",
    ),
]


@pytest.fixture
def secrets(guarded):
    """A project with a vaulted policy that has a rule for each of SECRETS."""
    guarded.inventory({"h1": LOCAL_HOST})
    guarded.write("site.yml", PLAY)
    guarded.write("sesame.yml", "a file")
    guarded.write("password", "a password\n")
    rules = [rule(check, name=f"r{line}") for line, (check, _reason) in enumerate(SECRETS, 2)]
    guarded.write("precheck.yml", vaulted(policy(*rules)).decode())
    return guarded


@pytest.mark.claims(
    "What a vaulted policy checks is neither printed nor in a report:"
    " the lines of its checks stand for commands, paths and conditions."
)
@pytest.mark.each_release
def test_what_a_vaulted_policy_checks_is_not_printed(secrets):
    options = ("--vault-password-file", "password", "-e", "precheck_report=report.json")
    run = secrets.run("site.yml", *options)
    assert run.rc == 2
    report = (secrets.directory / "report.json").read_text()
    for line, (_check, reason) in enumerate(SECRETS, 2):
        of_rule = rf"\nRule r{line}: .*\n.* {re.escape(reason.replace('N', str(line)))}\n"
        assert re.search(of_rule, run.stderr), (reason, run.stderr)
    printed = (run.output + report).replace("'sesame' is undefined", "")
    assert "sesame" not in printed
    assert '"command at line 2"' in report and '"task at line 15"' in report
    assert "TASK [Precheck r15: task at line 15]" in run.stdout


@pytest.mark.each_release
def test_the_when_of_a_vaulted_policy_is_not_printed(secrets):
    options = ("--vault-password-file", "password")
    secrets.write("site.yml", PLAY.replace("false", "true") + PLAY)
    for when, expected in (
        ("'sesame' == 1", "the rule is only for hosts with a vaulted condition"),
        ("ansible_os == 'sesame'", "the rule's when may depend on facts: a vaulted condition"),
    ):
        secret = rule({"that": "'sesame' != 1"}, when=when)
        secrets.write("precheck.yml", vaulted(policy(secret)).decode())
        run = secrets.run("ansible-precheck", "explain", "site.yml", *options)
        assert expected in on_one_line(run.stdout), run.output
        assert "sesame" not in run.output
    run = secrets.run("site.yml", *options)
    assert is_printed("in its when, a vaulted condition: 'ansible_os' is undefined", run.stderr)
    assert "sesame" not in run.output


# From the one that takes precedence over all others: the seconds, and what the reason names.
TIMEOUTS = {
    "extra": ("1", "[precheck] timeout"),
    "environment": ("2", "[precheck] timeout"),
    "config": ("3", "[precheck] timeout"),
    "task_timeout": ("4", "task_timeout"),
}


@pytest.mark.parametrize("source", TIMEOUTS)
def test_each_timeout_takes_precedence_over_those_below_it(guarded, source):
    present = list(TIMEOUTS)[list(TIMEOUTS).index(source) :]
    project_with_policies(guarded)
    guarded.write("site.yml", PLAY + "  vars: {precheck_timeout: 5}\n")
    guarded.write("group_vars/all.yml", "precheck_timeout: 5\n")
    guarded.write("precheck.yml", policy(rule({"command": "sleep 9"})))
    config = "task_timeout = 4\n" + "[precheck]\ntimeout = 3" * ("config" in present)
    guarded.configure(guarded.entry_point, config)
    extra = ("-e", "precheck_timeout=1") if "extra" in present else ()
    env = {"ANSIBLE_PRECHECK_TIMEOUT": "2"} if "environment" in present else {}
    run = guarded.run("site.yml", *extra, env=env)
    assert run.rc == 2
    seconds, named = TIMEOUTS[source]
    reason = f"timed out: no answer within {seconds} s, the limit of {named}\n"
    assert f"  h1  unverified: {reason}" in run.stderr


@pytest.mark.each_release
@pytest.mark.parametrize("value", ["soon", "0", "-1", "1.5", "86401"])
def test_a_wrong_timeout_is_an_error(guarded, value):
    project_with_policies(guarded, "a")
    run = guarded.run("site.yml", "-e", "precheck_policy=policies/a.yml precheck_timeout=" + value)
    assert run.rc == 1
    assert run.stderr.count("ERROR") == 1
    assert is_printed("the option timeout ", run.stderr) and is_printed(value, run.stderr)
    assert "TASK" not in run.stdout


def test_the_plugin_documentation_has_the_option_policy(project):
    run = project.run("ansible-doc", "-t", "callback", "precheck.guard.enforce", "--json")
    assert run.rc == 0
    page = on_one_line(run.stdout)
    for words in (
        '"env": [ { "name": "ANSIBLE_PRECHECK_POLICY" } ]',
        '"vars": [ { "name": "precheck_policy" } ]',
    ):
        assert words in page
    assert '"key": "policy", "section": "precheck"' in page
