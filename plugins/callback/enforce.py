# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: enforce
type: aggregate
short_description: Guards every play, whatever strategy it names
description:
  - Puts the Precheck guard on the strategy of each play, built in or not.
  - Before a covered play does anything, the guard checks all its hosts. If one of them is not
    ready, the run ends with exit status 2, and nothing of the play runs on any host.
  - A play that no rule covers runs as without the callback.
  - If the guard cannot be installed, the run ends with an error before the play begins.
version_added: 0.1.0
author:
  - The Precheck developers (!UNKNOWN)
options:
  forks:
    description:
      - The number of hosts that are checked at once. The play itself has as many as ever.
      - Without this option, it is C(forks) of C(ansible.cfg) or of the command line.
    type: int
    ini:
      - section: precheck
        key: forks
    env:
      - name: ANSIBLE_PRECHECK_FORKS
    vars:
      - name: precheck_forks
    version_added: 0.1.0
  metrics:
    description:
      - The file to which each audit and each guarded run writes metrics for the textfile collector
        of node_exporter, as in C(/var/lib/prometheus/node-exporter/precheck.prom). Without this
        option, no metrics are written.
      - Its name must end in C(.prom). All runs and audits of one inventory share one file.
      - In C(ansible.cfg), a relative path is relative to that file; elsewhere, to the current
        directory.
      - The directory must exist. Everybody can read the file. It has the names of hosts and rules,
        but no reasons.
      - If the metrics cannot be written, a warning is printed.
    type: path
    ini:
      - section: precheck
        key: metrics
    env:
      - name: ANSIBLE_PRECHECK_METRICS
    vars:
      - name: precheck_metrics
    version_added: 0.1.0
  policy:
    description:
      - The policy files, separated by commas. Their rules are combined. Two rules with the same
        name are an error.
      - In C(ansible.cfg), a relative path is relative to that file; elsewhere, to the current
        directory.
      - Without this option, C(precheck.yml) beside C(ansible.cfg) is used if it exists, and the
        built-in policy otherwise.
    type: pathlist
    ini:
      - section: precheck
        key: policy
    env:
      - name: ANSIBLE_PRECHECK_POLICY
    vars:
      - name: precheck_policy
    version_added: 0.1.0
  reason:
    description:
      - Why rules are waived, on one line. It is printed with the warning, and is in the report.
      - A rule with C(waiver=reason) is waived only if this is set.
    type: str
    vars:
      - name: precheck_reason
    version_added: 0.1.0
  report:
    description:
      - The file to which each guarded run and each audit writes a report in JSON. Without this
        option, no report is written.
      - The path is a C(strftime) format, filled in with the UTC time at which the run started, as
        in C(precheck-%Y-%m-%dT%H%M%S.json). Write a literal percent sign as C(%%).
      - In C(ansible.cfg), a relative path is relative to that file; elsewhere, to the current
        directory.
      - The directory must exist. An existing file is replaced. Only its owner can read the new
        file.
      - If the report cannot be written, a warning is printed.
    type: path
    ini:
      - section: precheck
        key: report
    env:
      - name: ANSIBLE_PRECHECK_REPORT
    vars:
      - name: precheck_report
    version_added: 0.1.0
  report_keep:
    description:
      - How many reports to keep in the directory of C(report). Without this option, all of them.
      - After a new report is written, older ones are removed. These are reports of Precheck whose
        names come of C(report), filled in with the times at which their runs started. No other file
        is removed.
      - If a report cannot be removed, a warning is printed.
    type: int
    ini:
      - section: precheck
        key: report_keep
    env:
      - name: ANSIBLE_PRECHECK_REPORT_KEEP
    vars:
      - name: precheck_report_keep
    version_added: 0.1.0
  set_stats:
    description:
      - Whether each guarded run and each audit sets the custom statistic C(precheck_summary), as
        the module M(ansible.builtin.set_stats) would. Controllers pass it on to the next jobs of
        a workflow.
    type: bool
    default: false
    ini:
      - section: precheck
        key: set_stats
    env:
      - name: ANSIBLE_PRECHECK_SET_STATS
    vars:
      - name: precheck_set_stats
    version_added: 0.1.0
  timeout:
    description:
      - The number of whole seconds that a host has for all its checks together. The C(timeout) of a
        check is added, unless it is of the kind C(task).
      - Without this option, it is C(task_timeout) of C(ansible.cfg), and without that, 30 seconds,
        or longer if C(timeout) and C(retries) give C(ssh) longer to connect.
    type: int
    ini:
      - section: precheck
        key: timeout
    env:
      - name: ANSIBLE_PRECHECK_TIMEOUT
    vars:
      - name: precheck_timeout
    version_added: 0.1.0
  waive:
    description:
      - The names of the rules that the run opts out of, as a list or separated by commas.
      - A name that no rule has is an error, and so is that of a rule that cannot be waived.
    type: list
    elements: str
    vars:
      - name: precheck_waive
    version_added: 0.1.0
