# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds out what decides whether the guard is in force, whatever is wrong."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import ansible
from ansible import constants as C
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import callback_loader, strategy_loader
from ansible.release import __version__
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.vars import load_extra_vars

from .. import compat, options
from ..checks.kinds import KINDS
from ..errors import PolicyError, Problem
from ..ini import parse_error, read
from ..options import CALLBACK, KEY, OLD_KEY
from ..policy import discovery
from ..policy.misspelt import SECTION
from .diagnosis import Diagnosis, diagnose
from .explanation import PlayExplanation
from .facts import Config, Copy, Core, Facts, Policy, Value, Written

COLLECTION = os.path.join("ansible_collections", "precheck", "guard")


class Playbooks(NamedTuple):
    """The ``directories`` of the playbooks that were named, their ``plays``, and what is wrong."""

    directories: Sequence[str] = ()
    plays: Sequence[PlayExplanation] = ()
    error: str = ""


def examine(
    found: str, own: str, loader: DataLoader, playbooks: Playbooks | None = None
) -> Diagnosis:
    """Return whether the guard is in force.

    ``found`` is the directory in which ansible-core finds the collection, empty if it finds none,
    and ``own`` is that of the command.
    """
    playbooks = playbooks or Playbooks()
    config = _config(playbooks.directories)
    definitions = C.config.get_configuration_definitions()
    known = {entry["name"] for option in definitions.values() for entry in option.get("env") or ()}
    if found:
        known |= _variables_of_options()
    used = _copy(found) if found else None
    enabling = (KEY, OLD_KEY) if compat.HAS_CALLBACKS_ENABLED else (OLD_KEY,)
    return diagnose(
        Facts(
            core=_core(),
            own=_copy(own),
            found=used,
            searched=AnsibleCollectionConfig.collection_paths,
            config=config,
            callbacks=_value(compat.CALLBACKS, enabling, config, bool(found)),
            strategy=_value("DEFAULT_STRATEGY", ("strategy",), config, bool(found)),
            policy=_policy(loader) if found else Policy(),
            report=_report(loader) if found else Written(),
            metrics=_metrics(loader) if found else Written(),
            others=[copy for copy in _copies() if used and copy != used],
            variables=[name for name in os.environ if name.startswith("ANSIBLE_")],
            known_variables=[*known, "ANSIBLE_CONFIG"],
            plays=playbooks.plays,
            playbook_error=playbooks.error,
        )
    )


def _core() -> Core:
    path = os.path.dirname(os.path.abspath(ansible.__file__))
    python = f"{platform.python_version()} at {sys.executable}"
    return Core(__version__, path, python, _other_playbook())


def _other_playbook() -> str:
    """Return the ansible-playbook that a shell finds, if another Python runs it."""
    path = shutil.which("ansible-playbook")
    if path and (match := re.match(r"#!\s*(/\S+)/python[\d.]*\n", _text(path))):
        here = os.path.dirname(os.path.abspath(sys.executable))
        if os.path.realpath(match[1]) != os.path.realpath(here):
            return path
    return ""


def _copies() -> list[Copy]:
    """Return all copies of the collection where ansible-core looks, each once."""
    paths = [os.path.join(root, COLLECTION) for root in AnsibleCollectionConfig.collection_paths]
    by_target = {os.path.realpath(path): path for path in reversed(paths) if os.path.isdir(path)}
    return [_copy(path) for path in paths if path in by_target.values()]


def _copy(path: str) -> Copy:
    """Return the copy at a path, with its version if that can be read."""
    # ansible-galaxy leaves the one, pip and a clone have the other.
    for name, pattern in (("MANIFEST.json", r'"version": "(.*?)"'), ("galaxy.yml", _VERSION)):
        if match := re.search(pattern, _text(os.path.join(path, name)), re.MULTILINE):
            return Copy(path, match[1])
    return Copy(path)


_VERSION = r"^version: *(\S+)"


