# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A thousand hosts at once: all that are not ready are named, and the guard takes little memory for each host."""

from __future__ import annotations

import re

import pytest

NAMES = [f"h{number:04}" for number in range(1000)]
MISSING = NAMES[16::33]  # 30 of them, from one end of the list to the other
FEW = 10  # not more than there are workers in each run, so that their number is always the same

PLAY = """
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.raw: "true"}]
"""

# Writes down, at the end of a run, the most memory in KiB that the process of ansible-playbook itself ever had. Its workers
# are processes of their own.
MEMORY = """
import os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'memory'
    CALLBACK_TYPE = 'aggregate'
    def v2_playbook_on_stats(self, stats):
        with open('/proc/self/status') as status, open(os.environ['MEMORY'], 'w') as log:
            log.write(next(line.split()[1] for line in status if line.startswith('VmHWM')))
"""


def run_and_measure(project, entry_point, names):
    """Return the run of a play on these hosts, and the memory that it took: of the guarded play, or of nothing at all."""
    project.configure(entry_point, "callback_plugins = callbacks")
    roots = {
        name: str(project.directory / ("missing" if name in MISSING else "ready")) for name in names
    }
    project.inventory(
        {
            name: {"ansible_connection": "local", "precheck_root": root}
            for name, root in roots.items()
        }
    )
    log = project.directory / "memory"
    playbook = "nothing.yml" if entry_point == "none" else "pgsql.yml"
    run = project.run(playbook, "--forks", str(FEW), env={"MEMORY": str(log)})
    return run, int(log.read_text())


@pytest.mark.one_release
def test_a_thousand_hosts(project):
    project.write("callbacks/memory.py", MEMORY)
    project.write("ready/etc/pki/ca.crt", "a certificate\n")
    project.write("pgsql.yml", PLAY)
    # What the guard takes is compared with a play that does nothing. That takes less than one raw task, and much less time.
    project.write("nothing.yml", PLAY.replace('raw: "true"', "meta: noop"))
    run, guarded = run_and_measure(project, "callback", NAMES)
    plain_run, plain = run_and_measure(project, "none", NAMES)
    run_of_few, guarded_few = run_and_measure(project, "callback", NAMES[:FEW])
    plain_run_of_few, plain_few = run_and_measure(project, "none", NAMES[:FEW])

    assert (run.rc, plain_run.rc, run_of_few.rc, plain_run_of_few.rc) == (2, 0, 0, 0)
    assert run.stderr.count("PRECHECK") == 1
    _head, table, _message, remedy, *_more = run.stderr.split("\n\n")
    assert table.startswith("Rule pigsty-node: 30 of 1000 hosts are not ready.\n")
    assert re.findall("h[0-9]{4}", table) == MISSING
    assert remedy == f"    ./node.yml -l {','.join(MISSING)}"
    # What does not grow with the number of hosts, as the guard's code, is told by a run with few of them.
    assert (guarded - plain) - (guarded_few - plain_few) < 2 * (len(NAMES) - FEW)
