# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The custom statistic that audits and guarded runs set where it is wanted."""

from __future__ import annotations

import json
import re

import pytest

from support.policies import policy, rule
from support.project import AUDIT

MARKER = rule({"path": "/etc/pki/ca.crt"}, name="marker")
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.set_stats: {data: {of_the_play: 1}}
      run_once: true
"""
SHOWN = {"ANSIBLE_SHOW_CUSTOM_STATS": "true"}
MISSING = {
    "kind": "run",
    "result": "not_ready",
    "not_ready": ["h2"],
    "unverified": [],
    "rules": {"marker": {"severity": "error", "ready": 1, "not_ready": 1, "unverified": 0}},
    "waived": [],
}


@pytest.fixture
def site(guarded):
    guarded.configure(guarded.entry_point, "[precheck]\nset_stats = true")
    guarded.local_hosts(ready="h1", missing="h2")
    guarded.write("precheck.yml", policy(MARKER))
    guarded.write("site.yml", PLAY)
    return guarded


def stats(run):
    """Return the custom statistics of a run as a whole, as the default callback shows them."""
    found = re.findall(r"^\tRUN: (.*)$", run.stdout, re.MULTILINE)
    return json.loads(found[0]) if found else {}


def test_a_run_that_is_stopped_and_one_that_goes_on_say_what_they_found(site):
    run = site.run("site.yml", env=SHOWN)
    assert (run.rc, stats(run)) == (2, {"precheck_summary": MISSING})
    run = site.run("site.yml", "-e", "precheck_waive=marker", env=SHOWN)
    waived = MISSING | {"result": "ready", "not_ready": [], "rules": {}, "waived": ["marker"]}
    summary = stats(run)["precheck_summary"]
    assert run.rc == 0
    assert summary | {"rules": {}} == waived
    site.write("h2/etc/pki/ca.crt", "")
    run = site.run("site.yml", env=SHOWN)
    ready = {"severity": "error", "ready": 2, "not_ready": 0, "unverified": 0}
    of_run = MISSING | {"result": "ready", "not_ready": [], "rules": {"marker": ready}}
    assert (run.rc, stats(run)) == (0, {"of_the_play": 1, "precheck_summary": of_run})


def test_an_audit_says_what_it_found(site):
    run = site.run(AUDIT, env=SHOWN)
    assert (run.rc, stats(run)) == (2, {"precheck_summary": MISSING | {"kind": "audit"}})


def test_nothing_is_said_unless_it_is_wanted_and_if_no_rule_covers_a_play(site):
    run = site.run("site.yml", "-e", "precheck_set_stats=false", env=SHOWN)
    assert (run.rc, stats(run)) == (2, {})
    site.write("precheck.yml", policy(rule({"that": False}, covers={"play": "never"})))
    run = site.run("site.yml", env=SHOWN)
    assert (run.rc, stats(run)) == (0, {"of_the_play": 1})
