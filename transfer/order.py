"""In which order blobs are moved: as they lie at their source, except that none comes too late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from transfer.descriptor import Descriptor
from transfer.store import Placed, Source


class Movable(Protocol):
    """One blob, and where it is read."""

    @property
    def descriptor(self) -> Descriptor:
        """The blob."""
        ...

    @property
    def sources(self) -> Sequence[Source]:
        """The first of them is where it is read."""
        ...


class Numbered(Movable, Protocol):
    """One that has its place in the order."""

    @property
    def number(self) -> int:
        """Lower ones go first."""
        ...


_Blob = TypeVar("_Blob", bound=Movable)


def in_order(blobs: Sequence[_Blob], jobs: int) -> list[_Blob]:
    """The blobs in the order in which they are best begun by `jobs` workers.

    From one source after the other, each read forward: a disk does not seek, and an archive is
    not inflated in vain. Those that would keep one worker busy when the others are done already
    go before all others.
    """
    share = sum(blob.descriptor.size for blob in blobs) / (2 * jobs)
    sources: dict[int, int] = {}

    def rank(number: int) -> tuple[bool, int, int, int]:
        blob = blobs[number]
        source = blob.sources[0]
        place = source.place(blob.descriptor) if isinstance(source, Placed) else None
        is_small = jobs == 1 or blob.descriptor.size <= share
        turn = sources.setdefault(id(source), len(sources))
        return is_small, turn, -1 if place is None else place, number

    ranks = [rank(number) for number in range(len(blobs))]
    return [blobs[number] for *_, number in sorted(ranks)]
