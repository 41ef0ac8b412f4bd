# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A thousand hosts at once: the report names all that are not ready, and memory stays small."""

from __future__ import annotations

import re

import pytest

from support.project import LOCAL_HOST

NAMES = [f"h{number:04}" for number in range(1000)]
MISSING = NAMES[16::33]  # 30 of them, from one end of the list to the other
FEW = 10  # the number of workers, so that it is the same in each run

PLAY = """
- name: Set up PostgreSQL
  hosts: all
  gather_facts: false
  tasks: [{ansible.builtin.raw: "true"}]
"""

# Writes the peak memory of the process of ansible-playbook in KiB at the end of a run. Its workers
# are other processes.
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
    """Run a play on these hosts. Return the run, and its peak memory in KiB.

    Without an entry point the play does nothing. Otherwise it is guarded.
    """
    project.configure(entry_point, "callback_plugins = callbacks")
    roots = {name: "missing" if name in MISSING else "ready" for name in names}
    project.inventory(
        {
            name: LOCAL_HOST | {"precheck_root": f"{project.directory}/{root}"}
            for name, root in roots.items()
        }
    )
    log = project.directory / "memory"
    playbook = "nothing.yml" if entry_point == "none" else "pgsql.yml"
    run = project.run(playbook, "--forks", str(FEW), env={"MEMORY": str(log)})
    return run, int(log.read_text())


@pytest.mark.one_release
def test_a_thousand_hosts_are_all_named_and_take_little_memory(project):
    """The runs are slow, so one test looks at all of their results."""
    project.write("callbacks/memory.py", MEMORY)
    project.write("ready/etc/pki/ca.crt", "a certificate\n")
    project.write("pgsql.yml", PLAY)
    # A play that does nothing is the reference. It takes less memory and time than a raw task.
    project.write("nothing.yml", PLAY.replace('raw: "true"', "meta: noop"))
    run, guarded = run_and_measure(project, "callback", NAMES)
    plain_run, plain = run_and_measure(project, "none", NAMES)
    run_of_few, guarded_few = run_and_measure(project, "callback", NAMES[:FEW])
    plain_run_of_few, plain_few = run_and_measure(project, "none", NAMES[:FEW])

    assert (run.rc, plain_run.rc, run_of_few.rc, plain_run_of_few.rc) == (2, 0, 0, 0)
    assert run.stderr.count("PRECHECK") == 1
    _head, table, _message, _truth, remedy, *_more = run.stderr.split("\n\n")
    assert table.startswith("Rule pigsty-node: 30 of 1000 hosts are not ready.\n")
    assert re.findall("h[0-9]{4}", table) == MISSING
    assert remedy == f"    ./node.yml -l {','.join(MISSING)}"
    # The runs with few hosts show the memory that does not grow with their number.
    assert (guarded - plain) - (guarded_few - plain_few) < 2 * (len(NAMES) - FEW)
