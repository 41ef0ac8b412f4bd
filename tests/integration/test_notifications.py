# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What docs/operations.md and docs/audit.md show for timers, webhooks and mail."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil

import pytest

from support.commands import REPOSITORY, run_command
from support.policies import policy, rule
from support.reports import read_report
from support.requirements import lacking
from support.servers import collecting
from support.units import UNITS, run, settings

pytestmark = pytest.mark.one_release

OPERATIONS = (REPOSITORY / "docs/operations.md").read_text()
AUDIT = (REPOSITORY / "docs/audit.md").read_text()
PLAY = "- {hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: reached}}]}\n"


def block(document, words, begins):
    """Return the text of the block of a document that begins so."""
    blocks = re.findall(rf"^( *)```{words}\n(.*?)^\1```$", document, re.MULTILINE | re.DOTALL)
    [text] = [text.replace(f"\n{indent}", "\n") for indent, text in blocks if begins in text]
    return text.strip() + "\n"


@pytest.fixture
def site(project):
    """A project with a host that is ready and one that is not, and a directory for reports."""
    project.configure("callback")
    project.local_hosts(ready="h1", missing="h2")
    message = "gone, {{ '{{ 7 * 7 }}' }}"
    marker = rule({"path": "/etc/pki/ca.crt", "message": message}, name="marker")
    project.write("precheck.yml", policy(marker | {"plays": [{"playbook": "pgsql.yml"}]}))
    project.write("pgsql.yml", PLAY)
    (project.directory / "log").mkdir()
    shutil.copy(UNITS / "notify.yml", project.directory)
    return project


def test_the_units_of_systemd_are_valid_and_can_be_enabled(tmp_path):
    analyze = shutil.which("systemd-analyze") or lacking("systemd is not installed")
    if not os.access("/usr/bin/ansible-playbook", os.X_OK):
        lacking("no ansible-core of a distribution is installed")
    directory = tmp_path / "etc/systemd/system"
    dropped = directory / "precheck-audit.service.d/override.conf"
    dropped.parent.mkdir(parents=True)
    dropped.write_text(block(OPERATIONS, "ini", "OnFailure"))
    shutil.copy(UNITS / "precheck-notify.service", directory)
    commands = block(AUDIT, "console", "systemctl").replace("# ", "").splitlines()
    make, copy, enable = commands
    assert make == "mkdir -p /var/log/precheck"
    copied = run_command(["sh", "-c", copy.replace("/etc", f"{tmp_path}/etc")], REPOSITORY)
    assert copied.rc == 0, copied.output
    units = sorted(path for path in directory.iterdir() if path.is_file())
    assert {path.name for path in units} == {
        path.name for path in UNITS.iterdir() if path.suffix != ".yml"
    }
    verified = run_command(
        [analyze, "verify", *units], directory, SYSTEMD_UNIT_PATH=f"{directory}:"
    )
    assert (verified.rc, verified.output) == (0, "")
    enabled = enable.replace("--now", f"--root={tmp_path}")
    assert run_command(enabled.split(), tmp_path).rc == 0
    [link] = (directory / "timers.target.wants").iterdir()
    assert link.name == "precheck-audit.timer"


def test_systemd_finds_what_is_wrong_with_a_unit(tmp_path):
    analyze = shutil.which("systemd-analyze") or lacking("systemd is not installed")
    unit = tmp_path / "precheck-audit.timer"
    unit.write_text((UNITS / "precheck-audit.timer").read_text().replace("06:00", "26:00"))
    shutil.copy(UNITS / "precheck-audit.service", tmp_path)
    assert "26:00" in run_command([analyze, "verify", unit], tmp_path).output


def test_what_the_units_run_tells_a_webhook_which_host_is_not_ready(site):
    """The newest report is told, whatever is in the directory."""
    audit, notify = (settings(f"precheck-{name}.service") for name in ("audit", "notify"))
    assert audit["WorkingDirectory"] == notify["WorkingDirectory"] == "/srv/pigsty"
    site.write("log/2020-01-01.json", "{}")
    posted = []
    with collecting(posted) as port:
        assert run(site, audit["ExecStart"]).rc == 2
        assert notify["EnvironmentFile"] == "/etc/precheck/webhook"
        assert "PRECHECK_WEBHOOK=https://" in OPERATIONS
        # systemd does not expand the star, as a shell would
        words = shlex.join(shlex.split(notify["ExecStart"]))
        told = run(site, words, PRECHECK_WEBHOOK=f"http://127.0.0.1:{port}/secret")
    assert told.rc == 0, told.output
    assert "secret" not in told.output
    report = read_report(max((site.directory / "log").glob("*.json")))
    assert posted == [
        {
            "text": "ansible-playbook precheck.guard.audit -e precheck_report=***"
            " -e precheck_compare=*** -e precheck_page=***\n"
            f"on {report['controller']}, {report['finished']}: not_ready\n"
            "h2 marker: gone, {{ 7 * 7 }}\n"
        }
    ]


def test_a_script_tells_a_webhook_of_a_run_that_is_stopped_and_keeps_its_status(site):
    script = "ansible-playbook " + block(OPERATIONS, "sh", "notify.yml").partition("playbook ")[2]
    posted = []
    with collecting(posted) as port:
        address = f"http://127.0.0.1:{port}/"
        with site.changed_inventory() as inventory:
            inventory["children"] = {"pg-test": {"hosts": {"h1": {}, "h2": {}}}}
        assert run(site, script, PRECHECK_WEBHOOK=address).rc == 2
        [message] = posted
        assert ": not_ready\nh2 marker: gone" in message["text"]
        site.write("h2/etc/pki/ca.crt", "")
        assert run(site, script, PRECHECK_WEBHOOK=address).rc == 0
    assert len(posted) == 1


def test_a_message_about_many_hosts_is_short_and_one_about_an_error_has_it(site):
    report = {
        "command": ["ansible-playbook"],
        "controller": "control",
        "finished": "now",
        "result": "not_ready",
        "error": "",
        "verdicts": [
            {"host": f"h{number}", "rule": "a", "verdict": "unverified", "checks": []}
            for number in range(23)
        ],
    }
    posted = []
    with collecting(posted) as port:
        for more in ({}, {"result": "error", "error": "it broke", "verdicts": []}):
            site.write("last.json", json.dumps(report | more))
            command = "ansible-playbook notify.yml -e reports=last.json"
            told = run(site, command, PRECHECK_WEBHOOK=f"http://127.0.0.1:{port}/")
            assert told.rc == 0, told.output
    many, error = (message["text"].splitlines() for message in posted)
    assert (len(many), many[-2:]) == (23, ["h19 a: ", "and 3 more"])
    assert error == ["ansible-playbook", "on control, now: error", "it broke"]


def test_the_crontabs_run_an_audit_and_mail_only_what_they_should(site):
    """cron mails what a command prints."""
    keeping = block(AUDIT, "text", "0 6 * * *").removeprefix("0 6 * * * ").replace("\\%", "%")
    mailto, quiet = block(OPERATIONS, "text", "MAILTO").splitlines()
    assert mailto.startswith("MAILTO=")
    quiet = quiet.removeprefix("0 6 * * * ")
    assert "%" not in quiet  # which would be the end of the command
    printed = [run(site, command) for command in (keeping, quiet)]
    assert all("h2  not ready: gone" in one.stdout for one in printed)
    [report] = (site.directory / "log").iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}\.json", report.name)
    site.write("h2/etc/pki/ca.crt", "")
    assert "PRECHECK audited 2 hosts" in run(site, keeping).stdout
    assert run(site, quiet).output == ""
