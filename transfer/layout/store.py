"""`OciLayout`: the blobs of an OCI image layout, with its index, as source and target.

Source: OCI image-spec `image-layout.md`. Content is written below `ingest/`, verified, and
renamed into `blobs/<algorithm>/<hex>`: a blob is there whole or not at all, even after kill -9.
Several threads and several processes may write to one layout.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Self

from transfer.descriptor import MAX_MANIFEST_SIZE, OCI_MANIFEST, Descriptor, Manifest
from transfer.digest import Digest, Readable, VerifyingReader
from transfer.disk import BLOCK, PlainFile, ingest, open_plain, plain_size
from transfer.errors import IntegrityError, InvalidInput, NotFound, TransferError, UnsafePath
from transfer.graph import successors
from transfer.layout.extent import place_on_medium
from transfer.layout.folders import BLOBS, INDEX_LOCK, INGEST, begin_writing, check_layout
from transfer.layout.index import IndexFile
from transfer.layout.proof import find_faults
from transfer.medium import Medium
from transfer.progress import SILENT, Progress
from transfer.store import OpenContent, Target


class OciLayout:
    """One OCI image layout; `read` and `create` make one."""

    def __init__(self, path: Path, description: str, writing: BinaryIO | None = None) -> None:
        self.path = path
        self.description = description
        """How messages name it."""
        self.medium = Medium(time.perf_counter)
        self._writing = writing
        self._index = IndexFile(path, path / INGEST / INDEX_LOCK, description)

    @classmethod
    def read(cls, path: Path, description: str = "") -> Self:
        """Open a layout that exists, for reading.

        Raises:
            NotFound: there is none.
            UnsupportedVersion: it is of another version.
            IntegrityError: its `oci-layout` is damaged, or a link stands among its folders.
        """
        layout = cls(path, description or f"OCI layout {path}")
        check_layout(path, layout.description)
        return layout

    @classmethod
    def create(cls, path: Path, description: str = "") -> Self:
        """Open a layout for writing, made where there is none. Close it when done.

        Raises:
            StorageError: the folder cannot be written.
            UnsupportedVersion, IntegrityError: as `read`.
        """
        what = description or f"OCI layout {path}"
        layout = cls(path, what, begin_writing(path, what))
        try:
            check_layout(path, what)
            layout._index.begin()
        except BaseException:
            layout.close()
            raise
        return layout

    def close(self) -> None:
        """No longer a writer; reading goes on working."""
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def __enter__(self) -> Self:
        """The layout itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def images(self) -> dict[str, Descriptor]:
        """Every name in `index.json` and the manifest it stands for.

        Raises:
            NotFound: there is no such file.
            IntegrityError: it is not an index.
        """
        return self._index.images()

    def path_of(self, digest: Digest) -> Path:
        """Where a blob or manifest is kept, whether it is there or not."""
        return self.path / BLOBS / digest.algorithm / digest.encoded

    @property
    def scratch(self) -> Path:
        """A folder for unfinished files, on the same file system; there while this writes."""
        return self.path / INGEST

    def open(self, descriptor: Descriptor) -> AbstractContextManager[PlainFile]:
        """Open a blob or manifest at its first byte; not verified here.

        Raises:
            NotFound: it is not there.
            UnsafePath: a link stands in its place.
        """
        return open_plain(self.path_of(descriptor.digest), self._what(descriptor.digest))

    def resolve(self, name: str) -> Descriptor | None:
        """The manifest that a name or digest stands for, None unless all of it is there.

        A name whose content is damaged or gone counts as not there, so that a copy mends it.

        Raises:
            UnsafePath: a link stands in a blob's place.
        """
        root = self.images().get(name) or self._by_digest(name)
        if root is None:
            return None
        try:
            manifests = successors(self, root)
        except UnsafePath:
            raise
        except (NotFound, IntegrityError):
            return None
        if not all(self.has_blob(blob) for manifest in manifests for blob in manifest.blobs):
            return None
        return manifests[-1].descriptor

    def place(self, descriptor: Descriptor) -> int | None:
        """Where on its medium it begins; None where the file system does not tell."""
        return place_on_medium(self.path_of(descriptor.digest))

    def has_blob(self, blob: Descriptor) -> bool:
        """Whether a blob is there with the right size.

        Raises:
            UnsafePath: a link stands in its place.
        """
        return plain_size(self.path_of(blob.digest), self._what(blob.digest)) == blob.size

    def push_blob(self, blob: Descriptor, content: OpenContent) -> None:
        """Write a blob.

        Raises:
            IntegrityError: the content is not what the descriptor promised; nothing was kept.
            StorageError: it cannot be written; nothing was kept.
        """
        with self._ingest(blob.digest) as file, content() as stream:
            shutil.copyfileobj(_verified(stream, blob, self._what(blob.digest)), file, BLOCK)

    def mount_blob(self, blob: Descriptor, origin: Target) -> bool:
        """Every name shares the blobs: what this layout holds needs no mount."""
        return origin is self and self.has_blob(blob)

    def push_manifest(self, manifest: Manifest, name: str) -> None:
        """Write a manifest, and its name into `index.json` unless that is its own digest.

        Raises:
            StorageError: it cannot be written.
        """
        descriptor = manifest.descriptor
        if not self._holds(manifest):
            with self._ingest(descriptor.digest) as file:
                file.write(manifest.raw)
        if name != str(descriptor.digest):
            self._index.point(name, descriptor)

    def retain(self, names: Iterable[str]) -> None:
        """Take every other name out of `index.json`; blobs stay.

        Raises:
            StorageError: it cannot be written.
        """
        self._index.retain(names)

    def verify(self, progress: Progress = SILENT, jobs: int = 2) -> list[TransferError]:
        """Read everything that `index.json` reaches; return what is wrong with it.

        Raises:
            NotFound, IntegrityError: `index.json` itself cannot be read.
        """
        return find_faults(self, self.images(), jobs=jobs, progress=progress)

    def _what(self, digest: Digest) -> str:
        return f"{self.description}: blob {digest}"

    def _ingest(self, digest: Digest) -> AbstractContextManager[BinaryIO]:
        return ingest(self.path_of(digest), self.scratch, self._what(digest))

    def _holds(self, manifest: Manifest) -> bool:
        """Size is not enough here: manifests are small, and everything hangs on them."""
        descriptor = manifest.descriptor
        if not self.has_blob(descriptor):
            return False
        with self.open(descriptor) as stream:
            return stream.read() == manifest.raw

    def _by_digest(self, name: str) -> Descriptor | None:
        try:
            digest = Digest.parse(name)
        except InvalidInput:
            return None
        size = plain_size(self.path_of(digest), self._what(digest))
        if size is None or size > MAX_MANIFEST_SIZE:
            return None
        # The media type is a guess; the bytes tell, and a manifest's own descriptor is returned.
        return Descriptor(media_type=OCI_MANIFEST, digest=digest, size=size)


def _verified(stream: Readable, blob: Descriptor, what: str) -> Readable:
    """`copy` hands over streams that verify themselves; hashing twice would halve the speed."""
    if isinstance(stream, VerifyingReader):
        return stream
    return VerifyingReader(stream, blob.digest, blob.size, what)
