"""Where the things that a spec names really are: beside it, behind an address, in a registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bundler.downloads import Downloads
from bundler.images import Found, Images
from bundler.resolve.gather import Obtained, SourceOf, gather, missing
from bundler.resolve.toolkit import toolkit_record
from bundler.spec import ArchiveInput, FileInput, ImageInput, Input
from bundler.spec.origin import LocalFile
from bundler.spec.values import Toolkit
from bundler.toolkit.carry import ToolkitFile, carry
from bundler.toolkit.fetch import Wheels
from transfer.archive import AirgapArchive
from transfer.bundle.tree import digest_file
from transfer.contents import TOOLKIT, FileRecord, ImageRecord
from transfer.digest import Digest
from transfer.errors import DigestMismatch, IntegrityError, InvalidInput
from transfer.lock import BundleLock, LockedSource
from transfer.progress import SILENT, Progress


class Inputs:
    """Opens what a spec names."""

    def __init__(  # noqa: PLR0913 - a place for each kind of thing
        self,
        folder: Path,
        *,
        downloads: Downloads,
        source_of: SourceOf,
        images: Images,
        wheels: Wheels,
        progress: Progress = SILENT,
    ) -> None:
        """Nothing is opened yet; relative paths start at `folder`."""
        self._folder = folder
        self._downloads = downloads
        self._source_of = source_of
        self._images = images
        self._wheels = wheels
        self._progress = progress
        self._obtained: dict[str, Obtained] = {}

    def gather(self, wanted: Sequence[Input], lock: BundleLock | None) -> None:
        """Bring the files of these entries here, before any of them is opened.

        Raises:
            TransferError: as `gather`.
        """
        self._obtained |= gather(wanted, self._folder, self._source_of, self._downloads, lock)

    def missing(self, wanted: Sequence[Input], lock: BundleLock) -> int:
        """Bytes of these entries' files that are still to be downloaded.

        Raises:
            StorageError: the cache cannot be read.
        """
        return missing(wanted, self._source_of, self._downloads, lock)

    def obtained(self, wanted: Input) -> Obtained:
        """The file of an entry that was gathered."""
        return self._obtained[wanted.entry]

    def archive(self, wanted: ArchiveInput) -> AirgapArchive:
        """Read and prove a vendor's archive; the caller closes it.

        Raises:
            DigestMismatch: it is not the file that the spec promises.
            TransferError: as `AirgapArchive.read`.
        """
        found = self.obtained(wanted.input)
        try:
            archive = AirgapArchive.read(
                found.path, file_name=found.file_name, progress=self._progress
            )
        except (IntegrityError, InvalidInput):
            if not isinstance(wanted.input.origin, LocalFile):
                # It was the right file when it came: is it the disk's fault, and not the vendor's?
                self._compare(wanted.input, digest_file(found.path, f"file {wanted.input.source}"))
            raise
        try:
            self._compare(wanted.input, archive.record.digest)
        except BaseException:
            archive.close()
            raise
        return archive

    def file(self, wanted: FileInput) -> tuple[Path, FileRecord]:
        """Hash a plain file.

        Raises:
            DigestMismatch: it is not the file that the spec promises.
            TransferError: it cannot be read.
        """
        path = self.obtained(wanted.input).path
        digest = digest_file(path, f"file {wanted.input.source}")
        self._compare(wanted.input, digest)
        return path, FileRecord(path=wanted.path, size=path.stat().st_size, digest=digest)

    def image(
        self, wanted: ImageInput, locked: ImageRecord | None, notes: tuple[str, ...]
    ) -> Found:
        """What an image's name stands for right now, or what the lock says it stood for.

        Raises:
            TransferError: as its source refuses.
        """
        return self._images.resolve(wanted, locked, notes)

    def toolkit(
        self, wanted: Toolkit, locked: Mapping[str, LockedSource]
    ) -> tuple[ToolkitFile, ...]:
        """The toolkit's own files; where some are locked, none but those.

        Raises:
            TransferError: as `carry`.
        """
        records = map(toolkit_record, locked.values())
        digests = {record.path.removeprefix(f"{TOOLKIT}/"): record.digest for record in records}
        return carry(wanted, self._wheels, digests or None)

    def _compare(self, wanted: Input, found: Digest) -> None:
        expected = self.obtained(wanted).digest
        if expected is None or expected == found:
            return
        hint = "compare the SHA-256 in the spec with the one the vendor gave"
        if not isinstance(wanted.origin, LocalFile):
            self._downloads.forget(expected)
            hint = "the file in the cache was damaged and is removed: run the same command again"
        raise DigestMismatch(f"{wanted.source}: expected {expected}, found {found}", hint=hint)
