# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the policies of the gallery ask real hosts, files, programs and servers in a run."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import subprocess
import time

import pytest

from support.commands import REPOSITORY
from support.output import reasons
from support.project import AUDIT, LOCAL_HOST
from support.requirements import lacking
from support.servers import served

PLAY = """
- name: {name}
  hosts: all
  gather_facts: false
  serial: {serial}
  tasks:
    - ansible.builtin.raw: echo {{{{ inventory_hostname }}}} >> {{{{ playbook_dir }}}}/witness
"""
LOOPBACK = {"no_proxy": "127.0.0.1"}


def play(name="Covered", serial=100):
    return PLAY.format(name=name, serial=serial)


@pytest.fixture
def covered(guarded):
    """A project with a playbook that writes the names of its hosts into a file."""
    guarded.write("site.yml", play())
    return guarded


def extend(project, name, **variables):
    """Let the project's policy be one of the gallery, with these variables in place of its own."""
    path = f"{REPOSITORY}/docs/policies/{name}.yml"
    project.write("precheck.yml", json.dumps({"extends": path, "vars": variables}))


def local_hosts(project, **hosts):
    project.inventory({name: LOCAL_HOST | variables for name, variables in hosts.items()})


def done(project):
    """Return the names of the hosts on which the play ran, sorted: they run in parallel."""
    path = project.directory / "witness"
    lines = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(lines)


def assert_passes(project, *arguments, env=None, hosts="h1"):
    run = project.run(*arguments, env=env)
    assert (run.rc, run.output.count("PRECHECK")) == (0, 0), run.output
    assert sorted(done(project)) == hosts.split(), run.output


def stopped(project, *arguments, env=None):
    """Run a playbook, which must not get to run on any host."""
    run = project.run(*arguments, env=env)
    assert run.rc == 2, run.output
    assert done(project) == []
    return run


def test_supported_systems_knows_that_of_the_hosts(covered):
    local_hosts(covered, h1={})
    extend(covered, "supported-systems", supported_systems=[], supported_architectures=["x", "y"])
    system, machine = reasons(stopped(covered, "site.yml"))["h1"]
    _state, _name, name, _end = system.replace(" is", ": is").split(": ")
    assert machine == f"architecture: {os.uname().machine} is not supported"
    known = {"supported_systems": [name], "supported_architectures": [os.uname().machine]}
    extend(covered, "supported-systems", **known)
    assert_passes(covered, "site.yml")


@pytest.fixture
def certificates(tmp_path):
    """The paths of certificates that are valid for 20 days, and for 40."""
    if not shutil.which("openssl"):
        lacking("certificates are made with openssl")
    paths = {}
    for days in (20, 40):
        paths[days] = str(tmp_path / f"{days} days.crt")
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -days {days} -keyout"
        subprocess.run(
            [*command.split(), tmp_path / "key", "-out", paths[days]],
            check=True,
            capture_output=True,
        )
    return paths


def test_certificate_expiry_reads_certificates(covered, certificates):
    covered.write("text.crt", "no certificate\n")
    text = f"{covered.directory}/text.crt"
    local_hosts(
        covered,
        h1={"certificate_files": [certificates[40]]},
        h2={"certificate_files": [certificates[40], certificates[20]]},
        h3={"certificate_files": [certificates[20]], "certificate_days": 10},
        h4={"certificate_files": [text]},
        h5={"certificate_files": ["/no/such.crt", certificates[40]]},
    )
    extend(covered, "certificate-expiry")
    run = stopped(covered, "site.yml")
    by_host = reasons(run)
    assert by_host.keys() == {"h2", "h4", "h5"}
    expected = f"not ready: certificate: {certificates[20]} expires on "
    assert by_host["h2"][0].startswith(expected) and by_host["h2"][0].endswith(" GMT")
    assert by_host["h4"][0].startswith("not ready: certificate: ")
    assert by_host["h5"] == ["not ready: certificate: cannot read /no/such.crt"]
    assert "    ansible-playbook renew-certificates.yml --limit h2,h4,h5\n" in run.stderr
    assert_passes(covered, "site.yml", "--limit", "h1,h3", hosts="h1 h3")


