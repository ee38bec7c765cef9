"""What is sent of a blob in one request."""

from __future__ import annotations

from collections.abc import Iterator

from transfer.digest import Readable
from transfer.errors import StorageError
from transfer.http.transport import BLOCK


class Upload:
    """A request's body: the next `size` bytes of a stream, passed on as they are read."""

    def __init__(self, stream: Readable, size: int, what: str) -> None:
        self._stream = stream
        self._size = size
        self._what = what
        self._sent = 0

    def __len__(self) -> int:
        """Bytes, for Content-Length."""
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        """Every block; that there is an iterator marks a stream for requests."""
        return iter(lambda: self.read(BLOCK), b"")

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes.

        Raises:
            StorageError: the stream's own side failed; without this, urllib3 would take it for
                a failure of the connection.
            TransferError: as the stream raises it.
        """
        left = self._size - self._sent
        wanted = left if size < 0 else min(size, left)
        if not wanted:
            return b""
        try:
            block = self._stream.read(wanted)
        except OSError as error:
            raise StorageError(f"{self._what}: cannot be read: {error.strerror}") from error
        self._sent += len(block)
        return block

    @property
    def complete(self) -> bool:
        """Whether all of it was handed over."""
        return self._sent == self._size
