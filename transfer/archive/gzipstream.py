"""A gzip file that is read once from start to end, and afterwards from any place.

While it is read for the first time, copies of the inflating state are kept: later a reader
starts at the nearest one before the place it wants. Their number is bounded, so memory stays
the same whatever the size of the file; the larger the file, the further apart they are, and large
members keep theirs longest.

Source: RFC 1952. A file may hold several members one after the other.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Self

from transfer.archive.flate import Decompressor, FlateError, decompressor
from transfer.archive.signature import describe
from transfer.disk import storage_errors
from transfer.errors import CorruptArchive, InvalidInput

BLOCK = 256 * 1024
"""Bytes read from the file, and bytes inflated, at a time."""

CHECKPOINTS = 512
"""How many states are kept at most; one takes about 42 KB."""

SPACING = 1 << 20
"""Bytes of content between two of them at first, and more once there are too many."""

MAGIC = b"\x1f\x8b"
AGAIN = "copy or download it again, and compare its size and SHA-256 with the vendor's"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Everything needed to go on inflating from one place."""

    offset: int
    """Where in the content."""
    raw: int
    """Where in the file the next compressed byte is."""
    state: Decompressor


class GzipFile:
    """A gzip file, and the checkpoints that were kept of it."""

    def __init__(
        self,
        path: Path,
        name: str = "",
        *,
        block: int = BLOCK,
        checkpoints: int = CHECKPOINTS,
        spacing: int = SPACING,
    ) -> None:
        """Open the file; `name` is what it is called where that is not its name here.

        Raises:
            NotFound, StorageError: it cannot be opened.
            CorruptArchive: it is empty.
            InvalidInput: it is something else than a gzip file.
        """
        self.path = path
        self.name = name or path.name
        self.what = f"archive {path}" if self.name == path.name else f"archive {name} ({path})"
        self.block = block
        self._limit = checkpoints
        self._spacing = spacing
        self._kept: list[Checkpoint] = []
        with storage_errors(self.what):
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._check_start()
        except BaseException:
            self.close()
            raise

    def _check_start(self) -> None:
        with storage_errors(self.what):
            status = os.fstat(self._fd)
            self.size = status.st_size
            if not stat.S_ISREG(status.st_mode):
                raise InvalidInput(f"{self.what}: not a plain file")
            start = os.pread(self._fd, 512, 0)
        if not start:
            raise CorruptArchive(f"{self.what}: the file is empty", hint=AGAIN)
        if start[:2] != MAGIC:
            raise InvalidInput(
                f"{self.what}: not a gzip file; {describe(start)}",
                hint="give kotsadm.tar.gz, an .airgap file or an *_images.tgz as it was downloaded",
            )

    def __enter__(self) -> Self:
        """Read from it until the block ends."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the file; nothing can be read any more."""
        os.close(self._fd)

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """Where in the content a reader can start."""
        return tuple(checkpoint.offset for checkpoint in self._kept)

    def scan(self, seen: Callable[[bytes], None]) -> Scan:
        """Start the first reading; `seen` gets every block of the file itself."""
        return Scan(self, seen)

    def open(self, offset: int) -> Inflater:
        """Read the content from `offset` on; any number of threads may do so at once."""
        inflater = Inflater(self, self._before(offset))
        inflater.skip(offset - inflater.position)
        return inflater

    def read_raw(self, offset: int) -> bytes:
        """A block of the file itself."""
        with storage_errors(self.what):
            return os.pread(self._fd, self.block, offset)

    def wants(self, offset: int) -> bool:
        """Whether a checkpoint at `offset` is far enough from the last."""
        return offset >= self._spacing + (self._kept[-1].offset if self._kept else 0)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint behind all others; if they are too many, let go of the least useful.

        That is the one nearest to the one before it: a reader who wants what lies behind it has
        least to pass over. From then on none is wanted that would be nearer still.
        """
        self._kept.append(checkpoint)
        if len(self._kept) > self._limit:
            places = (0, *self.checkpoints)
            gaps = [after - before for before, after in pairwise(places)]
            self._spacing = max(self._spacing, min(gaps))
            del self._kept[gaps.index(min(gaps))]

    def _before(self, offset: int) -> Checkpoint:
        following = bisect_right(self._kept, offset, key=attrgetter("offset"))
        if following:
            return self._kept[following - 1]
        return Checkpoint(offset=0, raw=0, state=decompressor())


class Inflater:
    """Content of a gzip file from one place on, block by block."""

    def __init__(self, file: GzipFile, start: Checkpoint) -> None:
        self._file = file
        self._state = start.state.copy()
        self._raw = start.raw
        self._input = b""
        self._end = start.offset
        self._buffer = b""
        self._taken = 0

    @property
    def position(self) -> int:
        """Where in the content the next byte comes from."""
        return self._end - len(self._buffer) + self._taken

    def read(self, size: int, /) -> bytes:
        """Some bytes, at most `size`; b"" at the end.

        Raises:
            CorruptArchive: the compressed data is damaged, cut short, or followed by other data.
        """
        if not size or not self._ready():
            return b""
        start = self._taken
        self._taken = min(start + size, len(self._buffer))
        return self._buffer[start : self._taken]

    def mark(self) -> None:
        """Only the first reading keeps checkpoints."""

    def skip(self, count: int) -> None:
        """Pass over `count` bytes, or what is left of the content."""
        while count > 0 and self._ready():
            passed = min(count, len(self._buffer) - self._taken)
            self._taken += passed
            count -= passed

    def _ready(self) -> bool:
        return self._taken < len(self._buffer) or self._fill()

    def _fill(self) -> bool:
        """Inflate the next block; False at the end of the file."""
        while not self._state.eof or self._next_member():
            if not self._input:
                self._input = self._read_raw()
            block = self._inflate()
            if block:
                self._end += len(block)
                self._buffer, self._taken = block, 0
                return True
        return False

    def _inflate(self) -> bytes:
        given, state = self._input, self._state
        try:
            block = state.decompress(given, self._file.block)
        except FlateError as error:
            raise self._damaged(error) from error
        self._input = state.unused_data if state.eof else state.unconsumed_tail
        if not given and not block and not state.eof:
            raise CorruptArchive(
                f"{self._file.what}: ends in the middle of its compressed data, "
                f"after {self._file.size} bytes: it was cut short",
                hint=AGAIN,
            )
        return block

    def _next_member(self) -> bool:
        while len(self._input) < len(MAGIC) and (more := self._read_raw()):
            self._input += more
        if not self._input:
            return False
        if not self._input.startswith(MAGIC):
            at = self._raw - len(self._input)
            raise CorruptArchive(
                f"{self._file.what}: {self._file.size - at} bytes follow the end of its "
                f"compressed data at byte {at}",
                hint=AGAIN,
            )
        self._state = decompressor()
        return True

    def _read_raw(self) -> bytes:
        block = self._file.read_raw(self._raw)
        self._raw += len(block)
        return block

    def _damaged(self, error: Exception) -> CorruptArchive:
        text = str(error)
        if "incorrect data check" in text or "incorrect length check" in text:
            why = "its content does not match the checksum at its end"
        else:
            why = f"its compressed data is damaged near byte {self._raw - len(self._input)}"
        return CorruptArchive(f"{self._file.what}: {why} ({text})", hint=AGAIN)


class Scan(Inflater):
    """The first reading, which keeps checkpoints at the places that are marked."""

    def __init__(self, file: GzipFile, seen: Callable[[bytes], None]) -> None:
        super().__init__(file, Checkpoint(offset=0, raw=0, state=decompressor()))
        self._seen = seen
        self._candidate: Checkpoint | None = None

    def mark(self) -> None:
        """Somebody may want to read from here on later."""
        if self._candidate and self._file.wants(self._candidate.offset):
            self._file.keep(self._candidate)
        self._candidate = None

    def _fill(self) -> bool:
        if self._file.wants(self._end) and not self._state.eof:
            self._candidate = self._checkpoint()
        return super()._fill()

    def _checkpoint(self) -> Checkpoint:
        state = self._state.copy()
        # A copy holds on to the input that is left. Asked for one byte without input it lets
        # go of it, and memory stays that of the state alone.
        extra = state.decompress(b"", 1)
        raw = self._raw - len(self._input)
        return Checkpoint(offset=self._end + len(extra), raw=raw, state=state)

    def _read_raw(self) -> bytes:
        block = super()._read_raw()
        self._seen(block)
        return block
