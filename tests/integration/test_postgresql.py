# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The example docs/examples/postgresql, with a real PostgreSQL and pgbouncer on SSH nodes."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.commands import REPOSITORY, Run, run_command
from support.nodes import Nodes
from support.project import Project
from support.requirements import lacking

pytestmark = pytest.mark.one_release  # PostgreSQL is the same behind each

EXAMPLE = REPOSITORY / "docs/examples/postgresql"
# The commands of the page, but for those that prepare the machine, and the output that it shows.
FIRST, BARE, STOPPED, REMEDY, AGAIN, ASK, OTHER_CA = re.findall(
    r"^\$ ((?:\./|psql).*)\n((?:[^$`].*\n|\n)*)", (EXAMPLE / "README.md").read_text(), re.MULTILINE
)
HOSTS = {"10.10.10.10": "n1", "10.10.10.11": "n2", "10.10.10.12": "n3"}
PYTHON = "/usr/bin/python3"  # the user postgres cannot read one in somebody's home
DIRECTORY = "/etc/pki/pg"  # a node keeps files below /etc/pki

# Replaces the real sudo, as root runs it. su would not work: Ansible does not pipeline through it.
SUDO = """#!/bin/sh
user=$2
shift 2
export HOME=/
exec setpriv --reuid="$user" --regid="$user" --init-groups "$@"
"""

# Stops both by process id, in this order: PostgreSQL ends when its clients are gone.
STOP = """
for file in pgbouncer.pid data/postmaster.pid; do
    [ ! -e $file ] || kill "$(head -n 1 $file)"
    for attempt in 0 1 2 3 4 5 6 7 8 9; do [ ! -e $file ] || sleep 0.$attempt; done
    [ ! -e $file ] || echo "$file is still there"
done
"""


def version() -> int | None:
    """Return the newest version of PostgreSQL here, or None if the example cannot run."""
    initdb = Path("/usr/lib/postgresql").glob("[0-9]*/bin/initdb")
    if not os.path.exists("/usr/sbin/pgbouncer") or not os.path.exists(PYTHON):
        return None
    return max((int(path.parts[-3]) for path in initdb), default=None)


def free_port() -> int:
    """Return the number of a port at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Installation:
    """The example in the project's directory, with nodes as the hosts of its inventory."""

    def __init__(self, project: Project, nodes: Nodes) -> None:
        self.project, self.nodes = project, nodes
        shutil.copytree(EXAMPLE, project.directory, dirs_exist_ok=True)
        self.ports = free_port(), free_port()
        hosts = {
            host: nodes.host(name) | {"pg_listen": nodes.addresses[name]}
            for host, name in HOSTS.items()
        }
        common = {
            "ansible_become_exe": project.script("sudo", SUDO),
            "ansible_become_flags": "",
            "ansible_python_interpreter": PYTHON,
            "pg_version": version(),
            "pg_dir": DIRECTORY,
            "pg_port": self.ports[0],
            "pgbouncer_port": self.ports[1],
        }
        project.write("nodes.json", json.dumps({"all": {"vars": common, "hosts": hosts}}))

    def run(self, command: str) -> Run:
        """Run a command of the page."""
        settings = {
            "ANSIBLE_INVENTORY": "inventory.yml,nodes.json",
            "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / "collections"),
            "ANSIBLE_DEPRECATION_WARNINGS": "false",
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.project.sockets),
        }
        return self.project.run(*shlex.split(command.removeprefix("./")), env=settings)

    def on_node(self, name: str, command: str) -> Run:
        """Run a shell command on a node, in a session of its own."""
        host = self.nodes.host(name)
        options = [*shlex.split(str(host["ansible_ssh_common_args"])), "-o", "LogLevel=ERROR"]
        address = ["-p", str(host["ansible_port"]), f"root@{host['ansible_host']}"]
        return run_command(["ssh", *options, *address, command], self.project.directory, timeout=60)

    def shows(self, run: Run, text: str) -> bool:
        """Return whether the run printed what the page shows, where "..." stands for anything."""
        printed = run.output.replace(str(self.project.directory), "/srv/pigsty")
        pattern = re.escape(text.strip()).replace(r"\.\.\.", ".*?")
        return bool(re.search(pattern, printed.replace(DIRECTORY, "/pg"), re.DOTALL))


