# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/policy.md: its examples are valid, its outputs are real, and its gallery works."""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from textwrap import indent

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins import loader as plugin_loader
from ansible_collections.precheck.guard.plugins.modules.check import EXAMPLES as MODULE_EXAMPLES
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.kinds import KINDS
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.task import KEYWORDS
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import PolicyError
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.extending import read
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import BUILT_IN

from support.commands import REPOSITORY
from support.corpus import know_modules, vaulted
from support.project import AUDIT, LOCAL_HOST, Project
from support.servers import served

pytestmark = pytest.mark.one_release  # what the documents show was written from the newest

DOCUMENT = (REPOSITORY / "docs/policy.md").read_text()
POLICIES = REPOSITORY / "docs/policies"

# The words after the fence, and the text, of each block. The word after "yaml" says what the block
# has: keys of a rule, checks, or a policy that is wrong. Without a word it has a whole policy.
BLOCKS = re.findall(r"^```(.+)\n((?:.*\n)+?)```$", DOCUMENT, re.MULTILINE)
RULE = {
    "name": "name: example",
    "plays": 'plays: [{play: "*"}]',
    "checks": "checks: [{that: true}]",
}


def blocks(words: str) -> list[str]:
    """Return the text of the blocks with these words after the fence."""
    return [text for of_block, text in BLOCKS if of_block == words]


def whole_rule(text: str) -> str:
    """Return a policy of one rule with the keys in ``text``, and with the required keys."""
    missing = [line for key, line in RULE.items() if key not in yaml.safe_load(text)]
    return "rules:\n  -\n" + indent(text + "\n".join(missing), "    ")


def whole_check(text: str) -> str:
    """Return a policy of one rule with the checks in ``text``."""
    return whole_rule("checks:\n" + indent(text, "  "))


README = (REPOSITORY / "README.md").read_text()
WHOLE = {"yaml": str, "yaml rule": whole_rule, "yaml checks": whole_check}
EXAMPLES = {
    f"block {number}, {words}": WHOLE[words](text)
    for number, (words, text) in enumerate(BLOCKS, 1)
    if words in WHOLE
}
GALLERY = sorted(path for path in POLICIES.iterdir() if not path.name.endswith(".test.yml"))
EXAMPLES |= {path.name: path.read_text() for path in GALLERY}
EXAMPLES |= {
    f"README {number}": text
    for number, text in enumerate(
        re.findall(r"^```yaml\n((?:.*\n)*?)^```$", README, re.MULTILINE), 1
    )
}


def test_every_block_is_of_a_known_kind():
    assert DOCUMENT.count("```") == 2 * len(BLOCKS)
    assert {words for words, _text in BLOCKS} == {
        *WHOLE,
        "yaml broken",
        "yaml extending",  # test_extending has such files
        "text",
        "ini",
    }
    assert "```ini\n[precheck]\npolicy = " in DOCUMENT


@pytest.fixture(scope="module", autouse=True)
def modules_are_known():
    know_modules(plugin_loader)


@pytest.fixture
def read_text(tmp_path):
    """A function that reads a policy and returns its rules. The file of ``same_as`` exists."""
    ca = tmp_path / "files/pki/ca/ca.crt"
    ca.parent.mkdir(parents=True)
    ca.touch()

    def read_policy(text: str):
        path = tmp_path / "precheck.yml"
        path.write_text(text)
        return read(str(path), DataLoader(), str(tmp_path), KINDS)

    return read_policy


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_each_example_is_valid(read_text, text):
    assert read_text(text)


def known_keys(read_text, text: str) -> set[str]:
    """Return the keys that the error names where ``text`` has an unknown one."""
    with pytest.raises(PolicyError) as raised:
        read_text(text)
    return set(re.search(r"unknown key 'unknown': expected (.*)", str(raised.value))[1].split(", "))


