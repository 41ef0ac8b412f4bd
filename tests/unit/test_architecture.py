# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tree shows the architecture: one direction of imports, private names in their rooms."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from support.plugin_code import (
    PLUGIN_UTILS,
    Import,
    entry_points,
    imports,
    modules,
    name_of,
    private_names,
)

pytestmark = pytest.mark.one_release

# Modules and packages of plugin_utils. Each imports only from those before it.
ORDER = [
    "errors",
    "text",
    "ini",
    "verdict",
    "templates",
    "compat",
    "options",
    "bytecode",
    "strategy_mixin",
    "policy",
    "checks",
    "ansible_core",
    "report",
    "history",
    "guard",
    "cli",
]
# The same within ansible_core.
ORDER_IN_ANSIBLE_CORE = ["run", "patches", "plays", "stop", "output", "workers", "tasks"]
# It has to load with any release of ansible-core, so it imports the guard when a play begins.
AGAINST_THE_ORDER = {
    Import("strategy_mixin", "ansible_core/plays/purpose", is_late=True),
    Import("strategy_mixin", "guard/enforce", is_late=True),
}
# Where private names of ansible-core may be used.
ROOMS = ("templates", "compat", "checks/node", "ansible_core/", "cli/")
# They load before ansible-core can find the collection.
COMMANDS = "cli/commands/"
# Names of base classes that plugins of these types are written with.
OF_PLUGINS = {
    "action/check": {"_loader", "_play_context", "_task"},
    "action/doctor": {"_loader"},
    "callback/enforce": set(),
}


def layer(module):
    return module.split("/")[0]


def loaded_by_main():
    """Return the modules that cli.main loads by their names: the commands, and what it calls."""
    tree = modules()["cli/main"]
    [commands] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "COMMANDS"
    ]
    called = [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "_module"
        and isinstance(node.args[0], ast.Constant)
    ]
    return [f"{COMMANDS}{name}" for name in (*commands, *called)]


def test_every_module_is_in_the_order():
    assert {layer(module) for module in modules()} == set(ORDER)


def test_each_layer_imports_only_from_those_before_it():
    against = {
        one
        for one in imports()
        if layer(one.source) != layer(one.target)
        and ORDER.index(layer(one.target)) > ORDER.index(layer(one.source))
    }
    assert against == AGAINST_THE_ORDER


def test_each_package_in_ansible_core_imports_only_from_those_before_it():
    def place(module):
        return ORDER_IN_ANSIBLE_CORE.index(module.split("/")[1])

    within = [one for one in imports() if layer(one.source) == layer(one.target) == "ansible_core"]
    assert within
    assert [one for one in within if place(one.target) > place(one.source)] == []


def test_every_import_is_of_a_module_that_exists():
    assert {one.target for one in imports()} <= set(modules())


def test_commands_import_only_each_other_before_ansible_core_finds_the_collection():
    early = {
        one
        for one in imports()
        if one.source.startswith(("cli/main", COMMANDS))
        and not (one.is_late or one.target.startswith(COMMANDS))
    }
    assert early == set()


def test_nothing_of_the_collection_imports_a_command():
    """The copy that ansible-core finds may be another one than that of the command."""
    against = {
        one
        for one in imports()
        if one.target.startswith(COMMANDS) and not one.source.startswith(COMMANDS)
    }
    assert against == set()


def test_no_modules_import_each_other_in_a_circle():
    targets: dict[str, set[str]] = {module: set() for module in modules()}
    for one in imports():
        targets[one.source].add(one.target)
    while leaves := [module for module in targets if not targets[module] & set(targets)]:
        for module in leaves:
            del targets[module]
    assert targets == {}


def test_private_names_of_ansible_core_are_in_their_rooms():
    elsewhere = {
        module: names
        for module, tree in modules().items()
        if not module.startswith(ROOMS) and (names := private_names(tree))
    }
    assert elsewhere == {}


def test_plugins_use_no_private_names_but_those_of_their_base_classes():
    used = {plugin: private_names(tree) for plugin, tree in entry_points().items()}
    assert {plugin: names for plugin, names in used.items() if names} == {
        plugin: names for plugin, names in OF_PLUGINS.items() if names
    }


def test_all_patches_are_in_one_place():
    """An assignment to a method of another's class or object is a patch."""
    patched = {
        "run",
        "send_callback",
        "cleanup",
        "remove_restriction",
        "set_host_facts",
        "signal",
        "_queue_task",
        "_get_next_task_lockstep",
        "_generate_retry_inventory",
    }
    assignments = {
        (module.rpartition("/")[0], target.attr)
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.Delete))
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr in patched
    }
    assert assignments == {("ansible_core/patches", name) for name in patched}


def test_no_tuple_type_is_written_twice():
    counts = Counter(
        ast.unparse(node)
        for tree in modules().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "tuple"
    )
    assert [text for text, count in counts.items() if count > 1] == []


def test_no_error_of_precheck_has_a_cause():
    """Since 2.19 ansible-core appends the message of the cause, which may hold variable values."""
    causes = [
        (module, ast.unparse(node))
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and node.cause and ast.unparse(node.cause) != "None"
    ]
    assert causes == []


def test_no_module_is_imported_from_nowhere():
    """Each module but those that ansible-core, pip or a console script loads has an importer."""
    imported = {one.target for one in imports()} | set(loaded_by_main())
    for tree in entry_points().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and "plugin_utils" in node.module:
                imported.add(node.module.partition("plugin_utils.")[2].replace(".", "/"))
    assert set(modules()) - imported == {"cli/main"}


def test_every_package_has_its_lines_in_the_documents():
    text = (PLUGIN_UTILS.parents[1] / "docs/design.md").read_text()
    packages = {
        path.name for path in PLUGIN_UTILS.iterdir() if path.is_dir() and path.name[0] != "_"
    }
    flat = {name_of(path, PLUGIN_UTILS) for path in PLUGIN_UTILS.glob("*.py")}
    missing = [name for name in packages if f"\n| `{name}/` |" not in text]
    missing += [name for name in flat if f"\n| `{name}` |" not in text]
    assert missing == []
    files = [path for path in PLUGIN_UTILS.rglob("*") if path.suffix in (".py", ".yml", ".j2")]
    in_packages = [path for path in files if path.parent != PLUGIN_UTILS]
    assert [
        path.name
        for path in in_packages
        if f"`{path.stem}`" not in text and f"`{path.name}`" not in text
    ] == []
