# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: doctor
short_description: Fails if the Precheck guard is not in force
description:
  - Finds out whether the Precheck guard is on for the run, and why not. The task fails if it is
    not.
  - C(ansible-playbook precheck.guard.doctor) runs a playbook of the collection with this task. A
    controller can run it as a job like those that are to be guarded.
  - A playbook that is to run only where the guard is in force can begin with C(import_playbook) of
    it.
  - The guard checks no host for a play that has only this task.
version_added: 0.1.0
author:
  - The Precheck developers (!UNKNOWN)
options: {}
attributes:
  check_mode:
    description: Works the same in check mode.
    support: full
  diff_mode:
    description: Shows nothing in diff mode.
    support: none
notes:
  - The task runs on the control node and connects to no host.
  - With C(--tags precheck), it does not run where the guard is on, and fails where it is off.
seealso:
  - module: precheck.guard.audit
  - plugin: precheck.guard.enforce
    plugin_type: callback
"""

EXAMPLES = r"""
# From the command line:
# ansible-playbook precheck.guard.doctor

# At the beginning of site.yml:
- name: Go on only where the guard is in force
  ansible.builtin.import_playbook: precheck.guard.doctor
"""

RETURN = r"""
msg:
  description: Whether the guard is in force, and what keeps it from that.
  returned: always
  type: str
  sample: IN FORCE
findings:
  description: What was found out, a line each, as C(ansible-precheck doctor) prints it.
  returned: always
  type: list
  elements: str
  sample: ["callback: precheck.guard.enforce (/srv/pigsty/ansible.cfg:4)"]
"""
