# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Numbers for child processes: each is taken once, whatever happens to a child."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Callable

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.ansible_core.workers.handout import (
    Handout,
    Note,
    Step,
)

pytestmark = [
    pytest.mark.one_release,
    # Of other tests, that is. ansible-core forks in the same way.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


def child_process(work: Callable[[], None]) -> int:
    """Run ``work`` in a child process, and return its id."""
    process = os.fork()
    if not process:
        with contextlib.suppress(BaseException):
            work()
        os._exit(0)
    return process


def take_all(handout: Handout, child: int) -> None:
    for number in handout.take():
        handout.note(Note(child, number, Step(number % len(Step))))


def notes_until_all_end(handout: Handout, processes: list[int]) -> list[Note]:
    notes, running = [], set(processes)
    while running:
        handout.offer()
        running -= {process for process in running if os.waitpid(process, os.WNOHANG)[0]}
        notes += handout.notes()
    while more := handout.notes():
        notes += more
    return notes


@pytest.mark.parametrize(
    "count",
    [0, 1, 1000, 50_000],
    ids=["none", "one", "as many as a pipe holds", "more than a pipe holds"],
)
def test_each_number_is_taken_once(count):
    with contextlib.closing(Handout(count)) as handout:
        handout.offer()
        processes = [
            child_process(lambda child=child: take_all(handout, child)) for child in range(3)
        ]
        notes = notes_until_all_end(handout, processes)
    assert handout.notes() == []  # it is closed
    assert Counter(note.number for note in notes) == Counter(range(count))
    assert all(note.step == note.number % len(Step) for note in notes)
    assert {note.child for note in notes} <= {0, 1, 2}


def test_only_the_number_of_a_killed_child_is_lost():
    """A later child takes the others."""

    def take_one() -> None:
        for number in handout.take():
            handout.note(Note(0, number, Step.TAKES))
            os.kill(os.getpid(), signal.SIGKILL)

    with contextlib.closing(Handout(10)) as handout:
        handout.offer()
        first = notes_until_all_end(handout, [child_process(take_one)])
        second = child_process(lambda: take_all(handout, 1))
        others = notes_until_all_end(handout, [second])
    assert first == [Note(0, 0, Step.TAKES)]
    assert [(note.child, note.number) for note in others] == [
        (1, number) for number in range(1, 10)
    ]


def test_no_pipe_is_left_open_if_there_is_room_for_one_only(monkeypatch):
    pipe, opened = os.pipe, []

    def one_pipe() -> tuple[int, int]:
        if opened:
            raise OSError("Too many open files")
        opened.extend(pipe())
        return opened[0], opened[1]

    monkeypatch.setattr(os, "pipe", one_pipe)
    with pytest.raises(OSError, match="Too many open files"):
        Handout(1)
    for descriptor in opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
