# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """What the plugin documentation of the guarded strategies has in common."""

    DOCUMENTATION = r"""
options: {}
notes:
  - A policy defines which plays are covered and what is checked. The documentation of the callback
    C(precheck.guard.enforce) describes the options for it, which also apply to the strategies.
  - The strategy guards only the plays that use it. The callback guards all plays, whatever strategy
    they name. If both are on, a play is guarded once.
  - If the name is misspelt in C(ansible.cfg), the run ends with an error. For a misspelt callback
    name, there is only a warning, and no guard.
  - From ansible-core 2.19 on, loading a third-party strategy prints a deprecation warning, and a
    future release may refuse it. This does not affect the callback, which is recommended.
  - The exit status is 2 if a host is not ready or unverified. It is neither 0 nor 2 if the policy
    is invalid or the guard does not work.
  - To run only the checks, pass C(--tags precheck). The tag C(no_precheck:RULE) on a play,
    C(--skip-tags precheck:RULE) and C(-e precheck_waive=RULE) waive a rule, with a warning. Without
    a name, the tags waive all rules that may be waived.
seealso:
  - plugin: precheck.guard.enforce
    plugin_type: callback
  - module: precheck.guard.check
  - module: precheck.guard.audit
"""
