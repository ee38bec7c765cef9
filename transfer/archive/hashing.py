"""Hashing beside the thread that reads: hashlib lets other threads run while it works."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from transfer.digest import Digest

DEPTH = 8
"""Blocks that may wait to be hashed; more would only take memory."""

SMALL = 16 * 1024
"""Bytes below which handing a block to another thread costs more than hashing it."""


class Lane:
    """One thread that hashes blocks in the order in which they are given."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hash")
        self._room = threading.Semaphore(DEPTH)

    def __enter__(self) -> Self:
        """Hash until the block ends."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the thread go."""
        self._thread.shutdown(cancel_futures=error is not None)

    def start(self, algorithm: str = "sha256") -> Hashing:
        """Begin to hash some content."""
        return Hashing(self, algorithm)

    def submit(self, content: Hashing, block: bytes) -> None:
        """Hash a block, later; waits while too many are before it."""
        self._room.acquire()
        self._thread.submit(self._update, content, block)

    def finish(self, content: Hashing) -> Future[Digest]:
        """The digest, once everything before it is done."""
        return self._thread.submit(content.digest)

    def _update(self, content: Hashing, block: bytes) -> None:
        content.hash.update(block)
        self._room.release()


class Hashing:
    """The digest of some content on its way."""

    def __init__(self, lane: Lane, algorithm: str) -> None:
        self.hash = hashlib.new(algorithm)
        self._lane = lane
        self._queued = False

    def update(self, block: bytes) -> None:
        """Go on with a block."""
        if len(block) > SMALL or self._queued:
            self._queued = True
            self._lane.submit(self, block)
        else:
            self.hash.update(block)

    def result(self) -> Future[Digest]:
        """The digest; it may still be on its way."""
        if self._queued:
            return self._lane.finish(self)
        done: Future[Digest] = Future()
        done.set_result(self.digest())
        return done

    def digest(self) -> Digest:
        """The digest of what was hashed so far."""
        return Digest(self.hash.name, self.hash.hexdigest())
