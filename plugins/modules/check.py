# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: check
short_description: Checks whether a host is ready
description:
  - Tells whether a path is there as it should be, a command succeeds or a condition holds, and fails when it is not so or
    when that cannot be told.
  - This is what the Precheck guard runs on the hosts of a covered play. It works as a task of any play too.
  - It only reads, apart from what a C(command) does. It runs in check mode as well, and needs no Python on the host to pass.
version_added: 0.1.0
author:
  - The Precheck developers (!UNKNOWN)
options:
  path:
    description:
      - The path that must exist on the host. A symbolic link counts as what it points to, so one that points to nothing is
        not there.
      - It is taken literally. Neither C(~) nor variables of the host's environment nor patterns are expanded.
      - Exactly one of C(path), C(command), C(that) and C(checks) is needed.
    type: str
  type:
    description: What the C(path) must be.
    type: str
    choices: [file, directory]
  mode:
    description:
      - The permissions that the C(path) may have at most, as an octal number in quotes. With C("0640") a file of mode 0600
        passes, and one of mode 0644 does not.
    type: str
  owner:
    description: The name or number of the user to whom the C(path) must belong.
    type: str
  group:
    description: The name or number of the group to which the C(path) must belong.
    type: str
  same_as:
    description:
      - A file on the control node with the same content as the C(path), compared by SHA-256.
      - It is looked for like the source of C(ansible.builtin.copy), and decrypted where it is vaulted.
    type: path
  command:
    description:
      - A command that must end with exit status 0, as a string for the host's shell or as a list of arguments.
      - It has nothing to read from, and runs in check mode too. The last line that it prints is the reason when it fails.
    type: raw
  that:
    description: A condition or a list of conditions that must hold, as in C(when). The host is not asked for them.
    type: raw
  checks:
    description:
      - Several checks, each a mapping of the other options. All are told about, not only the first that fails.
      - What needs the host's shell goes to it in one command, or in two when some have C(become) and others have not.
    type: list
    elements: dict
  name:
    description: What the check is called in its reason.
    type: str
  message:
    description: What to tell instead of the reason when the host is not ready.
    type: str
  timeout:
    description:
      - The seconds that a C(command) may take. It needs the program C(timeout) on the host, and no limit is set where that is
        missing.
      - To limit the time of the whole task, use the keyword C(timeout) of the task.
    type: int
  become:
    description:
      - With C(false) the host is asked without privilege escalation, even where C(ansible_become) or the
        command line asks for it.
      - C(true) needs the keyword C(become) too, and is the default where that is true.
    type: bool
attributes:
  check_mode:
    description: Can run in check mode and tell the same.
    support: full
  diff_mode:
    description: Has nothing to show in diff mode.
    support: none
  platform:
    description: Hosts with a POSIX shell. Conditions are evaluated for any host.
    support: full
    platforms: posix
notes:
  - With a local connection the variable C(precheck_root) can name a folder that stands for the root directory of the
    host, as for an image that is being built. Other connections ignore it.
  - C(path) and C(command) need a POSIX shell on the host. Where there is none, as with winrm, psrp and network_cli, the
    verdict is C(unverified).
  - The guard allows a host 30 seconds for all its checks unless C(task_timeout) is set in ansible.cfg.
  - The task fails on the host that is not ready, and the play goes on for the others, as with any task. To end it for all, set
    the keyword C(any_errors_fatal). The guard does more, see the strategies and the callback.
seealso:
  - plugin: precheck.guard.enforce
    plugin_type: callback
  - module: precheck.guard.audit
  - module: ansible.builtin.stat
  - module: ansible.builtin.assert
"""

EXAMPLES = r"""
- name: Stop here unless the host was initialised by this installation
  precheck.guard.check:
    path: /etc/pki/ca.crt
    same_as: files/pki/ca/ca.crt

- name: Stop on all hosts if one was not initialised
  precheck.guard.check:
    path: /etc/pki/ca.crt
    message: "{{ inventory_hostname }} is not managed: ./node.yml -l {{ inventory_hostname }}"
  any_errors_fatal: true

- name: Tell all that is missing at once
  precheck.guard.check:
    checks:
      - path: /data
        type: directory
        mode: "0750"
        owner: postgres
      - command: test "$(df -P /data | awk 'END {print $4}')" -gt 10000000
        name: free space
        message: less than 10 GB are free on /data
        timeout: 5
      - that: pg_version | int >= 14

- name: Look as root at a file that nobody else may read
  precheck.guard.check:
    path: /etc/pki/ca.key
    type: file
    mode: "0600"
    owner: root
  become: true

- name: Judge the inventory, without a connection
  precheck.guard.check:
    that:
      - pg_seq is defined
      - pg_role in ['primary', 'replica']
    name: inventory

- name: Ask and decide later
  precheck.guard.check:
    command: [systemctl, is-active, patroni]
  register: patroni
  failed_when: false

- name: Only on hosts that are ready
  ansible.builtin.debug:
    msg: Patroni is running
  when: patroni.verdict == 'ready'

# From the command line:
# ansible all -m precheck.guard.check -a 'path=/etc/pki/ca.crt'
"""

RETURN = r"""
verdict:
  description:
    - C(ready) when all checks passed, C(not_ready) when one did not, C(unverified) when that cannot be told, for lack of
      a permission on the way, say.
  returned: when the host could be reached
  type: str
  sample: not_ready
msg:
  description: The reasons why the host is not ready.
  returned: always
  type: str
  sample: /etc/pki/ca.crt is missing
checks:
  description: What came of each check, in order.
  returned: when the host could be reached
  type: list
  elements: dict
  contains:
    check:
      description: The name of the check, or else its path, command or conditions.
      type: str
      sample: /etc/pki/ca.crt
    verdict:
      description: C(ready), C(not_ready) or C(unverified).
      type: str
      sample: not_ready
    msg:
      description: The reason. Empty when the check passed.
      type: str
      sample: /etc/pki/ca.crt is missing
"""