def test_each_key_is_explained_and_has_an_example(read_text):
    rules = [rule for text in EXAMPLES.values() for rule in yaml.safe_load(text)["rules"]]
    used = {
        "a rule": {key for rule in rules for key in rule},
        "plays": {key for rule in rules for entry in rule["plays"] for key in entry},
        "a check": {key for rule in rules for check in rule["checks"] for key in check},
    }
    known = {
        "a rule": known_keys(read_text, whole_rule("unknown: x\n")),
        "plays": known_keys(read_text, whole_rule("plays: [{unknown: x}]\n")),
        "a check": known_keys(read_text, whole_check("- unknown: x\n")),
    }
    assert used == known
    sections = re.findall(r"^### (.*)", DOCUMENT, re.MULTILINE)
    for key in set().union(*known.values()):
        described = f"\n| `{key}` |" in DOCUMENT or f"With `{key}: true`" in DOCUMENT
        assert described or key in sections, key
    allowed = re.search(r"a task may have the keywords (.*?)\. `name`", DOCUMENT, re.DOTALL)[1]
    assert set(re.findall(r"`(\w+)`", allowed)) == KEYWORDS


def commands() -> list[str]:
    """Return the commands for a shell that are checks in a document."""
    checks = [
        check
        for text in EXAMPLES.values()
        for rule in yaml.safe_load(text)["rules"]
        for check in rule["checks"]
    ]
    for task in yaml.safe_load(MODULE_EXAMPLES):
        action = task.get("precheck.guard.check", {})
        checks += action.get("checks", [action])
    return list({check.get("command"): 0 for check in checks if type(check.get("command")) is str})


def test_no_command_that_is_shown_passes_if_a_program_before_a_pipe_fails(project):
    """Nothing is learnt from a program that fails, so no host is ready but for other reasons."""
    project.configure("callback")
    project.local_hosts(missing="h1")
    shown_commands = commands()
    rules = [
        {"name": f"r{number}", "plays": [{"play": "*"}], "checks": [{"command": command}]}
        for number, command in enumerate(shown_commands)
    ]
    variables = {
        name: value
        for text in EXAMPLES.values()
        for name, value in yaml.safe_load(text).get("vars", {}).items()
    }
    project.write("precheck.yml", yaml.safe_dump({"vars": variables, "rules": rules}))
    project.write("site.yml", playbook({}))
    programs = "chronyc df find openssl pg_isready psql systemctl timedatectl"
    for name in programs.split():
        project.script(f"failing/{name}", "#!/bin/sh\nexit 1\n")
    programs = f"{project.directory}/failing:{os.environ['PATH']}"
    run = project.run("site.yml", "--tags", "precheck", env={"PATH": programs})
    assert run.rc == 2
    passed = {
        command
        for number, command in enumerate(shown_commands)
        if f"Rule r{number}: " not in run.stderr
    }
    # These pass if there is no file, or no directory.
    without = ("maintenance", "is not empty")
    assert [one for one in passed if not any(word in one for word in without)] == []
    assert len(shown_commands) - len(passed) >= 6


@pytest.mark.parametrize(
    ("psql", "reason"),
    [
        ("exit 0", ""),
        ("echo 'no connection' >&2; exit 2", "no connection"),
        ("echo one; echo two", "nobody reads one two"),
    ],
    ids=["no slots", "no connection", "two slots"],
)
def test_the_check_of_replication_slots_says_what_is_wrong(guarded, psql, reason):
    [text] = [text for text in blocks("yaml checks") if "replication slots" in text]
    [check] = [check for check in yaml.safe_load(text) if check.get("name") == "replication slots"]
    guarded.local_hosts(missing="h1")
    guarded.script("programs/psql", f"#!/bin/sh\n{psql}\n")
    guarded.write("precheck.yml", whole_check(yaml.safe_dump([check | {"become": False}])))
    guarded.write("site.yml", playbook({}))
    programs = f"{guarded.directory}/programs:{os.environ['PATH']}"
    run = guarded.run("site.yml", env={"PATH": programs})
    assert run.rc == (2 if reason else 0), run.output
    assert (f"  h1  not ready: replication slots: {reason}\n" in run.stderr) == bool(reason)


