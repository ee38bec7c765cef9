"""Where the things that a spec names really are: beside it, behind an address, in a registry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bundler.downloads import Downloads
from bundler.spec import ArchiveInput, FileInput, ImageInput, Input
from transfer.archive import AirgapArchive
from transfer.bundle.tree import digest_file
from transfer.contents import FileRecord, ImageRecord
from transfer.descriptor import Descriptor
from transfer.digest import Digest
from transfer.errors import DigestMismatch, NotFound
from transfer.progress import SILENT, Progress
from transfer.registry import RegistryClient, RegistryRepository

Connect = Callable[[str], RegistryClient]
"""Prepares to speak to the registry of a host."""


class Inputs:
    """Opens what a spec names; a context manager that keeps the connections."""

    def __init__(
        self, folder: Path, downloads: Downloads, connect: Connect, progress: Progress = SILENT
    ) -> None:
        """Nothing is opened yet; relative paths start at `folder`."""
        self._folder = folder
        self._downloads = downloads
        self._connect = connect
        self._progress = progress
        self._resources = ExitStack()
        self._registries: dict[str, RegistryClient] = {}

    def __enter__(self) -> Self:
        """The inputs themselves."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the connections."""
        self._resources.close()

    def path_of(self, wanted: Input) -> Path:
        """The file itself, downloaded if it has an address.

        Raises:
            TransferError: as `Downloads.fetch`.
        """
        if wanted.url is not None and wanted.sha256 is not None:
            return self._downloads.fetch(wanted.url, wanted.sha256)
        return (self._folder / (wanted.path or "")).resolve()

    def archive(self, wanted: ArchiveInput) -> AirgapArchive:
        """Read and prove a vendor's archive; the caller closes it.

        Raises:
            DigestMismatch: it is not the file that the spec promises.
            TransferError: as `AirgapArchive.read` and `path_of`.
        """
        archive = AirgapArchive.read(
            self.path_of(wanted.input),
            file_name=wanted.input.file_name,
            progress=self._progress,
        )
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
            TransferError: as `path_of`, or it cannot be read.
        """
        path = self.path_of(wanted.input)
        digest = digest_file(path, f"file {wanted.input.source}")
        self._compare(wanted.input, digest)
        return path, FileRecord(path=wanted.path, size=path.stat().st_size, digest=digest)

    def image(self, wanted: ImageInput) -> tuple[RegistryRepository, ImageRecord]:
        """Ask an image's registry what its name stands for right now.

        Raises:
            NotFound: for nothing.
            TransferError: as the registry refuses.
        """
        repository = self.repository(wanted)
        root = repository.resolve(wanted.reference.name)
        if root is None:
            raise NotFound(
                f"image {wanted.reference}: not there",
                hint="check its name, and whether the registry wants credentials (docker login)",
            )
        return repository, ImageRecord(name=str(wanted.reference), root=_plain(root))

    def repository(self, wanted: ImageInput) -> RegistryRepository:
        """Where an image is pulled from; nothing is sent yet."""
        place = wanted.reference.repository
        client = self._registries.get(place.registry)
        if client is None:
            client = self._resources.enter_context(self._connect(place.registry))
            self._registries[place.registry] = client
        return client.repository(place.path)

    def _compare(self, wanted: Input, found: Digest) -> None:
        if wanted.sha256 is None or wanted.sha256 == found:
            return
        hint = "compare the SHA-256 in the spec with the one the vendor gave"
        if wanted.url is not None:
            self._downloads.forget(wanted.sha256)
            hint = "the file in the cache was damaged and is removed: run the same command again"
        raise DigestMismatch(f"{wanted.source}: expected {wanted.sha256}, found {found}", hint=hint)


def _plain(root: Descriptor) -> Descriptor:
    """Without what belongs to the place it was found in."""
    return Descriptor(media_type=root.media_type, digest=root.digest, size=root.size)
