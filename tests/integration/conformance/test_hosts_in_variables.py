# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Conditions and messages see the hosts of a play as its tasks do; batches see their own."""

from __future__ import annotations

import pytest
from ansible.release import __version__

from support.output import is_printed
from support.plays import play
from support.policies import policy, rule

WITNESS = (
    "- ansible.builtin.file: {path: '{{ precheck_root }}/witness', state: touch, mode: '0644'}"
)
READY = {"path": "/etc/pki/ca.crt"}


def changed(project) -> str:
    """Return the names of the hosts that a play changed."""
    return " ".join(sorted(path.parent.name for path in project.directory.glob("*/witness")))


def all_three_by_when(project) -> None:
    """A rule that applies where the play has three hosts, as it is written."""
    project.write("precheck.yml", policy(rule(READY, when="ansible_play_hosts_all | length >= 3")))


def test_a_host_that_ended_still_counts(guarded):
    guarded.local_hosts(ready="h1", missing="h2 h3")
    all_three_by_when(guarded)
    end = "- meta: end_host\n  when: inventory_hostname == 'h1'\n"
    guarded.write("site.yml", play(tasks=end + WITNESS))
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert is_printed("2 of 2 hosts are not ready", run.stderr)
    assert changed(guarded) == ""


def test_a_host_that_failed_still_counts(guarded):
    guarded.local_hosts(ready="h1", missing="h2 h3")
    all_three_by_when(guarded)
    fail = "- ansible.builtin.fail:\n  when: inventory_hostname == 'h1'"
    guarded.write(
        "site.yml", play("h1,h2", fail, keywords="tags: no_precheck") + play(tasks=WITNESS)
    )
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert is_printed("2 of 2 hosts are not ready", run.stderr)
    assert changed(guarded) == ""


def test_a_host_that_was_checked_before_still_counts(guarded):
    guarded.local_hosts(ready="h1", missing="h2 h3")
    guarded.write(
        "precheck.yml",
        policy(
            rule(READY, covers={"playbook": "*.yml"}, when="ansible_play_hosts_all | length != 2")
        ),
    )
    guarded.write("site.yml", play("h1", WITNESS) + play(tasks=WITNESS))
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert is_printed("2 of 2 hosts are not ready for play", run.stderr)
    assert changed(guarded) == ""


@pytest.mark.parametrize("once", [False, True], ids=["each host", "once"])
def test_a_host_that_failed_is_no_host_of_the_play_any_more(guarded, once):
    guarded.local_hosts(ready="h1 h2 h3")
    complete = {"that": "ansible_play_hosts | length == ansible_play_hosts_all | length"}
    guarded.write(
        "precheck.yml",
        policy(rule(complete | {"once": once}, covers={"play": "second"}, message="Incomplete.")),
    )
    fail = "- ansible.builtin.fail:\n  when: inventory_hostname == 'h1'"
    guarded.write("site.yml", play(tasks=fail, name="first") + play(tasks=WITNESS, name="second"))
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert is_printed("Incomplete.", run.stderr)
    assert changed(guarded) == ""


def test_messages_count_the_hosts_of_the_play(guarded):
    guarded.local_hosts(ready="h1 h2", missing="h3")
    counts = (
        "{{ ansible_play_hosts_all | length }} {{ ansible_play_hosts | length }}"
        " {{ ansible_play_batch | length }}"
    )
    guarded.write(
        "precheck.yml",
        policy(
            rule(
                READY | {"message": f"a check: {counts}"},
                message=f"a message: {counts}",
                remedy=f"a remedy {counts}",
            )
        ),
    )
    guarded.write("site.yml", play(tasks=WITNESS, keywords="serial: 2"))
    run = guarded.run("site.yml")
    assert run.rc == 2, run.output
    assert is_printed("a check: 3 3 1", run.stderr)
    assert is_printed("a message: 3 3 1", run.stderr)
    assert is_printed("a remedy 3 3 2", run.stderr)  # it is for the play, at its first batch


