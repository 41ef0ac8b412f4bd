# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plays of the playbook before and after the one at hand; a later one as if it began now."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.playbook_executor import PlaybookExecutor
from ansible.inventory.host import Host
from ansible.playbook import Playbook
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import strategy_loader
from ansible.plugins.strategy.linear import StrategyModule as LinearStrategy
from ansible.plugins.vars import host_group_vars
from ansible.template import Templar
from ansible.utils.display import Display

from ... import templates
from ...errors import PrecheckError
from ..patches.traces import without_warnings
from ..run import PlayRun, id_of
from .play import has_work, tasks_to_run
from .purpose import is_ad_hoc, is_guarded
from .tags import only_checks_are_wanted

display = Display()

PlayAndDirectory = tuple[Play, str]

_playbooks: list[Playbook] = []  # at most one


def begin_playbook(playbook: Playbook | None) -> None:
    """Remember the playbook that runs, which a callback has heard of."""
    _playbooks[:] = [playbook] if playbook else []


def plays_after(run: PlayRun) -> Sequence[PlayAndDirectory]:
    """Return the plays of the playbook that come after that of ``run``.

    Each is with the directory in which ansible-core looks for files when it begins. There are none
    if ansible-core does not show them.
    """
    with contextlib.suppress(AttributeError):
        if playbook := _playbook_of(run):
            plays: list[Play] = playbook.get_plays()
            later = plays[_number_in(plays, run) + 1 :]
            # As in PlaybookExecutor.run.
            return [(play, str(play._included_path or playbook._basedir)) for play in later]
    if not is_ad_hoc():
        display.v("Precheck: ansible-core does not show later plays, so none is checked ahead")
    return ()


def is_last(run: PlayRun) -> bool:
    """Return whether the play of ``run`` is known to be the last one of the playbook."""
    with contextlib.suppress(AttributeError):
        if playbook := _playbook_of(run):
            return bool(id_of(playbook.get_plays()[-1]) == run.play_id)
    return False


def unguarded_before(run: PlayRun) -> list[Play]:
    """Return the plays that came before, had tasks and hosts, and whose strategy is not guarded."""
    with contextlib.suppress(AttributeError):
        if playbook := _playbook_of(run):
            plays: list[Play] = playbook.get_plays()
            earlier = plays[: _number_in(plays, run)]
            return [play for play in earlier if not is_guarded(play) and _may_have_run(run, play)]
    return []


def _may_have_run(run: PlayRun, play: Play) -> bool:
    """Return whether an earlier play did anything, for all that can be known afterwards."""
    try:
        as_run = LaterPlay(run, play)
        has_run = has_work(tasks_to_run(as_run)) and not only_checks_are_wanted(as_run)
        return has_run and bool(hosts_of(run, play))
    except AnsibleError:
        return True


def _playbook_of(run: PlayRun) -> Playbook | None:
    for playbook in (*_playbooks, _playbook_of_the_executor()):
        if playbook and _number_in(playbook.get_plays(), run) >= 0:
            return playbook
    return None


def _number_in(plays: list[Play], run: PlayRun) -> int:
    """Return the index of the play of ``run``; -1 if it is none of ``plays``."""
    ids = [id_of(play) for play in plays]
    return ids.index(run.play_id) if run.play_id in ids else -1


def _playbook_of_the_executor() -> Playbook | None:
    """Return the playbook that PlaybookExecutor.run is at. Only its frame has it."""
    code = inspect.unwrap(PlaybookExecutor.run).__code__
    frame = inspect.currentframe()
    while frame and frame.f_code is not code:
        frame = frame.f_back
    playbook = frame.f_locals.get("pb") if frame else None
    return playbook if isinstance(playbook, Playbook) else None


