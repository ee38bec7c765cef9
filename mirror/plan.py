"""What a push would do: which images are there, what would be sent, what is in the way.

It asks the destination and writes nothing. The relocations are the very ones that a push makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mirror.target import Destinations, Holder
from mirror.workers import each
from transfer.descriptor import Descriptor
from transfer.digest import Digest
from transfer.errors import Conflict, raise_together
from transfer.graph import successors
from transfer.relocate import Relocation, RelocationPlan
from transfer.sources import OpenSource, by_root


class State(StrEnum):
    """What stands at a destination now."""

    NEW = "new"
    """Nothing."""
    PRESENT = "present"
    """This very image."""
    CONFLICT = "conflict"
    """Something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedImage:
    """One relocation, and what stands at its destination now."""

    relocation: Relocation
    held: Digest | None

    @property
    def state(self) -> State:
        """What that means for a push."""
        if self.held is None:
            return State.NEW
        return State.PRESENT if self.held == self.relocation.root.digest else State.CONFLICT


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlan:
    """What a push would do."""

    images: tuple[PlannedImage, ...]
    to_send: tuple[Descriptor, ...]
    """Each blob that no repository it is wanted in has."""
    present: tuple[Descriptor, ...]
    """Each blob that one of them has."""

    @property
    def bytes_to_send(self) -> int:
        """Bytes of the blobs to send."""
        return sum(blob.size for blob in self.to_send)

    def raise_for_conflicts(self) -> None:
        """Raise what a push without `--overwrite` would raise.

        Raises:
            Conflict: names hold other content.
        """
        raise_together(
            Conflict,
            "names at the destination hold other content",
            (
                Conflict(
                    f"{image.relocation.destination}: holds {image.held}, "
                    f"expected {image.relocation.root.digest}"
                )
                for image in self.images
                if image.state is State.CONFLICT
            ),
            hint="push with --overwrite to move these names to the new content",
        )


def examine(
    sources: Sequence[OpenSource], plan: RelocationPlan, destinations: Destinations, *, jobs: int
) -> PushPlan:
    """Ask the destination what it holds of a plan.

    Raises:
        TransferError: as the sources and the destination do.
    """

    def planned(relocation: Relocation) -> PlannedImage:
        holder, name = destinations.place(relocation.destination)
        found = holder.resolve(name)
        return PlannedImage(relocation=relocation, held=found.digest if found else None)

    images = each(planned, plan.relocations, jobs=jobs)
    wanted = _wanted_blobs(sources, images, destinations)
    held = each(_is_held, wanted, jobs=jobs)
    return PushPlan(
        images=tuple(images),
        to_send=tuple(w.blob for w, there in zip(wanted, held, strict=True) if not there),
        present=tuple(w.blob for w, there in zip(wanted, held, strict=True) if there),
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A blob, and the places that want it: one that has it lets the others mount it."""

    blob: Descriptor
    holders: dict[Holder, None]


def _wanted_blobs(
    sources: Sequence[OpenSource], images: Sequence[PlannedImage], destinations: Destinations
) -> list[_Wanted]:
    """Each blob of the images that are not there."""
    origins = by_root(sources)
    wanted: dict[Digest, _Wanted] = {}
    for image in images:
        if image.state is State.PRESENT:
            continue
        root = image.relocation.root
        holder, _ = destinations.place(image.relocation.destination)
        for manifest in successors(origins[root.digest], root):
            for blob in manifest.blobs:
                wanted.setdefault(blob.digest, _Wanted(blob, {})).holders[holder] = None
    return list(wanted.values())


def _is_held(wanted: _Wanted) -> bool:
    return any(holder.has_blob(wanted.blob) for holder in wanted.holders)
