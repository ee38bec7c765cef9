"""Which bytes of a file are here, when they did not arrive in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Pair = tuple[int, int]
"""The first byte, and the one behind the last."""


class Ranges:
    """A set of bytes, as few ranges as possible."""

    def __init__(self, pairs: Iterable[Pair] = ()) -> None:
        self._pairs: tuple[Pair, ...] = ()
        for pair in pairs:
            self.add(*pair)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """In the order of the file; none touches another."""
        return self._pairs

    @property
    def total(self) -> int:
        """How many bytes there are."""
        return sum(end - start for start, end in self._pairs)

    @property
    def prefix(self) -> int:
        """How many there are from the start of the file without a gap."""
        return self._pairs[0][1] if self._pairs and self._pairs[0][0] == 0 else 0

    def add(self, start: int, end: int) -> int:
        """Add the bytes from `start` to before `end`; how many of them are new."""
        if start >= end:
            return 0
        before = self.total
        apart = [pair for pair in self._pairs if pair[1] < start or pair[0] > end]
        joined = [pair for pair in self._pairs if pair not in apart]
        joined.append((start, end))
        merged = min(joined)[0], max(last for _, last in joined)
        self._pairs = tuple(sorted([*apart, merged]))
        return self.total - before

    def gaps(self, size: int) -> Iterator[Pair]:
        """What is missing of a file of `size` bytes, in its order."""
        at = 0
        for start, end in self._pairs:
            if at < min(start, size):
                yield at, min(start, size)
            at = max(at, end)
        if at < size:
            yield at, size

    def within(self, size: int) -> Ranges:
        """Those below `size`."""
        return Ranges((start, min(end, size)) for start, end in self._pairs)