def _text(path: str) -> str:
    """Return the text of a file; an empty one if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except OSError:
        return ""


def _config(directories: Sequence[str]) -> Config:
    path = C.CONFIG_FILE or ""
    text = _text(path)
    keys: dict[str, list[str]] = {SECTION: []}
    for option in C.config.get_configuration_definitions().values():
        for entry in option.get("ini") or ():
            keys.setdefault(entry["section"], []).append(entry["key"])
    settings = read("" if parse_error(text) else text)
    return Config(path, settings, keys, _ignored(path, directories))


def _ignored(used: str, directories: Iterable[str]) -> dict[str, str]:
    """Return which ansible.cfg is not read, though one may expect it, and why."""
    ignored = {}
    named = os.environ.get("ANSIBLE_CONFIG")
    here = os.getcwd()
    for directory in dict.fromkeys([here, *directories]):
        path = os.path.join(directory, "ansible.cfg")
        if not os.path.exists(path) or (used and os.path.realpath(path) == os.path.realpath(used)):
            continue
        if directory != here:
            ignored[path] = "it is beside a playbook, and not in the current directory"
        elif named is not None and used:
            ignored[path] = f"ANSIBLE_CONFIG is {named}"
        elif os.stat(here).st_mode & stat.S_IWOTH:
            ignored[path] = "anybody may write in its directory"
        else:
            ignored[path] = "you may not read it"
    if named and not os.path.exists(os.path.expanduser(named)):
        ignored[named] = "ANSIBLE_CONFIG names it, and it is not there"
    return ignored


def _value(name: str, keys: Sequence[str], config: Config, is_found: bool) -> Value:
    """Return a setting of ansible-core, with the line at which ansible.cfg has it."""
    try:
        value, origin = C.config.get_config_value_and_origin(name)
    except Exception as ex:  # of several types, if the value is of a wrong type
        return Value([f"{ex}"], "unknown", False)
    names = [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
    for setting in filter(None, map(config.settings.find, keys)):
        if origin == config.path:
            origin = f"{config.path}:{setting.line}"
    is_strategy = name == "DEFAULT_STRATEGY"
    wanted = names[0] if is_strategy else CALLBACK
    loads = is_found or not wanted.startswith("precheck.guard.")
    return Value(names, str(origin), loads and _loads(is_strategy, wanted))


def _loads(is_strategy: bool, name: str) -> bool:
    loader = strategy_loader if is_strategy else callback_loader
    try:  # by this method, as the other one warns of strategies from outside ansible-core
        return loader.get_with_context(name, class_only=True).object is not None
    except Exception:
        return False


def _variables_of_options() -> set[str]:
    with contextlib.suppress(Exception):
        return options.variables()
    return set()


def _policy(loader: DataLoader) -> Policy:
    try:
        extra_vars = load_extra_vars(loader)
        options.timeout(extra_vars)
        options.forks(extra_vars)
        found = discovery.find(extra_vars)
        rules = discovery.rules_in_force(found, loader, KINDS)
    except PolicyError as ex:
        return Policy(problems=ex.problems)
    except Exception as ex:
        return Policy(problems=[Problem(str(ex) or repr(ex))])
    return Policy(found.paths, found.origin, len(rules))


def _report(loader: DataLoader) -> Written:
    return _written(lambda: options.report_path(load_extra_vars(loader), time.time()))


def _metrics(loader: DataLoader) -> Written:
    return _written(lambda: options.metrics_path(load_extra_vars(loader)))


def _written(path_of: Callable[[], str]) -> Written:
    path = ""
    try:
        path = os.path.abspath(path_of() or "")
        if path == os.getcwd():
            return Written()
        directory = os.path.dirname(path)
        if not os.path.isdir(directory):
            return Written(path, "its directory does not exist")
        if not os.access(directory, os.W_OK | os.X_OK):
            return Written(path, "you may not write in its directory")
        if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
            return Written(path, "it is not a regular file")
    except Exception as ex:
        return Written(path, str(ex) or repr(ex))
    return Written(path)
