# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Numbers that a process hands out to its children: each number to one of them.

It takes two pipes. One has the numbers; in the other, the children note what they do. Pipes need
no lock, which a child that is killed could hold forever. The kernel neither divides nor mixes what
is written to them, or read from them, in one piece of up to PIPE_BUF bytes.
"""

from __future__ import annotations

import os
import select
import struct
from collections.abc import Iterator
from enum import IntEnum
from io import FileIO
from typing import NamedTuple

Pipe = tuple[FileIO, FileIO]

_NUMBER = struct.Struct("=I")
_NOTE = struct.Struct("=III")
_AT_ONCE = select.PIPE_BUF // _NUMBER.size


class Step(IntEnum):
    """What a child does with a number."""

    TAKES = 0
    BEGINS = 1
    GIVES_BACK = 2


class Note(NamedTuple):
    """A ``child`` says what it does with a ``number``."""

    child: int
    number: int
    step: Step


class Handout:
    """The numbers below ``count``. Raises OSError if there are no pipes for them."""

    def __init__(self, count: int) -> None:
        self._count, self._next = count, 0
        self._numbers, self._to_numbers = _pipe()
        try:
            self._notes, self._to_notes = _pipe()
        except OSError:
            self._numbers.close()
            self._to_numbers.close()
            raise
        os.set_blocking(self._to_numbers.fileno(), False)
        os.set_blocking(self._notes.fileno(), False)

    def offer(self) -> None:
        """Offer as many numbers as there is room for. After the last one, the children end."""
        while not self._to_numbers.closed:
            numbers = range(self._next, min(self._next + _AT_ONCE, self._count))
            if not numbers:
                self._to_numbers.close()
            elif self._to_numbers.write(b"".join(map(_NUMBER.pack, numbers))) is None:
                return  # no room
            else:
                self._next = numbers.stop

    def take(self) -> Iterator[int]:
        """Take one number after the other, until there are none left. This is for a child."""
        self._to_numbers.close()  # it would wait for itself otherwise
        while data := self._numbers.read(_NUMBER.size):
            [number] = _NUMBER.unpack(data)
            yield number

    def note(self, note: Note) -> None:
        """Tell the process about a number that a child took."""
        self._to_notes.write(_NOTE.pack(*note))

    def notes(self) -> list[Note]:
        """Return what the children have noted since the last time."""
        data = not self._notes.closed and self._notes.read(_NOTE.size * 4096)
        fields = _NOTE.iter_unpack(data or b"")
        return [Note(child, number, Step(step)) for child, number, step in fields]

    def fileno(self) -> int:
        """Return what is readable when there are notes."""
        return self._notes.fileno()

    def close(self) -> None:
        for pipe in (self._numbers, self._to_numbers, self._notes, self._to_notes):
            pipe.close()


def _pipe() -> Pipe:
    reader, writer = os.pipe()
    return FileIO(reader, "rb"), FileIO(writer, "wb")
