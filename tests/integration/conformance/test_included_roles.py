# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Covered roles to which a play gets by includes, by literal or by computed names."""

from __future__ import annotations

import pytest

from support.output import is_printed
from support.plays import play
from support.policies import policy, rule

WITNESS = (
    "- ansible.builtin.file: {path: '{{ precheck_root }}/witness', state: touch, mode: '0644'}"
)
BEFORE = "- ansible.builtin.file: {path: '{{ precheck_root }}/before', state: touch, mode: '0644'}"


def role(project, name: str, tasks: str = WITNESS, **files: str) -> None:
    """Give the project a role with these tasks and other files, such as meta__main."""
    project.write(f"roles/{name}/tasks/main.yml", tasks + "\n")
    for file, text in files.items():
        project.write(f"roles/{name}/{file.replace('__', '/')}.yml", text + "\n")


def local_hosts(project, ready: str = "", missing: str = "") -> None:
    """Give the project local hosts, each with a directory that a task can write to."""
    project.local_hosts(ready, missing)
    for name in missing.split():
        (project.directory / name).mkdir()


def changed(project, name: str = "witness") -> str:
    """Return the names of the hosts on which a task made a file of this name."""
    return " ".join(sorted(path.parent.name for path in project.directory.glob(f"*/{name}")))


INCLUDE = "- ansible.builtin.include_role: {name: pgsql}"
LITERAL = {  # tasks of the play, and more files
    "a file": ("- ansible.builtin.include_tasks: inner.yml", {"inner.yml": INCLUDE}),
    "a file, as a keyword": (
        "- ansible.builtin.include_tasks: {file: inner.yml}",
        {"inner.yml": INCLUDE},
    ),
    "a file in a directory": (
        "- ansible.builtin.include_tasks: deep/outer.yml",
        {
            "deep/outer.yml": "- ansible.builtin.include_tasks: inner.yml",
            "deep/inner.yml": INCLUDE,
        },
    ),
    "a file that imports": (
        "- ansible.builtin.include_tasks: inner.yml",
        {"inner.yml": "- ansible.builtin.import_role: {name: pgsql}"},
    ),
    "a block of a file": (
        "- ansible.builtin.include_tasks: inner.yml",
        {"inner.yml": f"- block:\n    - ansible.builtin.debug:\n  always:\n    {INCLUDE}"},
    ),
    "a dependency of a role": (
        "- ansible.builtin.include_role: {name: app}",
        {"roles/app/meta/main.yml": "dependencies: [pgsql]"},
    ),
    "a role that imports": (
        "- ansible.builtin.include_role: {name: app}",
        {"roles/app/tasks/main.yml": "- ansible.builtin.import_role: {name: pgsql}"},
    ),
    "a role that includes a file": (
        "- ansible.builtin.include_role: {name: app}",
        {
            "roles/app/tasks/main.yml": "- ansible.builtin.include_tasks: more.yml",
            "roles/app/tasks/more.yml": "- ansible.builtin.include_tasks: sub/most.yml",
            "roles/app/tasks/sub/most.yml": INCLUDE,
        },
    ),
    "another file of a role": (
        "- ansible.builtin.include_role: {name: app, tasks_from: other.yml}",
        {"roles/app/tasks/other.yml": INCLUDE},
    ),
    "a file that includes itself": (
        "- ansible.builtin.include_tasks: inner.yml",
        {
            "inner.yml": "- ansible.builtin.include_tasks: inner.yml\n  when: false\n" + INCLUDE,
        },
    ),
}


@pytest.mark.parametrize(("tasks", "files"), LITERAL.values(), ids=LITERAL)
def test_a_role_is_found_behind_literal_names(guarded, tasks, files):
    local_hosts(guarded, ready="h1", missing="h2")
    role(guarded, "pgsql")
    role(guarded, "app", "- ansible.builtin.debug:")
    for name, text in files.items():
        guarded.write(name, text + "\n")
    guarded.write("site.yml", play(tasks=f"{BEFORE}\n{tasks}"))
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert is_printed("PRECHECK stopped the run before play", run.stderr)
    assert changed(guarded, "before") == changed(guarded) == ""
    guarded.write("h2/etc/pki/ca.crt", "a certificate")
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert changed(guarded) == "h1 h2"


def test_a_role_is_found_behind_the_files_of_a_listed_role(guarded):
    local_hosts(guarded, missing="h1")
    role(guarded, "pgsql")
    role(guarded, "app", "- ansible.builtin.include_tasks: more.yml", tasks__more=INCLUDE)
    guarded.write("site.yml", "- hosts: all\n  gather_facts: false\n  roles: [app]\n")
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert changed(guarded) == ""


