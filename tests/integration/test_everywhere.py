# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to hold on whatever ansible-core, Python and Jinja2 people have.

``tests/releases.py`` lists the combinations that run these tests and no others.
"""

from __future__ import annotations

import json
import re

import pytest

from support.commands import REPOSITORY
from support.corpus import vaulted
from support.output import assert_stopped_for, reasons
from support.policies import policy, rule
from support.project import LOCAL_HOST

AUDIT = str(REPOSITORY / "playbooks/audit.yml")

PLAY = """
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: touch {{ witness | default('/dev/null') }}
"""

# A check of each kind, all of which depend on the host.
KINDS = rule(
    {"path": "/etc/pki/ca.crt"},
    {"command": "test {{ seq }} -eq 1", "name": "command"},
    {"that": "seq == 1"},
    {"task": {"ansible.builtin.raw": "test {{ seq }} -eq 1"}, "name": "task"},
    {"that": "ansible_facts['system'] == 'Linux'"},
    {"that": "groups['all'] | length < 9", "once": True},
    {"confirm": "This changes production."},
    name="kinds",
    facts="min",
    message="{{ inventory_hostname }} is not prepared.",
    remedy="./prepare.yml -l {{ precheck_limit }}",
)


def test_a_run_is_stopped_for_a_node_that_is_not_initialised(guarded, nodes):
    guarded.write("pgsql.yml", PLAY)
    nodes.reset("n1 n2 n3 n4")
    assert_stopped_for(guarded.run("pgsql.yml", "-e", "witness=/etc/pki/witness"), nodes, "n5")


def test_a_run_goes_on_if_all_nodes_are_ready(guarded, nodes):
    guarded.write("pgsql.yml", PLAY)
    nodes.reset("n1 n2 n3 n4 n5")
    run = guarded.run("pgsql.yml", "-e", "witness=/etc/pki/witness")
    assert run.rc == 0, run.output
    assert "PRECHECK" not in run.output
    assert "WARNING" not in run.output


@pytest.fixture
def checked_in_all_ways(project):
    """A project of three hosts, of which h1 passes checks of all kinds."""
    project.configure("callback")
    project.write("site.yml", PLAY)
    project.write("precheck.yml", policy(KINDS))
    project.local_hosts(ready="h1 h2", missing="h3")
    with project.changed_inventory() as everything:
        for number, host in enumerate(everything["hosts"].values(), 1):
            host |= {"seq": number, "witness": f"{project.directory}/witness"}
    return project


def test_checks_of_all_kinds(checked_in_all_ways):
    project = checked_in_all_ways
    run = project.run("site.yml")
    assert run.rc == 2, run.output
    assert "nobody has confirmed it" in run.stderr
    run = project.run("site.yml", "-e", "precheck_confirm=3")
    assert run.rc == 2, run.output
    assert not (project.directory / "witness").exists()
    found = reasons(run)
    assert [len(found.get(name, ())) for name in ("h1", "h2", "h3")] == [0, 3, 4], run.output
    assert "h2 is not prepared.\nh3 is not prepared." in run.stderr
    assert "\n    ./prepare.yml -l h2,h3\n" in run.stderr
    run = project.run("site.yml", "-l", "h1", "-e", "precheck_confirm=1")
    assert run.rc == 0, run.output
    assert (project.directory / "witness").exists()


SLOW_RESULTS = """
import atexit, time
try:
    from ansible.executor.task_queue_manager import FinalQueue
except ImportError:  # before 2.11
    from multiprocessing.queues import Queue as FinalQueue
from ansible.plugins.callback import CallbackBase

get = FinalQueue.get

def get_slowly(*arguments, **keywords):
    result = get(*arguments, **keywords)
    time.sleep(0.3)
    return result

FinalQueue.get = get_slowly
atexit.register(time.sleep, 1)

class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'slow_results'
"""
# The condition does not show that it depends on facts, so no host is checked before the play.
REACHED = """
- hosts: all
  strategy: {strategy}
  vars: {{other: "{{{{ ansible_facts.system | default('') != 'Linux' }}}}"}}
  tasks:
    - meta: end_host
      when: other | bool
    - ansible.builtin.raw: touch witness
