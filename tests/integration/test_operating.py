# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The commands in docs/getting-started.md and docs/operations.md, in a project like Pigsty."""

from __future__ import annotations

import re

import pytest

from support.commands import BIN, REPOSITORY, run_command

STARTED = (REPOSITORY / "docs/getting-started.md").read_text()
OPERATING = (REPOSITORY / "docs/operations.md").read_text()

TASK = "{ansible.builtin.raw: 'touch {{ precheck_root }}/%s'}"
FILES = {
    "pgsql.yml": (
        "- {name: PGSQL, hosts: all, gather_facts: false, roles: [{role: pgsql, tags: pgsql}]}\n"
    ),
    "pgsql-rm.yml": (
        f"- {{hosts: all, gather_facts: false, ignore_errors: true, tasks: [{TASK % 'removed'}]}}\n"
    ),
    "node.yml": f"- {{hosts: all, gather_facts: false, tasks: [{TASK % 'node'}]}}\n",
    "infra.yml": f"- {{hosts: all, gather_facts: false, tasks: [{TASK % 'infra'}]}}\n",
    "deploy.yml": f"""
- {{hosts: all, gather_facts: false, tags: node, tasks: [{TASK % "node"}]}}
- {{hosts: all, gather_facts: false, roles: [{{role: pgsql, tags: pgsql}}]}}
""",
    "roles/pgsql/tasks/main.yml": f"- {{tags: pg_install, {(TASK % 'installed')[1:]}\n",
}

# The commands in the table of getting-started.md, and their outcome: the exit status, and what was
# done on h1, which is ready.
OUTCOMES = {
    "./pgsql.yml -l pg-test": (2, ""),
    "./pgsql.yml -l pg-test -t pg_install": (2, ""),
    "./pgsql-rm.yml -l pg-test": (2, ""),
    "./deploy.yml": (2, "node"),
    "./deploy.yml -t node": (0, "node"),
    "./node.yml": (0, "node"),
    "./infra.yml": (0, "infra"),
    "bin/pgsql-add pg-test": (4, ""),
}


@pytest.fixture
def pigsty(project):
    """Two nodes in the cluster pg-test, of which h2 is not initialised."""
    project.configure("both")
    project.local_hosts(ready="h1", missing="h2")
    with project.changed_inventory() as inventory:
        inventory["children"] = {"pg-test": {"hosts": {"h1": {}, "h2": {}}}}
    (project.directory / "h2").mkdir()
    for name, text in FILES.items():
        project.write(name, f"#!{BIN}/ansible-playbook\n{text}" if "/" not in name else text)
    script = '#!/bin/sh\ncd "$(dirname "$0")/.."\n./pgsql.yml -l "$1" || exit 4\n'
    project.script("bin/pgsql-add", script)
    project.write("files/pki/ca/ca.crt", "")
    for path in project.directory.glob("*.yml"):
        path.chmod(0o755)
    return project


def run(project, command, **env):
    """Run a command in the project's directory, as an operator would."""
    return run_command(command.split(), project.directory, **env)


@pytest.mark.one_release
def test_the_table_of_commands_is_that_of_these_tests():
    rows = re.findall(r"^\| (`.*?) \| ", STARTED, re.MULTILINE)
    assert [command for row in rows for command in re.findall(r"`(.+?)`", row)] == list(OUTCOMES)


@pytest.mark.one_release
@pytest.mark.parametrize("command", OUTCOMES)
def test_the_outcome_of_a_command_in_the_table(pigsty, command):
    rc, done = OUTCOMES[command]
    assert run(pigsty, command).rc == rc
    left = [path.name for path in (pigsty.directory / "h1").iterdir() if path.name != "etc"]
    assert " ".join(left) == done


@pytest.mark.one_release
def test_the_commands_to_check_alone_and_to_run_unchecked(pigsty):
    check, skip = re.findall(r"^\$ (ansible-playbook .*)$", STARTED, re.MULTILINE)
    assert check == "ansible-playbook pgsql.yml --tags precheck"
    assert skip == "ansible-playbook pgsql.yml -e precheck_waive=pigsty-node"
    checked, unchecked = (pigsty.run(*command.split()) for command in (check, skip))
    assert checked.rc == 2
    assert "TASK [Precheck pigsty-node]" in checked.stdout
    assert unchecked.rc == 0
    assert "Precheck waived" in unchecked.stderr


