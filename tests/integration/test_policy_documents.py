# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The manual of policy files: its examples are valid, its outputs are real, and the policies of its gallery work."""

from __future__ import annotations

import http.server
import json
import os
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins import loader as plugin_loader
from ansible_collections.precheck.guard.plugins.plugin_utils import policy_file, sources
from ansible_collections.precheck.guard.plugins.plugin_utils.policy import TASK_KEYWORDS
from conftest import REPOSITORY, Project

pytestmark = pytest.mark.one_release  # what the documents show was written from the newest

DOCUMENT = (REPOSITORY / "docs/policy.md").read_text()
POLICIES = REPOSITORY / "docs/policies"

# The words after the fence, and the text, of each block. What a block of YAML is, the word after "yaml" says: keys of a
# rule, checks, a policy that is wrong, or a whole policy if there is none.
BLOCKS = re.findall(r"^```(.+)\n((?:.*\n)+?)```$", DOCUMENT, re.MULTILINE)
RULE = {"name": "name: example", "plays": 'plays: [{play: "*"}]', "checks": "checks: [{that: true}]"}


def blocks(words: str) -> list[str]:
    return [text for found, text in BLOCKS if found == words]


def whole_rule(text: str) -> str:
    """Return a policy of one rule with the keys in ``text``, and with those that a rule cannot do without."""
    missing = [line for key, line in RULE.items() if key not in yaml.safe_load(text)]
    return "rules:\n  -\n" + indent(text + "\n".join(missing), "    ")


def whole_check(text: str) -> str:
    """Return a policy of one rule with the checks in ``text``."""
    return whole_rule("checks:\n" + indent(text, "  "))


EXAMPLES = [
    *blocks("yaml"),
    *map(whole_rule, blocks("yaml rule")),
    *map(whole_check, blocks("yaml checks")),
    *(path.read_text() for path in sorted(POLICIES.iterdir())),
    *re.findall(r"^```yaml\n(.*?)^```$", (REPOSITORY / "README.md").read_text(), re.MULTILINE | re.DOTALL),
]


def test_every_block_is_of_a_known_kind():
    assert DOCUMENT.count("```") == 2 * len(BLOCKS)
    assert {words for words, _text in BLOCKS} == {"yaml", "yaml rule", "yaml checks", "yaml broken", "text", "ini"}
    assert "```ini\n[precheck]\npolicy = " in DOCUMENT


@pytest.fixture(scope="module", autouse=True)
def modules_are_known():
    if hasattr(plugin_loader, "init_plugin_loader"):  # before 2.15, importing it is enough
        plugin_loader.init_plugin_loader()


@pytest.fixture
def read(tmp_path):
    """A function that reads a policy, and returns its rules. The file that the examples compare with is there."""
    ca = tmp_path / "files/pki/ca/ca.crt"
    ca.parent.mkdir(parents=True)
    ca.touch()

    def read_text(text: str):
        path = tmp_path / "precheck.yml"
        path.write_text(text)
        return policy_file.read(str(path), DataLoader(), str(tmp_path))

    return read_text


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_example_is_valid(read, text):
    assert read(text)


def known_keys(read, text: str) -> set[str]:
    """Return the keys that are expected where ``text`` has an unknown one."""
    with pytest.raises(policy_file.PolicyError) as raised:
        read(text)
    return set(re.search(r"unknown key 'unknown': expected (.*)", str(raised.value))[1].split(", "))


def test_each_key_is_explained_and_has_an_example(read):
    rules = [rule for text in EXAMPLES for rule in yaml.safe_load(text)["rules"]]
    used = {
        "a rule": {key for rule in rules for key in rule},
        "plays": {key for rule in rules for entry in rule["plays"] for key in entry},
        "a check": {key for rule in rules for check in rule["checks"] for key in check},
    }
    known = {
        "a rule": known_keys(read, whole_rule("unknown: x\n")),
        "plays": known_keys(read, whole_rule("plays: [{unknown: x}]\n")),
        "a check": known_keys(read, whole_check("- unknown: x\n")),
    }
    assert used == known
    sections = re.findall(r"^### (.*)", DOCUMENT, re.MULTILINE)
    for key in set().union(*known.values()):
        assert f"\n| `{key}` |" in DOCUMENT or key in sections or f"With `{key}: true`" in DOCUMENT, key
    told = re.search(r"a task may have the keywords (.*?)\. `name`", DOCUMENT, re.DOTALL)[1]
    assert set(re.findall(r"`(\w+)`", told)) == TASK_KEYWORDS


