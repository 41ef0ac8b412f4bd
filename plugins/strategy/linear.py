# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

DOCUMENTATION = r"""
name: linear
short_description: Executes tasks in a linear fashion, guarded
description:
  - The strategy C(ansible.builtin.linear), with the Precheck guard before it.
  - Before a covered play does anything, the guard checks all its hosts. If one of them is not
    ready, the run ends with exit status 2, and nothing of the play runs on any host.
  - A play that no rule covers runs as with the built-in strategy.
version_added: 0.1.0
author:
  - The Precheck developers (!UNKNOWN)
extends_documentation_fragment:
  - precheck.guard.guarded
"""

EXAMPLES = r"""
# In ansible.cfg:
# [defaults]
# strategy = precheck.guard.linear

- name: For one play
  hosts: all
  strategy: precheck.guard.linear
  tasks:
    - name: See who answers
      ansible.builtin.ping:
"""

from ansible.plugins.strategy.linear import StrategyModule as BuiltIn
from ansible_collections.precheck.guard.plugins.plugin_utils.strategy_mixin import Guarded


class StrategyModule(Guarded, BuiltIn):
    pass
