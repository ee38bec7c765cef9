"""`resolve`: from a spec to its lock, reading one thing after the other.

Only one archive is open at a time, so memory does not grow with their number. Whoever builds
takes each one while it is open: an archive whose layers had to be compressed to know their
digests is not read twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from bundler.resolve.distinct import Distinct
from bundler.resolve.faults import Faults
from bundler.resolve.fit import check_kind, fill_in
from bundler.resolve.inputs import Inputs
from bundler.resolve.ledger import Ledger
from bundler.resolve.locks import check_record
from bundler.resolve.toolkit import (
    check_toolkit,
    toolkit_record,
    toolkit_source,
    toolkit_sources,
)
from bundler.resolve.volume import Volume
from bundler.spec import ArchiveInput, BundleSpec, FileInput, ImageInput, Input
from bundler.spec.values import Toolkit
from bundler.toolkit.carry import ToolkitFile
from transfer.archive import AirgapArchive
from transfer.contents import ArchiveRecord, Contents, FileRecord, ImageRecord, PluginRecord
from transfer.digest import Digest
from transfer.lock import BundleLock, LockedSource
from transfer.store import Source


class Taker(Protocol):
    """Whoever wants the things themselves, while they are at hand."""

    def take_archive(self, archive: AirgapArchive, record: ArchiveRecord) -> None:
        """An archive; open during the call."""
        ...

    def take_file(self, content: Path | bytes, record: FileRecord) -> None:
        """A plain file: where it is, or what is in it."""
        ...

    def take_images(self, images: Sequence[tuple[Source, ImageRecord]]) -> None:
        """All images that come from registries."""
        ...


def resolve(
    spec: BundleSpec,
    inputs: Inputs,
    *,
    locked: BundleLock | None = None,
    anew: Collection[str] | None = None,
    taker: Taker | None = None,
) -> BundleLock:
    """Read and prove everything that a spec names.

    Args:
        spec: What is wanted.
        inputs: Where it is.
        locked: What it must turn out to be, made of this spec (see `check_spec`). Tags of images
            are taken from it.
        anew: The only entries to be read, as they are now; the others are what `locked` says.
        taker: Gets each thing, until the first fault is found.

    Raises:
        TransferError: with every fault; of their own class when all are alike, otherwise
            IntegrityError, InvalidInput or Incomplete, the first that fits one. What `taker`
            raises ends the work at once.
    """
    walk = _Walk(spec, inputs, locked, anew, taker)
    walk.gather()
    # The cheap things first: what is wrong with them should be known early.
    files = [(wanted, walk.file(wanted)) for wanted in spec.files]
    images = [walk.image(wanted) for wanted in spec.images]
    archives = [walk.archive(wanted) for wanted in spec.archives]
    toolkit = walk.toolkit()
    walk.end()
    return BundleLock(
        sources=walk.sources(),
        size=walk.size(),
        contents=Contents(
            name=spec.name,
            version=spec.version,
            archives=tuple(filter(None, archives)),
            images=tuple(filter(None, images)),
            plugins=tuple(
                PluginRecord(platform=wanted.platform, file=record)
                for wanted, record in files
                if wanted.platform and record
            ),
            files=(
                *(record for wanted, record in files if not wanted.platform and record),
                *toolkit,
            ),
            major_releases=spec.major_releases,
        ),
    )


class _Walk:
    """What is known so far, and what is wrong."""

    def __init__(
        self,
        spec: BundleSpec,
        inputs: Inputs,
        locked: BundleLock | None,
        anew: Collection[str] | None,
        taker: Taker | None,
    ) -> None:
        self._spec = spec
        self._inputs = inputs
        self._taker = taker
        self._ledger = Ledger(locked, anew)
        self._volume = None if locked else Volume()
        self._distinct = Distinct()
        self._faults = Faults()
        self._images: list[tuple[Source, ImageRecord]] = []

    def gather(self) -> None:
        """Bring every file here that is to be read."""
        wanted = [found for found in self._spec.inputs() if self._ledger.is_read(found.entry)]
        self._inputs.gather(wanted, self._ledger.expected)

    def archive(self, wanted: ArchiveInput) -> ArchiveRecord | None:
        """Read an archive and hand it over; None if it cannot be used."""
        entry = wanted.input.entry
        archive: AirgapArchive | None = None
        with self._faults.of(entry):
            if not self._ledger.is_read(entry) and (kept := self._ledger.kept.archive_of(entry)):
                self._ledger.keep(entry)
                self._distinct.add_archive(entry, kept)
                return kept
            archive = self._inputs.archive(wanted)
        if archive is None:
            return None
        with archive:
            record: ArchiveRecord | None = None
            with self._faults.of(entry):
                record = self._prove(wanted, archive)
            if record is not None and self._taking:
                self._taking.take_archive(archive, record)
        return record

    def _prove(self, wanted: ArchiveInput, archive: AirgapArchive) -> ArchiveRecord:
        record = fill_in(wanted, archive.record)
        check_kind(wanted, record)
        self._note(wanted.input, record.size, record.digest)
        check_record(self._ledger.expected.archive_of(wanted.input.entry), record)
        self._distinct.add_archive(wanted.input.entry, record)
        if self._volume:
            self._volume.add_images(archive, record.images)
        return record

    def file(self, wanted: FileInput) -> FileRecord | None:
        """Hash a file and hand it over; None if it cannot be used."""
        entry = wanted.input.entry
        if not self._ledger.is_read(entry) and (kept := self._ledger.kept.source_of(entry)):
            self._ledger.keep(entry)
            return FileRecord(path=wanted.path, size=kept.size, digest=kept.digest)
        found: tuple[Path, FileRecord] | None = None
        with self._faults.of(entry):
            path, record = self._inputs.file(wanted)
            self._note(wanted.input, record.size, record.digest)
            found = path, record
        if found is None:
            return None
        self._take_file(*found)
        return found[1]

    def toolkit(self) -> tuple[FileRecord, ...]:
        """Make the toolkit's own files and hand them over; none if they cannot be had."""
        if self._spec.toolkit is None:
            return ()
        if not self._ledger.is_read("toolkit") and (kept := toolkit_sources(self._ledger.kept)):
            for entry in kept:
                self._ledger.keep(entry)
            return tuple(map(toolkit_record, kept.values()))
        files: tuple[ToolkitFile, ...] = ()
        with self._faults.of("toolkit"):
            files = self._make_toolkit(self._spec.toolkit)
        for file in files:
            self._take_file(file.content, file.record)
        return tuple(file.record for file in files)

    def _make_toolkit(self, wanted: Toolkit) -> tuple[ToolkitFile, ...]:
        locked = toolkit_sources(self._ledger.expected)
        files = self._inputs.toolkit(wanted, locked)
        found = [toolkit_source(wanted, file.name, file.record) for file in files]
        check_toolkit(locked, {source.entry: source for source in found})
        for source in found:
            self._ledger.note(source)
        return files

    def image(self, wanted: ImageInput) -> ImageRecord | None:
        """Find out what an image's name stands for; None if it cannot be used."""
        entry = wanted.entry
        with self._faults.of(entry):
            if not self._ledger.is_read(entry) and (kept := self._ledger.kept.image_of(entry)):
                self._ledger.keep(entry)
                self._distinct.add_image(entry, kept)
                return kept
            record = self._find_image(wanted)
            self._distinct.add_image(entry, record)
            return record
        return None

    def _find_image(self, wanted: ImageInput) -> ImageRecord:
        locked = self._ledger.expected.source_of(wanted.entry)
        found = self._inputs.image(
            wanted,
            self._ledger.expected.image_of(wanted.entry),
            locked.notes if locked else (),
        )
        if self._volume:
            self._volume.add_images(found.source, [found.record])
        root = found.record.root
        self._ledger.note(
            LockedSource(
                entry=wanted.entry,
                source=wanted.source,
                size=root.size,
                digest=root.digest,
                evidence=found.evidence,
                notes=found.notes,
            )
        )
        self._images.append((found.source, found.record))
        return found.record

    def end(self) -> None:
        """Hand over the images of registries, or raise what is wrong."""
        self._faults.raise_all()
        if self._taker and self._images:
            self._taker.take_images(self._images)

    def sources(self) -> tuple[LockedSource, ...]:
        """Where everything came from."""
        return self._ledger.sources(self._spec)

    def size(self) -> int | None:
        """Bytes of everything; None where a lock said so, or not everything was read."""
        return self._volume.size if self._volume else None

    @property
    def _taking(self) -> Taker | None:
        """Whoever wants things, as long as nothing is wrong."""
        return None if self._faults else self._taker

    def _take_file(self, content: Path | bytes, record: FileRecord) -> None:
        if self._volume:
            self._volume.add_file(record)
        if self._taking:
            self._taking.take_file(content, record)

    def _note(self, wanted: Input, size: int, digest: Digest) -> None:
        obtained = self._inputs.obtained(wanted)
        self._ledger.note(
            LockedSource(
                entry=wanted.entry,
                source=wanted.source,
                size=size,
                digest=digest,
                evidence=obtained.evidence,
                notes=obtained.notes,
            )
        )