def test_same_as_is_searched_in_the_documented_order(tmp_path):
    policy = tmp_path / "policies/precheck.yml"
    names = ("policies/files", "policies", "playbooks/files", "playbooks")
    directories = [tmp_path / name for name in names]
    for directory in directories:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "ca.crt").touch()
    policy.write_text(whole_check("- path: /etc/pki/ca.crt\n  same_as: ca.crt\n"))
    for directory in directories:
        [rule] = read(str(policy), DataLoader(), str(tmp_path / "playbooks"), KINDS)
        assert rule.checks[0].spec.same_as == str(directory / "ca.crt")
        (directory / "ca.crt").unlink()
    with pytest.raises(PolicyError, match=r"there is no file ca\.crt"):
        read(str(policy), DataLoader(), str(tmp_path / "playbooks"), KINDS)


def test_the_built_in_policy_is_shown_as_it_is():
    with open(BUILT_IN) as file:
        assert yaml.safe_load(file) in map(yaml.safe_load, blocks("yaml"))


def test_the_gallery_lists_every_policy_once():
    links = re.findall(r"\(policies/(.*?)\)", DOCUMENT)
    assert sorted(links) == [path.name for path in GALLERY]


@pytest.fixture
def near(sockets: Path) -> Iterator[Project]:
    """A project with a short path: a reason is cut to 200 characters, and may have two paths."""
    with tempfile.TemporaryDirectory() as directory:
        yield Project(Path(directory), sockets, "callback")


def shown(project, text: str) -> str:
    """Return output as the document shows it.

    Paths of nodes are from their root, and those of the project below /srv/pigsty.
    """
    directory = re.escape(str(project.directory))
    text = re.sub(rf"{directory}/pg-\d/etc", "/etc", text)
    text = text.replace("ERROR! ", "[ERROR]: ")  # the latter since 2.19
    return re.sub(directory, "/srv/pigsty", text)


def playbook(*plays: dict[str, object]) -> str:
    """Return a playbook. Each play prints "ran on" and the name of each of its hosts."""
    task = {"ansible.builtin.debug": {"msg": "ran on {{ host }}"}}
    common = {"hosts": "all", "gather_facts": False, "tasks": [task]}
    host = {"host": "{{ inventory_hostname }}"}
    return yaml.safe_dump([common | play | {"vars": host | play.get("vars", {})} for play in plays])


def test_the_first_example_prints_what_is_shown(near):
    near.local_hosts(ready="pg-1 pg-2", missing="pg-3 pg-4")
    hosts = near.hosts()
    for name in ("pg-1", "pg-2", "pg-3"):
        hosts[name] |= {"pg_cluster": "main"} | ({} if name == "pg-3" else {"pg_seq": 1})
    near.inventory(hosts)
    near.write("files/pki/ca/ca.crt", "this certificate\n")
    near.write("pg-1/etc/pki/ca.crt", "this certificate\n")
    near.write("precheck.yml", blocks("yaml")[0])
    near.write("node.yml", playbook({"name": "Initialise nodes"}))
    near.write("pgsql.yml", playbook({"name": "Set up PostgreSQL"}))
    block, coverage = blocks("text")[:2]
    run = near.run("pgsql.yml")
    assert run.rc == 2
    assert block in shown(near, run.stderr)
    run = near.run("node.yml", "pgsql.yml", "-vv")
    assert set(coverage.splitlines()) <= set(shown(near, run.stdout).splitlines())


def test_the_broken_example_has_the_errors_that_are_shown(project):
    project.configure("callback")
    project.local_hosts(missing="h1")
    [broken] = blocks("yaml broken")
    project.write("precheck.yml", broken)
    project.write("site.yml", playbook({}))
    run = project.run("site.yml")
    assert run.rc == 1
    assert "ran on" not in run.stdout
    assert blocks("text")[-1] in shown(project, run.stderr)


@pytest.fixture
def vaulted_project(project):
    """A project with a vaulted policy that compares a file with a vaulted one."""
    project.configure("callback")
    project.local_hosts(ready="h1", missing="h2")
    policy = whole_check("- path: /etc/pki/ca.crt\n  same_as: ca.crt\n")
    project.write("files/ca.crt", vaulted("a certificate\n").decode())
    project.write("precheck.yml", vaulted(policy).decode())
    project.write("password", "a password\n")
    project.write("site.yml", playbook({"hosts": "h1"}, {"hosts": "h2"}))
    return project


