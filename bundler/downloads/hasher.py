"""Hashes a file while it arrives, in a thread of its own.

It reads what was just written, from memory as long as the disk is not slower than the network, so
it does not matter in which order the bytes came, nor in which run.
"""

from __future__ import annotations

import hashlib
import os
import threading

from bundler.downloads.stop import Stop, Stopped
from transfer.digest import Digest
from transfer.disk import BLOCK, storage_errors
from transfer.errors import StorageError, TransferError


class Hasher:
    """Follows the bytes that are there from the start of a file."""

    def __init__(self, handle: int, what: str, stop: Stop) -> None:
        """Start."""
        self._handle = handle
        self._what = what
        self._stop = stop
        self._hash = hashlib.sha256()
        self._reached = 0
        self._worth = BLOCK
        """Where there is enough to wake up for: small pieces would have it switch all the time."""
        self._ended = False
        self._error: TransferError | Stopped | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="hash", daemon=True)
        self._thread.start()

    def reach(self, end: int) -> None:
        """All bytes up to `end` are there now."""
        with self._changed:
            self._reached = max(self._reached, end)
            if self._reached >= self._worth:
                self._changed.notify()

    def finish(self) -> Digest:
        """The digest of all that was reached.

        Raises:
            StorageError: reading failed.
            Stopped: somebody wants no digest any more.
        """
        self._end()
        if self._error:
            raise self._error
        return Digest("sha256", self._hash.hexdigest())

    def abandon(self) -> None:
        """No digest is wanted; wait until the thread is gone."""
        self._error = Stopped()
        self._end()

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._follow()
        except (TransferError, Stopped) as error:
            self._error = error

    def _follow(self) -> None:
        at = 0
        buffer = memoryview(bytearray(BLOCK))
        while (end := self._wait(at)) > at:
            while at < end and not self._error:
                self._stop.check()
                at += self._take(buffer[: end - at], at)

    def _wait(self, at: int) -> int:
        with self._changed:
            self._worth = at + BLOCK
            self._changed.wait_for(lambda: self._reached >= self._worth or self._ended)
            return at if self._error else self._reached

    def _take(self, buffer: memoryview, at: int) -> int:
        with storage_errors(self._what):
            count = os.preadv(self._handle, [buffer], at)
        if not count:
            raise StorageError(f"{self._what}: somebody else cut the part short in the cache")
        self._hash.update(buffer[:count])
        return count