"""


def test_an_error_during_a_play_has_no_traceback_though_results_are_under_way(guarded):
    guarded.local_hosts(ready="h1 h2 h3")
    guarded.write("callbacks/slow_results.py", SLOW_RESULTS)
    guarded.configure(guarded.entry_point, "callback_plugins = callbacks")
    guarded.write("pgsql.yml", REACHED.format(strategy=guarded.strategy("free")))
    run = guarded.run("pgsql.yml")  # fails if there is a traceback
    assert run.rc not in (0, None)
    assert "Precheck stopped the run before the task" in run.stderr
    assert not (guarded.directory / "witness").exists()


def test_a_vaulted_file_is_compared(project):
    """Until 2.11 ansible-core ends with an error if decrypted files are left to its end."""
    project.configure("callback")
    project.local_hosts(ready="h1", missing="h2")
    same = [{"path": "/key", "same_as": name} for name in ("key", "other_key", "{{ 'key' }}")]
    project.write("precheck.yml", policy(rule(*same)))
    project.write("site.yml", PLAY)
    for name in ("key", "other_key"):
        project.write(name, vaulted("the key\n").decode())
    project.write("h1/key", "the key\n")
    project.write("h2/key", "another key\n")
    project.write("password", "a password\n")
    run = project.run("site.yml", "--vault-password-file", "password")
    assert (run.rc, reasons(run).keys()) == (2, {"h2"}), run.output
    run = project.run("site.yml", "--vault-password-file", "password", "-l", "h1")
    assert run.rc == 0, run.output


def test_the_callback_causes_no_deprecation_warning(checked_in_all_ways):
    """The play of the audit names a strategy, about which ansible-core prints one."""
    for arguments in (("site.yml", "-e", "precheck_confirm=3"), (AUDIT,)):
        run = checked_in_all_ways.run(*arguments, env={"ANSIBLE_DEPRECATION_WARNINGS": "true"})
        assert run.rc == 2, run.output
        warnings = re.findall(r"^\[DEPRECATION WARNING\]: .*", run.output, re.MULTILINE)
        assert [one for one in warnings if "strategy plugins" not in one] == []


def test_an_audit_and_its_page_report_and_history(project):
    project.configure("callback", "[precheck]\nreport = report.json")
    project.local_hosts(ready="h1", missing="h2")
    run = project.run(AUDIT, "-e", "precheck_page=page.html")
    assert run.rc == 2, run.output
    assert "PRECHECK audited 2 hosts by 1 rule: 1 host is not ready." in run.stdout
    assert "/etc/pki/ca.crt is missing" in run.stdout
    report = json.loads((project.directory / "report.json").read_text())
    assert [(one["host"], one["verdict"]) for one in report["verdicts"]] == [
        ("h1", "ready"),
        ("h2", "not_ready"),
    ]
    assert "/etc/pki/ca.crt is missing" in (project.directory / "page.html").read_text()
    history = project.run("ansible-precheck", "report", "report.json", "--page", "history.html")
    assert history.rc == 0, history.output
    assert "\n  h2  not ready since 2" in history.stdout
    assert "/etc/pki/ca.crt is missing" in (project.directory / "history.html").read_text()


def test_the_command(project):
    project.configure("callback")
    project.write("site.yml", PLAY)
    project.write("precheck.yml", policy(rule({"path": "/x"}, name="x", covers={"play": "Set *"})))
    project.inventory({"h1": LOCAL_HOST})
    project.write(
        "precheck.test.yml",
        """
cases:
  - name: a host without it
    play: {name: Set up}
    hosts: {h1: {answers: [{path: /x, stat: {exists: false}}]}}
    expect: {x: {not_ready: {h1: /x is missing}}}
""",
    )
    for arguments, text in (
        ("explain site.yml", "rule x, by play Set *"),
        ("validate", ""),
        ("rules h1", "/x"),
        ("test", "1 case, 0 failed"),
        ("doctor", "\nIN FORCE"),
    ):
        run = project.run("ansible-precheck", *arguments.split())
        assert run.rc == 0, run.output
        assert text in run.stdout, run.output
