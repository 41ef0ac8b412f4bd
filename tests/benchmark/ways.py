# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The ways of checking hosts that the benchmark compares, and the project in which they run."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

COLLECTIONS = Path(__file__).resolve().parents[2] / "collections"
MARKER = "/etc/passwd"  # is on every host

Hosts = dict[str, dict[str, object]]  # the variables of each, by name


@dataclass(frozen=True)
class Way:
    """A playbook to run, in a project whose guard is on if ``is_guarded``."""

    playbook: str
    is_guarded: bool = False
    arguments: tuple[str, ...] = ()


CHECKS_ALONE = ("--tags", "precheck")
WAYS = {
    "nothing": Way("nothing.yml"),
    "one raw task": Way("raw.yml"),
    "classic pair": Way("pair.yml"),
    "guard, 1 check": Way("one.yml", True, CHECKS_ALONE),
    "guard, 10 checks": Way("ten.yml", True, CHECKS_ALONE),
    "guard, 1 check, 50 forks": Way("one.yml", True, (*CHECKS_ALONE, "-e", "precheck_forks=50")),
    "audit, 5 rules": Way("precheck.guard.audit", False, ("-e", "precheck_policy=five.yml")),
    "not covered, no guard": Way("debug.yml"),
    "not covered, guard on": Way("debug.yml", True),
}

CONFIG = """[defaults]
collections_path = {collections}
inventory = inventory.json
host_key_checking = false
retry_files_enabled = false
deprecation_warnings = false
{callbacks}
[ssh_connection]
pipelining = true
"""

PLAY = """- hosts: all
  gather_facts: false
  tasks:
{tasks}
"""

TASKS = {
    "nothing": "    - ansible.builtin.meta: noop",
    "raw": f"    - ansible.builtin.raw: test -e {MARKER}",
    "pair": f"""
    - ansible.builtin.stat: {{path: {MARKER}}}
      register: marker
    - ansible.builtin.fail: {{msg: not initialised}}
      when: not marker.stat.exists""",
    "debug": "    - ansible.builtin.debug:",
    "one": "    - ansible.builtin.debug:",
    "ten": "    - ansible.builtin.debug:",
}


def write_project(directory: Path) -> None:
    """Write configurations, playbooks and policies to ``directory``."""
    for name, callbacks in (
        ("plain", ""),
        ("guarded", "callbacks_enabled = precheck.guard.enforce"),
    ):
        text = CONFIG.format(collections=COLLECTIONS, callbacks=callbacks)
        (directory / f"{name}.cfg").write_text(text)
    for name, tasks in TASKS.items():
        (directory / f"{name}.yml").write_text(PLAY.format(tasks=tasks))
    _write_policy(
        directory / "precheck.yml",
        [_rule("one", checks=1), _rule("ten", checks=10)],
    )
    _write_policy(
        directory / "five.yml",
        [_rule(f"r{number}", when=f"inventory_hostname != '{number}'") for number in range(5)],
    )


def write_inventory(directory: Path, hosts: Hosts) -> None:
    """Write the inventory of both configurations."""
    inventory = {"all": {"vars": {"ansible_python_interpreter": sys.executable}, "hosts": hosts}}
    (directory / "inventory.json").write_text(json.dumps(inventory))


def _rule(name: str, checks: int = 1, **keys: str) -> dict[str, object]:
    plays = [{"playbook": f"{name}.yml"}]
    return {"name": name, "plays": plays, "checks": [{"path": MARKER}] * checks, **keys}


def _write_policy(path: Path, rules: list[dict[str, object]]) -> None:
    path.write_text(json.dumps({"rules": rules}))
