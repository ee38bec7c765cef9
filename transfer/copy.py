"""The one algorithm: move images from a source to a target, each blob once, the tag last.

`copy` takes many images at once because blobs are shared between them: it asks every target what
it holds already, walks the graph below the missing roots, moves each missing blob once (and lets
the target mount it wherever else it is wanted), writes manifests children first once all their
blobs are there, and names the root last. Each is read back before the next one is written: only
what the target answers with the right digest counts as delivered. Run again after an interruption
it finds most of the work done, and continues.

Push, build, resume, delta and the site store are all this function with other ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, field
from functools import partial

from transfer.delivery import Copied, Delivery, ImageCopy, Outcome
from transfer.descriptor import Descriptor, Manifest
from transfer.digest import Digest
from transfer.errors import Conflict, IntegrityError, TransferError, Unavailable, raise_together
from transfer.graph import successors
from transfer.order import in_order
from transfer.pace import Clock
from transfer.progress import SILENT, Progress
from transfer.run import Run
from transfer.sending import place_blob
from transfer.store import Source, Target


def copy(  # noqa: PLR0913 - what to move, and what callers choose
    images: Sequence[ImageCopy],
    *,
    jobs: int,
    overwrite: bool = False,
    repair: bool = False,
    progress: Progress = SILENT,
    clock: Clock | None = None,
) -> Copied:
    """Move every image; one that fails does not stop the others.

    Args:
        images: What to move. Two may want one name in one target only if they are the same.
        jobs: Blobs in flight at the same time; with a clock, the most of them.
        overwrite: Move a name that holds other content, instead of refusing.
        repair: Look below names that are right too, and bring what is missing there.
        progress: Told of every byte that is moved, once however many targets want it.
        clock: Seconds since some moment, to find out how many jobs each host sustains.

    Raises:
        Conflict: names hold other content, or are wanted for two images; all of them are listed
            and nothing was written.
    """
    _refuse_collisions(images)
    run = Run(jobs, progress, clock)
    try:
        held = list(run.workers.map(run.attempt(partial(_held, run)), images))
        if not run.braked:
            held = [None if _is_stuck(found) else found for found in held]
        _refuse_conflicts(images, held, overwrite=overwrite)
        missing = [
            image
            for image, found in zip(images, held, strict=True)
            if not isinstance(found, TransferError) and (repair or found != image.root.digest)
        ]
        errors = _move(run, missing, overwrite=overwrite)
    except BaseException:
        run.abandon()
        raise
    run.close()
    return Copied(
        deliveries=tuple(
            _delivery(image, found, errors.get(id(image)))
            for image, found in zip(images, held, strict=True)
        ),
        blobs_sent=run.blobs_sent,
        bytes_sent=run.bytes_sent,
        blobs_mounted=run.blobs_mounted,
        blobs_present=run.blobs_present,
    )


def _refuse_collisions(images: Sequence[ImageCopy]) -> None:
    first: dict[tuple[Target, str], ImageCopy] = {}
    for image in images:
        first.setdefault((image.target, image.name), image)
    raise_together(
        Conflict,
        "two images want one name at the destination; nothing was written",
        (
            Conflict(f"{image}: wanted for {other.root.digest} and for {image.root.digest}")
            for image in images
            if (other := first[image.target, image.name]).root.digest != image.root.digest
        ),
        hint="give one of them another name",
    )


def _held(run: Run, image: ImageCopy) -> Digest | None:
    with run.pace(image.target).question():
        found = image.target.resolve(image.name)
    return found.digest if found else None


def _is_stuck(found: Digest | TransferError | None) -> bool:
    """Whether a target fails at this name alone, as after a crash that left half of it.

    Writing it anew mends it. That nobody could read it does not say that nothing is there: it is
    asked for once more before it is written.
    """
    return isinstance(found, Unavailable) and found.stumbled


def _refuse_conflicts(
    images: Sequence[ImageCopy],
    held: Sequence[Digest | TransferError | None],
    *,
    overwrite: bool,
) -> None:
    if overwrite:
        return
    raise_together(
        Conflict,
        "names at the destination hold other content; nothing was written",
        (
            Conflict(f"{image}: holds {found}, expected {image.root.digest}")
            for image, found in zip(images, held, strict=True)
            if isinstance(found, Digest) and found != image.root.digest
        ),
        hint="run again with --overwrite to move these names to the new content",
    )


def _delivery(
    image: ImageCopy, found: Digest | TransferError | None, error: TransferError | None
) -> Delivery:
    if isinstance(found, TransferError):
        error = found
    if error is not None:
        return Delivery(image=image, outcome=Outcome.FAILED, error=error)
    present = found == image.root.digest
    return Delivery(image=image, outcome=Outcome.PRESENT if present else Outcome.COPIED)


_Key = tuple[Digest, int]
"""What makes two blobs one. A descriptor that lies about the size must fail its own image only."""


@dataclass(slots=True, eq=False)
class _Image:
    """One image on its way: its manifests, and the blobs that are still missing."""

    copy: ImageCopy
    overwrite: bool
    manifests: tuple[Manifest, ...]
    missing: set[_Key]
    error: TransferError | None = None


@dataclass(slots=True)
class _Blob:
    """One blob, where it may be read, and the images that wait for it."""

    descriptor: Descriptor
    number: int = 0
    """Its place in the order."""
    sources: list[Source] = field(default_factory=list)
    waiting: list[_Image] = field(default_factory=list)


def _move(run: Run, missing: Sequence[ImageCopy], *, overwrite: bool) -> dict[int, TransferError]:
    """Move the missing images; return their errors, by the identity of the ImageCopy."""
    errors: dict[int, TransferError] = {}
    images: list[_Image] = []
    surveys = run.workers.map(run.attempt(partial(_survey, overwrite=overwrite)), missing)
    for image, surveyed in zip(missing, surveys, strict=True):
        if isinstance(surveyed, TransferError):
            errors[id(image)] = surveyed
        else:
            images.append(surveyed)
    blobs = in_order(_plan_blobs(images), run.jobs)
    for number, blob in enumerate(blobs):
        blob.number = number
    run.progress.begin("copying", sum(blob.descriptor.size for blob in blobs))
    try:
        _move_blobs(run, images, blobs)
    finally:
        run.progress.end()
    errors.update({id(image.copy): image.error for image in images if image.error})
    return errors


def _survey(image: ImageCopy, *, overwrite: bool) -> _Image:
    manifests = successors(image.source, image.root)
    blobs = {_key(blob) for manifest in manifests for blob in manifest.blobs}
    return _Image(copy=image, overwrite=overwrite, manifests=manifests, missing=blobs)


def _key(blob: Descriptor) -> _Key:
    return blob.digest, blob.size


def _plan_blobs(images: Sequence[_Image]) -> list[_Blob]:
    """Each blob once, with every source that should have it."""
    blobs: dict[_Key, _Blob] = {}
    for image in images:
        for manifest in image.manifests:
            for descriptor in manifest.blobs:
                blob = blobs.setdefault(_key(descriptor), _Blob(descriptor))
                if image not in blob.waiting[-1:]:
                    blob.waiting.append(image)
                if image.copy.source not in blob.sources:
                    blob.sources.append(image.copy.source)
    return list(blobs.values())


def _move_blobs(run: Run, images: Sequence[_Image], blobs: Sequence[_Blob]) -> None:
    """Move the blobs, and hand each image to the namers the moment its last blob is there."""
    moving = {run.workers.submit(_move_blob, run, blob): blob for blob in blobs}
    naming: dict[Future[TransferError | None], _Image] = {}

    def name_if_complete(image: _Image) -> None:
        if not image.missing and image.error is None:
            naming[run.namers.submit(run.attempt(_name), run, image)] = image

    for image in images:
        name_if_complete(image)
    for future in as_completed(moving):
        blob, failed = moving[future], future.result()
        for image in blob.waiting:
            image.error = image.error or failed.get(image.copy.target)
            image.missing.discard(_key(blob.descriptor))
            name_if_complete(image)
    for named, image in naming.items():
        image.error = named.result()


def _move_blob(run: Run, blob: _Blob) -> dict[Target, TransferError]:
    """Bring one blob to every target that wants it; return the targets that did not get it."""
    failed: dict[Target, TransferError] = {}
    origin: Target | None = None
    wanting = (image.copy.target for image in blob.waiting if image.error is None)
    for target in dict.fromkeys(wanting):
        placed = run.attempt(place_blob)(run, blob, target, origin)
        if isinstance(placed, TransferError):
            failed[target] = placed
        elif origin is None:
            origin = target
    return failed


def _name(run: Run, image: _Image) -> None:
    """Write the manifests, the root last and under its name, and read each one back."""
    for manifest in image.manifests:
        written = manifest.descriptor
        is_root = written.digest == image.copy.root.digest
        if is_root and not image.overwrite:
            _refuse_moved(run, image.copy)
        _write(run, manifest, image.copy if is_root else image.copy.below(written))


def _refuse_moved(run: Run, place: ImageCopy) -> None:
    """See that a name stands for nothing else by now: the blobs may have taken hours."""
    if place.name == str(place.root.digest):
        return
    try:
        found = place.target.resolve(place.name)
    except Unavailable as error:
        if not error.stumbled:
            raise
        run.progress.say(f"{place}: cannot be read, each time it is asked for; it is written anew")
        return
    if found and found.digest != place.root.digest:
        raise Conflict(
            f"{place}: holds {found.digest} by now, expected {place.root.digest}",
            hint="somebody else writes to it, or it could not be read before; to move it all the "
            "same, run again with --overwrite",
        )


def _write(run: Run, manifest: Manifest, place: ImageCopy) -> None:
    run.go_on()
    place.target.push_manifest(manifest, place.name)
    found = place.target.resolve(place.name)
    if found is None or found.digest != place.root.digest:
        raise IntegrityError(
            f"{place}: read back {found.digest if found else 'nothing'}, "
            f"expected {place.root.digest}",
            hint="something else writes to this repository, or the registry changes manifests",
        )
