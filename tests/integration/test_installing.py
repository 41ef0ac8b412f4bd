# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ways to install the collection, by the commands in the documents; and the demonstration."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible.release import __version__

from support.commands import BIN, REPOSITORY, Run, run_command
from support.output import is_printed, on_one_line
from support.project import ENTRY_POINTS, PRECHECK
from support.requirements import lacking

COMMAND = PRECHECK.relative_to(REPOSITORY)
PLAY = "- hosts: localhost\n  connection: local\n  gather_facts: false\n  roles: [pgsql]\n"
DOCUMENT = (REPOSITORY / "docs/installing.md").read_text()
DOCTOR = (REPOSITORY / "docs/doctor.md").read_text()
DEBIAN = Path("/usr/bin/ansible-galaxy")
COLLECTION = ".ansible/collections/ansible_collections/precheck/guard"


def commands(text: str) -> list[str]:
    """Return the commands that a document shows, those for root included."""
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^[$#] (.*)", "".join(blocks), re.MULTILINE)


def sections(text: str) -> dict[str, list[str]]:
    """Return the commands of each section of a document by its heading."""
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    return {heading: commands(part) for heading, part in zip(parts[1::2], parts[2::2])}


SECTIONS = sections(DOCUMENT)
UPGRADE_PIP, UPGRADE_PIPX, UPGRADE_GALAXY = SECTIONS["Upgrade"]
UNINSTALL_PIP, UNINSTALL_PIPX, UNINSTALL_GALAXY = SECTIONS["Uninstall"]
[LIST] = SECTIONS["Look which one is used"]


@dataclass
class Admin:
    """A user with an own home, and in it a clone of the repository and a project.

    ``python`` is that of the Ansible in use, whose commands are in ``path``.
    """

    home: Path
    python: Path = Path(sys.executable)
    path: str = f"{BIN}:/usr/bin:/bin"

    def run(self, *command: str | Path, cwd: str = "project", **env: str) -> Run:
        return run_command(
            command, self.home / cwd, HOME=str(self.home), **{"PATH": self.path} | env
        )

    def follow(self, *lines: str, **env: str) -> str:
        """Run these commands as they are, in the directory that contains the clone."""
        output = ""
        for line in lines:
            done = self.run("sh", "-c", line, cwd=".", **env)
            assert done.rc == 0, done.output
            output += done.stdout
        return output

    def play(self, root: str) -> Run:
        """Run the covered play on a host with this root directory."""
        directory = self.home / "project"
        interpreter = f"ansible_python_interpreter={sys.executable}"
        command = [self.python, "-m", "ansible", "playbook", "play.yml"]
        return self.run(*command, "-e", interpreter, "-e", f"precheck_root={directory}/{root}")

    def configure(self, entry_point: str, more: str = "") -> None:
        config = f"[defaults]\n{ENTRY_POINTS[entry_point]}\n{more}\n"
        (self.home / "project/ansible.cfg").write_text(config)

    def assert_guarded(self, *entry_points: str) -> None:
        """Assert that the guard works in the project, with these entry points or with both."""
        for entry_point in entry_points or ["both"]:
            self.configure(entry_point)
            stopped = self.play("missing")
            assert stopped.rc == 2, stopped.output
            assert "1 of 1 host is not ready" in stopped.stderr
            assert "the role ran" not in stopped.stdout
            passed = self.play("root")
            assert passed.rc == 0, passed.output
            assert passed.stdout.count("TASK [Precheck") == 1
            assert "the role ran" in passed.stdout

    def assert_audits(self) -> None:
        audit = [self.python, "-m", "ansible", "playbook", "precheck.guard.audit", "-i"]
        audit += ["localhost,", "-e", "ansible_connection=local"]
        audited = self.run(*audit, "-e", f"precheck_root={self.home}/project/root")
        assert audited.rc == 0, audited.output
        assert "\nPRECHECK audited 1 host by 1 rule: all are ready.\n" in audited.stdout

    def assert_explains(self, *command: str | Path, collections: str = "") -> None:
        """Assert that ansible-precheck works in the project.

        It must find the role of a collection in a directory that only ansible.cfg names.
        """
        directory = self.home / "project"
        role = directory / "roles_of/ansible_collections/acme/db/roles/pgsql"
        (role / "tasks").mkdir(parents=True)
        (role / "tasks/main.yml").write_text("- ansible.builtin.debug:\n")
        (directory / "other.yml").write_text(PLAY.replace("[pgsql]", "[acme.db.pgsql]"))
        paths = f"collections_path = {directory}/roles_of{collections}"
        (directory / "ansible.cfg").write_text(f"[defaults]\n{ENTRY_POINTS['both']}\n{paths}\n")
        explained = self.run(*command, "explain", "other.yml")
        assert explained.rc == 0, explained.stderr
        covered = "  rule pigsty-node, by role pgsql or postgres or postgresql\n"
        assert f"{covered}    checked   localhost\n" in explained.stdout
        assert self.run(*command, "validate").rc == 0
        self.assert_switches(*command)

    def assert_switches(self, *command: str | Path) -> None:
        """Assert that enable, doctor and disable work in the project."""
        config = self.home / "project/ansible.cfg"
        before = config.read_text().replace(ENTRY_POINTS["both"], "")
        config.write_text(before)
        off = self.run(*command, "doctor", "other.yml")
        assert (off.rc, "NOT IN FORCE\n" in off.stdout) == (1, True), off.output
        on = self.run(*command, "enable", "--yes")
        assert (on.rc, on.stdout.splitlines()[-1]) == (0, "IN FORCE"), on.output
        playbook = [self.python, "-m", "ansible", "playbook", "precheck.guard.doctor"]
        assert self.run(*playbook).rc == 0
        assert self.run(*command, "disable", "--yes").rc == 0
        assert config.read_text() == before
        assert self.run(*playbook).rc == 2

    def assert_switched_on_by(self, command: str) -> None:
        """Assert that the command of the documents switches the guard on, and off."""
        self.configure("none")
        self.follow(f"cd project; {command} enable --yes; {command} doctor play.yml")
        assert self.play("missing").rc == 2
        self.follow(f"cd project; {command} disable --yes")
        assert self.play("missing").rc == 0

    def assert_not_installed(self) -> None:
        """Assert that the project runs without its lines, and not with the strategy line."""
        self.configure("strategy")
        assert "Invalid play strategy specified" in self.play("missing").stderr
        self.configure("none")
        assert self.play("missing").rc == 0


@pytest.fixture
def clone(tmp_path: Path, copy_repository: Callable[[Path], Path]) -> Path:
    """A clone of the repository."""
    return copy_repository(tmp_path / "precheck")


@pytest.fixture
def admin(clone: Path) -> Admin:
    """A user of the Ansible of this test environment, who has a project with a covered play."""
    project = clone.parent / "project"
    tasks = project / "roles/pgsql/tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text("- ansible.builtin.debug: {msg: the role ran}\n")
    (project / "play.yml").write_text(PLAY)
    (project / "root/etc/pki").mkdir(parents=True)
    (project / "root/etc/pki/ca.crt").touch()
    (project / "ansible.cfg").touch()
    return Admin(clone.parent)


@pytest.fixture
def debian(admin: Admin) -> Admin:
    """A user of the ansible-core of a distribution, with nothing else on the PATH."""
    if not DEBIAN.exists():
        lacking("the Ansible of a distribution is not installed")
    admin.python, admin.path = Path("/usr/bin/python3"), "/usr/bin:/bin"
    return admin


def test_the_guard_works_in_a_clone(clone):
    run = run_command([BIN / "ansible-playbook", "playbooks/pgsql.yml"], clone)
    assert run.rc == 2, run.stderr
    assert "3 of 3 hosts are not ready" in run.stderr
    assert "    playbooks/node.yml -l node1,node2,node3\n" in run.stderr
    explained = run_command([sys.executable, COMMAND, "explain", "playbooks/pgsql.yml"], clone)
    assert "checked   node1, node2, node3\n" in explained.stdout, explained.stderr


@pytest.mark.one_release
def test_each_command_of_the_document_is_run_here_and_the_short_pages_show_the_same():
    """But the one that needs ansible-builder: tests/lint has that."""
    assert set(SECTIONS) == {
        "A virtual environment",
        "pipx",
        "A package of the distribution",
        "For all users of a machine",
        "Beside the playbooks",
        "An execution environment",
        "Look which one is used",
        "Upgrade",
        "Uninstall",
        "A colleague without the collection",
    }
    shown = {"python3 -m pip install ./precheck", "ansible-galaxy collection install ./precheck"}
    for name in ("README.md", "docs/getting-started.md", "docs/zh/README.md"):
        text = (REPOSITORY / name).read_text()
        assert {line for line in commands(text) if "install" in line.split()} == shown, name


def test_a_virtual_environment(admin):
    """The command of the short pages does the same in an environment that is active."""
    (admin.home / "release").write_text(f"ansible-core=={__version__}\n")
    release = {"PIP_CONSTRAINT": f"{admin.home}/release", "PIP_NO_COMPILE": "1"}
    admin.follow(*SECTIONS["A virtual environment"], **release)
    admin.python, admin.path = admin.home / "ansible/bin/python", f"{admin.home}/ansible/bin:/bin"
    admin.assert_guarded("strategy", "callback", "both")
    admin.assert_audits()
    admin.assert_explains("ansible-precheck")
    admin.assert_switched_on_by("ansible-precheck")
    assert "precheck.guard 0.1.0" in on_one_line(admin.follow(LIST))
    admin.follow(UPGRADE_PIP, UNINSTALL_PIP)
    admin.assert_not_installed()
    admin.follow("python3 -m pip install ./precheck", **release)
    admin.configure("both")
    assert admin.play("missing").rc == 2


@pytest.mark.one_release
def test_pipx(admin):
    subprocess.run([sys.executable, "-m", "venv", admin.home / "of_pipx"], check=True)
    of_pipx, bin_directory = admin.home / "of_pipx/bin", admin.home / ".local/bin"
    admin.follow(f"{of_pipx}/python -m pip install --quiet pipx")
    admin.path = f"{bin_directory}:{of_pipx}:/usr/bin:/bin"
    admin.follow(*SECTIONS["pipx"])
    admin.python = admin.home / ".local/share/pipx/venvs/ansible-core/bin/python"
    admin.assert_guarded()
    admin.assert_audits()
    admin.assert_explains(bin_directory / "ansible-precheck")
    admin.follow(UPGRADE_PIPX)
    assert "precheck.guard 0.1.0" in on_one_line(admin.follow(LIST))
    admin.follow(UNINSTALL_PIPX)
    admin.assert_not_installed()


def test_ansible_galaxy_for_one_user(admin):
    install, *_of_tarball = SECTIONS["A package of the distribution"]
    admin.follow(install)
    admin.assert_guarded("strategy", "callback", "both")
    admin.assert_audits()
    command = [admin.python, admin.home / COLLECTION]  # as docs/doctor.md says
    admin.assert_explains(*command, collections=f":{admin.home}/.ansible/collections")
    admin.configure("none")
    assert "precheck.guard 0.1.0" in on_one_line(admin.follow(LIST))
    (admin.home / COLLECTION / "README.md").unlink()
    admin.follow(UPGRADE_GALAXY)
    assert (admin.home / COLLECTION / "README.md").exists()
    admin.follow(UNINSTALL_GALAXY)
    admin.assert_not_installed()


def test_a_tarball_is_built_as_often_as_wanted_and_installed_without_the_clone(admin):
    _install, build, install = SECTIONS["A package of the distribution"]
    build, install = (line.replace("/tmp", str(admin.home)) for line in (build, install))
    admin.follow(build, build)
    shutil.rmtree(admin.home / "precheck")
    admin.follow(install, install.replace(" install ", " install --force "))
    admin.assert_guarded()


@pytest.mark.one_release
def test_a_package_of_the_distribution(debian):
    """It has a Python into which pip does not install, and which has no other way to the guard."""
    debian.follow(SECTIONS["A package of the distribution"][0])
    debian.assert_guarded("strategy", "callback")
    debian.assert_audits()
    debian.assert_explains(
        "python3",
        debian.home / COLLECTION,
        collections=f":{debian.home}/.ansible/collections",
    )
    [command] = re.findall(r"^\$ (python3 .*) doctor$", DOCTOR, re.MULTILINE)
    debian.assert_switched_on_by(command)
    debian.follow(UNINSTALL_GALAXY)
    debian.assert_not_installed()
    refused = debian.run("python3", "-m", "pip", "install", "./precheck", cwd=".")
    assert refused.rc == 1
    if "No module named pip" not in refused.stderr:
        assert "externally-managed-environment" in refused.stderr


@pytest.mark.one_release
def test_all_users_of_a_machine(debian):
    """It is installed into a file system that only this test sees."""
    [install] = SECTIONS["For all users of a machine"]
    debian.configure("both")
    play = f"ansible-playbook play.yml -e precheck_root={debian.home}/missing"
    play = f"cd project; HOME={debian.home}/nobody {play}"
    script = f"mount -t tmpfs none /usr/share; {install}; {play}"
    stopped = debian.run("unshare", "--mount", "sh", "-ec", script, cwd=".")
    if "Operation not permitted" in stopped.stderr:
        lacking("only root can make a file system for a test")
    assert stopped.rc == 2, stopped.output
    assert "1 of 1 host is not ready" in stopped.stderr


def test_beside_the_playbooks(admin):
    [install] = SECTIONS["Beside the playbooks"]
    admin.follow(install.replace("pigsty/", "project/"))
    admin.assert_guarded()
    [line] = re.findall(r"^collections_path = .*", DOCUMENT, re.MULTILINE)
    admin.configure("both", line)
    admin.assert_audits()


@pytest.mark.one_release
def test_the_commands_of_ansible_galaxy_do_nothing_in_the_clone(admin):
    done = admin.run("sh", "-c", "ansible-galaxy collection install ../precheck", cwd="precheck")
    assert "Nothing to do" in done.stdout
    assert not (admin.home / COLLECTION).exists()


# The line in ansible.cfg, what ansible-core prints if the collection is missing, and the exit
# status.
COLLEAGUE = {
    "strategy": ("Invalid play strategy specified: precheck.guard.linear", 1),
    "callbacks_enabled": (
        "Skipping callback plugin 'precheck.guard.enforce', unable to load",
        0,
    ),
}


@pytest.mark.parametrize("line", COLLEAGUE)
def test_a_colleague_without_the_collection(admin, line):
    text, status = COLLEAGUE[line]
    assert f"| `{line}` | `{text}` |" in DOCUMENT
    admin.configure("callback" if line == "callbacks_enabled" else line)
    run = admin.play("missing")
    assert run.rc == status
    assert is_printed(text, run.output)
    assert ("the role ran" in run.stdout) == (status == 0)


def test_a_playbook_that_begins_with_doctor_does_not_run_without_the_collection(admin):
    admin.configure("callback")
    play = admin.home / "project/play.yml"
    play.write_text("- import_playbook: precheck.guard.doctor\n" + play.read_text())
    run = admin.play("missing")
    assert run.rc == 1
    assert "precheck.guard.doctor" in run.stderr
    assert "the role ran" not in run.stdout


def test_the_demonstration_succeeds(clone):
    run = run_command([sys.executable, clone / "playbooks/demo.py"], clone)
    assert run.rc == 0, run.output
    result = "The guard stopped the playbook, node3 was initialised, and the playbook ran.\n"
    assert run.stdout.endswith(result)


@pytest.mark.one_release
@pytest.mark.parametrize(
    ("playbook", "old", "new"),
    [
        ("pgsql.yml", "hosts: all", "hosts: all\n  tags: no_precheck"),
        ("node.yml", "/etc/pki/ca.crt", "/etc/pki/other.crt"),
    ],
    ids=["the guard does not stop", "the remedy does not help"],
)
def test_the_demonstration_fails_when_a_playbook_is_wrong(clone, playbook, old, new):
    path = clone / "playbooks" / playbook
    path.write_text(path.read_text().replace(old, new))
    run = run_command([sys.executable, clone / "playbooks/demo.py"], clone)
    assert run.rc == 1
    assert "The demonstration failed" in run.stderr
