# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: check
short_description: Checks whether a host is ready
description:
  - Tells whether a path exists on the host, and fails when it does not or when that cannot be told.
  - This is what the Precheck guard runs on the hosts of a covered play. It works as a task of any play too.
  - It only reads. It runs in check mode as well, and needs no Python on the host to pass.
version_added: 0.1.0
author:
  - The Precheck developers
options:
  path:
    description:
      - The path that must exist on the host. A symbolic link counts as what it points to.
    type: str
    required: true
  become:
    description:
      - With V(false) the host is asked without privilege escalation, even where O(ignore:ansible_become) or the
        command line asks for it.
      - By default the keyword C(become) decides, as for any task.
    type: bool
attributes:
  check_mode:
    description: Can run in check mode and tell the same.
    support: full
  diff_mode:
    description: Has nothing to show in diff mode.
    support: none
notes:
  - With a local connection the variable C(precheck_root) can name a folder that stands for the root directory of the
    host, as for an image that is being built. Other connections ignore it.
  - To limit the time, use the keyword C(timeout) of the task. The guard allows 30 seconds unless C(task_timeout) is set
    in ansible.cfg.
seealso:
  - module: ansible.builtin.stat
"""

EXAMPLES = r"""
- name: Stop here unless the host was initialised
  precheck.guard.check:
    path: /etc/pki/ca.crt

- name: Ask and decide later
  precheck.guard.check:
    path: /etc/pki/ca.crt
  register: ca
  failed_when: false

- name: Only on hosts that are ready
  ansible.builtin.debug:
    msg: "{{ ca.path }} was last changed at {{ ca.stat.mtime }}"
  when: ca.verdict == 'ready' and ca.stat is defined
"""

RETURN = r"""
verdict:
  description:
    - V(ready) when the path exists, V(not_ready) when it does not, V(unverified) when that cannot be told, for lack of
      a permission on the way, say.
  returned: when the host could be reached
  type: str
  sample: not_ready
path:
  description: The path that was asked about.
  returned: when the host could be reached
  type: str
  sample: /etc/pki/ca.crt
msg:
  description: The verdict as a sentence, with its reason.
  returned: always
  type: str
  sample: /etc/pki/ca.crt is missing
stat:
  description: What M(ansible.builtin.stat) returns of the path, without checksum, MIME type and attributes.
  returned: when the host has Python and the path could be looked at
  type: dict
  sample:
    exists: false
"""
