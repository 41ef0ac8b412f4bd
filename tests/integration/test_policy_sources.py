# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where policies come from, which of them is taken, and what becomes of those that cannot be read."""

from __future__ import annotations

import os

import pytest

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
    """Give the project a playbook, and policies that each have one rule: policies/NAME.yml with the rule NAME."""
    project.local_hosts(missing="h1")
    project.write("site.yml", PLAY)
    for name in names:
        project.write(f"policies/{name}.yml", POLICY.format(name=name))


def enforced(run):
    """Return the names of the rules by which a run that went through checked its hosts: "a b"."""
    assert run.rc == 0, run.output
    head = "TASK [Precheck "
    return " ".join(line[len(head) : line.index("]")] for line in run.stdout.splitlines() if line.startswith(head))


def assert_refused(run, *problems):
    """The run ended before it did anything, with an error that has these lines and no others."""
    assert run.rc not in (0, 2)
    assert "TASK [" not in run.stdout
    text = " ".join(run.stderr.split())  # ansible-core before 2.19 wraps its errors
    assert "Precheck cannot use its policy, so nothing was run: " in text
    assert text.endswith("so nothing was run: " + " ".join(problems)), text


@pytest.mark.claims(
    "Variables of plays, of the inventory and of hosts cannot name a policy or a report.",
    "Extra variables can.",
    "who runs a playbook | another policy: `-e precheck_policy=...`, `ANSIBLE_PRECHECK_POLICY` |"
    " with `-v`, each run names its policies",
)
def test_each_source_outranks_those_below_it(guarded):
    names = ("extra", "environment", "config", "beside", "variable")
    project_with_policies(guarded, *names)
    guarded.write("precheck.yml", POLICY.format(name="beside"))
    guarded.write("site.yml", PLAY + "  vars: {precheck_policy: policies/variable.yml}\n")
    guarded.write("group_vars/all.yml", "precheck_policy: policies/variable.yml\n")
    folder, environment = guarded.folder, {"ANSIBLE_PRECHECK_POLICY": "policies/environment.yml"}

    guarded.configure(guarded.door, "[precheck]\npolicy = policies/config.yml")
    run = guarded.run("site.yml", "-v", "-e", "precheck_policy=policies/extra.yml", env=environment)
    assert enforced(run) == "extra"
    assert f"Precheck: policy {folder}/policies/extra.yml (var: precheck_policy)\n" in run.stdout
    run = guarded.run("site.yml", "-v", env=environment)
    assert enforced(run) == "environment"
    assert f"Precheck: policy {folder}/policies/environment.yml (env: ANSIBLE_PRECHECK_POLICY)\n" in run.stdout
    run = guarded.run("site.yml", "-v")
    assert enforced(run) == "config"
    assert f"Precheck: policy {folder}/policies/config.yml ({folder}/ansible.cfg)\n" in run.stdout

    guarded.configure(guarded.door)
    run = guarded.run("site.yml", "-v")
    assert enforced(run) == "beside"
    assert f"Precheck: policy {folder}/precheck.yml (beside ansible.cfg)\n" in run.stdout
    (folder / "precheck.yml").unlink()
    run = guarded.run("site.yml", "-v")
    assert enforced(run) == ""
    assert "/plugins/plugin_utils/built_in.yml (built in)\n" in run.stdout


def test_which_was_taken_is_told_once_and_with_v_only(project):
    project.configure("callback")
    project_with_policies(project)
    project.local_hosts(ready="h2 h3")
    project.write("precheck.yml", POLICY.format(name="beside"))
    project.write("site.yml", PLAY + "  serial: 1\n" + PLAY)
    assert project.run("site.yml", "-v").stdout.count("Precheck: policy ") == 1
    assert "Precheck: " not in project.run("site.yml").output


@pytest.mark.one_release
@pytest.mark.parametrize(
    "value",
    ["@more.yml", '{"precheck_policy": ["policies/a.yml", "policies/b.yml"]}', "precheck_policy=policies/a.yml,policies/b.yml"],
)
def test_extra_variables_of_any_form(project, value):
    project.configure("callback", "[precheck]\npolicy = policies/nothing.yml")
    project_with_policies(project, "a", "b")
    project.write("more.yml", "precheck_policy: [policies/a.yml, policies/b.yml]\n")
    assert enforced(project.run("site.yml", "-e", value)) == "a b"


@pytest.mark.claims(
    "Precheck looks for a policy beside `ansible.cfg` and where the configuration says, but not in"
    " the current directory and not beside a playbook or the inventory."
)
def test_what_a_relative_path_is_relative_to(project):
    project.configure("callback", "[precheck]\npolicy = policies/config.yml")
    project_with_policies(project, "config")
    project.write("elsewhere/here.yml", POLICY.format(name="here"))
    project.write("elsewhere/policies/config.yml", POLICY.format(name="wrong"))
    project.write("elsewhere/precheck.yml", POLICY.format(name="wrong"))
    assert enforced(project.run("../site.yml", cwd="elsewhere")) == "config"
    assert enforced(project.run("../site.yml", "-e", "precheck_policy=here.yml", cwd="elsewhere")) == "here"
    assert enforced(project.run("../site.yml", env={"ANSIBLE_PRECHECK_POLICY": "here.yml"}, cwd="elsewhere")) == "here"
    project.configure("callback")
    project.write("precheck.yml", POLICY.format(name="beside"))
    assert enforced(project.run("../site.yml", cwd="elsewhere")) == "beside"


