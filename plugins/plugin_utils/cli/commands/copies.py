# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The copy of the collection that this command is of, and the one that ansible-core finds.

They may differ: playbooks may have a copy beside them, and ``ansible.cfg`` may lead to another one.
What the command says must be what a run would do. So the files of this directory only take options
and print. Everything else is up to modules of the copy that ansible-core finds. That is known only
once the command runs, as it depends on ansible.cfg and on the playbooks, so nothing here imports
them at its top.
"""

from __future__ import annotations

import importlib
import os
import sys
from types import ModuleType

from ansible import constants as C
from ansible.errors import AnsibleError

PACKAGE = "ansible_collections.precheck.guard"
COLLECTION = f"{PACKAGE}.plugins.plugin_utils"

# That of the copy that this command is of.
OWN_DIRECTORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../.."))


def of_collection(name: str) -> ModuleType:
    """Return a module of the copy that ansible-core finds. It finds it once a command runs."""
    try:
        return importlib.import_module(f"{COLLECTION}.{name}")
    except ImportError as ex:
        if PACKAGE in sys.modules:
            copy = next(iter(sys.modules[PACKAGE].__path__))
            raise AnsibleError(
                "ansible-core finds another copy of the collection than that of this command"
                f" ({own_copy()}): that at {copy}, which does not work with it ({ex})"
            ) from None
        raise AnsibleError(
            "ansible-core does not find the collection precheck.guard, so it cannot guard anything"
            f" here ({ex}). The setting collections_path in ansible.cfg says where it looks; now it"
            f" is {':'.join(C.COLLECTIONS_PATHS)}"
        ) from None


def make_findable() -> str:
    """Return the directory in which ansible-core finds the collection; empty if it finds none.

    In that case, make it find the copy that this command is of.
    """
    try:
        return str(next(iter(importlib.import_module(PACKAGE).__path__)))
    except ImportError:
        if "ansible_collections" not in sys.modules:
            sys.modules["ansible_collections"] = ModuleType("ansible_collections")
            sys.modules["ansible_collections"].__path__ = []
        sys.modules["ansible_collections"].__path__ += [own_root()]
        return ""


def own_copy() -> str:
    """Return the directory of the copy that this command is of, as ansible-core would name it."""
    return os.path.join(own_root(), "precheck/guard")


def own_root() -> str:
    """Return the directory ansible_collections that the copy is in, or its clone has."""
    root = os.path.dirname(os.path.dirname(OWN_DIRECTORY))
    if os.path.basename(root) == "ansible_collections":
        return root
    return os.path.join(OWN_DIRECTORY, "collections/ansible_collections")
