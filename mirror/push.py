"""Fill a site's registry or store, and write down what was read back from it.

Everything is moved by `transfer.copy`; here is what surrounds it: which image is read where, and
the receipt, in which only delivered images and their blobs stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mirror.audit import Audit, Finding, audit
from mirror.outlet import SiteOutlet
from mirror.target import Destinations
from transfer import __version__
from transfer.copy import copy
from transfer.delivery import Copied, Delivery, ImageCopy, Outcome
from transfer.digest import Digest
from transfer.errors import IntegrityError
from transfer.graph import successors
from transfer.progress import SILENT, Progress
from transfer.receipt import Arrival, HeldBlob, HeldImage, Receipt
from transfer.relocate import Relocation, RelocationPlan
from transfer.sources import OpenSource, by_root

Clock = Callable[[], datetime]

_DAMAGED = (
    "the registry's storage has lost or changed it: delete this blob there, then push again with "
    "--repair"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a push did."""

    plan: RelocationPlan
    copied: Copied
    """The deliveries, in the order of the plan's relocations."""
    receipt: Receipt
    seconds: float
    read_back: Audit | None = None
    """What a deep push found when it read every blob."""

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
    deep: bool = False,
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
        deep: Read every blob back too; an image with one that is not right has failed.
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
    found = _read_back(plan, copied, destinations, jobs, progress) if deep else None
    if found:
        copied = _without(copied, plan, found)
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
    return Pushed(plan=plan, copied=copied, receipt=receipt, seconds=seconds, read_back=found)


def _read_back(
    plan: RelocationPlan, copied: Copied, destinations: Destinations, jobs: int, progress: Progress
) -> Audit:
    """A deep audit of what was delivered."""
    pairs = zip(plan.relocations, copied.deliveries, strict=True)
    delivered = tuple(r for r, delivery in pairs if delivery.outcome is not Outcome.FAILED)
    wanted = replace(plan, relocations=delivered)
    return audit(wanted, destinations, jobs=jobs, deep=True, progress=progress)


def _without(copied: Copied, plan: RelocationPlan, found: Audit) -> Copied:
    """The same, but what was not found whole has failed."""
    faults = {
        image.relocation: IntegrityError(
            f"{image.relocation.destination}: {'; '.join(image.details)}", hint=_DAMAGED
        )
        for image in found.images
        if image.finding is not Finding.HELD
    }
    deliveries = tuple(
        replace(delivery, outcome=Outcome.FAILED, error=faults[relocation])
        if relocation in faults
        else delivery
        for relocation, delivery in zip(plan.relocations, copied.deliveries, strict=True)
    )
    return replace(copied, deliveries=deliveries)


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