def test_a_vaulted_policy_and_file_work_with_their_password(vaulted_project):
    run = vaulted_project.run("site.yml", "--vault-password-file", "password")
    assert run.rc == 2
    assert re.search("^  h2  not ready: path at line [0-9]+ is missing$", run.stderr, re.MULTILINE)


def test_a_vaulted_policy_is_an_error_without_its_password(vaulted_project):
    run = vaulted_project.run("site.yml")
    assert run.rc == 1
    assert f"{vaulted_project.directory}/precheck.yml: " in run.stderr
    assert "ran on" not in run.stdout


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """A port on loopback at which a healthy Patroni answers, and one at which nothing does."""
    with served(lambda path: {} if path == "/health" else None) as port, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield port, silent.getsockname()[1]


def test_the_tasks_that_are_shown_check_ports_health_and_files(project, ports):
    project.configure("callback")
    tasks = [text for text in blocks("yaml checks") if "task:" in text and "once:" not in text]
    assert len(tasks) == 3
    policy = whole_check("".join(tasks)).replace("/run/reboot-required", "'{{ reboot }}'")
    project.write("precheck.yml", policy)
    files = {host: str(project.directory / f"{host}-required") for host in ("h1", "h2")}
    project.write("h2-required", "")
    noon = datetime(2026, 3, 1, 12, tzinfo=timezone.utc).timestamp()
    os.utime(files["h2"], (noon, noon))
    local = LOCAL_HOST | {"ansible_host": "127.0.0.1"}
    project.inventory(
        {
            name: local | {"pg_port": port, "patroni_port": port, "reboot": file}
            for (name, file), port in zip(files.items(), ports)
        }
    )
    project.write("site.yml", playbook({"hosts": "h1"}, {"hosts": "h2"}))
    run = project.run("site.yml", "--check", env={"no_proxy": "127.0.0.1"})
    assert run.rc == 2
    assert "ran on h1" in run.stdout
    assert "ran on h2" not in run.stdout
    block = run.stderr.partition("Rule example: 1 of 1 host is not ready.\n")[2]
    port, health, reboot = (line.strip() for line in block.splitlines()[:3])
    timeout = f"Timeout when waiting for 127.0.0.1:{ports[1]}"
    assert port.startswith(f"h2  not ready: PostgreSQL: {timeout}")
    assert health == "Patroni: Patroni is not healthy on h2"
    assert reboot == "reboot: h2 has to be rebooted first, since 2026-03-01"


def gallery(project, name: str, hosts: dict[str, dict[str, object]]) -> None:
    """Set up a project with a policy of the gallery and local hosts with these variables."""
    project.configure("callback", f"[precheck]\npolicy = {POLICIES / name}\n")
    project.inventory({host: LOCAL_HOST | variables for host, variables in hosts.items()})


def assert_almost_stopped(run, *lines: str, before: str = "Ready") -> None:
    """Assert that the run was stopped for the play Almost, before it or the play Ready.

    The closing block must have these lines.
    """
    assert run.rc == 2
    assert run.stdout.count("ran on") == ("PLAY [Ready]" in run.stdout and before == "Almost")
    assert f'PRECHECK stopped the run before play "{before}"' in run.stderr
    stderr = re.sub(r' for play "Almost" \(.*\)', "", run.stderr)
    for line in lines:
        assert f"{line}\n" in stderr


READY_AND_ALMOST = playbook({"name": "Ready", "hosts": "h1"}, {"name": "Almost"})