requirements:
  - enabled in the configuration, as C(callbacks_enabled = precheck.guard.enforce)
notes:
  - The same options apply to the strategies of this collection.
  - The exit status is 2 if a host is not ready or unverified. It is neither 0 nor 2 if the policy
    is invalid or the guard does not work.
  - To run only the checks, pass C(--tags precheck). The tag C(no_precheck:RULE) on a play,
    C(--skip-tags precheck:RULE) and C(-e precheck_waive=RULE) waive a rule, with a warning. Without
    a name, the tags waive all rules that may be waived.
  - The variables C(precheck_confirm), C(precheck_forks), C(precheck_metrics), C(precheck_policy),
    C(precheck_reason), C(precheck_report), C(precheck_report_keep), C(precheck_set_stats),
    C(precheck_timeout) and C(precheck_waive) have an effect only as extra variables, as with
    C(-e precheck_policy=strict.yml).
  - For a misspelt callback name, ansible-core only prints a warning. C(ansible-precheck doctor) and
    C(ansible-playbook precheck.guard.doctor) find out whether the guard is in force.
  - With C(-v), each run prints which policy it uses, and with C(-vv), which rules cover each play.
seealso:
  - plugin: precheck.guard.linear
    plugin_type: strategy
  - module: precheck.guard.check
  - module: precheck.guard.audit
"""

EXAMPLES = r"""
# In ansible.cfg:
# [defaults]
# callbacks_enabled = precheck.guard.enforce
#
# [precheck]
# policy = /etc/precheck/company.yml, precheck.yml
# report = /var/log/precheck/%Y-%m-%dT%H%M%S.json
#
# For one run:
# ansible-playbook pgsql.yml -e precheck_policy=strict.yml -e precheck_report=report.json
#
# Only the checks:
# ansible-playbook pgsql.yml --tags precheck

#
# Without the checks of one rule:
# ansible-playbook pgsql.yml -e precheck_waive=pigsty-node -e precheck_reason='CHG-123, a spare'

- name: A play that the rule pigsty-node does not check
  hosts: all
  tags: no_precheck:pigsty-node
  tasks:
    - name: See who answers
      ansible.builtin.ping:
"""

from typing import TYPE_CHECKING, Any, NoReturn

from ansible.plugins.callback import CallbackBase

# ansible-core skips a callback that fails to load, so this needs as little as possible for that.
if TYPE_CHECKING:
    from ansible.playbook import Playbook
    from ansible.playbook.play import Play


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "precheck.guard.enforce"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        self._playbook: Playbook | None = None
        self._play: Play | None = None  # the one that was announced last
        try:
            super().__init__()
        except Exception as ex:
            self._end(ex)
        # ansible-core goes on without a callback whose options are wrong, and since 2.21 it
        # templates their variables by this name, which may fail as well. The guard reads the
        # options itself, and ends the run.
        self._load_name = ""

    def set_options(
        self, task_keys: Any = None, var_options: Any = None, direct: Any = None
    ) -> None:
        pass

    def v2_playbook_on_start(self, playbook: Playbook) -> None:
        self._playbook = playbook

    def v2_playbook_on_play_start(self, play: Play) -> None:
        self._play = play
        try:
            # Not at the top: ansible-core skips a callback that fails to load, and the play would
            # run unguarded.
            from ansible_collections.precheck.guard.plugins.plugin_utils.bytecode import (
                keep_bytecode,
            )

            keep_bytecode()
            from ansible_collections.precheck.guard.plugins.plugin_utils.guard.enforce import (
                install,
            )

            install(play.strategy, self._playbook)
        except Exception as ex:
            self._end(ex)

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        # The last event before a task goes to a host. Should ansible-core run another strategy than
        # the one that it names, no guard has seen the play.
        try:
            from ansible_collections.precheck.guard.plugins.plugin_utils.guard.enforce import (
                has_begun,
            )

            if not self._play or not has_begun(self._play):
                raise RuntimeError("its strategy was not the one that was guarded")
        except Exception as ex:
            self._end(ex)

    def _end(self, ex: Exception) -> NoReturn:
        try:
            from ansible import constants as C
            from ansible.utils.display import Display
            from ansible_collections.precheck.guard.plugins.plugin_utils.errors import GuardError

            consequence = "Precheck could not guard any play, so none was run"
            if self._play:
                name = self._play.get_name()
                consequence = f"Precheck could not guard the play {name!r}, so it was not run"
            # Not by ``error``, whose parameters are to change.
            text = f"[ERROR]: {GuardError(consequence, ex).message}"
            Display().display(text, color=C.COLOR_ERROR, stderr=True)
        finally:
            # ansible-core turns any exception of a callback into a warning, but lets SystemExit
            # through.
            raise SystemExit(1) from ex
