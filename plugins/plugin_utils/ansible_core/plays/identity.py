# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a play is known by."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import replace

from ansible import constants as C
from ansible.executor.play_iterator import PlayIterator
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task

from ... import compat, templates
from ...errors import TemplateError
from ...policy.matching import PlayIdentity
from ..run import PlayRun
from .includes import FoundRole, included_roles


def location_of(iterator: PlayIterator) -> str:
    """Return where a play is, for an error of which the play itself may be the cause."""
    try:
        return f" at {compat.path_of(iterator._play) or iterator._play.get_name()}"
    except Exception:
        return ""


def identify(run: PlayRun) -> PlayIdentity:
    """Return what selectors are compared with.

    Roles count however they come in, and whatever tags are selected: listed, imported, included by
    literal names through any depth of files and roles, or as a dependency.
    """
    play = run.play
    if play.only_tags == {"all"} and not play.skip_tags:
        tasks = compat.tasks_of_iterator(run.iterator)
    else:
        tasks = [task for block in play.compile() for task in compat.tasks_of(block)]
    return _identity(play, tasks, play.handlers)


def identify_without_hosts(play: Play) -> PlayIdentity:
    """Do the same for a play that ansible-core does not run, as it has no hosts."""
    tasks = [task for block in play.compile() for task in compat.tasks_of(block)]
    return _identity(play, tasks, [*play.compile_roles_handlers(), *play.handlers])


def _identity(play: Play, tasks: list[Task], handlers: list[Block]) -> PlayIdentity:
    tasks = [*tasks, *(task for block in handlers for task in compat.tasks_of(block))]
    roles = {FoundRole.of(role) for role in play.roles} | included_roles(play, tasks)
    line = compat.path_of(play).rpartition(":")[2]
    path, *other_paths = files_of(play)
    identity = PlayIdentity(
        name=play.get_name(),
        path=path,
        line=int(line or 0),
        tags=tags_of(play),
        other_paths=frozenset(other_paths),
    )
    return with_roles(identity, play, roles)


def with_roles(identity: PlayIdentity, play: Play, roles: Iterable[FoundRole]) -> PlayIdentity:
    """Return what selectors are compared with if ``play`` has these roles too."""
    bases = [play.get_loader().get_basedir(), os.path.dirname(identity.path)]
    directories = (path for role in roles for path in _directories(role, bases))
    return replace(
        identity,
        roles=identity.roles.union(role.name for role in roles),
        role_directories=identity.role_directories.union(directories),
    )


def _directories(role: FoundRole, bases: Iterable[str]) -> list[str]:
    """Return the paths of a role's directory, given the directories of the play's playbooks.

    ansible-core resolves links in it. The path by which it found the directory may be of a link.
    """
    if not role.directory:
        return []
    found_in = [*(C.DEFAULT_ROLES_PATH or [])]
    found_in += [directory for base in bases for directory in (os.path.join(base, "roles"), base)]
    candidates = [os.path.join(directory, role.name) for directory in found_in]
    same = [path for path in candidates if os.path.realpath(path) == role.directory]
    return [role.directory, *same]


def tags_of(play: Play) -> frozenset[str]:
    """Return the tags of the play, rendered.

    Until 2.18 ansible-core renders those that tasks have of it, and not its own. A template that
    cannot be rendered ends the run when ansible-core selects the tasks, which is earlier.
    """
    tags = play.tags
    if any(templates.is_template(str(tag)) for tag in tags):
        variables = play.get_variable_manager().get_vars(play=play)
        with contextlib.suppress(TemplateError):
            tags = templates.value_of(tags, variables, play.get_loader())
    lists = [tag if isinstance(tag, list) else [tag] for tag in tags]
    return frozenset(str(tag) for tags in lists for tag in tags)


def files_of(play: Play) -> list[str]:
    """Return the file that the play is written in; an empty path if it is in none.

    Until 2.18 ansible-core does not know the file of a play in JSON. It is then every file with
    such a play that was read.
    """
    if path := compat.path_of(play).rpartition(":")[0]:
        return [path]
    files, source = play.get_loader()._FILE_CACHE.items(), compat.as_loaded(play.get_ds())
    return [
        os.path.abspath(path)
        for path, data in files
        if isinstance(data, list) and source in map(compat.as_loaded, data)
    ] or [""]


def directories_of(run: PlayRun) -> list[str]:
    """Return the directories of the playbook and of the file that the play is written in."""
    written_in = os.path.dirname(files_of(run.play)[0])
    return list(dict.fromkeys([run.loader.get_basedir(), written_in]))
