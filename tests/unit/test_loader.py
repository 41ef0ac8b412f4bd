# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A policy file gives rules, or all its problems: file, line, rule and what was expected."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret
from ansible.plugins import loader as plugin_loader
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.kinds import KINDS
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.path import PathSpec
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import PolicyError
from ansible_collections.precheck.guard.plugins.plugin_utils.policy import extending
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import WARN, Selector

from support.corpus import BAD, GOOD, MADE, RULES, expected, know_modules, make, vaulted


@pytest.fixture(scope="module", autouse=True)
def modules_are_known():
    know_modules(plugin_loader)


def read(path, loader=None, base="/nowhere"):
    """Return the rules of a file."""
    return extending.read(str(path), loader or DataLoader(), base, KINDS)


def problems_of(path, loader=None):
    """Return the problems of a bad file as text."""
    with pytest.raises(PolicyError) as caught:
        read(path, loader)
    problems = [str(problem) for problem in caught.value.problems]
    assert all(f"\n  {problem}" in caught.value.message for problem in problems)
    return problems


def assert_problems(problems, beginnings):
    """Assert that the problems begin like this, in this order."""
    assert [
        problem[: len(beginning)] for problem, beginning in zip(problems, beginnings)
    ] == beginnings
    assert len(problems) == len(beginnings), problems


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_files_have_the_problems_that_they_state(path):
    assert expected(path)
    assert_problems(problems_of(path), expected(path))


@pytest.mark.parametrize("name", MADE)
def test_bad_files_that_are_made_have_their_problems(name, tmp_path):
    path, beginnings = make(name, tmp_path)
    assert_problems(problems_of(path), beginnings)


def test_there_are_many_bad_files():
    assert len(BAD) + len(MADE) > 200


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_files_give_rules_with_their_lines(path):
    rules = read(path)
    assert rules
    for rule in rules:
        assert rule.plays and rule.checks
        assert rule.path == str(path) or path.stem == "extends"
        assert (
            path.stem == "extends"
            or rule.name in path.read_text().splitlines()[rule.line - 1]
            or path.stem == "aliases_and_merge_keys"
        )


def test_every_key_is_read():
    [path] = [path for path in GOOD if path.stem == "every_key"]
    [rule] = read(path)
    assert rule.plays == (
        Selector(
            ("pgsql*.yml",),
            ("Set up *", "*[Dd]atabase*"),
            ("pgsql",),
            ("pg", "pg_*"),
            exempt=(Selector(("pgsql-migration.yml",)),),
        ),
        Selector(
            role=("postgres", "acme.db.postgres"),
            exempt=(
                Selector(("a.yml", "*/b.yml"), ("*",)),
                Selector(role=("node",), tag=("safe",)),
            ),
        ),
    )
    assert rule.when == (
        "pg_cluster is defined",
        True,
        "groups['all'] | length > 1 and not (pg_skip | default(false))",
    )
    assert (rule.severity, rule.waiver, rule.line) == (WARN, "forbidden", 3)
    assert rule.prepared_by == (
        Selector(("node.yml",), exempt=(Selector(tag=("dry",)),)),
        Selector(role=("node", "node_id")),
    )
    assert (rule.check_every, rule.facts, rule.wait) == ("batch", ("min", "network"), 120)
    assert rule.remedy == "./node.yml -l {{ precheck_hosts | join(',') }}"
    assert rule.message == "{{ inventory_hostname }} is not managed by Pigsty"

    certificate, command, words, once, conditions, task = rule.checks
    assert [check.kind for check in rule.checks] == "path command command that that task".split()
    directory = str(path.parent)
    assert certificate.spec == PathSpec(
        path="/etc/pki/ca.crt",
        type="file",
        mode="0644",
        owner="root",
        group="{{ pki_group | default('root') }}",
        same_as=f"{directory}/files/ca.crt",
        directory=directory,
    )
    assert (certificate.name, certificate.label) == ("the certificate", "the certificate")
    assert (certificate.timeout, certificate.become, certificate.line) == (5, True, 22)
    assert certificate.message == rule.message
    assert (command.timeout, command.become) == (86400, False)
    assert words.spec == ("pg_isready", "-h", "{{ inventory_hostname }}", "")
    assert (once.once, once.spec, once.message) == (
        True,
        ("ansible_limit is defined",),
        "Pass --limit",
    )
    assert (conditions.once, conditions.spec) == (
        False,
        ("pg_version is defined", "pg_version | int >= 14"),
    )
    assert (task.name, task.timeout, task.become) == ("the port", 10, False)
    assert next(iter(task.spec)) == "ansible.builtin.wait_for"


def test_an_empty_list_of_preparing_plays_is_not_the_same_as_none():
    [path] = [path for path in GOOD if path.stem == "nothing_prepares"]
    [rule] = read(path)
    assert (rule.prepared_by, rule.check_every) == ((), "play")


def test_the_smallest_policy_has_the_defaults():
    [path] = [path for path in GOOD if path.stem == "smallest"]
    [rule] = read(path)
    [check] = rule.checks
    assert (rule.when, rule.message, rule.remedy) == ((), "", "")
    assert (rule.severity, rule.waiver) == ("error", "allowed")
    assert (rule.prepared_by, rule.check_every) == (None, "run")
    assert (check.spec, check.name, check.message) == ((True,), "", "")
    assert (check.timeout, check.become, check.once) == (None, False, False)


@pytest.mark.parametrize(
    "change",
    [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")],
    ids=["byte order mark", "CRLF"],
)
def test_byte_order_marks_and_other_line_ends_are_accepted(tmp_path, change):
    (tmp_path / "policy.yml").write_bytes(change(RULES).encode())
    [rule] = read(tmp_path / "policy.yml")
    assert (rule.name, rule.line) == ("r", 2)


def test_a_vaulted_file_opens_with_its_password_only(tmp_path):
    (tmp_path / "good.yml").write_bytes(vaulted(RULES))
    (tmp_path / "bad.yml").write_bytes(vaulted(RULES + "    waiver: 5\n"))
    loader = DataLoader()
    [problem] = problems_of(tmp_path / "good.yml", loader)
    assert "A vault password must be specified to decrypt data" in problem
    loader.set_vault_secrets([("default", VaultSecret(b"another password"))])
    [problem] = problems_of(tmp_path / "good.yml", loader)
    assert "Decryption failed" in problem
    loader.set_vault_secrets([("default", VaultSecret(b"a password"))])
    [rule] = read(tmp_path / "good.yml", loader)
    assert (rule.name, rule.checks[0].label) == ("r", "path at line 4")
    assert_problems(
        problems_of(tmp_path / "bad.yml", loader),
        [f"{tmp_path}/bad.yml:5: rule r: waiver: expected text"],
    )


def test_same_as_is_searched_beside_the_policy_and_beside_the_playbook(tmp_path):
    (tmp_path / "policies").mkdir()
    policy = tmp_path / "policies/policy.yml"
    policy.write_text(RULES.replace("path: /a", "path: /a, same_as: ca.crt"))
    playbooks = tmp_path / "playbooks"
    assert_problems(
        problems_of(policy),
        [f"{policy}:4: rule r: same_as: there is no file ca.crt on the control node"],
    )
    paths = [
        playbooks / "ca.crt",
        playbooks / "files/ca.crt",
        tmp_path / "policies/ca.crt",
        tmp_path / "policies/files/ca.crt",
    ]
    for path in paths:  # each takes precedence over those made earlier
        path.parent.mkdir(exist_ok=True, parents=True)
        path.touch()
        [rule] = read(policy, base=str(playbooks))
        assert rule.checks[0].spec.same_as == str(path)
