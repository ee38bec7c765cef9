"""Where the blobs of an archive are, by digest, and how each is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from io import BytesIO

from transfer.archive.compress import Compressor, Pieces
from transfer.archive.gzipstream import GzipFile
from transfer.archive.tarscan import Section
from transfer.digest import Digest, Readable
from transfer.errors import NotFound

HELD_AT_ONCE = 32 << 20
"""Bytes of small blobs that are kept in memory; the rest is read from the file when needed."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A place in the content of a gzip file."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Shelved:
    """One blob: in memory, or at a place in the file, there perhaps not compressed yet."""

    size: int
    content: bytes | Extent
    packed: bool = False
    """Whether the place holds what the blob is the compressed form of."""


class Shelf:
    """The blobs of one archive."""

    def __init__(self, file: GzipFile, compressor: Compressor) -> None:
        self._file = file
        self._compressor = compressor
        self._blobs: dict[Digest, Shelved] = {}
        self._room = HELD_AT_ONCE

    @property
    def file_size(self) -> int:
        """Bytes of the archive's file."""
        return self._file.size

    def hold(self, digest: Digest, content: bytes) -> None:
        """Put a blob here whose content is in memory; it has to stay there."""
        self._blobs[digest] = Shelved(len(content), content)

    def place(self, digest: Digest, extent: Extent, small: bytes | None = None) -> None:
        """Put a blob here that is in the file as it is; `small` is its content, if that is little.

        Small content is kept in memory as long as there is room.
        """
        if small is not None and len(small) <= self._room:
            self._room -= len(small)
            self.hold(digest, small)
        else:
            self._blobs[digest] = Shelved(extent.size, extent)

    def pack(self, digest: Digest, size: int, extent: Extent) -> None:
        """Put a blob here that is made by compressing a part of the file."""
        self._blobs[digest] = Shelved(size, extent, packed=True)

    def drop(self, digest: Digest) -> None:
        """Take a blob away whose bytes turned out wrong."""
        self._blobs.pop(digest, None)

    def size(self, digest: Digest) -> int | None:
        """The size of a blob, or None where it is not here."""
        blob = self._blobs.get(digest)
        return blob.size if blob else None

    def where(self, digest: Digest) -> int | None:
        """Where in the file's content a blob begins, -1 if it is in memory, None if not here."""
        blob = self._blobs.get(digest)
        if blob is None:
            return None
        return -1 if isinstance(blob.content, bytes) else blob.content.offset

    def open(self, digest: Digest) -> AbstractContextManager[Readable]:
        """Open a blob at its first byte.

        Raises:
            NotFound: it is not here.
        """
        blob = self._blobs.get(digest)
        if blob is None:
            raise NotFound(f"{self._file.what}: {digest} is not in it")
        if isinstance(blob.content, bytes):
            return nullcontext(BytesIO(blob.content))
        if blob.packed:
            return self._packed(blob.content)
        return nullcontext(self.section(blob.content))

    def section(self, extent: Extent) -> Section:
        """A part of the file's content."""
        what = f"{self._file.what}: byte {extent.offset} of its content"
        return Section(self._file.open(extent.offset), extent.size, what)

    @contextmanager
    def _packed(self, extent: Extent) -> Iterator[Readable]:
        with closing(self._compressor.compress(self.section(extent))) as pieces:
            yield Pieces(pieces)