IN_STEP = 'test "$2 $3" = "tracking " || test "$2 $3 $4" = "waitsync 1 0.1"'
OFF = 'test "$2" = tracking || { echo "try: 1, refid: 7F7F0101"; exit 1; }'
NOT_RUNNING = "echo '506 Cannot talk to daemon'; exit 1"
YES = 'test "$*" = "show --property=NTPSynchronized --value" && echo yes'
# What chronyc and timedatectl do, and the reason why the clock is not in step.
CLOCKS = {
    "chronyd": (IN_STEP, "exit 1", ""),
    "chronyd is off": (OFF, YES, "not synchronised, or off by more than 0.1 s (try: 1, refid: 7F*"),
    "timesyncd": (NOT_RUNNING, YES, ""),
    "timesyncd is off": (NOT_RUNNING, "echo no", "not synchronised, says timedatectl"),
    "nothing": (NOT_RUNNING, "echo no bus >&2; exit 1", "no bus"),
}


@pytest.mark.parametrize("what", CLOCKS)
def test_synchronised_clocks_asks_chrony_or_systemd(covered, what):
    chronyc, timedatectl, reason = CLOCKS[what]
    covered.script("programs/chronyc", f"#!/bin/sh\n{chronyc}\n")
    covered.script("programs/timedatectl", f"#!/bin/sh\n{timedatectl}\n")
    env = {"PATH": f"{covered.directory}/programs:{os.environ['PATH']}"}
    local_hosts(covered, h1={})
    extend(covered, "synchronised-clocks")
    if reason:
        [found] = reasons(stopped(covered, "site.yml", env=env))["h1"]
        assert found.startswith(f"not ready: clock: {reason.rstrip('*')}")
    else:
        assert_passes(covered, "site.yml", env=env)


def test_rolling_upgrade_asks_patroni_before_each_batch(covered):
    """The replica gets behind when the first batch has been upgraded."""

    def answer(path):
        lag = 2000000 if (covered.directory / "witness").exists() else 0
        replica = {"name": "h2", "role": "replica", "state": "streaming", "lag": lag}
        primary = {"name": "h1", "role": "leader", "state": "running"}
        return {"members": [primary, replica]} if path == "/cluster" else None

    covered.write("pg-upgrade.yml", play(serial=1))
    extend(covered, "rolling-upgrade")
    with served(answer) as port:
        variables = {"pg_cluster": "main", "ansible_host": "127.0.0.1", "patroni_port": port}
        local_hosts(covered, h1=variables, h2=variables)
        with covered.changed_inventory() as inventory:
            inventory["children"] = {"main": {"hosts": {"h1": {}, "h2": {}}}}
        run = covered.run("pg-upgrade.yml", env=LOOPBACK)
        assert run.rc == 2, run.output
        assert done(covered) == ["h1"]
        url = f"http://127.0.0.1:{port}/cluster"
        reason = f"{url} does not show that main has a primary that all its other members follow"
        assert reasons(run) == {"h2": [f"not ready: cluster: {reason}"]}
        behind = ("pg-upgrade.yml", "-e", "replica_lag=2000000")
        assert_passes(covered, *behind, env=LOOPBACK, hosts="h1 h2")
    stopped(covered, "pg-upgrade.yml", env=LOOPBACK)  # nobody answers


def test_change_ticket_asks_once_for_a_play(covered):
    asked = []

    def answer(path):
        asked.append(path)
        return {"/CHG-1": {"state": "approved"}, "/CHG-2": {"state": "new"}}.get(path)

    local_hosts(covered, h1={}, h2={})
    with served(answer) as port:
        extend(covered, "change-ticket", change_api=f"http://127.0.0.1:{port}")
        for option in ("change=CHG-2", "change=", "change=..", "change_api=http://127.0.0.1:1"):
            run = stopped(covered, "site.yml", "-e", option, env=LOOPBACK)
            assert "does not say that the change is approved\n" in run.stderr
        assert asked == ["/CHG-2", "/none", "/..", "/none"]
        both = "h1 h2"
        assert_passes(covered, "site.yml", "-e", "change=CHG-1", env=LOOPBACK, hosts=both)
        assert covered.run("site.yml", "--check", env=LOOPBACK).rc == 0
        assert asked[4:] == ["/CHG-1"]
    stopped(covered, "site.yml", "-e", "change=CHG-1", env=LOOPBACK)  # nobody answers


def window(after):
    """Return the variables of a window of two hours that opens so many hours after this one."""
    opens = datetime.datetime.now().hour + after
    return {"window_opens": opens % 24, "window_closes": (opens + 2) % 24}