@pytest.fixture
def pigsty(near):
    """A project with the policy for Pigsty.

    Of its cluster, h1 is ready, h2 of another installation, h3 new, and on h4 node.yml did not
    finish. The others are not initialised: r1 is for Redis, i1 an infra node.
    """
    variables = {name: {"pg_cluster": "pg-test"} for name in ("h1", "h2", "h3", "h4")}
    variables |= {"r1": {"redis_cluster": "redis-test"}, "i1": {}}
    roots = {name: {"precheck_root": f"{near.directory}/{name}"} for name in variables}
    gallery(near, "pigsty.yml", {name: variables[name] | roots[name] for name in variables})
    with near.changed_inventory() as inventory:
        inventory["children"] = {"infra": {"hosts": {"i1": {}}}}
    for name in ("h1/etc/pki", "h4/etc/pki", "files/pki/ca"):
        near.write(f"{name}/ca.crt", "this certificate\n")
    near.write("h2/etc/pki/ca.crt", "another certificate\n")
    for name in ("h1", "h2"):
        near.write(f"{name}/etc/haproxy/haproxy.cfg", "")
    near.write("pgsql.yml", READY_AND_ALMOST.replace("hosts: all", "hosts: all:!i1"))
    return near


def test_pigsty_stops_for_nodes_without_the_certificate_of_the_installation(pigsty):
    ca = f"{pigsty.directory}/files/pki/ca/ca.crt"
    other = f"{pigsty.directory}/h2/etc/pki/ca.crt exists, but it is not this installation's:"
    run = pigsty.run("pgsql.yml")
    assert_almost_stopped(
        run,
        "Rule pigsty-node: 2 of 3 hosts are not ready.",
        f"  h3  not ready: {pigsty.directory}/h3/etc/pki/ca.crt is missing",
        "    ./node.yml -l h2,h3",
        f"  h2  not ready: {other} its content differs from {ca}",
        "Rule pigsty-node-finished: 2 of 3 hosts are not ready.",
        f"  h4  not ready: {pigsty.directory}/h4/etc/haproxy is missing",
        "node.yml did not finish on these hosts, or node-rm.yml removed them.",
        "    ./node.yml -l h3,h4",
    )
    assert "built in" not in run.stderr


EXTENDED = {
    "extends": f"{POLICIES}/pigsty.yml",
    "vars": {"ca": "{{ inventory_dir }}/files/pki/ca/ca.crt"},
}


@pytest.mark.parametrize(
    "policy",
    [(POLICIES / "pigsty.yml").read_text(), json.dumps(EXTENDED)],
    ids=["copied", "extended"],
)
def test_an_audit_compares_with_the_certificate_of_the_installation(pigsty, policy):
    """The playbook of the audit is in another directory than those of Pigsty."""
    assert EXTENDED["vars"]["ca"] in (POLICIES / "pigsty.yml").read_text()
    pigsty.configure("callback")
    pigsty.write("precheck.yml", policy)
    run = pigsty.run(AUDIT)
    assert "Rule pigsty-node: 3 of 5 hosts are not ready.\n" in run.stdout, run.output
    assert "/h2/etc/pki/ca.crt exists, but it is not this installation's: " in run.stdout


def test_pigsty_needs_no_haproxy_where_it_is_switched_off(pigsty):
    run = pigsty.run("pgsql.yml", "-l", "h1,h4,r1", "-e", "haproxy_enabled=false")
    assert run.rc == 0, run.output
    assert run.stdout.count("ran on h4") == run.stdout.count("ran on r1") == 1


def test_pigsty_leaves_out_hosts_without_postgresql_but_no_infra_nodes(pigsty):
    """Before 4.5, the play for PostgreSQL in deploy.yml has them, and skips its roles on them."""
    pigsty.write("roles/pgsql/tasks/main.yml", "- ansible.builtin.debug: {msg: a database}\n")
    pgsql = {"hosts": "all:!i1", "roles": [{"role": "pgsql", "when": "pg_cluster is defined"}]}
    pigsty.write("deploy.yml", playbook(pgsql))
    run = pigsty.run("deploy.yml", "-l", "h1,r1")
    assert run.rc == 0, run.output
    assert run.stdout.count("a database") == run.stdout.count("ran on r1") == 1
    pigsty.write("pgsql-monitor.yml", playbook({"hosts": "infra"}))
    run = pigsty.run("pgsql-monitor.yml")
    assert run.rc == 2
    assert f"  i1  not ready: {pigsty.directory}/i1/etc/pki/ca.crt is missing\n" in run.stderr
    assert "pigsty-node-finished" not in run.output


