"""A medium that is slow is read by one at a time, in the order in which its content lies.

A stick, an external disk or a disc gives all that it can to whoever reads it from front to back,
and much less to several who make it seek; and one connection to a registry takes more than such
a medium gives. One that is fast is read by all at once. Which of the two it is shows in how long
the reads themselves take.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from transfer.digest import Readable

FAST = 120e6
"""Bytes a second, from which on a medium is not what one waits for; disks that seek give less."""

WINDOW = 8 << 20
"""Bytes that a speed is measured over; as many are read before it is known."""


class Medium:
    """Lets one read at a time, or all; used by many threads."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._free = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int]] = []
        self._readers = 0
        self._is_fast = False
        self._bytes = 0
        self._seconds = 0.0

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    @contextmanager
    def turn(self, place: int, size: int) -> Iterator[Turn]:
        """Read `size` bytes that begin at `place`, as soon as it is one's turn.

        Of those who wait, the one goes first whose place does.
        """
        mine = place, next(self._numbers)
        with self._free:
            heapq.heappush(self._waiting, mine)
            self._free.wait_for(
                lambda: self._is_fast or (not self._readers and self._waiting[0] == mine)
            )
            self._waiting.remove(mine)
            heapq.heapify(self._waiting)
            self._readers += 1
        turn = Turn(self, size)
        try:
            yield turn
        finally:
            turn.end()

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

    def leave(self) -> None:
        """Let the next one read."""
        with self._free:
            self._readers -= 1
            self._free.notify_all()


class Turn:
    """One reader's turn: over when all is read, though the reader may have more to do."""

    def __init__(self, medium: Medium, size: int) -> None:
        self._medium = medium
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
            self._medium.leave()
