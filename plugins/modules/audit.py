# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
module: audit
short_description: Checks all hosts of a play by all rules of the policy
description:
  - Makes an audit of the play whose only task it is. The Precheck guard checks every host of the play by every rule that
    applies to it by its C(when), whatever plays the rule covers, and goes on after what is not ready. Nothing is changed.
  - At the end it prints what is not ready and why, by rule, with the remedy of each rule.
  - The exit status is 0 when all hosts are ready, 2 when one is not ready or unverified for a rule of severity C(error),
    and 1 when the policy or an argument is wrong. What comes after an audit that ends with 2 is not run.
  - C(ansible-playbook precheck.guard.audit) runs a playbook of the collection with this task, on all hosts. Its arguments
    are the extra variables C(precheck_rules), C(precheck_compare) and C(precheck_page).
  - By itself, without the guard, the task fails.
version_added: 0.1.0
author:
  - The Precheck developers (!UNKNOWN)
options:
  rules:
    description: The names of the rules to check by. All of them if there is none.
    type: list
    elements: str
    default: []
  compare:
    description:
      - The path of an earlier report of an audit or a run. What changed since is told.
      - It is not a report of this audit yet, so it may be the file to which the option C(report) leads.
    type: path
  page:
    description:
      - The file to write a page for a browser to. It is replaced if it is there, and only its owner may read a new one.
    type: path
attributes:
  check_mode:
    description: Does the same in check mode.
    support: full
  diff_mode:
    description: Has nothing to show in diff mode.
    support: none
notes:
  - Relative paths are relative to the current directory.
  - The guard makes the audit when the strategy of the play is guarded, as with C(strategy=precheck.guard.linear), or when
    the callback C(precheck.guard.enforce) is on.
  - Checks with C(once) are about a play, and are left out.
  - Other keywords of the task, and those of the play by which no host is reached, have no effect. With the tag
    C(no_precheck) on the play or C(--skip-tags precheck) the run ends with an error.
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

- name: Audit all hosts and tell what changed since the last time
  hosts: all
  strategy: precheck.guard.linear
  tasks:
    - name: Audit them
      precheck.guard.audit:
        compare: /var/log/precheck/last.json

# From the command line, without a playbook of one's own:
# ansible-playbook precheck.guard.audit --limit databases -e precheck_rules=pigsty-node -e precheck_report=report.json
"""

RETURN = r"""
msg:
  description: Why no audit was made. Where one is made there is no task, and what it found is printed after the recap.
  returned: when the guard made no audit
  type: str
  sample: "nothing was audited: the guard is not switched on for this play"
"""
