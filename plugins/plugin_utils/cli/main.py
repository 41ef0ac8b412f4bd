# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command ansible-precheck, on top of ansible-core's own command-line classes.

pip installs it as a console script. If the collection came by ansible-galaxy, or is a clone, the
Python that has ansible-core runs this file. It loads before ansible-core can find the collection,
or where there is none, so it imports nothing of either at the top. It says if no command can work
here. Otherwise it runs one: each is a file in the directory ``commands``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import re
import sys
from types import ModuleType

VERSION = "0.1.0"
OLDEST, OLDEST_PYTHON = (2, 10), (3, 9)

COMMANDS = {
    "enable": "switch the guard on in an ansible.cfg",
    "disable": "switch it off there",
    "doctor": "find out whether the guard is in force, and why not",
    "explain": "show what would be checked before the plays of playbooks, and why",
    "rules": "show which rules can apply to hosts, and what they require",
    "validate": "check policy files",
    "test": "run the cases of test files beside policy files",
    "report": "show what many reports say together, or make one of several",
    "schema": "print the JSON schema of policy files, for editors",
}

DESCRIPTION = """\
Precheck stops a playbook before it changes anything on a host that is not
ready for it. This command switches that on, and shows beforehand what it would
do. It connects to no host.

commands:
{commands}

ansible-precheck COMMAND --help describes a command.
The documents are in the directory
{documents}"""


def main() -> None:
    release = _release()
    parser = argparse.ArgumentParser(
        "ansible-precheck",
        "ansible-precheck COMMAND [options] [arguments]",
        DESCRIPTION.format(
            commands="\n".join(f"  {name:10} {text}" for name, text in COMMANDS.items()),
            documents=os.path.join(_module("copies").OWN_DIRECTORY, "docs"),
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, help=argparse.SUPPRESS)
    version = (
        f"ansible-precheck {VERSION} (ansible-core {release}, Python"
        f" {platform.python_version()} at {sys.executable})"
    )
    parser.add_argument("--version", action="version", version=version)
    name = parser.parse_args(sys.argv[1:2]).command
    # Python may have found this file without ansible-core. It has to forget the packages that it
    # has found on the way: with them, ansible-core would not look for collections where it is
    # configured to.
    for module in [
        module for module in sys.modules if module.partition(".")[0] == "ansible_collections"
    ]:
        del sys.modules[module]
    command = getattr(_module(name), name.capitalize())
    _module("executor").execute(command, [f"ansible-precheck {name}", *sys.argv[2:]])


def _release() -> str:
    """Return the release of ansible-core. End with a message if no command can work here."""
    try:
        importlib.import_module("ansible.constants")
    except ModuleNotFoundError:
        sys.exit(
            f"NOT IN FORCE: {sys.executable} has no ansible-core. Run this command by the Python"
            " that ansible --version prints."
        )
    except Exception as ex:
        # ansible.cli would end the program for that as well, and since 2.19 with a traceback.
        sys.exit(f"NOT IN FORCE: ansible-core ends every command with an error: {ex}")
    release: str = importlib.import_module("ansible.release").__version__
    number = re.match(r"(\d+)\.(\d+)", release)
    if number and tuple(map(int, number.groups())) < OLDEST:
        # What follows needs a newer one, and so does the guard.
        sys.exit(f"NOT IN FORCE: ansible-core {release} is older than {OLDEST[0]}.{OLDEST[1]}")
    # First, as it prepares Python for the rest of ansible-core, or ends the program.
    importlib.import_module("ansible.cli")
    if sys.version_info[:2] < OLDEST_PYTHON:
        sys.exit(f"NOT IN FORCE: Python {platform.python_version()} is older than 3.9")
    return release


def _module(name: str) -> ModuleType:
    """Return a module of the directory ``commands``.

    Its name is not one of the collection: which copy of the collection has these names is for
    ansible-core to decide, once the command runs. See ``commands.copies``.
    """
    package = sys.modules.setdefault("precheck_commands", ModuleType("precheck_commands"))
    package.__path__ = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "commands")]
    return importlib.import_module(f"precheck_commands.{name}")


if __name__ == "__main__":
    main()