@pytest.mark.claims(
    "Precheck looks for a policy beside `ansible.cfg` and where the configuration says, but not in"
    " the current directory and not beside a playbook or the inventory."
)
@pytest.mark.one_release
def test_without_a_configuration_file_precheck_yml_is_not_looked_for(project):
    project_with_policies(project)
    project.write("elsewhere/precheck.yml", POLICY.format(name="wrong"))
    environment = {
        "ANSIBLE_CONFIG": str(project.folder / "nothing.cfg"),
        "HOME": str(project.folder),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(
            line.partition(" = ")[2]
            for line in (project.folder / "ansible.cfg").read_text().splitlines()
            if "collections_path" in line
        ),
        "ANSIBLE_CALLBACKS_ENABLED": "precheck.guard.enforce",
    }
    run = project.run("../site.yml", "-v", "-i", "../inventory.json", env=environment, cwd="elsewhere")
    assert enforced(run) == ""
    assert "built_in.yml (built in)\n" in run.stdout


def test_a_file_that_does_not_exist_is_an_error(project):
    project_with_policies(project, "a")
    folder = project.folder
    project.configure("callback", "[precheck]\npolicy = policies/gone.yml")
    assert_refused(project.run("site.yml"), f"{folder}/policies/gone.yml: there is no such file")
    run = project.run("site.yml", env={"ANSIBLE_PRECHECK_POLICY": "policies/a.yml,gone.yml"})
    assert_refused(run, f"{folder}/gone.yml: there is no such file")
    run = project.run("site.yml", "-e", "precheck_policy=policies")
    assert_refused(run, f"{folder}/policies: is not a file (is the option that names it empty?)")


WRONG = {  # the option's value, and what is told
    "a number": ('{"precheck_policy": 3}', "pathlist"),
    "a mapping": ('{"precheck_policy": {"a.yml": 3}}', "pathlist"),
    "a template": ("precheck_policy={{ inventory_dir }}/policies/a.yml", "there is no such file"),
    "nothing": ("precheck_policy=", "is not a file"),
}


@pytest.mark.parametrize(("value", "told"), WRONG.values(), ids=WRONG)
def test_a_value_that_cannot_be_used_is_an_error(project, value, told):
    """ansible-core goes on without a callback whose options are wrong: the plays must not."""
    project.configure("callback")
    project_with_policies(project, "a")
    run = project.run("site.yml", "-e", value)
    assert run.rc not in (0, 2)
    assert "TASK [" not in run.stdout
    text = " ".join(run.stderr.split())
    assert "Precheck cannot use its policy, so nothing was run: " in text
    assert told in text


def test_the_rules_of_several_files_add_up(project):
    project.configure("callback", "[precheck]\npolicy = policies/a.yml, policies/b.yml, policies/c.yml, ./policies/a.yml")
    project_with_policies(project, "a", "b", "c")
    assert enforced(project.run("site.yml")) == "a b c"  # the file that is listed twice counts once

    folder, twice = project.folder, POLICY.format(name="a")
    project.write("policies/b.yml", twice)
    assert_refused(
        project.run("site.yml"), f"{folder}/policies/b.yml:3: rule a: there is a rule of this name at {folder}/policies/a.yml:3"
    )

    project.write("policies/b.yml", twice + "    sevrity: warn\n")
    project.write("policies/c.yml", twice.replace("true", "[}"))
    run = project.run("site.yml")
    assert run.rc not in (0, 2)
    assert "TASK [" not in run.stdout
    text = " ".join(run.stderr.split())
    assert f"{folder}/policies/b.yml:6: rule a: a rule: unknown key 'sevrity'" in text
    assert f"{folder}/policies/c.yml:5: not valid YAML" in text


def test_a_policy_may_be_a_link_and_a_broken_one_is_an_error(project):
    project.configure("callback")
    project_with_policies(project, "a")
    (project.folder / "precheck.yml").symlink_to("policies/a.yml")
    run = project.run("site.yml", "-v")
    assert enforced(run) == "a"
    assert f"Precheck: policy {project.folder}/precheck.yml (beside ansible.cfg)\n" in run.stdout
    (project.folder / "policies/a.yml").unlink()
    assert_refused(project.run("site.yml"), f"{project.folder}/precheck.yml: there is no such file")


def test_a_vaulted_policy_needs_its_password(project):
    project.configure("callback")
    project_with_policies(project)
    project.write("precheck.yml", POLICY.format(name="secret"))
    project.write("password", "correct\n")
    project.write("wrong", "wrong\n")
    assert project.run("ansible-vault", "encrypt", "--vault-password-file", "password", "precheck.yml").rc == 0
    assert (project.folder / "precheck.yml").read_text().startswith("$ANSIBLE_VAULT")
    assert enforced(project.run("site.yml", "--vault-password-file", "password")) == "secret"
    for options, told in (((), "no vault secrets"), (("--vault-password-file", "wrong"), "Decryption failed")):
        run = project.run("site.yml", *options)
        assert run.rc not in (0, 2)
        assert "TASK [" not in run.stdout
        text = " ".join(run.stderr.split())
        assert f"Precheck cannot use its policy, so nothing was run: {project.folder}/precheck.yml: " in text
        assert told in text


def test_the_manual_page_has_the_option(project):
    run = project.run("ansible-doc", "-t", "callback", "precheck.guard.enforce", "--json")
    assert run.rc == 0
    page = " ".join(run.stdout.split())
    for words in ('"env": [ { "name": "ANSIBLE_PRECHECK_POLICY" } ]', '"vars": [ { "name": "precheck_policy" } ]'):
        assert words in page
    assert '"key": "policy", "section": "precheck"' in page