class LaterPlay(PlayRun):
    """A play as if it began now, and not the one of ``run``.

    Raises whatever ansible-core does if the play cannot begin, and PrecheckError if it asks the
    operator for variables first.
    """

    is_later = True

    def __init__(
        self, run: PlayRun, play: Play, names_set_before: frozenset[str] = frozenset()
    ) -> None:
        self._now, self.names_set_before = run, names_set_before
        asked = {prompt["name"] for prompt in play.vars_prompt or ()}
        if not asked <= run.extra_vars.keys():
            raise PrecheckError("it asks the operator for variables")
        # As PlaybookExecutor.run and TaskQueueManager.run do.
        later: Play = play.copy()
        variables = run.variable_manager.get_vars(play=later)
        templar: Any = Templar(loader=run.loader, variables=variables)  # its class was renamed
        later.post_validate(templar)
        later.handlers = later.compile_roles_handlers() + later.handlers
        manager = run.manager
        play_context = PlayContext(later, manager.passwords, manager._connection_lockfile.fileno())
        iterator = PlayIterator(
            inventory=run.inventory,
            play=later,
            play_context=play_context,
            variable_manager=run.variable_manager,
            all_vars=variables,
            start_at_done=True,  # the play of ``run`` has a task to run
        )
        super().__init__(run.strategy, iterator)

    @property
    def is_linear(self) -> bool:
        strategy = strategy_loader.get(self.play.strategy, class_only=True)
        return bool(strategy and issubclass(strategy, LinearStrategy))

    def failed_hosts(self) -> Sequence[str]:
        return self._now.failed_hosts()

    def hosts_of_batch(self) -> list[Host]:
        batches = self.serialized_batches()
        return batches[0] if batches else []


def hosts_of(run: PlayRun, play: Play, ignore_limit: bool = False) -> list[Host]:
    """Return the hosts that a later play has now. Raises AnsibleError if that is not known."""
    pattern = play.hosts
    if templates.is_template(str(pattern)):  # it is text or a list
        variables = run.variable_manager.get_vars(play=play)
        pattern = templates.value_of(pattern, variables, run.loader)
    hosts: list[Host] = run.inventory.get_hosts(
        pattern, ignore_limits=ignore_limit, ignore_restrictions=True
    )
    return hosts


@contextlib.contextmanager
def files_are_in(directory: str, run: PlayRun) -> Iterator[None]:
    """Let ansible-core look for files in ``directory``, and keep none that it reads meanwhile.

    A play on the way may still write them.
    """
    loader: Any = run.loader
    before, files = loader.get_basedir(), loader._FILE_CACHE
    known: dict[str, Any] = vars(host_group_vars)
    found = {name: known[name] for name in _FOUND if name in known}
    loader.set_basedir(directory)
    loader._FILE_CACHE = dict(files)
    known.update({name: copy.copy(value) for name, value in found.items()})
    try:
        yield
    finally:
        loader.set_basedir(before)
        loader._FILE_CACHE = files
        known.update(found)


# What the plugin for host_vars and group_vars knows of them: the second one since 2.16.
_FOUND = ("FOUND", "NAK")


@contextlib.contextmanager
def without_traces(run: PlayRun) -> Iterator[None]:
    """Let what ansible-core works out ahead change nothing of what it does later.

    It would keep the hosts of patterns, about which it then would not warn. The warnings come when
    their play does.
    """
    inventory: Any = run.inventory
    restriction = inventory._restriction
    caches = {name: getattr(inventory, name) for name in _CACHES}
    mismatch = C.HOST_PATTERN_MISMATCH
    inventory._restriction = None
    for name, cache in caches.items():
        setattr(inventory, name, dict(cache))
    C.HOST_PATTERN_MISMATCH = "ignore"
    verbosity, display.verbosity = display.verbosity, 0
    try:
        with without_warnings():
            yield
    finally:
        inventory._restriction = restriction
        for name, cache in caches.items():
            setattr(inventory, name, cache)
        C.HOST_PATTERN_MISMATCH = mismatch
        display.verbosity = verbosity


_CACHES = ("_pattern_cache", "_hosts_patterns_cache")
