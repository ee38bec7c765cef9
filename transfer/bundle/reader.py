"""`Bundle`: a bundle whose structure is sound; `VerifiedBundle`: one whose every byte is."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from transfer.bundle.structure import Inspected, corrupt, inspect
from transfer.bundle.tree import compare_files
from transfer.contents import Contents, FileRecord, ImageRecord
from transfer.descriptor import Descriptor
from transfer.digest import Digest
from transfer.disk import PlainFile
from transfer.layout import OciLayout
from transfer.medium import Medium
from transfer.progress import SILENT, Progress


class Bundle:
    """An opened bundle: nothing in it is missing, and nothing is too much.

    The bytes of blobs and plain files are not read yet: `copy` proves each byte as it moves it,
    and `verify` proves all of them.
    """

    def __init__(self, path: Path, description: str, inspected: Inspected) -> None:
        self.path = path
        self.description = description
        """How messages name it."""
        self._inspected = inspected

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open a bundle and check its structure; cheap, whatever its size.

        Raises:
            NotFound: there is no such folder, or it is no bundle.
            UnsupportedVersion: it was written by a newer version of the toolkit.
            CorruptBundle: with every fault.
            StorageError: it cannot be read.
        """
        description = f"bundle {path}"
        return cls(path, description, inspect(path, description))

    @property
    def contents(self) -> Contents:
        """What is in it, from `bundle.json`."""
        return self._inspected.contents

    @property
    def images(self) -> tuple[ImageRecord, ...]:
        """Every image, of the archives and single ones."""
        return self.contents.all_images()

    @property
    def layout(self) -> OciLayout:
        """Its images as an OCI image layout."""
        return self._inspected.layout

    @property
    def fingerprint(self) -> Digest:
        """The digest of `SHA256SUMS`, which stands for every byte."""
        return self._inspected.fingerprint

    @property
    def size(self) -> int:
        """Bytes of all files that `SHA256SUMS` lists."""
        return sum(self._inspected.sizes[file] for file in self._inspected.sums)

    def open(self, descriptor: Descriptor) -> AbstractContextManager[PlainFile]:
        """Open a blob or manifest at its first byte; not verified here.

        Raises:
            NotFound: the bundle does not hold it.
        """
        return self.layout.open(descriptor)

    def place(self, descriptor: Descriptor) -> int | None:
        """Where on its medium it begins; None where the file system does not tell."""
        return self.layout.place(descriptor)

    @property
    def medium(self) -> Medium:
        """The medium that it is on."""
        return self.layout.medium

    def path_of(self, file: FileRecord | str) -> Path:
        """Where a plain file or a slim archive is, by its record or its path in the bundle."""
        return self.path / (file if isinstance(file, str) else file.path)

    def check_files(self, files: Iterable[str]) -> None:
        """Read some files, by their paths in the bundle, and compare them with `SHA256SUMS`.

        Raises:
            CorruptBundle: with every fault.
            StorageError: they cannot be read, and nothing else is wrong.
        """
        sums = {file: self._inspected.sums[file] for file in files}
        faults = compare_files(self.path, sums, self.description)
        if faults:
            raise corrupt(self.description, faults.values())

    def verify(self, progress: Progress = SILENT, jobs: int = 2) -> VerifiedBundle:
        """Read every byte and compare it with `SHA256SUMS`.

        Raises:
            CorruptBundle: with every fault.
            StorageError: some cannot be read, and nothing else is wrong.
        """
        sizes = self._inspected.sizes
        # The largest first, so that no thread ends up alone with it.
        files = sorted(self._inspected.sums, key=lambda file: (-sizes[file], file))
        progress.begin("verifying", self.size)
        try:
            sums = {file: self._inspected.sums[file] for file in files}
            faults = compare_files(
                self.path,
                sums,
                self.description,
                jobs=jobs,
                medium=self.medium,
                progress=progress,
            )
        finally:
            progress.end()
        if faults:
            raise corrupt(self.description, faults.values())
        return VerifiedBundle(bundle=self, files=len(sums), size=self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedBundle:
    """A bundle of which every byte was read and is what `SHA256SUMS` says.

    Only `Bundle.verify` makes one.
    """

    bundle: Bundle
    files: int
    size: int
    """Bytes of these files together."""
