"""Writing a tar in a gzip, byte for byte the same on every machine.

The gzip holds its content as it is, in stored blocks: no compressor is involved whose version
could matter, and what goes in (layers, charts) is compressed already.
Sources: RFC 1951, 3.2.4; RFC 1952.
"""

from __future__ import annotations

import struct
import tarfile
import zlib
from types import TracebackType
from typing import BinaryIO, Self

from transfer.archive.compress import HEADER
from transfer.digest import Readable

STORED = 0xFFFF
"""Bytes of a stored block at most."""

BLOCK = 512
RECORD = 20 * BLOCK
READ = 1 << 20


class TarWriter:
    """Writes plain files into a gzip tar: mode 0644, no owner, no date."""

    def __init__(self, stream: BinaryIO) -> None:
        self._gzip = _StoredGzip(stream)
        self._written = 0

    def __enter__(self) -> Self:
        """Write until the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the end, unless something went wrong."""
        if error is None:
            end = 2 * BLOCK
            self._write(bytes(end + -(self._written + end) % RECORD))
            self._gzip.finish()

    def add(self, name: str, content: bytes) -> None:
        """Add a file whose content is in memory."""
        self._header(name, len(content))
        self._write(content)
        self._pad(len(content))

    def add_stream(self, name: str, stream: Readable, size: int) -> None:
        """Add a file of `size` bytes.

        Raises:
            ValueError: the stream has another size; a stream that proves its content says so
                itself before it comes to that.
        """
        self._header(name, size)
        left = size
        while block := stream.read(READ):
            left -= len(block)
            self._write(block)
        if left:
            raise ValueError(f"{name}: {size - left} bytes instead of {size}")
        self._pad(size)

    def _header(self, name: str, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size = size
        self._write(info.tobuf(tarfile.GNU_FORMAT))

    def _pad(self, size: int) -> None:
        self._write(bytes(-size % BLOCK))

    def _write(self, data: bytes) -> None:
        self._written += len(data)
        self._gzip.write(data)


class _StoredGzip:
    """A gzip file that compresses nothing; the sizes of the writes leave no trace in it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._waiting = bytearray()
        self._checksum = 0
        self._length = 0
        stream.write(HEADER)

    def write(self, data: bytes) -> None:
        self._checksum = zlib.crc32(data, self._checksum)
        self._length += len(data)
        self._waiting += data
        whole = len(self._waiting) // STORED * STORED
        for start in range(0, whole, STORED):
            self._block(self._waiting[start : start + STORED], last=False)
        del self._waiting[:whole]

    def finish(self) -> None:
        self._block(self._waiting, last=True)
        self._stream.write(struct.pack("<LL", self._checksum, self._length & 0xFFFFFFFF))

    def _block(self, content: bytearray, *, last: bool) -> None:
        head = struct.pack("<BHH", last, len(content), len(content) ^ STORED)
        self._stream.write(head + content)