def test_where_same_as_is_looked_for(tmp_path):
    policy = tmp_path / "policies/precheck.yml"
    places = [tmp_path / name for name in ("policies/files", "policies", "playbooks/files", "playbooks")]
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
        (place / "ca.crt").touch()
    policy.write_text(whole_check("- path: /etc/pki/ca.crt\n  same_as: ca.crt\n"))
    for place in places:
        [rule] = policy_file.read(str(policy), DataLoader(), str(tmp_path / "playbooks"))
        assert rule.checks[0].same_as == str(place / "ca.crt")
        (place / "ca.crt").unlink()
    with pytest.raises(policy_file.PolicyError, match=r"there is no file ca\.crt"):
        policy_file.read(str(policy), DataLoader(), str(tmp_path / "playbooks"))


def test_the_built_in_policy_is_shown_as_it_is():
    with open(sources.BUILT_IN) as file:
        assert yaml.safe_load(file) in map(yaml.safe_load, blocks("yaml"))


def test_the_gallery_lists_every_policy_once():
    links = re.findall(r"\(policies/(.*?)\)", DOCUMENT)
    assert sorted(links) == sorted(path.name for path in POLICIES.iterdir())


@pytest.fixture
def near(sockets: Path) -> Iterator[Project]:
    """A project in a folder with a short path. A reason is cut to 200 characters, and may hold two paths."""
    with tempfile.TemporaryDirectory() as folder:
        yield Project(Path(folder), sockets, "callback")


def shown(project, text: str) -> str:
    """Return output as the document shows it: paths of nodes from their root, those of the project below /srv/pigsty."""
    folder = re.escape(str(project.folder))
    text = re.sub(rf"{folder}/pg-\d/etc", "/etc", text)
    return re.sub(folder, "/srv/pigsty", text).replace("ERROR! ", "[ERROR]: ")  # the latter since 2.19


def playbook(*plays: dict[str, object]) -> str:
    common = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"msg": "ran on {{ host }}"}}]}
    variables = {"host": "{{ inventory_hostname }}"}
    return yaml.safe_dump([common | play | {"vars": variables | play.get("vars", {})} for play in plays])


def test_the_first_example_prints_what_is_shown(near):
    near.local_hosts(ready="pg-1 pg-2", missing="pg-3 pg-4")
    hosts = json.loads((near.folder / "inventory.json").read_text())["all"]["hosts"]
    for name in ("pg-1", "pg-2", "pg-3"):
        hosts[name] |= {"pg_cluster": "main"} | ({} if name == "pg-3" else {"pg_seq": 1})
    near.inventory(hosts)
    near.write("files/pki/ca/ca.crt", "this certificate\n")
    near.write("pg-1/etc/pki/ca.crt", "this certificate\n")
    near.write("precheck.yml", blocks("yaml")[0])
    near.write("node.yml", playbook({"name": "Initialise nodes"}))
    near.write("pgsql.yml", playbook({"name": "Set up PostgreSQL"}))
    run = near.run("node.yml", "pgsql.yml", "-vv")
    assert run.rc == 2
    block, coverage = blocks("text")[:2]
    assert block in shown(near, run.stderr)
    assert set(coverage.splitlines()) <= set(shown(near, run.stdout).splitlines())


def test_what_is_wrong_with_a_policy_is_told_as_shown(project):
    project.configure("callback")
    project.local_hosts(missing="h1")
    [broken] = blocks("yaml broken")
    project.write("precheck.yml", broken)
    project.write("site.yml", playbook({}))
    run = project.run("site.yml")
    assert run.rc == 1
    assert "ran on" not in run.stdout
    assert blocks("text")[-1] in shown(project, run.stderr)


