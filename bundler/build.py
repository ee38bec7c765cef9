"""`build`: from a spec to its bundle, with the lock beside the spec.

Everything is written into the folder of an interrupted build if there is one, so the same
command continues: blobs and files that are there are not written again.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile

from bundler.check import Gatherer, Verdict, judge, read_site_files, settle
from bundler.resolve import Inputs, check_spec, entries_of, read_lock, resolve
from bundler.room import require_room
from bundler.spec import BundleSpec
from transfer.archive import AirgapArchive
from transfer.bundle import Bundle, BundleWriter, partial_of
from transfer.bundle.names import index_name
from transfer.contents import ArchiveRecord, Contents, FileRecord, ImageRecord
from transfer.copy import copy
from transfer.delivery import Copied, ImageCopy, NotTried
from transfer.descriptor import Descriptor
from transfer.digest import Readable
from transfer.disk import open_plain, replace_file, storage_errors
from transfer.errors import (
    Conflict,
    Incomplete,
    IntegrityError,
    InvalidInput,
    NotFound,
    raise_together,
)
from transfer.graph import successors
from transfer.lock import BundleLock
from transfer.progress import SILENT, Progress
from transfer.store import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be built from what, and how."""

    spec: BundleSpec
    folder: Path
    """The spec's: where the paths of licences and configuration values start."""
    lock_path: Path
    target: Path
    cache: Path
    """The folder of the downloads."""
    keep_archives: bool = False
    """Carry the vendor's archives as well, unchanged."""
    allow: tuple[str, ...] = ()
    """The rules of the proof before the trip that may be broken."""
    now: datetime
    """With its time zone: licences end."""
    epoch: int
    """The time that every file of the bundle gets; seconds since 1970."""
    jobs: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A bundle, and whether this very build wrote it."""

    bundle: Bundle
    written: bool
    blobs_written: int = 0
    blobs_present: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    """What the proof before the trip let pass; of this very build."""


def lock(spec: BundleSpec, path: Path, inputs: Inputs) -> BundleLock:
    """Resolve a spec anew and write its lock.

    Raises:
        StorageError: it could not be written; nothing was fetched or read.
        TransferError: with everything that is wrong; an older lock stays as it is.
    """
    _require_writable(path)
    found = resolve(spec, inputs)
    _write_lock(found, path)
    return found


def update(spec: BundleSpec, path: Path, inputs: Inputs, name: str) -> BundleLock:
    """Resolve one entry anew, and leave everything else in the lock as it is.

    Raises:
        NotFound: there is no lock, or the spec has no entry that `name` means.
        InvalidInput: the lock differs from the spec in other entries too.
        StorageError: it could not be written; nothing was fetched or read.
        TransferError: with everything that is wrong; the lock stays as it is.
    """
    locked = read_lock(path)
    if locked is None:
        raise NotFound(f"{path}: there is no lock to update", hint="run airgap-bundler lock")
    anew = entries_of(spec, name)
    check_spec(locked, spec, str(path), but=anew)
    _require_writable(path)
    found = resolve(spec, inputs, locked=locked, anew=anew)
    _write_lock(found, path)
    return found


def check_lock(spec: BundleSpec, path: Path) -> BundleLock:
    """Check that the lock beside a spec was made of it; nothing is fetched or read.

    Raises:
        NotFound: there is no lock.
        InvalidInput: with everything in which they differ.
    """
    locked = read_lock(path)
    if locked is None:
        raise NotFound(f"{path}: does not exist", hint="run airgap-bundler lock, and commit it")
    check_spec(locked, spec, str(path))
    return locked


def build(order: Order, inputs: Inputs, progress: Progress = SILENT) -> Built:
    """Build the bundle, or find that it is there already.

    Raises:
        InvalidInput: the lock was made of another spec.
        Conflict: something else stands where the bundle should be.
        StorageError: there is no room for it.
        PolicyError: the site could not use it, with all that is not allowed; what was written
            stays for the next try.
        TransferError: with everything that is wrong with the inputs, or as writing fails.
    """
    if order.keep_archives:
        _refuse_same_names(order.spec)
    locked = read_lock(order.lock_path)
    if locked is not None:
        check_spec(locked, order.spec, str(order.lock_path))
        present = _find(order.target, _carried(locked.contents, keep=order.keep_archives))
        if present is not None:
            return Built(bundle=present, written=False)
        _require_room(order, locked, inputs)
    else:
        _require_writable(order.lock_path)
    site = read_site_files(order.spec, order.folder)
    with BundleWriter.create(order.target) as writer:
        loader = _Loader(writer, order, progress)
        gatherer = Gatherer(loader)
        found = resolve(order.spec, inputs, locked=locked, taker=gatherer)
        if locked is None:
            _write_lock(found, order.lock_path)
        findings = judge(order.spec, found.contents, gatherer.facts(site), order.now)
        verdict = settle(findings, order.allow)
        verdict.raise_refused(f"bundle {order.target}")
        contents = _carried(found.contents, keep=order.keep_archives)
        return Built(
            bundle=writer.finish(replace(contents, allowed=verdict.recorded), order.epoch),
            written=True,
            blobs_written=loader.blobs_written,
            blobs_present=loader.blobs_present,
            verdict=verdict,
        )


def _require_room(order: Order, locked: BundleLock, inputs: Inputs) -> None:
    """The lock knows how large everything is; without one, each archive is looked at in turn."""
    partial = partial_of(order.target)
    kept = sum(record.size for record in locked.contents.archives) if order.keep_archives else 0
    size = (locked.size or 0) + kept
    here = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    missing = inputs.missing(order.spec.inputs(), locked)
    require_room(order.target, max(0, size - here), order.cache, missing)


class _Loader:
    """Takes what `resolve` hands over into the bundle."""

    def __init__(self, writer: BundleWriter, order: Order, progress: Progress) -> None:
        self.blobs_written = 0
        self.blobs_present = 0
        self._writer = writer
        self._order = order
        self._progress = progress
        self._names: dict[str, Descriptor] = {}

    def take_archive(self, archive: AirgapArchive, record: ArchiveRecord) -> None:
        """Its images, the archive without them, and the archive itself if that is wanted."""
        self._require_room(archive, record)
        self.take_images([(archive, image) for image in record.images])
        if record.slim is not None:
            self._writer.write_file(record.slim, archive.write_slim)
        if self._order.keep_archives:
            self.take_file(archive.path, _kept(record))

    def _require_room(self, archive: AirgapArchive, record: ArchiveRecord) -> None:
        blobs = {
            blob.digest: blob
            for image in record.images
            for manifest in successors(archive, image.root)
            for blob in manifest.blobs
        }
        layout = self._writer.layout
        needed = sum(blob.size for blob in blobs.values() if not layout.has_blob(blob))
        needed += record.size if self._order.keep_archives else 0
        require_room(self._order.target, needed, self._order.cache, 0)

    def take_file(self, content: Path | bytes, record: FileRecord) -> None:
        """A plain file."""
        self._writer.add_file(record, lambda: _opened(content))

    def take_images(self, images: Sequence[tuple[Source, ImageRecord]]) -> None:
        """Images, each under its name."""
        copied = copy(
            [
                ImageCopy(
                    root=image.root,
                    source=source,
                    target=self._writer.layout,
                    name=index_name(image, self._names),
                )
                for source, image in images
            ],
            jobs=self._order.jobs,
            overwrite=True,  # a name that an older lock left in the unfinished bundle
            progress=self._progress,
        )
        _raise_for_failures(copied)
        self.blobs_written += copied.blobs_sent
        self.blobs_present += copied.blobs_present


def _opened(content: Path | bytes) -> AbstractContextManager[Readable]:
    if isinstance(content, bytes):
        return BytesIO(content)
    return open_plain(content, f"file {content}")


def _raise_for_failures(copied: Copied) -> None:
    """One missing image spoils the bundle: what went well beside it is no comfort.

    Raises:
        TransferError: of the failures' own class when all failed alike, otherwise Incomplete.
    """
    errors = [delivery.error for delivery in copied.deliveries if delivery.error]
    distinct = {str(error): error for error in errors if not isinstance(error, NotTried)}
    kinds = {type(error) for error in distinct.values()}
    raise_together(
        kinds.pop() if len(kinds) == 1 else Incomplete,
        "the bundle is not complete",
        distinct.values() or errors,
        hint="mend what is named here, then run the same command: it continues",
    )


def _carried(contents: Contents, *, keep: bool) -> Contents:
    """The contents of the bundle: those of the lock, and the vendor's archives if wanted."""
    kept = tuple(_kept(record) for record in contents.archives) if keep else ()
    return replace(contents, files=(*contents.files, *kept))


