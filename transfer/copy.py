"""The one algorithm: move images from a source to a target, each blob once, the tag last.

`copy` takes many images at once because blobs are shared between them: it asks every target what
it holds already, walks the graph below the missing roots, moves each missing blob once (and lets
the target mount it wherever else it is wanted), writes manifests children first once all their
blobs are there, and names the root last. Then it reads the name back: only what the target
answers with the right digest counts as delivered. Run again after an interruption it finds most
of the work done, and continues.

Push, build, resume, delta and the site store are all this function with other ends.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from transfer.delivery import Copied, Delivery, ImageCopy, NotTried, Outcome
from transfer.descriptor import Descriptor, Manifest
from transfer.digest import Digest, Readable, VerifyingReader
from transfer.errors import (
    Conflict,
    IntegrityError,
    StorageError,
    TransferError,
    Unavailable,
    raise_together,
)
from transfer.graph import successors
from transfer.progress import SILENT, Progress
from transfer.store import OpenContent, Source, Target

__all__ = ["Copied", "Delivery", "ImageCopy", "Outcome", "copy", "successors"]

BREAKER = 3
"""Failures in a row to reach or write to a side, after which nothing new is started."""

NAMING_JOBS = 4
"""Images whose manifests are written and read back at the same time."""

_Result = TypeVar("_Result")


def copy(
    images: Sequence[ImageCopy],
    *,
    jobs: int,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> Copied:
    """Move every image; one that fails does not stop the others.

    Args:
        images: What to move. No two may want one name in one target.
        jobs: Blobs in flight at the same time.
        overwrite: Move a name that holds other content, instead of refusing.
        progress: Told of every byte that is moved.

    Raises:
        Conflict: names hold other content; all of them are listed and nothing was written.
    """
    run = _Run(jobs, progress)
    try:
        held = list(run.workers.map(run.attempt(_held), images))
        _refuse_conflicts(images, held, overwrite=overwrite)
        missing = [
            image
            for image, found in zip(images, held, strict=True)
            if not isinstance(found, TransferError) and found != image.root.digest
        ]
        errors = _move(run, missing)
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


def _held(image: ImageCopy) -> Digest | None:
    found = image.target.resolve(image.name)
    return found.digest if found else None


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


class _Run:
    """What the workers of one `copy` share: threads, brake, counters and progress."""

    def __init__(self, jobs: int, progress: Progress) -> None:
        self.workers = ThreadPoolExecutor(jobs, thread_name_prefix="copy")
        self.namers = ThreadPoolExecutor(NAMING_JOBS, thread_name_prefix="name")
        self.progress = progress
        self.blobs_sent = 0
        self.bytes_sent = 0
        self.blobs_mounted = 0
        self.blobs_present = 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._failures_in_a_row = 0

    def close(self) -> None:
        """Everything was waited for; let the threads go."""
        self.workers.shutdown()
        self.namers.shutdown()

    def abandon(self) -> None:
        """Ctrl-C above all: running transfers fail at their next block, no other starts."""
        self._stopped.set()
        self.workers.shutdown(wait=False, cancel_futures=True)
        self.namers.shutdown(wait=False, cancel_futures=True)

    def attempt(self, work: Callable[..., _Result]) -> Callable[..., _Result | TransferError]:
        """`work`, with its TransferError as a value, and the brake before it."""

        def attempted(*args: object) -> _Result | TransferError:
            if self._failures_in_a_row >= BREAKER:
                return NotTried("some were not tried: too many failures in a row before them")
            try:
                result = work(*args)
            except TransferError as error:
                if isinstance(error, (Unavailable, StorageError)):
                    with self._lock:
                        self._failures_in_a_row += 1
                return error
            with self._lock:
                self._failures_in_a_row = 0
            return result

        return attempted

    def count(self, *, sent: int | None = None, mounted: int = 0, present: int = 0) -> None:
        """Add to the counters; `sent` is the size in bytes of a blob that was sent."""
        with self._lock:
            if sent is not None:
                self.blobs_sent += 1
                self.bytes_sent += sent
            self.blobs_mounted += mounted
            self.blobs_present += present

    def content(self, source: Source, blob: Descriptor) -> OpenContent:
        """How a target opens `blob`: verified, counted, and stopped when the run is."""

        @contextmanager
        def open_content() -> Iterator[Readable]:
            with source.open(blob) as stream:
                counted = _Counted(stream, self._stopped, self.progress)
                what = f"{source.description}: blob {blob.digest}"
                try:
                    yield VerifyingReader(counted, blob.digest, blob.size, what)
                except BaseException:
                    counted.take_back()
                    raise

        return open_content


class _Counted:
    """A stream that reports its bytes, and takes them back when they were in vain."""

    def __init__(self, stream: Readable, stopped: threading.Event, progress: Progress) -> None:
        self._stream = stream
        self._stopped = stopped
        self._progress = progress
        self._count = 0

    def read(self, size: int = -1, /) -> bytes:
        """Pass a block on."""
        if self._stopped.is_set():
            raise NotTried("interrupted")
        block = self._stream.read(size)
        self._count += len(block)
        self._progress.advance(len(block))
        return block

    def take_back(self) -> None:
        """The bytes were sent in vain; a retry starts again."""
        self._progress.advance(-self._count)


@dataclass(slots=True, eq=False)
class _Image:
    """One image on its way: its manifests, and the blobs that are still missing."""

    copy: ImageCopy
    manifests: tuple[Manifest, ...]
    missing: set[Digest]
    error: TransferError | None = None


@dataclass(slots=True)
class _Blob:
    """One blob, where it is read, and the images that wait for it."""

    descriptor: Descriptor
    source: Source
    waiting: list[_Image] = field(default_factory=list)


def _move(run: _Run, missing: Sequence[ImageCopy]) -> dict[int, TransferError]:
    """Move the missing images; return their errors, by the identity of the ImageCopy."""
    errors: dict[int, TransferError] = {}
    images: list[_Image] = []
    surveys = run.workers.map(run.attempt(_survey), missing)
    for image, surveyed in zip(missing, surveys, strict=True):
        if isinstance(surveyed, TransferError):
            errors[id(image)] = surveyed
        else:
            images.append(surveyed)
    blobs = _plan_blobs(images)
    run.progress.begin("copying", sum(blob.descriptor.size for blob in blobs))
    try:
        _move_blobs(run, images, blobs)
    finally:
        run.progress.end()
    errors.update({id(image.copy): image.error for image in images if image.error})
    return errors


def _survey(image: ImageCopy) -> _Image:
    manifests = successors(image.source, image.root)
    blobs = {blob.digest for manifest in manifests for blob in manifest.blobs}
    return _Image(copy=image, manifests=manifests, missing=blobs)


def _plan_blobs(images: Sequence[_Image]) -> list[_Blob]:
    """Each blob once, in the order in which the images first want it."""
    blobs: dict[Digest, _Blob] = {}
    for image in images:
        for manifest in image.manifests:
            for descriptor in manifest.blobs:
                blob = blobs.setdefault(descriptor.digest, _Blob(descriptor, image.copy.source))
                if image not in blob.waiting[-1:]:
                    blob.waiting.append(image)
    return list(blobs.values())


def _move_blobs(run: _Run, images: Sequence[_Image], blobs: Sequence[_Blob]) -> None:
    """Move the blobs, and hand each image to the namers the moment its last blob is there."""
    moving = {run.workers.submit(_move_blob, run, blob): blob for blob in blobs}
    naming: dict[Future[TransferError | None], _Image] = {}

    def name_if_complete(image: _Image) -> None:
        if not image.missing and image.error is None:
            naming[run.namers.submit(run.attempt(_name), image)] = image

    for image in images:
        name_if_complete(image)
    for future in as_completed(moving):
        blob, failed = moving[future], future.result()
        for image in blob.waiting:
            image.error = image.error or failed.get(image.copy.target)
            image.missing.discard(blob.descriptor.digest)
            name_if_complete(image)
    for named, image in naming.items():
        image.error = named.result()


def _move_blob(run: _Run, blob: _Blob) -> dict[Target, TransferError]:
    """Bring one blob to every target that wants it; return the targets that did not get it."""
    failed: dict[Target, TransferError] = {}
    origin: Target | None = None
    wanting = (image.copy.target for image in blob.waiting if image.error is None)
    for target in dict.fromkeys(wanting):
        placed = run.attempt(_place_blob)(run, blob, target, origin)
        if isinstance(placed, TransferError):
            failed[target] = placed
        elif origin is None:
            origin = target
    return failed


def _place_blob(run: _Run, blob: _Blob, target: Target, origin: Target | None) -> None:
    descriptor = blob.descriptor
    if target.has_blob(descriptor):
        run.count(present=1)
        run.progress.advance(descriptor.size if origin is None else 0)
        return
    if origin is not None and target.mount_blob(descriptor, origin):
        run.count(mounted=1)
    else:
        target.push_blob(descriptor, run.content(blob.source, descriptor))
        run.count(sent=descriptor.size)
    if not target.has_blob(descriptor):
        raise IntegrityError(
            f"{target.description}: acknowledged blob {descriptor.digest} but does not have it",
            hint="the registry loses data; look at its storage and its log before trying again",
        )


def _name(image: _Image) -> None:
    """Write the manifests, the root last and under its name, and read the name back."""
    *children, root = image.manifests
    target, wanted = image.copy.target, image.copy.root.digest
    for manifest in children:
        target.push_manifest(manifest, str(manifest.descriptor.digest))
    target.push_manifest(root, image.copy.name)
    found = target.resolve(image.copy.name)
    if found is None or found.digest != wanted:
        raise IntegrityError(
            f"{image.copy}: read back {found.digest if found else 'nothing'}, expected {wanted}",
            hint="something else writes to this repository, or the registry changes manifests",
        )