def test_pigsty_exempts_what_touches_no_database(pigsty):
    for name in ("pgsql-migration.yml", "pgsql-min.yml"):
        pigsty.write(name, playbook({"hosts": "h3"}))
        run = pigsty.run(name)
        assert run.rc == 0, run.output
        assert "ran on h3" in run.stdout


@pytest.mark.parametrize("whole", ["deploy.yml", "install.yml"])
def test_pigsty_lets_the_playbook_run_that_makes_the_certificate(pigsty, whole):
    ca = "files/pki/ca/ca.crt"
    os.remove(pigsty.directory / ca)
    pigsty.write("infra.yml", playbook({"hosts": "h1"}))
    pigsty.write(whole, "")
    run = pigsty.run("infra.yml", "pgsql.yml", "--limit", "h1")
    assert run.rc == 2
    assert run.stdout.count("ran on h1") == 1
    reason = f"there is no file {ca} on the control node"
    assert f"  h1  unverified: /etc/pki/ca.crt cannot be checked: {reason}" in run.stderr
    assert "node.yml" not in run.stderr  # without a CA, it initialises nothing


@pytest.fixture
def large(project):
    """A project with plays of which the second is large, and the third is so by intent."""
    gallery(project, "large-run.yml", {"h1": {}, "h2": {}})
    one, two = {"vars": {"large_run": 1}}, {"vars": {"large_run": 2}}
    ready, almost = {"name": "Ready", "hosts": "h1"} | one, {"name": "Almost"} | one
    intended = {"name": "Large by intent"} | two
    project.write("site.yml", playbook(ready, almost, intended))
    return project


def test_large_run_stops_a_play_on_many_hosts_without_a_limit(large):
    assert_almost_stopped(
        large.run("site.yml"),
        "Rule large-run: the play is not ready for 2 hosts.",
        "  not ready: 2 hosts and no --limit",
        "Say on which hosts to run: with --limit, or --limit all if you mean all of them.",
        before="Almost",
    )


def test_large_run_suggests_no_command(large):
    """It would run on hosts that nobody chose."""
    run = large.run("site.yml")
    assert run.rc == 2
    assert not re.search("^    ", run.stderr, re.MULTILINE)


def test_large_run_lets_plays_with_a_limit_run(large):
    run = large.run("site.yml", "--limit", "all")
    assert run.rc == 0
    assert run.stdout.count("ran on") == 5


def test_fresh_backup_stops_without_a_new_backup(project):
    """The backup of h2 is old, that of h3 empty. h4 has none."""
    names = ("h1", "h2", "h3", "h4")
    directories = {name: project.directory / f"{name}-backups" for name in names}
    hosts = {name: {"backup_directory": str(path)} for name, path in directories.items()}
    gallery(project, "fresh-backup.yml", hosts)
    for name in ("h1", "h2", "h3"):
        project.write(f"{name}-backups/main/base.tar", "" if name == "h3" else "a backup")
    two_days_ago = time.time() - 2 * 86400
    os.utime(directories["h2"] / "main/base.tar", (two_days_ago, two_days_ago))
    project.write("pg-upgrade-16.yml", READY_AND_ALMOST)
    reason = "not ready: backup: no file younger than a day in"
    assert_almost_stopped(
        project.run("pg-upgrade-16.yml"),
        *(f"  {name}  {reason} {directories[name]}" for name in names[1:]),
        "An upgrade needs a backup to go back to.",
        "    ansible-playbook backup.yml --limit h2,h3,h4",
        "The play cannot be run unchecked: rule fresh-backup cannot be waived.",
    )


