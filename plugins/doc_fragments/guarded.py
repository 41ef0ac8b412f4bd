# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """What the manual pages of the guarded strategies have in common."""

    DOCUMENTATION = r"""
options: {}
notes:
  - Which plays are covered, and what is checked, says a policy. The manual page of the callback C(precheck.guard.enforce) has
    the options for it, which are those of the strategies as well.
  - Guards the plays that use this strategy. The callback guards plays whatever strategy they name. When both are on, a play
    is guarded once.
  - If the name is misspelt in C(ansible.cfg), the run ends with an error. With the callback there is a warning, and no guard. So
    both together are the safest.
  - From ansible-core 2.19 on, loading a strategy that is not built in prints a deprecation warning, and a later release may
    refuse it. The callback is not concerned.
  - The exit status is 2 when a host is not ready or unverified, and another than 0 and 2 when the policy is wrong or the guard
    does not work.
  - To run the checks alone, pass C(--tags precheck). A play with the tag C(no_precheck), and C(--skip-tags precheck), are not
    checked, with a warning.
seealso:
  - plugin: precheck.guard.enforce
    plugin_type: callback
  - module: precheck.guard.check
  - module: precheck.guard.audit
"""
