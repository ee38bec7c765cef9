"""gzip by several threads, always with the same result (docs/decisions/0003).

The content is cut into blocks of one size, each compressed by itself with the end of the block
before it as its dictionary; every block but the last is brought to a byte boundary, so that the
results simply follow one another. Neither the number of threads nor the sizes in which the
content arrives play a part. The idea is that of pigz.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Self

from transfer.archive import flate
from transfer.digest import Readable

BLOCK = 1 << 20
"""Bytes of content in a block; part of what the output depends on."""

COMPRESSOR = f"{flate.NAME} level {flate.LEVEL}, blocks of 1 MiB"
"""Everything that the output depends on, apart from the content."""

MAX_THREADS = 8
HEADER = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF))
"""RFC 1952: deflate, no name, no date, system unknown."""


class Compressor:
    """Threads that compress, shared by any number of streams."""

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or min(len(os.sched_getaffinity(0)), MAX_THREADS)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="gzip")

    def __enter__(self) -> Self:
        """Compress until the block ends."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Let the threads go."""
        self.close()

    def close(self) -> None:
        """Let the threads go; what they have not begun is not done."""
        self._pool.shutdown(cancel_futures=True)

    def compress(self, stream: Readable) -> Generator[bytes, None, None]:
        """The compressed form of a stream, piece by piece; close it when leaving early."""
        waiting: deque[Future[bytes]] = deque()
        checksum, length = 0, 0
        block, following, dictionary = read_block(stream), b"", b""
        yield HEADER
        try:
            while True:
                following = read_block(stream) if len(block) == BLOCK else b""
                last = not following
                waiting.append(self._pool.submit(flate.deflate, block, dictionary, last=last))
                checksum, length = flate.crc32(block, checksum), length + len(block)
                if last:
                    break
                if len(waiting) > self._threads:
                    yield waiting.popleft().result()
                block, dictionary = following, block[-flate.WINDOW :]
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
        yield struct.pack("<LL", checksum, length & 0xFFFFFFFF)


def read_block(stream: Readable) -> bytes:
    """The next block of a stream, short only at its end."""
    parts, left = [], BLOCK
    while left and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


class Pieces:
    """Pieces of content as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""

    def read(self, size: int = -1, /) -> bytes:
        """Some bytes, at most `size`, b"" at the end; all that is left when `size` is negative."""
        if size < 0:
            return b"".join(iter(partial(self.read, BLOCK), b""))
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._piece = piece
        block, self._piece = self._piece[:size], self._piece[size:]
        return block