def test_a_vaulted_policy_and_a_vaulted_file_to_compare_with(project):
    project.configure("callback")
    project.local_hosts(ready="h1", missing="h2")
    vault = VaultLib([("default", VaultSecret(b"a password"))])
    project.write("files/ca.crt", vault.encrypt("a certificate\n").decode())
    project.write("precheck.yml", vault.encrypt(whole_check("- path: /etc/pki/ca.crt\n  same_as: ca.crt\n")).decode())
    project.write("password", "a password\n")
    project.write("site.yml", playbook({"hosts": "h1"}, {"hosts": "h2"}))
    run = project.run("site.yml", "--vault-password-file", "password")
    assert run.rc == 2
    assert "ran on h1" in run.stdout
    assert f"  h2  not ready: {project.folder}/h2/etc/pki/ca.crt is missing\n" in run.stderr
    run = project.run("site.yml")
    assert run.rc == 1
    assert f"{project.folder}/precheck.yml: " in run.stderr
    assert "ran on" not in run.stdout


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def ports() -> Iterator[tuple[int, int]]:
    """A port on loopback at which a healthy server answers, and one at which nothing does."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        yield server.server_port, silent.getsockname()[1]
    server.shutdown()
    server.server_close()


def test_the_tasks_shown(project, ports):
    project.configure("callback")
    tasks = [text for text in blocks("yaml checks") if "task:" in text]
    assert len(tasks) == 3
    project.write("precheck.yml", whole_check("".join(tasks)).replace("/run/reboot-required", "'{{ reboot }}'"))
    hosts = {
        name: {"ansible_connection": "local", "ansible_host": "127.0.0.1", "pg_port": port, "patroni_port": port, "reboot": file}
        for name, port, file in zip(("h1", "h2"), ports, (f"{project.folder}/nothing", str(project.folder)))
    }
    project.inventory(hosts)
    project.write("site.yml", playbook({"hosts": "h1"}, {"hosts": "h2"}))
    run = project.run("site.yml", "--check", env={"no_proxy": "127.0.0.1"})
    assert run.rc == 2
    assert "ran on h1" in run.stdout
    assert "ran on h2" not in run.stdout
    told = [line.strip() for line in run.stderr.partition("Rule example: 1 of 1 host is not ready.\n")[2].splitlines()[:3]]
    assert told[0].startswith(f"h2  not ready: PostgreSQL: Timeout when waiting for 127.0.0.1:{ports[1]}")
    assert told[1:] == ["Patroni: Patroni is not healthy on h2", "reboot: h2 has to be rebooted first"]


def gallery(project, name: str, hosts: dict[str, dict[str, object]]) -> None:
    """Set up a project with a policy of the gallery and local hosts with these variables."""
    project.configure("callback", f"[precheck]\npolicy = {POLICIES / name}\n")
    project.inventory({host: {"ansible_connection": "local"} | variables for host, variables in hosts.items()})


def stopped(run, *lines: str) -> None:
    """Assert that the play Ready was let pass, and that Almost, the next, was not, for the reasons in these lines."""
    assert run.rc == 2
    assert "ran on h1" in run.stdout
    assert run.stdout.count("ran on") == 1
    assert 'PRECHECK stopped the run before play "Almost"' in run.stderr
    for line in lines:
        assert f"{line}\n" in run.stderr


READY_AND_ALMOST = playbook({"name": "Ready", "hosts": "h1"}, {"name": "Almost"})


def test_pigsty(near):
    names = ("h1", "h2", "h3")
    gallery(near, "pigsty.yml", {name: {"precheck_root": f"{near.folder}/{name}"} for name in names})
    near.write("files/pki/ca/ca.crt", "this certificate\n")
    near.write("h1/etc/pki/ca.crt", "this certificate\n")
    near.write("h2/etc/pki/ca.crt", "another certificate\n")
    near.write("pgsql.yml", READY_AND_ALMOST)
    there, ca = "is there, but it is not this installation's: its content differs from", f"{near.folder}/files/pki/ca/ca.crt"
    stopped(
        near.run("pgsql.yml"),
        f"  h3  not ready: {near.folder}/h3/etc/pki/ca.crt is missing",
        "    ./node.yml -l h2,h3",
        f"  h2  not ready: {near.folder}/h2/etc/pki/ca.crt {there} {ca}",
    )
    # Before there is a certificate to compare with, the playbook that makes it can run.
    os.remove(ca)
    near.write("infra.yml", playbook({"hosts": "h1"}))
    run = near.run("infra.yml", "pgsql.yml", "--limit", "h1")
    assert run.rc == 2
    assert run.stdout.count("ran on h1") == 1
    assert f"  h1  unverified: /etc/pki/ca.crt cannot be asked: there is no file {ca} on the control node" in run.stderr


def test_large_run(project):
    gallery(project, "pigsty.yml", {"h1": {}, "h2": {}})
    plays = {"name": "Ready", "hosts": "h1"}, {"name": "Almost"}, {"name": "Large by intent", "vars": {"large_run": 2}}
    project.write("site.yml", playbook(*(play | {"vars": {"large_run": 1} | play.get("vars", {})} for play in plays)))
    named = ("-e", f"precheck_policy={POLICIES / 'large-run.yml'}")  # goes before that of ansible.cfg
    stopped(
        project.run("site.yml", *named),
        "Rule large-run: the play is not ready for 2 hosts.",
        "  not ready: 2 hosts and no --limit",
        "Say on which hosts to run: with --limit, or --limit all if you mean all of them.",
        f"    ansible-playbook {project.folder}/site.yml --limit h1",
    )
    run = project.run("site.yml", *named, "--limit", "all")
    assert run.rc == 0
    assert run.stdout.count("ran on") == 5


def test_fresh_backup(project):
    folders = {name: project.folder / f"{name}-backups" for name in ("h1", "h2", "h3", "h4")}
    gallery(project, "fresh-backup.yml", {name: {"backup_directory": str(folder)} for name, folder in folders.items()})
    for name in ("h1", "h2", "h3"):
        project.write(f"{name}-backups/main/base.tar", "" if name == "h3" else "a backup")
    two_days_ago = time.time() - 2 * 86400
    os.utime(folders["h2"] / "main/base.tar", (two_days_ago, two_days_ago))
    project.write("pg-upgrade-16.yml", READY_AND_ALMOST)
    run = project.run("pg-upgrade-16.yml")
    stopped(
        run,
        *(f"  {name}  not ready: backup: no file younger than a day in {folders[name]}" for name in ("h2", "h3", "h4")),
        "An upgrade needs a backup to go back to.",
        "    ansible-playbook backup.yml --limit h2,h3,h4",
        "The play cannot be run unchecked: mandatory is fresh-backup.",
    )


def test_free_space(project):
    # Nothing is nearly full on h1 and on the second host, everything is on the third.
    never_full = {"full_percent": 101, "free_space_directory": str(project.folder), "free_space_needed": 0}
    hosts = {"h1": never_full, "h2": never_full | {"free_space_needed": 10**9}, "h3": never_full | {"full_percent": 0}}
    gallery(project, "pigsty.yml", hosts | {"h4": never_full | {"free_space_directory": "/no/such/folder"}})
    project.write("site.yml", READY_AND_ALMOST)
    # The variable goes before ansible.cfg.
    run = project.run("site.yml", env={"ANSIBLE_PRECHECK_POLICY": str(POLICIES / "free-space.yml")})
    stopped(run, "Rule free-space: 2 of 3 hosts are not ready.", "There must be room for what the play installs.")
    assert re.search(r"^  h2  not ready: disk: only \d+ MiB free, 1000000000 needed$", run.stderr, re.MULTILINE)
    assert re.search(r"^  h4  not ready: disk: df: .*no/such/folder", run.stderr, re.MULTILINE)
    warning, stop = run.stderr.split("PRECHECK stopped")
    assert "Rule nearly-full: 2 of 3 hosts are not ready." in warning
    assert re.search(r"^  h3  not ready: disk: \d+ % full$", warning, re.MULTILINE)
    assert "nearly-full" not in stop
    [first_line] = [text for text in blocks("text") if text.startswith("[WARNING]")]
    assert first_line in shown(project, run.stderr)


def test_change_freeze(project):
    gallery(project, "change-freeze.yml", {"h1": {}})
    project.write("freeze", "The books are being closed until Friday.\n")
    frozen, free = ({"change_freeze_file": f"{project.folder}/{name}"} for name in ("freeze", "nothing"))
    project.write("site.yml", playbook({"name": "Ready", "vars": free}, {"name": "Almost", "vars": frozen}))
    stopped(
        project.run("site.yml"),
        "Rule change-freeze: the play is not ready for 1 host.",
        "  not ready: The books are being closed until Friday.",
        "Changes are frozen. Run with --check to see what would change, or with -e emergency=<its number>.",
    )
    for option in ("--check", "--extra-vars=emergency=INC-1"):
        run = project.run("site.yml", option)
        assert run.rc == 0
        assert run.stdout.count("ran on h1") == 2
    run = project.run("site.yml", "--skip-tags", "precheck")
    assert run.rc == 1
    assert "mandatory is rule change-freeze" in run.stderr


def test_maintenance(project):
    file = f"{project.folder}/a maintenance file"
    hosts = {"h1": {"maintenance": False}, "h2": {"maintenance": True}, "h3": {"maintenance_file": file}}
    gallery(project, "maintenance.yml", hosts)
    project.write("a maintenance file", "The night shift: new disks.\n\n")
    project.write("site.yml", READY_AND_ALMOST)
    stopped(
        project.run("site.yml"),
        "  h2  not ready: in maintenance, says the inventory",
        "  h3  not ready: The night shift: new disks.",
        "Somebody works on these hosts. Leave them out until they are done.",
        f"    ansible-playbook {project.folder}/site.yml -l 'all:!h2:!h3'",
    )


def test_a_play_in_json_is_known_by_its_file_too(project):
    project.configure("callback")
    project.local_hosts(missing="h1")
    project.write("precheck.yml", whole_rule("plays: [{playbook: pgsql.yml}]\nchecks: [{path: /etc/pki/ca.crt}]\n"))
    project.write("pgsql.yml", json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.debug": None}]}]))
    assert project.run("pgsql.yml").rc == 2