def test_looking_at_includes_changes_nothing_about_them(guarded):
    """A file that the play writes is read when its time comes, and nothing is printed about it."""
    local_hosts(guarded, ready="h1")
    write = (
        "- ansible.builtin.copy: {dest: '{{ playbook_dir }}/inner.yml', mode: '0644', content:"
        " '- ansible.builtin.debug: {msg: written}'}\n"
    )
    guarded.write("inner.yml", "- ansible.builtin.debug: {msg: at first}\n")
    guarded.write("site.yml", play(tasks=write + "- ansible.builtin.include_tasks: inner.yml"))
    run = guarded.run("site.yml", "-vv")
    assert run.rc == 0, run.output
    assert '"written"' in run.stdout
    assert "imported" not in run.output
    guarded.write("site.yml", play(tasks="- ansible.builtin.include_tasks: none.yml\n  when: no"))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert run.stderr == ""


COMPUTED = "- ansible.builtin.include_role: {name: '{{ which }}'}"
AND_AFTER = "\n- ansible.builtin.debug: {msg: after}"


def with_which(project, **which: str) -> None:
    """Give each host of the inventory the name of the role that it includes."""
    for host, name in which.items():
        project.write(f"host_vars/{host}.yml", f"which: {name}\n")


@pytest.mark.parametrize("rescue", [False, True], ids=["plain", "in a block with rescue"])
@pytest.mark.parametrize("keywords", ["", "serial: 2"], ids=["one batch", "batches"])
def test_hosts_are_checked_before_a_role_that_the_play_computes(guarded, keywords, rescue):
    local_hosts(guarded, ready="h1 h2", missing="h3")
    role(guarded, "pgsql", WITNESS, handlers__main="- name: restart\n  ansible.builtin.debug:")
    tasks = f"{BEFORE}\n{COMPUTED}{AND_AFTER}"
    if rescue:
        tasks = (
            f"{BEFORE}\n- block:\n    {COMPUTED}\n  rescue: &more\n"
            "    - ansible.builtin.debug: {msg: after}\n  always: *more"
        )
    guarded.write("site.yml", play(tasks=tasks, keywords=keywords) + play(tasks=BEFORE))
    run = guarded.run("site.yml", "-e", "which=pgsql")
    assert run.rc == 2, run.output
    assert is_printed("PRECHECK stopped the run before the role pgsql in play", run.stderr)
    assert is_printed("./node.yml -l h3", run.stderr)
    assert "Nothing was changed" not in run.stderr
    assert changed(guarded, "before") == "h1 h2 h3"
    assert changed(guarded) == ("h1 h2" if keywords else "")
    # The rescue does not run; in batches, the first one of two hosts had been ready.
    assert run.stdout.count('"after"') == (2 if keywords else 0)
    assert run.stdout.count("PLAY [") == (2 if keywords else 1)
    guarded.write("h3/etc/pki/ca.crt", "a certificate")
    run = guarded.run("site.yml", "-e", "which=pgsql")
    assert run.rc == 0, run.output
    assert changed(guarded) == "h1 h2 h3"
    assert run.stdout.count("TASK [Precheck pigsty-node]") == (2 if keywords else 1)


def test_no_later_batch_begins_though_a_host_had_failed_in_an_earlier_play(guarded):
    local_hosts(guarded, missing="h1 h2 h3 h4")
    role(guarded, "pgsql")
    failing = "- ansible.builtin.fail:\n  when: inventory_hostname == 'h1'"
    covered = play(tasks=f"{BEFORE}\n{COMPUTED}", keywords="serial: 2")
    guarded.write("site.yml", play(tasks=failing) + covered + play(tasks=BEFORE))
    run = guarded.run("site.yml", "-e", "which=pgsql")
    assert run.rc == 2, run.output
    assert is_printed("./node.yml -l h2", run.stderr)
    assert "ERROR" not in run.stderr
    assert changed(guarded, "before") == "h2"


def test_only_the_hosts_that_come_to_the_role_are_checked(guarded):
    local_hosts(guarded, ready="h1", missing="h2 h3")
    role(guarded, "pgsql")
    role(guarded, "other", "- ansible.builtin.debug:")
    with_which(guarded, h1="pgsql", h2="other", h3="pgsql")
    tasks = f"{COMPUTED}\n  when: inventory_hostname != 'h3'{AND_AFTER}"
    guarded.write("site.yml", play(tasks=tasks))
    run = guarded.run("site.yml")
    assert run.rc == 0, run.output
    assert changed(guarded) == "h1"
    guarded.write("site.yml", play(tasks=COMPUTED))
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert is_printed("./node.yml -l h3", run.stderr)
    assert changed(guarded) == "h1"


