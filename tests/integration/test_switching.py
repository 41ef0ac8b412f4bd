# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-precheck enable and disable switch the guard on and off in an ansible.cfg."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from support.commands import clean_environment
from support.output import is_printed
from support.project import PRECHECK

PLAY = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: ran}}]}\n"
LINE = "callbacks_enabled = precheck.guard.enforce"


@pytest.fixture
def off(project):
    """A project whose ansible.cfg does not switch the guard on, and ends without a line break."""
    project.configure("none")
    path = project.directory / "ansible.cfg"
    path.write_text(path.read_text().rstrip("\n"))
    project.local_hosts(missing="h1")
    project.write("pgsql.yml", PLAY)
    return project


def config(project):
    return (project.directory / "ansible.cfg").read_text()


def test_the_guard_is_on_after_enable_and_off_after_disable(off):
    before = config(off)
    switched = off.run("ansible-precheck", "enable", "--yes")
    assert (switched.rc, switched.stdout.splitlines()[-1]) == (0, "IN FORCE")
    assert config(off) == before.replace("[defaults]\n", f"[defaults]\n{LINE}\n")
    run = off.run("pgsql.yml")
    assert (run.rc, "PRECHECK stopped" in run.stderr) == (2, True)
    done = off.run("ansible-precheck", "disable", "--yes")
    assert (done.rc, config(off)) == (0, before)
    assert off.run("pgsql.yml").rc == 0


@pytest.mark.one_release
@pytest.mark.parametrize("command", ["enable", "disable"])
def test_without_a_terminal_the_change_is_only_shown(project, command):
    project.configure("none" if command == "enable" else "callback")
    before = config(project)
    run = project.run("ansible-precheck", command)
    assert (run.rc, config(project)) == (1, before)
    sign = "+" if command == "enable" else "-"
    path = f"{project.directory}/ansible.cfg"
    assert run.stdout.startswith(f"--- {path}\n+++ {path}\n@@ ")
    assert f"\n{sign}{LINE}\n" in run.stdout
    assert run.stdout.endswith("--yes makes the change.\nNothing was changed.\n")


@pytest.mark.one_release
@pytest.mark.parametrize(("answer", "changes"), [("y\n", True), ("\n", False), ("\4", False)])
def test_on_a_terminal_it_asks(off, answer, changes):
    before = config(off)
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    done = subprocess.run(
        [sys.executable, PRECHECK, "enable"],
        cwd=off.directory,
        env=clean_environment(ANSIBLE_NOCOLOR="1"),
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(ours)
    os.close(theirs)
    assert "Make this change? [y/N]" in done.stdout
    assert (config(off) != before) == changes, done.stdout + done.stderr
    if not changes:
        assert done.returncode == 1


@pytest.mark.one_release
def test_a_link_stays_a_link_and_a_file_keeps_its_mode(off):
    path = off.directory / "ansible.cfg"
    target = path.rename(off.directory / "real.cfg")
    target.chmod(0o640)
    path.symlink_to("real.cfg")
    off.run("ansible-precheck", "enable", "--yes")
    assert path.is_symlink()
    assert LINE in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.one_release
def test_a_file_is_made_where_there_is_none_with_a_warning_of_what_it_hides(off, tmp_path):
    (tmp_path / "sub").mkdir()
    run = off.run("ansible-precheck", "enable", "--yes", cwd="sub")
    hidden = f"{tmp_path}/sub/ansible.cfg in the place of {tmp_path}/ansible.cfg"
    assert is_printed(f"ansible-core will read {hidden}", run.stderr)
    made = tmp_path / "sub/ansible.cfg"
    assert made.read_text().endswith(f"[defaults]\n{LINE}\n")
    assert off.run("ansible-precheck", "disable", "sub", "--yes").rc == 0
    assert not made.exists()


WRONG = {
    "a key twice": (b"[defaults]\nforks = 1\nforks = 2\n", "ansible-core cannot read this"),
    "not UTF-8": (b"[defaults]\n# \xff\n", "is not text in UTF-8"),
}


@pytest.mark.one_release
@pytest.mark.parametrize(("content", "error"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("command", ["enable", "disable"])
def test_a_file_that_cannot_be_read_is_left_alone(off, tmp_path, command, content, error):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/ansible.cfg").write_bytes(content)
    run = off.run("ansible-precheck", command, "sub", "--yes")
    assert run.rc == 1
    assert is_printed(f"{tmp_path}/sub/ansible.cfg", run.stderr)
    assert is_printed(error, run.stderr)
    assert (tmp_path / "sub/ansible.cfg").read_bytes() == content


@pytest.mark.one_release
def test_a_directory_that_is_not_there_is_an_error(off):
    run = off.run("ansible-precheck", "enable", "nowhere", "--yes")
    assert run.rc == 1
    assert is_printed("there is no directory nowhere", run.stderr)