def test_removal_needs_a_window(covered):
    approval = {"approval_file": f"{covered.directory}/approved"}
    covered.write("approved", "h1\n")
    covered.write("pgsql-rm.yml", play())
    local_hosts(covered, h1={})
    as_another = {"SUDO_UID": str(os.getuid() + 1)}
    extend(covered, "removal", **window(after=3), **approval)
    run = stopped(covered, "pgsql-rm.yml", env=as_another)
    assert "\n  not ready: it is " in run.stderr
    reason = ("-e", "precheck_waive=removal-window", "-e", "precheck_reason=CHG-1")
    run = covered.run("pgsql-rm.yml", *reason, env=as_another)
    assert (run.rc, done(covered)) == (0, ["h1"]), run.output
    extend(covered, "removal", **window(after=0), **approval)
    run = covered.run("pgsql-rm.yml", env=as_another)
    assert (run.rc, done(covered)) == (0, ["h1"]), run.output
    assert run.stderr.count("the checks that run once passed") == 2


def test_removal_needs_a_second_person(covered):
    approvals = f"{covered.directory}/approvals/{{{{ precheck_playbook | basename }}}}"
    extend(covered, "removal", **window(after=0), approval_file=approvals)
    covered.write("pgsql-rm.yml", play(serial=1))
    local_hosts(covered, h1={}, h2={}, h3={})
    as_another = {"SUDO_UID": str(os.getuid() + 1)}
    limited = ("pgsql-rm.yml", "--limit", "h1,h2")
    file = covered.directory / "approvals/pgsql-rm.yml"
    wanted = f"wrote all these hosts into {file} within the last hour\n"
    run = stopped(covered, *limited, env=as_another)  # there is no file
    assert wanted in run.stderr
    assert f"printf '%s\\n' h1 h2 > {file}\n" in run.stderr
    for text in ("", "h1\nh22\n"):
        covered.write("approvals/pgsql-rm.yml", text)
        assert wanted in stopped(covered, *limited, env=as_another).stderr
    covered.write("approvals/pgsql-rm.yml", "h1\nh2\n")
    assert wanted in stopped(covered, *limited).stderr  # nobody else wrote it
    assert wanted in stopped(covered, "pgsql-rm.yml", env=as_another).stderr  # h3 is not in it
    assert covered.run(*limited, env=as_another).rc == 0
    assert done(covered) == ["h1", "h2"]
    assert covered.run("pgsql-rm.yml", "--limit", "h2", env=as_another).rc == 0
    assert done(covered) == ["h2"]
    old = time.time() - 7200
    os.utime(file, (old, old))
    assert wanted in stopped(covered, *limited, env=as_another).stderr


SUDO = '#!/bin/sh\necho "$*" > "$0.log"\nshift 2\nexec "$@"\n'


def becoming(project):
    """Return the variables of hosts on which a script takes note of privilege escalation."""
    sudo = project.script("sudo", SUDO)
    # ansible-core does not become the user that it is.
    other = "daemon" if os.getuid() == 0 else "root"
    return {
        "ansible_become_exe": sudo,
        "ansible_become_flags": "",
        "ansible_become_user": other,
    }


NO_SYSTEMD = "echo no bus >&2; exit 1"


@pytest.mark.parametrize(
    ("systemctl", "reason"),
    [
        ("echo inactive; exit 3", ""),
        ("echo active", "active"),
        ("echo activating; exit 3", "activating"),
        (NO_SYSTEMD, "no answer of systemctl"),
    ],
)
def test_existing_cluster_looks_for_data_and_for_patroni(covered, systemctl, reason):
    covered.write("pgsql.yml", play())
    covered.script("programs/systemctl", f"#!/bin/sh\n{systemctl}\n")
    env = {"PATH": f"{covered.directory}/programs:{os.environ['PATH']}"}
    extend(covered, "existing-cluster")
    become = becoming(covered)
    covered.write("h1 data/PG_VERSION", "17\n")
    (covered.directory / "h2 data").mkdir()
    local_hosts(
        covered,
        **{
            name: become | {"pg_data": f"{covered.directory}/{name} data"}
            for name in ("h1", "h2", "h3")
        },
    )
    run = stopped(covered, "pgsql.yml", env=env)
    assert (covered.directory / "sudo.log").exists()  # only root can see the data
    of_patroni = [f"patroni: {reason}"] if reason else []
    data = f"data: {covered.directory}/h1 data is not empty"
    first, *others = [line.replace("not ready: ", "") for line in reasons(run)["h1"]]
    assert (first, others) == (data, of_patroni)
    if reason:
        assert reasons(run)["h2"] == reasons(run)["h3"] == [f"not ready: patroni: {reason}"]
    else:
        assert_passes(covered, "pgsql.yml", "--limit", "h2,h3", env=env, hosts="h2 h3")
    assert covered.run(AUDIT, env=env).rc == 0


