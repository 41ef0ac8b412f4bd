# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import ansible.plugins.loader  # noqa: F401  before 2.15 it changes how collections are imported, so it comes first
