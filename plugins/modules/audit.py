# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: audit
short_description: Checks all hosts of a play by all rules of the policy
description:
  - Turns a play whose only task it is into an audit. The Precheck guard checks every host of the
    play by every rule whose C(when) applies to the host, whatever plays the rule covers. It
    continues after a host that is not ready, and changes nothing.
  - At the end, it prints by rule which hosts are not ready and why, with the remedy of the rule.
  - The exit status is 0 if all hosts are ready, 2 if a host is not ready or unverified for a rule
    of severity C(error), and 1 if the policy or an argument is invalid. If it is 2, nothing after
    the audit runs.
  - C(ansible-playbook precheck.guard.audit) runs a playbook of the collection with this task, on
    all hosts. Its arguments are the extra variables C(precheck_rules), C(precheck_compare) and
    C(precheck_page).
  - Without the guard, the task fails.
version_added: 0.1.0
author:
  - The Precheck developers (!UNKNOWN)
options:
  rules:
    description: The names of the rules to check. By default, all rules are checked.
    type: list
    elements: str
    default: []
  compare:
    description:
      - The path of an earlier report of an audit or a run. The audit prints what changed since
        then.
      - If it is a directory, the newest audit of all hosts by all rules that has a report in it
        counts. If there is none, the audit is not compared.
      - It may be the same file as that of the option C(report), because it is read first.
    type: path
  page:
    description:
      - The file to which an HTML page is written. An existing file is replaced and keeps its mode.
        Only its owner can read a new file.
    type: path
attributes:
  check_mode:
    description: Works the same in check mode.
    support: full
  diff_mode:
    description: Shows nothing in diff mode.
    support: none
notes:
  - Relative paths are relative to the current directory.
  - The guard runs the audit if the play uses a guarded strategy, as with
    C(strategy=precheck.guard.linear), or if the callback C(precheck.guard.enforce) is on.
  - Checks with C(once) concern a play, so an audit does not run them.
  - Other keywords of the task, and keywords of the play that do not concern connections, have no
    effect. With the tag C(no_precheck) on the play or C(--skip-tags precheck), the run ends with an
    error.
seealso:
  - module: precheck.guard.check
  - plugin: precheck.guard.linear
    plugin_type: strategy
  - plugin: precheck.guard.enforce
    plugin_type: callback
"""

EXAMPLES = r"""
- name: Audit the databases by one rule
  hosts: databases
  strategy: precheck.guard.linear
  tasks:
    - name: Audit them
      precheck.guard.audit:
        rules: [pigsty-node]
        page: /srv/www/databases.html

- name: Audit all hosts and show what changed since the last time
  hosts: all
  strategy: precheck.guard.linear
  tasks:
    - name: Audit them
      precheck.guard.audit:
        compare: /var/log/precheck

# From the command line, without writing a playbook:
# ansible-playbook precheck.guard.audit --limit databases -e precheck_rules=pigsty-node \
#   -e precheck_report=report.json
"""

RETURN = r"""
msg:
  description: Why no audit was made. An audit runs no task, and prints its result after the recap.
  returned: when the guard made no audit
  type: str
  sample: "nothing was audited: the guard is not switched on for this play"
"""
