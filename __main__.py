# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command ansible-precheck where pip has not made it: python3 DIRECTORY_OF_THE_COLLECTION."""

from __future__ import annotations

import os
import runpy

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    main = os.path.join(here, "plugins", "plugin_utils", "cli", "main.py")
    runpy.run_path(main, run_name="__main__")
