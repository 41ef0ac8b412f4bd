# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the code of the plugins imports and uses, as far as it can be read without running it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PLUGINS = Path(__file__).parents[2] / "plugins"
PLUGIN_UTILS = PLUGINS / "plugin_utils"
PACKAGE = "ansible_collections.precheck.guard.plugins.plugin_utils"


@dataclass(frozen=True)
class Import:
    """A module of plugin_utils imports another one; both are paths without ``.py``.

    ``is_late`` says that it does so in a function, or for types only.
    """

    source: str
    target: str
    is_late: bool


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Return the parsed modules of plugin_utils by their paths without ``.py``: "guard/plan"."""
    paths = sorted(PLUGIN_UTILS.rglob("*.py"))
    return {name_of(path, PLUGIN_UTILS): ast.parse(path.read_text()) for path in paths}


def entry_points() -> dict[str, ast.Module]:
    """Return the parsed plugins that are not in plugin_utils: "strategy/linear"."""
    paths = sorted(path for path in PLUGINS.rglob("*.py") if PLUGIN_UTILS not in path.parents)
    return {name_of(path, PLUGINS): ast.parse(path.read_text()) for path in paths}


def name_of(path: Path, root: Path) -> str:
    return str(path.relative_to(root).with_suffix(""))


def imports() -> Iterator[Import]:
    """Return all imports among the modules of plugin_utils."""
    for source, tree in modules().items():
        at_the_top = set(tree.body)
        for node in ast.walk(tree):
            for target in targets(node, source):
                yield Import(source, target, node not in at_the_top)


def targets(node: ast.AST, source: str) -> Iterator[str]:
    """Return the modules of plugin_utils that a statement in the module ``source`` imports."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "of_collection":
        yield ast.literal_eval(node.args[0]).replace(".", "/")
    if not isinstance(node, ast.ImportFrom):
        return
    if node.level:
        parts = source.split("/")[: -node.level] + (node.module or "").split(".")
    elif node.module and node.module.startswith(PACKAGE):
        parts = node.module[len(PACKAGE) :].split(".")
    else:
        return
    base = "/".join(filter(None, parts))
    if base in modules():
        yield base
    else:
        yield from (f"{base}/{alias.name}".lstrip("/") for alias in node.names)


def private_names(tree: ast.Module) -> set[str]:
    """Return the private names of others that a module uses: their attributes and their modules.

    An attribute of ``self`` counts if the class does not define it.
    """
    names = {
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and not node.level
        for part in (node.module or "").split(".")
        if is_private(part)
    }
    own = own_names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not is_own or node.attr not in own:
                names.add(node.attr)
    return names


def own_names(tree: ast.Module) -> set[str]:
    """Return the private names that the classes of a module define, or set on ``self``."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, (ast.AnnAssign, ast.Assign)):
            assigned = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            for target in (part for one in assigned for part in ast.walk(one)):
                if isinstance(target, ast.Attribute):
                    names.add(target.attr)
                elif isinstance(target, ast.Name):
                    names.add(target.id)
    return names


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name != "_"