@pytest.mark.parametrize("keyword", ["serial: 1", "order: reverse_inventory"])
def test_the_first_host_of_the_play_is_the_first_of_the_inventory(guarded, keyword):
    guarded.local_hosts(ready="h1", missing="h2 h3")
    end = "- meta: end_host\n  when: inventory_hostname != ansible_play_hosts_all[0]\n"
    guarded.write("pgsql.yml", play(tasks=end + WITNESS, keywords=keyword))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert changed(guarded) == "h1"


def test_a_host_that_end_host_ends_does_not_count_for_the_next(guarded):
    guarded.local_hosts(ready="h3", missing="h1 h2")
    end = "- meta: end_host\n  when: ansible_play_hosts | length > 1\n"
    keyword = "order: reverse_inventory"  # h3 comes first in the inventory
    guarded.write("pgsql.yml", play(tasks=end + WITNESS, keywords=keyword))
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert changed(guarded) == "h3"
    (guarded.directory / "h3/etc/pki/ca.crt").unlink()
    (guarded.directory / "h3/witness").unlink()
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert is_printed("./node.yml -l h3", run.stderr)
    assert changed(guarded) == ""


def test_under_free_it_cannot_be_known_which_hosts_have_ended(guarded):
    guarded.local_hosts(ready="h3", missing="h1 h2")
    end = "- meta: end_host\n  when: ansible_play_hosts | length > 1\n"
    keyword = f"strategy: {guarded.strategy('free')}"
    guarded.write("pgsql.yml", play(tasks=end + WITNESS, keywords=keyword))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2
    assert is_printed("2 of 3 hosts are not ready", run.stderr)


def test_end_play_in_the_first_batch_ends_the_later_ones(guarded):
    """Until 2.11 it ends only its own."""
    guarded.local_hosts(missing="h1 h2 h3")
    end = "- meta: end_play\n  when: inventory_hostname == 'h1'\n"
    guarded.write("pgsql.yml", play(tasks=end + WITNESS, keywords="serial: 1"))
    run = guarded.run("pgsql.yml")
    since_2_12 = tuple(map(int, __version__.split(".")[:2])) >= (2, 12)
    assert run.rc == (0 if since_2_12 else 2), run.output
    assert since_2_12 or "2 of 2 hosts are not ready" in run.stderr
    assert changed(guarded) == ""


LATER = {  # a leading condition that only a later batch can evaluate, and a task that changes it
    "the batch": ("inventory_hostname != ansible_play_batch[0]", ""),
    "a fact of another host": (
        "not (hostvars['h1'].passed | default(inventory_hostname == 'h1'))",
        "- ansible.builtin.set_fact: {passed: true}",
    ),
    "a fact that is delegated": (
        "not (passed | default(inventory_hostname == 'h1'))",
        "- ansible.builtin.set_fact: {passed: true}\n  delegate_to: h3\n  delegate_facts: true",
    ),
    "a group": (
        "inventory_hostname not in groups['passed'] | default(['h1'])",
        "- ansible.builtin.add_host: {name: h3, groups: passed}",
    ),
    "a file on the control node": (
        "(playbook_dir ~ '/h1/witness') is not exists and inventory_hostname != 'h1'",
        "",
    ),
    "a lookup": (
        "lookup('fileglob', 'h1/witness') == '' and inventory_hostname != 'h1'",
        "",
    ),
}


@pytest.mark.parametrize(("condition", "task"), LATER.values(), ids=LATER)
def test_what_only_a_later_batch_can_know_is_checked_before_the_first(guarded, condition, task):
    guarded.local_hosts(ready="h1 h2", missing="h3")
    end = f'- meta: end_host\n  when: "{condition}"\n'
    guarded.write("pgsql.yml", play(tasks=f"{end}{WITNESS}\n{task}", keywords="serial: 2"))
    run = guarded.run("pgsql.yml")
    assert run.rc == 2, run.output
    assert is_printed("./node.yml -l h3", run.stderr)
    assert changed(guarded) == ""
    guarded.write("h3/etc/pki/ca.crt", "a certificate")
    run = guarded.run("pgsql.yml")
    assert run.rc == 0, run.output
    assert "h3" in changed(guarded)
