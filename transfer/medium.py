"""A medium that is slow is read by one at a time, in the order in which its content lies.

A stick, an external disk or a disc gives all that it can to whoever reads it from front to back,
and much less to several who make it seek; and one connection to a registry takes more than such
a medium gives. One that is fast is read by all at once. Which of the two it is shows in how long
the reads themselves take.
"""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from transfer.digest import Readable

FAST = 120e6
"""Bytes a second, from which on a medium is not what one waits for; disks that seek give less."""

WINDOW = 8 << 20
"""Bytes that a speed is measured over; as many are read before it is known."""

_PATIENCE = 1.0
"""Seconds that nothing is read because somebody is not ready who would come first."""


class Medium:
    """Lets one read at a time, or all; used by many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds since some moment."""
        self._clock = clock
        self._free = threading.Condition()
        self._in_line: list[int] = []
        self._readers = 0
        self._is_fast = False
        self._bytes = 0
        self._seconds = 0.0

    @contextmanager
    def line(self, place: int) -> Iterator[None]:
        """Be about to read what begins at `place`, or to find out that there is no need to.

        Whoever reads something behind it waits for that.
        """
        with self._free:
            insort(self._in_line, place)
        try:
            yield
        finally:
            self._step_out(place)

    @contextmanager
    def turn(self, place: int, size: int) -> Iterator[Turn]:
        """Read `size` bytes that begin at `place`, as soon as it is one's turn."""
        with self._free:
            self._await(place)
            self._readers += 1
        turn = Turn(self, place, size)
        try:
            yield turn
        finally:
            turn.end()

    def _await(self, place: int) -> None:
        while not self._is_fast and (self._readers or place > min(self._in_line, default=place)):
            is_idle = not self._readers
            was_told = self._free.wait(_PATIENCE if is_idle else None)
            if is_idle and not was_told and not self._readers:
                return  # whoever is before us is held up

    def _step_out(self, place: int) -> None:
        with self._free:
            if place in self._in_line:
                self._in_line.remove(place)
            self._free.notify_all()

    def read(self, stream: Readable, size: int) -> bytes:
        """A block of a stream; how long it takes is noted."""
        began = self._clock()
        block = stream.read(size)
        took = self._clock() - began
        with self._free:
            self._bytes += len(block)
            self._seconds += took
            if self._bytes >= WINDOW:
                self._is_fast = self._bytes > FAST * self._seconds
                self._bytes, self._seconds = 0, 0.0
                self._free.notify_all()
        return block

    def leave(self, place: int) -> None:
        """Let the next one read."""
        with self._free:
            self._readers -= 1
            self._step_out(place)


class Turn:
    """One reader's turn: over when all is read, though the reader may have more to do."""

    def __init__(self, medium: Medium, place: int, size: int) -> None:
        self._medium = medium
        self._place = place
        self._left = size
        self._is_over = False

    def read(self, stream: Readable, size: int) -> bytes:
        """A block of the stream that it is about."""
        block = self._medium.read(stream, size)
        self._left -= len(block)
        if self._left <= 0 or not block:
            self.end()
        return block

    def end(self) -> None:
        """Let the next one read, once."""
        if not self._is_over:
            self._is_over = True
            self._medium.leave(self._place)
