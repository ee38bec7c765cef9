"""Shares out what is missing of a file among its connections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bundler.downloads.part import Part
from bundler.downloads.ranges import Ranges
from bundler.downloads.stop import Stop

_LOOK_AGAIN = 0.5


@dataclass(slots=True, eq=False)
class Piece:
    """Bytes that one connection fetches."""

    at: int
    """The next byte."""
    end: int | None
    """Behind the last, which may become less meanwhile; None while nobody knows."""

    def room(self, count: int) -> int:
        """How many of the `count` bytes that come next belong to it."""
        return count if self.end is None else max(0, min(count, self.end - self.at))


class Pieces:
    """What is missing of a part; nothing of it is given to two."""

    def __init__(self, part: Part, smallest: int) -> None:
        """Nothing smaller than `smallest` bytes is cut off from another's piece."""
        self._part = part
        self._smallest = smallest
        self._taken: list[Piece] = []
        self._changed = threading.Condition()

    @contextmanager
    def take(self) -> Iterator[Piece | None]:
        """For the body: what nobody fetches yet, or half of what another does; None for nothing."""
        with self._changed:
            piece = self._free() or self._half()
            if piece:
                self._taken.append(piece)
        try:
            yield piece
        finally:
            with self._changed:
                if piece:
                    self._taken.remove(piece)
                self._changed.notify_all()

    def wait(self, stop: Stop) -> None:
        """Until another connection is done with its piece, well or not.

        Raises:
            Stopped: it was set.
        """
        with self._changed:
            if self._taken:
                self._changed.wait(_LOOK_AGAIN)
        stop.check()

    def _free(self) -> Piece | None:
        size, covered = self._part.content.size, Ranges(self._part.pairs)
        if size is None:
            return None if self._taken else Piece(covered.prefix, None)
        for piece in self._taken:
            covered.add(piece.at, piece.at if piece.end is None else piece.end)
        gap = next(covered.gaps(size), None)
        return Piece(*gap) if gap else None

    def _half(self) -> Piece | None:
        largest = max(self._taken, key=_left, default=None)
        if largest is None or largest.end is None or _left(largest) < 2 * self._smallest:
            return None
        middle = largest.end - _left(largest) // 2
        piece, largest.end = Piece(middle, largest.end), middle
        return piece


def _left(piece: Piece) -> int:
    return piece.end - piece.at if piece.end is not None else 0
