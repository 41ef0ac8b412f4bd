# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: check
short_description: Checks whether a host is ready
description:
  - Checks whether a path exists as required, a command succeeds or a condition holds. Fails if
    that is not so, or if it cannot be determined.
  - This is what the Precheck guard runs on the hosts of a covered play. It also works as a task of
    any play.
  - It only reads, except for what a C(command) does. It also runs in check mode. A host needs no
    Python to pass.
version_added: 0.1.0
author:
  - The Precheck developers (!UNKNOWN)
options:
  path:
    description:
      - The path that must exist on the host. Symbolic links are followed, and a dangling link
        counts as missing.
      - The path is taken literally. C(~), environment variables of the host and patterns are not
        expanded.
      - Exactly one of C(path), C(command), C(that) and C(checks) is required.
    type: str
  type:
    description: What the C(path) must be.
    type: str
    choices: [file, directory]
  mode:
    description:
      - The permissions that the C(path) may have at most, as an octal number in quotes. With
        C("0640"), a file with mode 0600 passes, and a file with mode 0644 does not.
    type: str
  owner:
    description: The name or number of the user that must own the C(path).
    type: str
  group:
    description: The name or number of the group that the C(path) must belong to.
    type: str
  same_as:
    description:
      - A file on the control node whose content the C(path) must have, compared by SHA-256.
      - It is found like the source of C(ansible.builtin.copy), and decrypted if it is vaulted.
    type: path
  command:
    description:
      - A command that must exit with status 0, as a string for the host's shell or as a list of
        arguments.
      - Its standard input is empty, and it also runs in check mode. If it fails, the reason is the
        last line of its output.
    type: raw
  that:
    description:
      - A condition or a list of conditions that must hold, as in C(when). They are evaluated on the
        control node, without a connection to the host.
    type: raw
  checks:
    description:
      - Several checks, each a mapping of the other options. All failures are reported, not only the
        first.
      - All checks that need the host's shell go to it in one command, or in two if only some have
        C(become).
    type: list
    elements: dict
  name:
    description: The name of the check, used in its reason.
    type: str
  message:
    description: The text to print instead of the reason if the host is not ready.
    type: str
  timeout:
    description:
      - The timeout of a C(command) in seconds. It requires the program C(timeout) on the host and
        has no effect without it.
      - To limit the time of the whole task, use the keyword C(timeout) of the task.
    type: int
  become:
    description:
      - With C(false), the check runs without privilege escalation, even if C(ansible_become) or the
        command line requests it.
      - C(true) also requires the keyword C(become), and is the default if that keyword is true.
    type: bool
attributes:
  check_mode:
    description: Works the same in check mode.
    support: full
  diff_mode:
    description: Shows nothing in diff mode.
    support: none
  platform:
    description: Hosts with a POSIX shell. Conditions are evaluated for any host.
    support: full
    platforms: posix
notes:
  - With a local connection, the variable C(precheck_root) can name a directory that stands for the
    root directory of the host, for example of an image that is being built. Other connections
    ignore it.
  - C(path) and C(command) require a POSIX shell on the host. Without one, as with winrm, psrp and
    network_cli, the verdict is C(unverified).
  - The guard gives a host 30 seconds for all its checks unless C([precheck] timeout) is set in
    C(ansible.cfg).
  - As with any task, the task fails on the host that is not ready, and the play continues for the
    other hosts. To end the play for all hosts, set the keyword C(any_errors_fatal). The guard does
    more, see the strategies and the callback.
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

- name: Report everything that is missing at once
  precheck.guard.check:
    checks:
      - path: /data
        type: directory
        mode: "0750"
        owner: postgres
      - command: test "$(df -Pk /data | awk 'END {print $4}')" -gt 10000000
        name: free space
        message: less than 10 GB are free on /data
        timeout: 5
      - that: pg_version | int >= 14

- name: Check as root a file that nobody else may read
  precheck.guard.check:
    path: /etc/pki/ca.key
    type: file
    mode: "0600"
    owner: root
  become: true

- name: Check the inventory, without a connection
  precheck.guard.check:
    that:
      - pg_seq is defined
      - pg_role in ['primary', 'replica']
    name: inventory

- name: Check now and decide later
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
    - C(ready) if all checks passed, C(not_ready) if one failed, C(unverified) if that could not be
      determined, for example because a permission is missing.
  returned: when the host could be reached
  type: str
  sample: not_ready
msg:
  description: The reasons why the host is not ready.
  returned: always
  type: str
  sample: /etc/pki/ca.crt is missing
checks:
  description: The result of each check, in order.
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