def _kept(record: ArchiveRecord) -> FileRecord:
    return FileRecord(path=record.kept, size=record.size, digest=record.digest)


def _refuse_same_names(spec: BundleSpec) -> None:
    names: dict[str, str] = {}
    clashes = []
    for archive in spec.archives:
        found, name = archive.input, archive.input.file_name
        first = names.setdefault(name.casefold(), found.entry)
        if first != found.entry:
            clashes.append(InvalidInput(f"{found.entry}: {name} is the name of {first} too"))
    raise_together(
        InvalidInput,
        "archives of the same name cannot be kept together",
        clashes,
        hint="rename one of the files, or build without --keep-archives",
    )


def _find(path: Path, contents: Contents) -> Bundle | None:
    """The bundle at `path` if it has these contents, None if nothing is there."""
    if not path.exists():
        return None
    hint = "choose another folder, or remove this one"
    try:
        bundle = Bundle.read(path.absolute())  # as the build that wrote it told it
    except (IntegrityError, InvalidInput, NotFound) as error:
        message = f"{path}: exists already, and is no sound bundle"
        raise Conflict(message, hint=hint, faults=[error]) from error
    if replace(bundle.contents, allowed=()) != contents:
        raise Conflict(f"{path}: exists already, with other contents", hint=hint)
    return bundle


def _require_writable(path: Path) -> None:
    """Nobody should wait for downloads to hear that the lock cannot be written."""
    with storage_errors(f"lock {path}"):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        with TemporaryFile(dir=path.parent):
            pass


def _write_lock(lock: BundleLock, path: Path) -> None:
    replace_file(path, lock.dump().encode(), f"lock {path}")
