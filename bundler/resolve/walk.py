"""`resolve`: from a spec to its lock, reading one thing after the other.

Only one archive is open at a time, so memory does not grow with their number. Whoever builds
takes each one while it is open: an archive whose layers had to be compressed to know their
digests is not read twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from bundler.resolve.fit import check_kind, fill_in
from bundler.resolve.inputs import Inputs
from bundler.resolve.locks import (
    check_record,
    check_source,
    check_toolkit,
    is_toolkit,
    toolkit_entry,
    toolkit_record,
    toolkit_source,
)
from bundler.resolve.volume import Volume
from bundler.sources import Evidence
from bundler.spec import ArchiveInput, BundleSpec, FileInput, ImageInput, Input
from bundler.toolkit.carry import ToolkitFile
from transfer.archive import AirgapArchive
from transfer.contents import ArchiveRecord, Contents, FileRecord, ImageRecord, PluginRecord
from transfer.digest import Digest
from transfer.errors import (
    Conflict,
    IntegrityError,
    InvalidInput,
    TransferError,
    raise_together,
)
from transfer.lock import BundleLock, LockedSource
from transfer.naming import Naming
from transfer.relocate import Places, SourceImage, archive_images
from transfer.store import Source

_NO_LOCK = BundleLock(sources=(), contents=Contents(name="", version=""))
_Locked = TypeVar("_Locked")


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
            IntegrityError or InvalidInput. What `taker` raises ends the work at once.
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
        self._locked = locked or _NO_LOCK
        self._anew = anew
        self._taker = taker
        self._faults: list[TransferError] = []
        self._sources: dict[str, LockedSource] = {}
        self._images: list[tuple[Source, ImageRecord]] = []
        self._volume = None if locked else Volume()
        self._places = Places()
        self._slims: dict[str, str] = {}

    def gather(self) -> None:
        """Bring every file here that is to be read."""
        wanted = [found for found in self._spec.inputs() if self._is_read(found.entry)]
        self._inputs.gather(wanted, self._locked if self._anew is None else _NO_LOCK)

    def archive(self, wanted: ArchiveInput) -> ArchiveRecord | None:
        """Read an archive and hand it over; None if it cannot be used."""
        locked = self._locked.archive_of(wanted.input.entry)
        if locked and not self._is_read(wanted.input.entry):
            return self._take_over(wanted, locked)
        try:
            archive = self._inputs.archive(wanted)
        except TransferError as error:
            self._fault(wanted.input.entry, error)
            return None
        with archive:
            try:
                record = fill_in(wanted, archive.record)
                check_kind(wanted, record)
                self._note(wanted.input, record.size, record.digest)
                check_record(self._expected(locked), record)
                self._place(wanted, record)
                if self._volume:
                    self._volume.add_images(archive, record.images)
            except TransferError as error:
                self._fault(wanted.input.entry, error)
                return None
            if self._taker and not self._faults:
                self._taker.take_archive(archive, record)
        return record

    def _take_over(self, wanted: ArchiveInput, record: ArchiveRecord) -> ArchiveRecord | None:
        self._keep(wanted.input.entry)
        try:
            self._place(wanted, record)
        except TransferError as error:
            self._fault(wanted.input.entry, error)
            return None
        return record

    def _place(self, wanted: ArchiveInput, record: ArchiveRecord) -> None:
        self._refuse_same_release(wanted, record)
        self._refuse_clashes(archive_images(record, wanted.input.entry))

    def file(self, wanted: FileInput) -> FileRecord | None:
        """Hash a file and hand it over; None if it cannot be used."""
        locked = self._locked.source_of(wanted.input.entry)
        if locked and not self._is_read(wanted.input.entry):
            self._keep(wanted.input.entry)
            return FileRecord(path=wanted.path, size=locked.size, digest=locked.digest)
        try:
            path, record = self._inputs.file(wanted)
            self._note(wanted.input, record.size, record.digest)
            if self._volume:
                self._volume.add_file(record)
        except TransferError as error:
            self._fault(wanted.input.entry, error)
            return None
        if self._taker and not self._faults:
            self._taker.take_file(path, record)
        return record

    def toolkit(self) -> tuple[FileRecord, ...]:
        """Make the toolkit's own files and hand them over; none if they cannot be had."""
        if self._spec.toolkit is None:
            return ()
        locked = {s.entry: s for s in self._locked.sources if is_toolkit(s.entry)}
        if locked and not self._is_read("toolkit"):
            self._sources |= locked
            return tuple(map(toolkit_record, locked.values()))
        try:
            files = self._inputs.toolkit(self._spec.toolkit, self._expected(locked))
            found = {source.entry: source for source in map(self._toolkit_source, files)}
            check_toolkit(self._expected(locked), found)
        except TransferError as error:
            self._fault("toolkit", error)
            return ()
        self._sources |= found
        for file in files:
            if self._volume:
                self._volume.add_file(file.record)
            if self._taker and not self._faults:
                self._taker.take_file(file.content, file.record)
        return tuple(file.record for file in files)

    def _toolkit_source(self, file: ToolkitFile) -> LockedSource:
        return LockedSource(
            entry=toolkit_entry(file.name),
            source=toolkit_source(self._spec.toolkit) if self._spec.toolkit else "",
            size=file.record.size,
            digest=file.record.digest,
            evidence=Evidence.REQUIREMENTS,
        )

    def image(self, wanted: ImageInput) -> ImageRecord | None:
        """Find out what an image's name stands for; None if it cannot be used."""
        try:
            record = self._find_image(wanted)
            image = SourceImage(record=record, naming=Naming.KOTS, origin=wanted.entry)
            self._refuse_clashes([image])
        except TransferError as error:
            self._fault(wanted.entry, error)
            return None
        return record

    def _find_image(self, wanted: ImageInput) -> ImageRecord:
        locked = self._locked.image_of(wanted.entry)
        if locked and not self._is_read(wanted.entry):
            self._keep(wanted.entry)
            return locked
        before = self._locked.source_of(wanted.entry)
        notes = before.notes if before and self._anew is None else ()
        found = self._inputs.image(wanted, self._expected(locked), notes)
        source, record, evidence, notes = found
        if self._volume:
            self._volume.add_images(source, [record])
        self._sources[wanted.entry] = LockedSource(
            entry=wanted.entry,
            source=wanted.source,
            size=record.root.size,
            digest=record.root.digest,
            evidence=evidence,
            notes=notes,
        )
        self._images.append((source, record))
        return record

    def _is_read(self, entry: str) -> bool:
        return self._anew is None or entry in self._anew

    def _expected(self, locked: _Locked | None) -> _Locked | None:
        """What an entry has to turn out to be; None where it is wanted as it is now."""
        return locked if self._anew is None else None

    def _keep(self, entry: str) -> None:
        if locked := self._locked.source_of(entry):
            self._sources[entry] = locked

    def end(self) -> None:
        """Hand over the images of registries, or raise what is wrong."""
        kinds = {type(fault) for fault in self._faults}
        mixed = any(isinstance(fault, IntegrityError) for fault in self._faults)
        kind = kinds.pop() if len(kinds) == 1 else IntegrityError if mixed else InvalidInput
        count = len(self._faults)
        raise_together(
            kind,
            f"{count} {'entry' if count == 1 else 'entries'} of the spec cannot be used",
            self._faults,
        )
        if self._taker and self._images:
            self._taker.take_images(self._images)

    def sources(self) -> tuple[LockedSource, ...]:
        """Where everything came from, in the order of the spec."""
        spec = self._spec
        entries = [archive.input.entry for archive in spec.archives]
        entries += [file.input.entry for file in spec.files]
        entries += filter(is_toolkit, self._sources)
        entries += [image.entry for image in spec.images]
        return tuple(self._sources[entry] for entry in entries)

    def size(self) -> int | None:
        """Bytes of everything; None where a lock said so, or not everything was read."""
        return self._volume.size if self._volume else None

    def _fault(self, entry: str, error: TransferError) -> None:
        self._faults.append(
            type(error)(f"{entry}: {error.message}", hint=error.hint, faults=error.faults)
        )

    def _note(self, wanted: Input, size: int, digest: Digest) -> None:
        obtained = self._inputs.obtained(wanted)
        found = LockedSource(
            entry=wanted.entry,
            source=wanted.source,
            size=size,
            digest=digest,
            evidence=obtained.evidence,
            notes=obtained.notes,
        )
        self._sources[wanted.entry] = found
        check_source(self._expected(self._locked.source_of(wanted.entry)), found)

    def _refuse_same_release(self, wanted: ArchiveInput, record: ArchiveRecord) -> None:
        if record.slim is None:
            return
        first = self._slims.setdefault(record.slim, wanted.input.entry)
        if first != wanted.input.entry:
            raise InvalidInput(f"{record.file_name}: is the same release as {first}")

    def _refuse_clashes(self, images: Iterable[SourceImage]) -> None:
        """Two releases may clash: a site runs them one after the other (docs/decisions/0007)."""
        clashes = filter(None, map(self._places.take, images))
        raise_together(
            Conflict,
            "different images would have one name at a site",
            (Conflict(str(clash)) for clash in clashes if not clash.is_of_releases),
            hint="carry the two in two bundles, for two registries or namespaces",
        )
