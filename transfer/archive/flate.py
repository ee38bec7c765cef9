"""The deflate library in use: zlib-ng where it is installed, otherwise the standard zlib.

Both read the same streams; what they write differs, so `NAME` goes wherever the bytes do.
"""

from __future__ import annotations

import zlib
from types import ModuleType
from typing import Protocol, Self, cast

try:
    from zlib_ng import zlib_ng as faster
except ImportError:
    faster = None  # type: ignore[assignment]

GZIP = 31
"""Window bits that make the library read and check a gzip header and trailer."""

RAW = -15
"""Window bits for deflate data without header and trailer."""

WINDOW = 32 * 1024
"""Bytes that a deflate stream may refer back to (RFC 1951)."""


class Decompressor(Protocol):
    """A stream being inflated; `copy` takes a checkpoint of it."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""
        ...

    @property
    def unconsumed_tail(self) -> bytes:
        """Input that was left when `max_length` was reached."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Input after the end of the stream."""
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Inflate up to `max_length` bytes."""
        ...

    def copy(self) -> Self:
        """The same state again, to go on from later."""
        ...


_FASTER: ModuleType | None = faster
_LIBRARY = _FASTER or zlib

NAME = (
    f"zlib-ng {_FASTER.ZLIBNG_RUNTIME_VERSION}" if _FASTER else f"zlib {zlib.ZLIB_RUNTIME_VERSION}"
)

FlateError = cast("type[Exception]", _LIBRARY.error)
"""What the library raises for data that is not deflate."""

LEVEL = 2 if _FASTER else 1
"""The level whose output has a given size in the least time: docs/decisions/0003."""


def decompressor() -> Decompressor:
    """A new gzip stream to read; it checks the stream's own length and checksum at the end."""
    return cast("Decompressor", _LIBRARY.decompressobj(GZIP))


def deflate(block: bytes, dictionary: bytes, *, last: bool) -> bytes:
    """Compress one block of a stream, knowing the content before it.

    The result ends on a byte boundary, so that the next block's can simply follow.
    """
    if dictionary:
        stream = _LIBRARY.compressobj(LEVEL, _LIBRARY.DEFLATED, RAW, 8, 0, dictionary)
    else:
        stream = _LIBRARY.compressobj(LEVEL, _LIBRARY.DEFLATED, RAW, 8, 0)
    mode = _LIBRARY.Z_FINISH if last else _LIBRARY.Z_SYNC_FLUSH
    return cast("bytes", stream.compress(block) + stream.flush(mode))


def crc32(block: bytes, value: int) -> int:
    """The checksum of a gzip trailer, continued over `block`."""
    return cast("int", _LIBRARY.crc32(block, value))