def test_free_space_stops_for_little_space_and_warns_of_nearly_full_disks(project):
    """h2 requires more space than it has, h3 is nearly full, and h4 has no such directory."""
    enough = {
        "full_percent": 101,
        "free_space_directory": str(project.directory),
        "free_space_needed": 0,
    }
    hosts = {
        "h1": enough,
        "h2": enough | {"free_space_needed": 10**9},
        "h3": enough | {"full_percent": 0},
        "h4": enough | {"free_space_directory": "/no/such/directory"},
    }
    gallery(project, "free-space.yml", hosts)
    project.write("site.yml", playbook({"name": "Almost"}))
    run = project.run("site.yml")
    assert_almost_stopped(
        run,
        "Rule free-space: 2 of 4 hosts are not ready.",
        "There must be room for what the play installs.",
        before="Almost",
    )
    warning, block = run.stderr.split("PRECHECK stopped")
    little = r"^  h2  not ready: disk: only \d+ MiB free, 1000000000 needed$"
    assert re.search(little, block, re.MULTILINE)
    assert re.search(r"^  h4  not ready: disk: df: .*no/such/directory", block, re.MULTILINE)
    assert "Rule nearly-full: 2 of 4 hosts are not ready." in warning
    assert re.search(r"^  h3  not ready: disk: \d+ % full$", warning, re.MULTILINE)
    assert "nearly-full" not in block
    [first_line] = [text for text in blocks("text") if text.startswith("[WARNING]")]
    assert first_line in shown(project, run.stderr)


@pytest.fixture
def freeze(project):
    """A project with a play without a freeze, and one with."""
    gallery(project, "change-freeze.yml", {"h1": {}})
    project.write("freeze", "The books are being closed until Friday.\n")
    free, frozen = (
        {"vars": {"change_freeze_file": f"{project.directory}/{name}"}}
        for name in ("nothing", "freeze")
    )
    project.write("site.yml", playbook({"name": "Ready"} | free, {"name": "Almost"} | frozen))
    return project


def test_change_freeze_stops_during_a_freeze(freeze):
    assert_almost_stopped(
        freeze.run("site.yml"),
        "Rule change-freeze: the play is not ready for 1 host.",
        "  not ready: The books are being closed until Friday.",
        "Changes are frozen. Run with --check to see what would change,"
        " or with -e emergency=<its number>.",
        before="Almost",
    )


@pytest.mark.parametrize("option", ["--check", "--extra-vars=emergency=INC-1"])
def test_change_freeze_lets_check_mode_and_emergencies_run(freeze, option):
    run = freeze.run("site.yml", option)
    assert run.rc == 0
    assert run.stdout.count("ran on h1") == 2


def test_change_freeze_cannot_be_waived(freeze):
    run = freeze.run("site.yml", "--skip-tags", "precheck")
    assert run.rc == 2
    assert "Rule change-freeze: the play is not ready for 1 host." in run.stderr
    assert run.stderr.endswith("unchecked: rule change-freeze cannot be waived.\n")


def test_maintenance_stops_for_hosts_in_maintenance(project):
    """h2 is in maintenance because of the inventory, h3 because of a file."""
    file = f"{project.directory}/a maintenance file"
    hosts = {
        "h1": {"maintenance": False},
        "h2": {"maintenance": True},
        "h3": {"maintenance_file": file},
    }
    gallery(project, "maintenance.yml", hosts)
    project.write("a maintenance file", "The night shift: new disks.\n\n")
    project.write("site.yml", READY_AND_ALMOST)
    assert_almost_stopped(
        project.run("site.yml"),
        "  h2  not ready: in maintenance, says the inventory",
        "  h3  not ready: The night shift: new disks.",
        "Somebody works on these hosts. Until they are done, exclude them from your --limit:",
        "    --limit '...,!h2,!h3'",
    )


def test_a_play_in_json_is_known_by_its_file_too(project):
    project.configure("callback")
    project.local_hosts(missing="h1")
    policy = whole_rule("plays: [{playbook: pgsql.yml}]\nchecks: [{path: /etc/pki/ca.crt}]\n")
    project.write("precheck.yml", policy)
    tasks = [{"ansible.builtin.debug": None}]
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
    project.write("pgsql.yml", json.dumps([play]))
    assert project.run("pgsql.yml").rc == 2
