"""Fill a site's registry or store, and write down what was read back from it.

Everything is moved by `transfer.copy`; here is what surrounds it: which image is read where, and
the receipt, in which only delivered images and their blobs stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mirror.outlet import SiteOutlet
from mirror.target import Destinations
from transfer import __version__
from transfer.copy import copy
from transfer.delivery import Copied, Delivery, ImageCopy, Outcome
from transfer.digest import Digest
from transfer.graph import successors
from transfer.progress import SILENT, Progress
from transfer.receipt import Arrival, HeldBlob, HeldImage, Receipt
from transfer.relocate import Relocation, RelocationPlan
from transfer.sources import OpenSource, by_root

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push did."""

    plan: RelocationPlan
    copied: Copied
    """The deliveries, in the order of the plan's relocations."""
    receipt: Receipt
    seconds: float

    def pairs(self) -> Iterator[tuple[Relocation, Delivery]]:
        """Each relocation of the plan with what became of it."""
        return zip(self.plan.relocations, self.copied.deliveries, strict=True)

    def count(self, outcome: Outcome) -> int:
        """How many images ended so."""
        return sum(delivery.outcome is outcome for delivery in self.copied.deliveries)


def push(  # noqa: PLR0913 - what to move, where to, and what callers choose
    sources: Sequence[OpenSource],
    plan: RelocationPlan,
    destinations: Destinations,
    *,
    jobs: int,
    clock: Clock,
    overwrite: bool = False,
    repair: bool = False,
    outlet: SiteOutlet | None = None,
    progress: Progress = SILENT,
    stopwatch: Callable[[], float] | None = None,
) -> Pushed:
    """Move every image of a plan; one that fails does not stop the others.

    Args:
        sources: Where the images are read.
        plan: Which images, and where each goes.
        destinations: The registry or store; the plan was made for its endpoint.
        jobs: Blobs in flight at the same time; with a stopwatch, the most of them.
        clock: The time, at the start and at the end.
        overwrite: Move a tag that holds other content, instead of refusing.
        repair: Look below tags that are right too, and send what is missing there.
        outlet: What the sources were opened with, if they were.
        progress: Told of every byte that is moved.
        stopwatch: Seconds, to find out how many jobs each host sustains.

    Raises:
        Conflict: tags hold other content; nothing was written.
    """
    started = clock()
    origins = by_root(sources)
    images = []
    for relocation in plan.relocations:
        target, name = destinations.place(relocation.destination)
        source = origins[relocation.root.digest]
        images.append(ImageCopy(root=relocation.root, source=source, target=target, name=name))
    copied = copy(
        images,
        jobs=jobs,
        overwrite=overwrite,
        repair=repair,
        progress=progress,
        clock=stopwatch,
    )
    if outlet:
        copied = outlet.counted(copied)
    delivered = [
        (relocation, delivery)
        for relocation, delivery in zip(plan.relocations, copied.deliveries, strict=True)
        if delivery.outcome is not Outcome.FAILED
    ]
    ended = clock()
    receipt = Receipt(
        target=destinations.description,
        time=ended.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        tool=__version__,
        sources=tuple(source.applied for source in sources),
        images=tuple(_held(relocation, delivery) for relocation, delivery in delivered),
        blobs=_blobs(delivery.image for _, delivery in delivered),
    )
    seconds = (ended - started).total_seconds()
    return Pushed(plan=plan, copied=copied, receipt=receipt, seconds=seconds)


def _held(relocation: Relocation, delivery: Delivery) -> HeldImage:
    destination = relocation.destination
    return HeldImage(
        source=relocation.source,
        repository=destination.repository.path,
        tag=destination.tag,
        root=relocation.root,
        outcome=Arrival(delivery.outcome.value),
    )


def _blobs(images: Iterable[ImageCopy]) -> tuple[HeldBlob, ...]:
    """Every config and layer below the images, each once, in the order of their digests."""
    sizes: dict[Digest, int] = {}
    for image in images:
        for manifest in successors(image.source, image.root):
            sizes.update((blob.digest, blob.size) for blob in manifest.blobs)
    return tuple(HeldBlob(digest=digest, size=sizes[digest]) for digest in sorted(sizes))