@pytest.fixture
def installation(project: Project, nodes: Nodes) -> Iterator[Installation]:
    """The installed example. What runs on the nodes stops after the test."""
    if not version():
        lacking("requires Debian's packages postgresql, pgbouncer, python3")
    installation = Installation(project, nodes)
    yield installation
    for name in HOSTS.values():
        assert not installation.on_node(name, f"cd {DIRECTORY} 2>&- || exit 0; {STOP}").output


def test_the_example_works_as_its_page_shows(installation):
    """One test for all, as each step of the page depends on those before it."""
    assert installation.run(FIRST[0]).rc == 0
    assert_half_a_database_without_the_guard(installation)
    assert_no_change_with_the_guard(installation)
    assert installation.run(REMEDY[0]).rc == 0
    assert installation.run(AGAIN[0]).rc == 0
    run = installation.run(AGAIN[0])
    assert (run.rc, "changed=0" in run.stdout) == (0, True), run.output
    ask = assert_psql_works(installation)
    assert_node_of_another_installation_refused(installation, ask)


def assert_half_a_database_without_the_guard(installation: Installation) -> None:
    """Assert that without the guard a playbook fails in the middle, as the page shows."""
    nodes, config = installation.nodes, installation.project.directory / "ansible.cfg"
    guarded = config.read_text()
    config.write_text("".join(line for line in config.open() if "precheck.guard" not in line))
    run = installation.run(BARE[0])
    config.write_text(guarded)
    assert run.rc == 2
    assert installation.shows(run, BARE[1]), run.output
    assert "/etc/pki/ca.crt" not in run.output  # the cause is only in the log
    assert "/etc/pki/ca.crt" in nodes.path("n3", "pki/pg/postgresql.log").read_text()
    for left in ("data/PG_VERSION", "server.key"):
        assert nodes.having(f"pki/pg/{left}") == "n3"
    assert not nodes.having("pki/pg/data/postmaster.pid")


def assert_no_change_with_the_guard(installation: Installation) -> None:
    """Assert that the guard stops the playbook before it changes anything."""
    nodes, certificates = installation.nodes, installation.project.directory / "files/pki/pgsql"
    shutil.rmtree(nodes.path("n3", "pki/pg"))
    shutil.rmtree(certificates)
    run = installation.run(STOPPED[0])
    assert run.rc == 2
    assert installation.shows(run, STOPPED[1])
    assert installation.shows(run, f"    {REMEDY[0]}\n")
    assert not nodes.having("pki/pg")
    assert not certificates.exists()


def assert_psql_works(installation: Installation) -> str:
    """Assert that psql works, and only with TLS. Return its command, without any SQL."""
    port, pooled_port = map(str, installation.ports)
    address = installation.nodes.addresses["n3"]
    psql = ASK[0].replace("10.10.10.12", address).replace("6432", pooled_port)
    psql = f"PGPASSWORD=DBUser.Postgres {psql}"
    answer = installation.on_node("n3", psql)
    assert answer.stdout.split() == ASK[1].split(), answer.output

    # pgbouncer uses TLS to PostgreSQL too, and neither accepts a connection without it.
    psql = psql.partition(" -c ")[0]
    encrypted = "select count(*) from pg_stat_ssl where ssl and pid = pg_backend_pid()"
    assert installation.on_node("n3", f"{psql} -Atc '{encrypted}'").stdout == "1\n"
    plain = psql.replace("verify-full", "disable")
    assert "SSL required" in installation.on_node("n3", f"{plain} -c 'select 1'").stderr
    unpooled = plain.replace(pooled_port, port)
    assert "no encryption" in installation.on_node("n3", f"{unpooled} -c 'select 1'").stderr
    return psql


def assert_node_of_another_installation_refused(installation: Installation, psql: str) -> None:
    """Assert that the guard stops for a node that has the certificate of another installation."""
    ca = installation.nodes.path("n3", "pki/ca.crt")
    request = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=another -keyout /dev/null -out"
    subprocess.run([*request.split(), ca], check=True, capture_output=True)
    assert "certificate verify failed" in installation.on_node("n3", f"{psql} -c 'select 1'").stderr
    run = installation.run(OTHER_CA[0])
    assert run.rc == 2
    assert installation.shows(run, OTHER_CA[1])
