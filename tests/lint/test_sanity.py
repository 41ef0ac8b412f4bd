# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-test sanity, on the collection as users have it."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution
from pathlib import Path

# ansible-test makes an environment for each of its tests, and would download pip for it. This
# script copies the pip of this environment instead.
GET_PIP = """
import shutil, sysconfig
for directory in {directories}:
    shutil.copytree(directory, sysconfig.get_path("purelib") + "/" + directory.rpartition("/")[2])
"""


def test_ansible_test_finds_nothing(installed, run):
    home = Path(sys.prefix) / "ansible-test"  # its environments can be used again
    site = Path(str(distribution("pip").locate_file("")))
    directories = [str(site / "pip"), *map(str, site.glob("pip-*.dist-info"))]
    source = Path(
        str(
            distribution("ansible-core").locate_file(
                "ansible_test/_internal/python_requirements.py"
            )
        )
    )
    for version in re.findall(r"""pip=['"]([\d.]+)""", source.read_text()):
        script = home / ".ansible/test/cache" / f"get_pip_{version.replace('.', '_')}.py"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(GET_PIP.format(directories=directories))
    user = Path.home()
    # pip uses the cache and the configuration of the user.
    settings = {"XDG_CACHE_HOME": user / ".cache", "XDG_CONFIG_HOME": user / ".config"}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ("ansible-test", "sanity", "--color", "no", "--python", python)
    run(*command, cwd=installed, HOME=home, **settings)
