"""The part of a download that is here already, in the cache.

    CACHE/partial/<name>            the bytes at their places, locked by whoever downloads them
    CACHE/partial/<name>.journal    which of them are there (see `bundler.downloads.journal`)

<name> is the digest that the file has to have; without one, the digest of its identity.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Self

from bundler.downloads.boot import boot_id
from bundler.downloads.confirming import Confirming
from bundler.downloads.hasher import Hasher
from bundler.downloads.journal import Content, Journal, read_journal
from bundler.downloads.ranges import Pair, Ranges
from bundler.downloads.stop import Stop
from bundler.downloads.unconfirmed import note_unconfirmed
from transfer.digest import Digest
from transfer.disk import FILE_MODE, set_mode, share_lock, storage_errors, try_lock_file
from transfer.errors import StorageError
from transfer.progress import Progress

NOTE_EVERY = 1 << 20
"""Bytes after which the journal gets a line: what a killed process fetches again, at most."""

_LOOK_AGAIN = 0.5
"""Seconds between two looks whether another process has let go of the part."""


@dataclass(frozen=True, slots=True)
class _Place:
    """The file of a part, locked and open for writing anywhere."""

    path: Path
    lock: BinaryIO
    handle: int
    """Another one than that of the lock, which can only append."""


class Part:
    """Some bytes of a file; written to by several connections at once."""

    def __init__(self, place: _Place, what: str, stop: Stop, tally: Progress) -> None:
        """Use `open`."""
        self.what = what
        """How messages name the download."""
        self._path = place.path
        self._file = place.lock
        self._ours = True
        self._handle = place.handle
        self._stop = stop
        self._tally = tally
        self._lock = threading.RLock()
        noted = read_journal(journal_of(place.path), what)
        self.content = noted.content
        """What these are bytes of."""
        with storage_errors(what):
            size = os.fstat(self._handle).st_size
        self._ranges = noted.here.within(size)
        self._journal = Journal(journal_of(place.path), what, noted.synced.within(size).pairs)
        with self._asking_the_disk():
            os.fdatasync(self._handle)
        self.continued = self._ranges.total > 0
        """Whether some came in an earlier run."""
        self.arrived = 0
        """Bytes that came in this run, those that were forgotten again included."""
        self.most = self._ranges.total
        """The most bytes that were ever here."""
        self.waited = False
        """Whether another process had it, and has perhaps brought all of it."""
        self._unnoted = 0
        self._journal.begin(self.content, self._ranges.pairs)
        self._confirming = Confirming(self._sync)
        self._hasher = self._follow()

    @classmethod
    def open(cls, path: Path, what: str, stop: Stop, tally: Progress) -> Self:
        """Lock the part, waiting while another process has it, and see what is there.

        Raises:
            StorageError: the cache cannot be written or read.
            Stopped: while it waited.
        """
        with ExitStack() as undo:
            lock, waited = _lock(path, what, stop, tally)
            undo.enter_context(lock)
            with storage_errors(what):
                handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            undo.callback(os.close, handle)
            part = cls(_Place(path, lock, handle), what, stop, tally)
            part.waited = waited
            undo.pop_all()
            return part

    @property
    def here(self) -> int:
        """How many bytes there are."""
        with self._lock:
            return self._ranges.total

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.content.size is not None and self.here >= self.content.size

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Which bytes there are."""
        with self._lock:
            return self._ranges.pairs

    def begin(self, content: Content) -> None:
        """Other content than before comes, from its start; what was here is forgotten.

        Raises:
            StorageError: the files cannot be written.
        """
        self._hasher.abandon()
        self._confirming.wait()
        with self._lock:
            self._tally.advance(-self._ranges.total)
            self.content, self.continued = content, False
            self._ranges, self._unnoted = Ranges(), 0
            self._journal.begin(content, ())
            with storage_errors(self.what):
                self._empty()
        self._hasher = self._follow()

    def learn(self, size: int) -> None:
        """The whole has this size.

        Raises:
            StorageError: the journal cannot be written.
        """
        with self._lock:
            self.content = replace(self.content, size=size)
            self._journal.describe(self.content)
            self._note()

    def write(self, offset: int, block: bytes) -> None:
        """Put what arrived at its place.

        Raises:
            StorageError: the disk is full, above all; what was there before stays.
        """
        with storage_errors(self.what):
            written = 0
            while written < len(block):
                written += os.pwrite(self._handle, memoryview(block)[written:], offset + written)
        with self._lock:
            new = self._ranges.add(offset, offset + len(block))
            self.arrived += new
            self.most = max(self.most, self._ranges.total)
            self._unnoted += new
            if self._unnoted >= NOTE_EVERY:
                self._note()
            self._confirming.wrote()
            self._hasher.reach(self._ranges.prefix)
        self._tally.advance(new)

    def digest(self) -> Digest:
        """The digest of the complete file.

        Raises:
            StorageError: it cannot be read.
            Stopped: somebody wants it no more.
        """
        return self._hasher.finish()

    def keep_as(self, final: Path, unconfirmed: Path) -> BinaryIO:
        """Give the complete file its place; it is no part any more.

        The disk is waited for, unless all of it came so quickly that it is quicker to fetch it
        again than to be sure.

        Args:
            final: The place.
            unconfirmed: Where to note that the disk was not waited for.

        Returns:
            The file, locked against its removal until it is closed.

        Raises:
            StorageError: it cannot be written.
        """
        self._confirming.wait()
        with storage_errors(self.what):
            os.ftruncate(self._handle, self.content.size or 0)
        quick = self._confirming.brief and not self.continued and boot_id()
        if quick:
            note_unconfirmed(unconfirmed, self.what)
        else:
            self._sync()
        with self._asking_the_disk():
            self._let_go()  # before it has its name: a network file system writes it now
        with storage_errors(self.what):
            final.parent.mkdir(parents=True, exist_ok=True)
            set_mode(self._path, FILE_MODE)
            self._path.replace(final)
            share_lock(self._file)
            journal_of(self._path).unlink(missing_ok=True)
            if not quick:
                unconfirmed.unlink(missing_ok=True)
        self._ours = False
        return self._file

    def remove(self) -> None:
        """Take it off the disk.

        Raises:
            StorageError: it cannot be removed.
        """
        self._hasher.abandon()
        with storage_errors(self.what):
            journal_of(self._path).unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
        self._file.close()  # who waits for it may begin anew
        self._ours = False

    def close(self) -> None:
        """Let go of it; what arrived stays for the next run."""
        self._hasher.abandon()
        with suppress(StorageError):  # of a full disk, which was told already
            self._confirming.wait()
            if self._ours:
                self._leave()
        if self._ours:
            self._file.close()
        self._journal.close()
        self._let_go()

    def _let_go(self) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def _empty(self) -> None:
        # Not without need: ext4 writes a file that was emptied to the disk when it is closed.
        if os.fstat(self._handle).st_size:
            os.ftruncate(self._handle, 0)

    def _leave(self) -> None:
        if self.here:
            self._sync()
        else:
            self.remove()

    def _follow(self) -> Hasher:
        hasher = Hasher(self._handle, self.what, self._stop)
        hasher.reach(self._ranges.prefix)
        return hasher

    def _note(self) -> None:
        self._journal.note(self._ranges.pairs)
        self._unnoted = 0

    def _sync(self) -> None:
        with self._lock:
            here = self._ranges.pairs
        with self._asking_the_disk():
            os.fdatasync(self._handle)
        with self._lock:
            self._journal.confirm(here)

    @contextmanager
    def _asking_the_disk(self) -> Iterator[None]:
        """Where it refuses, what it had not confirmed may be gone, though it can be read still."""
        try:
            with storage_errors(self.what):
                yield
        except StorageError:
            with self._lock:
                self._ranges = Ranges(self._journal.synced)
                try:
                    self._journal.describe(self.content)
                except StorageError:  # then nobody may believe what it says
                    with suppress(OSError):
                        journal_of(self._path).unlink(missing_ok=True)
                    raise
            raise


def _lock(path: Path, what: str, stop: Stop, tally: Progress) -> tuple[BinaryIO, bool]:
    """The lock, and whether it had to be waited for."""
    with storage_errors(what):
        path.parent.mkdir(parents=True, exist_ok=True)
    lock = try_lock_file(path, what)
    if lock is not None:
        return lock, False
    tally.say(f"{what}: another process is at it; waiting")
    while lock is None:
        stop.wait(_LOOK_AGAIN)
        stop.check()
        lock = try_lock_file(path, what)
    return lock, True


def journal_of(path: Path) -> Path:
    """The journal of the part at `path`."""
    return path.with_name(f"{path.name}.journal")
