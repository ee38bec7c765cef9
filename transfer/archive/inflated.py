"""A gzip file inside an archive: whoever made it chose how large it is once inflated."""

from __future__ import annotations

import gzip
import zlib
from typing import IO, cast

from transfer.digest import Readable
from transfer.errors import CorruptArchive

DAMAGED = (gzip.BadGzipFile, zlib.error, EOFError, CorruptArchive)
"""What reading one raises where it is damaged, or inflates without end."""


class Inflated:
    """The content of a gzip file, read forward and not without end."""

    def __init__(self, content: Readable, limit: int) -> None:
        """`limit` is the number of bytes that may come out."""
        self.position = 0
        """Bytes that were read."""
        self._content = gzip.GzipFile(fileobj=cast("IO[bytes]", content))
        self._limit = limit

    def read(self, size: int, /) -> bytes:
        """Some bytes, at most `size`."""
        block = self._content.read1(size)
        self.position += len(block)
        if self.position > self._limit:
            raise CorruptArchive(f"more than {self._limit} bytes when inflated")
        return block

    def mark(self) -> None:
        """Nobody comes back here."""