@pytest.mark.one_release
def test_the_procedure_works_by_hand_and_as_a_step_of_a_script(pigsty):
    [script] = re.findall(r"^```sh\n(.*?)```", OPERATING, re.DOTALL | re.MULTILINE)
    [by_hand] = re.findall(r"`(ansible-playbook .+ --tags precheck)`", OPERATING)
    assert by_hand == "ansible-playbook pgsql.yml -l pg-test --tags precheck"
    pigsty.script("step", f"#!/bin/sh\ncluster=pg-test\n{script}")
    for command in (by_hand, "./step"):
        stopped = run(pigsty, command)
        assert stopped.rc == 2
        assert "    ./node.yml -l h2\n" in "".join(stopped.stderr.splitlines(keepends=True)[-6:])
        assert stopped.stdout.count("TASK [") == stopped.stdout.count("TASK [Precheck") == 1
        assert not (pigsty.directory / "h1/installed").exists()
    pigsty.write("h2/etc/pki/ca.crt", "a certificate\n")
    done = run(pigsty, "./step")
    assert done.rc == 0
    assert done.stdout.count("TASK [Precheck") == 2
    assert (pigsty.directory / "h1/installed").exists()


@pytest.mark.one_release
def test_the_commands_for_pigsty_skip_the_guard_and_leave_a_host_out(pigsty):
    skip, leave_out = re.findall(r"^  (?:.* )?`(\S+ [^`]* ?pg-test\S*)`$", OPERATING, re.MULTILINE)
    variable, command = skip.split(" ", 1)
    name, value = variable.split("=")
    skipped = run(pigsty, command, **{name: value})
    assert skipped.rc == 0, skipped.output
    assert "Precheck waived" in skipped.stderr
    for name in ("h1", "h2"):
        (pigsty.directory / name / "installed").unlink()
    left_out = run_command(["sh", "-c", leave_out], pigsty.directory)
    assert left_out.rc == 0, left_out.output
    assert (pigsty.directory / "h1/installed").exists()
    assert not (pigsty.directory / "h2/installed").exists()


# The rows of the table of exit statuses, and a command for each of their cases.
STATUSES = {
    "0": [
        "pgsql.yml -l h1 --tags precheck",
        "node.yml --tags precheck",
        "pgsql.yml -i empty.yml --tags precheck",
    ],
    "1": ["node.yml -e precheck_policy=wrong.yml", "gone.yml", "pgsql.yml -l nobody"],
    "2": ["pgsql.yml --tags precheck", "failing.yml", "pgsql.yml --tag-list"],
    "4": ["wrong.yml --tags precheck", "node.yml -e ansible_connection=ssh -e ansible_port=1"],
}


@pytest.mark.one_release
def test_the_table_of_exit_statuses_is_that_of_these_tests():
    """The tests of faults show the exit status of a run that is interrupted."""
    rows = re.findall(r"^\| (\d|others) \|", OPERATING, re.MULTILINE)
    assert rows == [*STATUSES, "others"]


@pytest.mark.one_release
@pytest.mark.parametrize(
    ("status", "arguments"),
    [(status, arguments) for status, commands in STATUSES.items() for arguments in commands],
)
def test_the_exit_status_of_a_command(pigsty, status, arguments):
    pigsty.write("wrong.yml", "rules: []\n")
    pigsty.write("empty.yml", "all:\n")
    failing = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.fail: }]}\n"
    pigsty.write("failing.yml", failing)
    done = run(pigsty, f"ansible-playbook {arguments}")
    assert done.rc == int(status), done.output
    with_checks = "pgsql.yml" in arguments and "--tags precheck" in arguments
    assert ("TASK [Precheck" in done.stdout) == (with_checks and "empty" not in arguments)


@pytest.mark.one_release
def test_vv_shows_the_policy_and_the_rules_of_each_play(pigsty):
    output = run(pigsty, "ansible-playbook node.yml pgsql.yml --tags precheck -vv").stdout
    assert "Precheck: policy " in output
    assert "(built in)" in output
    assert "node.yml:2) is covered by no rule" in output
    assert "pgsql.yml:2) is covered by pigsty-node (by playbook pgsql*.yml" in output