@pytest.mark.parametrize(
    "lead",
    [
        "- ansible.builtin.include_tasks: '{{ file }}'",
        "- ansible.builtin.include_role: {name: '{{ app }}'}",
        "- ansible.builtin.include_role: {name: app, tasks_from: '{{ file }}'}",
        "- ansible.builtin.include_tasks: later.yml",
    ],
    ids=["a file", "a role that depends on it", "a file of a role", "a file that is not there yet"],
)
def test_a_role_behind_a_computed_name_is_seen_when_it_comes_up(guarded, lead):
    local_hosts(guarded, ready="h1", missing="h2")
    role(guarded, "pgsql")
    role(guarded, "app", meta__main="dependencies: [pgsql]", tasks__inner=INCLUDE)
    guarded.write("inner.yml", INCLUDE + "\n")
    write = (
        "- ansible.builtin.copy: {src: inner.yml, dest: '{{ playbook_dir }}/later.yml', mode: u=rw}"
    )
    variables = "vars: {file: inner.yml, app: app}"
    guarded.write("site.yml", play(tasks=f"{write}\n{BEFORE}\n{lead}", keywords=variables))
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert is_printed("./node.yml -l h2", run.stderr)
    assert changed(guarded) == ""


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_under_other_strategies_the_run_ends_before_the_role(guarded, strategy):
    local_hosts(guarded, ready="h1 h2", missing="h3")
    role(guarded, "pgsql")
    keyword = f"strategy: {guarded.strategy(strategy)}"
    guarded.write("site.yml", play(tasks=COMPUTED, keywords=keyword, name="Set up"))
    run = guarded.run("site.yml", "-e", "which=pgsql")
    assert run.rc not in (0, 2), run.output
    assert is_printed("Precheck stopped the run before the task", run.stderr)
    assert is_printed("Add the play to the plays of rule pigsty-node", run.stderr)
    assert changed(guarded) == ""


@pytest.mark.parametrize("strategy", ["free", "host_pinned"])
def test_under_other_strategies_hosts_that_were_checked_go_on(guarded, strategy):
    local_hosts(guarded, ready="h1 h2")
    role(guarded, "pgsql")
    keyword = f"strategy: {guarded.strategy(strategy)}"
    guarded.write(
        "site.yml",
        play(tasks="- ansible.builtin.import_role: {name: pgsql}")
        + play(tasks=COMPUTED, keywords=keyword),
    )
    run = guarded.run("site.yml", "-e", "which=pgsql")
    assert run.rc == 0, run.output
    assert run.stdout.count("TASK [Precheck") == 1


def test_the_checks_of_a_play_run_once_for_a_computed_role(guarded):
    local_hosts(guarded, ready="h1 h2")
    role(guarded, "pgsql")
    guarded.write(
        "precheck.yml",
        policy(rule({"that": "approved", "once": True}, covers={"role": "pgsql"}, name="change")),
    )
    guarded.write("site.yml", play(tasks=f"{COMPUTED}\n{COMPUTED}", keywords="serial: 1"))
    run = guarded.run("site.yml", "-e", '{"which": "pgsql", "approved": true}')
    assert run.rc == 0, run.output
    run = guarded.run("site.yml", "-e", '{"which": "pgsql", "approved": false}')
    assert run.rc == 2, run.output
    assert is_printed("Rule change: the play is not ready", run.stderr)


def test_opting_out_waives_the_rule_of_a_computed_role(guarded):
    local_hosts(guarded, missing="h1 h2")
    role(guarded, "pgsql")
    for strategy in ("linear", "free"):
        keywords = f"tags: no_precheck\nstrategy: {guarded.strategy(strategy)}"
        guarded.write("site.yml", play(tasks=COMPUTED, keywords=keywords))
        run = guarded.run("site.yml", "-e", "which=pgsql")
        assert run.rc == 0, run.output
        if strategy == "linear":
            assert is_printed("pigsty-node not checked on 2 hosts", run.stderr)


def test_a_rule_that_warns_ends_no_run_because_of_a_computed_role(guarded):
    local_hosts(guarded, missing="h1 h2")
    role(guarded, "pgsql")
    guarded.write(
        "precheck.yml",
        policy(rule({"path": "/etc/pki/ca.crt"}, covers={"role": "pgsql"}, severity="warn")),
    )
    for strategy, warning in (
        ("linear", "2 of 2 hosts are not ready"),
        ("free", "Precheck did not check only on h1"),
    ):
        keyword = f"strategy: {guarded.strategy(strategy)}"
        guarded.write("site.yml", play(tasks=COMPUTED, keywords=keyword))
        run = guarded.run("site.yml", "-e", "which=pgsql")
        assert run.rc == 0, run.output
        assert is_printed(warning, run.stderr)