def test_existing_cluster_is_checked_before_all_that_does_not_clear_the_host(covered):
    for name in ("node", "pgsql"):
        covered.write(f"{name}.yml", play())
    covered.write("data/PG_VERSION", "17\n")
    clear = {"ansible.builtin.raw": f"rm {covered.directory}/data/PG_VERSION"}
    cleared = {"hosts": "all", "gather_facts": False, "tasks": [clear]}
    covered.write("pgsql-rm.yml", json.dumps([cleared]))
    covered.script("programs/systemctl", "#!/bin/sh\necho unknown; exit 3\n")
    env = {"PATH": f"{covered.directory}/programs:{os.environ['PATH']}"}
    local_hosts(covered, h1=becoming(covered) | {"pg_data": f"{covered.directory}/data"})
    extend(covered, "existing-cluster")
    for first in ("node", "pgsql-rm"):
        imports = [{"import_playbook": f"{name}.yml"} for name in (first, "pgsql")]
        covered.write(f"after-{first}.yml", json.dumps(imports))
    stopped(covered, "after-node.yml", env=env)
    assert_passes(covered, "after-pgsql-rm.yml", env=env)


def test_mandatory_variables_are_missed_before_the_first_play(covered):
    """The defaults of the role are variables of its play."""
    covered.write("roles/pgsql/defaults/main.yml", "pg_role: replica\n")
    covered.write("roles/pgsql/tasks/main.yml", "")
    covered.write("site.yml", play("First") + play() + "  roles: [pgsql]\n")
    given = {"pg_cluster": "pg-main", "pg_seq": 1, "pg_admin_password": "x"}
    local_hosts(covered, h1=given, h2={"pg_cluster": "pg-main", "pg_seq": 2})
    extend(covered, "mandatory-variables")
    run = stopped(covered, "site.yml")
    missing = "not ready: pg_admin_password must be set, and not be the default"
    assert reasons(run) == {"h2": [missing]}
    assert 'PRECHECK stopped the run before play "First"' in run.stderr
    run = covered.run("site.yml", "--limit", "h1")
    assert (run.rc, done(covered)) == (0, ["h1", "h1"]), run.output


def test_consistent_inventory_compares_hosts(covered):
    address = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1"}
    covered.inventory(
        {
            "h1": address | {"pg_version": 17, "pg_port": 1, "patroni_port": "1"},
            "h2": address | {"pg_version": 18},
            "h3": LOCAL_HOST | {"pg_port": 1, "patroni_port": 2},
        }
    )
    with covered.changed_inventory() as inventory:
        inventory["children"] = {"pg-main": {"hosts": {"h1": {}, "h2": {}}}}
    extend(covered, "consistent-inventory")
    assert reasons(stopped(covered, "site.yml")) == {
        "h1": ["not ready: pg_port and patroni_port are 1."]
    }
    run = stopped(covered, "site.yml", "--limit", "h3")
    for line in (
        "  not ready: h1 and h2 have the address 127.0.0.1:22.",
        "  not ready: pg-main has pg_version 17 and 18.",
    ):
        assert f"{line}\n" in run.stderr
    assert reasons(run) == {}
    with covered.changed_inventory() as inventory:
        del inventory["children"], inventory["hosts"]["h2"]
    run = covered.run("site.yml", "--limit", "h3")
    assert (run.rc, done(covered)) == (0, ["h3"]), run.output


def test_production_is_confirmed_for_the_hosts_of_its_group(covered):
    local_hosts(covered, p1={}, t1={})
    with covered.changed_inventory() as everything:
        everything["children"] = {"live": {"hosts": {"p1": {}}}}
    extend(covered, "production", production="live")
    run = stopped(covered, "site.yml", "-e", "precheck_confirm=2")
    assert "it was not confirmed by the number of its hosts, which is 1" in run.stderr
    assert "Make sure that it is meant for p1.\n" in run.stderr
    assert_passes(covered, "site.yml", "-l", "t1", hosts="t1")
    assert covered.run("site.yml", "-e", "precheck_confirm=1").rc == 0
    assert done(covered) == ["p1", "t1"]
