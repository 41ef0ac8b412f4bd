# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations


class ModuleDocFragment:
    """What the manual pages of the guarded strategies have in common."""

    DOCUMENTATION = r"""
options: {}
description:
  - Before the first thing that a covered play does, all its hosts are checked. When one of them is not ready, the run
    ends with exit status 2 and nothing of the play is run on any host.
  - A play that no rule covers runs as under the built-in strategy.
notes:
  - Guards the plays that use this strategy. The callback P(precheck.guard.enforce#callback) guards plays whatever
    strategy they name. When both are on, a play is guarded once.
  - From ansible-core 2.19 on, loading a strategy that is not built in prints a deprecation warning. The callback
    does not.
seealso:
  - plugin: precheck.guard.enforce
    plugin_type: callback
"""
