"""The folder of downloads, by content; any number of processes may use it at once.

    CACHE/sha256/<hex>      complete, and proven when it came
    CACHE/unconfirmed/      for which of these the disk was not waited for: see `unconfirmed`
    CACHE/partial/          what has not come whole yet: see `bundler.downloads.part`
    CACHE/remembered/       which content an identity stood for: see `bundler.downloads.remembered`

Whoever uses a complete file holds a shared lock on it, so that nobody tidies it away meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from pathlib import Path
from typing import BinaryIO

from bundler.downloads.unconfirmed import is_sound
from bundler.downloads.values import Download, Fetched
from transfer.digest import Digest
from transfer.disk import share_lock, storage_errors
from transfer.errors import UnsafePath


class Cache:
    """What is there, and what of it this process uses."""

    def __init__(self, root: Path) -> None:
        """Nothing is written; the folder is made when it is needed."""
        self.root = root
        self.what = f"cache {root}"
        """How messages name it."""
        self._held: dict[Digest, BinaryIO] = {}
        self._lock = threading.Lock()

    @property
    def complete(self) -> Path:
        """The folder of complete files."""
        return self.root / "sha256"

    @property
    def partial(self) -> Path:
        """The folder of parts."""
        return self.root / "partial"

    @property
    def remembered(self) -> Path:
        """The folder of what identities stood for."""
        return self.root / "remembered"

    @property
    def unconfirmed(self) -> Path:
        """The folder of notes that the disk was not waited for."""
        return self.root / "unconfirmed"

    def path(self, digest: Digest) -> Path:
        """Where a complete file is, or would be."""
        return self.complete / digest.encoded

    def note(self, digest: Digest) -> Path:
        """Where it is noted that the disk was not waited for, if it was not."""
        return self.unconfirmed / digest.encoded

    def part(self, wanted: Download) -> Path:
        """Where the part of a file is, or would be."""
        return self.partial / (wanted.digest.encoded if wanted.digest else name_of(wanted.identity))

    def find(self, digest: Digest, size: int | None = None) -> Fetched | None:
        """A complete file; a damaged one goes: of another size, or what a restart left of it.

        Raises:
            UnsafePath: a link or anything else stands there that is no plain file.
            StorageError: the cache cannot be read.
        """
        path = self.path(digest)
        with storage_errors(self.what):
            file = _open(path)
            if file is None:
                return None
            found = os.fstat(file.fileno()).st_size
            try:
                sound = size in (None, found) and is_sound(file, digest, self.note(digest))
                if not sound and _is_at(path, file):
                    self._remove(digest)
            except BaseException:
                file.close()
                raise
        if not sound:
            file.close()
            return None
        self.hold(digest, file)
        return Fetched(path=path, digest=digest, size=found)

    def hold(self, digest: Digest, file: BinaryIO) -> None:
        """Keep a file that is locked in use until `release`."""
        touch(file)  # before another one of the same content may take its place, and close it
        with self._lock:
            before, self._held[digest] = self._held.get(digest), file
        if before:
            before.close()

    def forget(self, digest: Digest) -> None:
        """Remove a complete file.

        Raises:
            StorageError: it cannot be removed.
        """
        with storage_errors(self.what):
            self._remove(digest)
        with self._lock:
            file = self._held.pop(digest, None)
        if file:
            file.close()

    def release(self) -> None:
        """Nothing is used any more."""
        with self._lock:
            held, self._held = list(self._held.values()), {}
        for file in held:
            file.close()

    def _remove(self, digest: Digest) -> None:
        self.path(digest).unlink(missing_ok=True)
        self.note(digest).unlink(missing_ok=True)  # not before: it might stay then, and be trusted


def name_of(identity: str) -> str:
    """An identity as the name of a file."""
    return hashlib.sha256(identity.encode()).hexdigest()


def touch(file: BinaryIO) -> None:
    """Note that a file is used today, where that can be noted: the time that it was changed."""
    try:
        os.utime(file.fileno())
    except OSError:  # a cache of somebody else's
        return


def _open(path: Path) -> BinaryIO | None:
    while True:
        try:
            # O_NONBLOCK: a named pipe must not hold us up before it is refused.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise UnsafePath(f"cache file {path}: not a plain file", hint="remove it")
        file = os.fdopen(handle, "rb")
        try:
            share_lock(file)
            if _is_at(path, file):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Whether nobody has removed or replaced an open file."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
