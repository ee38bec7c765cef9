"""The part of a download that is here already, in the cache.

    CACHE/partial/<hex>      the bytes, locked by whoever downloads them
    CACHE/partial/<hex>.tag  the validator of the content that they are a part of

A later run hashes the bytes again and asks for the rest with `Range`, and with `If-Range` to get
the whole anew when the content has changed meanwhile (RFC 9110, sections 13.1.5 and 14.2).
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from transfer.digest import Digest
from transfer.disk import (
    BLOCK,
    FILE_MODE,
    lock_file,
    replace_file,
    set_mode,
    storage_errors,
    try_lock_file,
)
from transfer.http.answers import Answer
from transfer.progress import Progress


class Part:
    """Some bytes from the start of a file, their number and their hash."""

    def __init__(self, path: Path, file: BinaryIO, what: str, progress: Progress) -> None:
        self.what = what
        """How messages name the download."""
        self.size = 0
        """Bytes that are here."""
        self._path = path
        self._tag = path.with_name(f"{path.name}.tag")
        self._file = file
        self._hash = hashlib.sha256()
        self._progress = progress
        self._begun = False

    @classmethod
    def open(cls, path: Path, what: str, progress: Progress) -> Self:
        """Lock the part, waiting for another process that has it, and hash what is there.

        Raises:
            StorageError: the cache cannot be written or read.
        """
        with storage_errors(what):
            path.parent.mkdir(parents=True, exist_ok=True)
        file = try_lock_file(path, what)
        if file is None:
            progress.say(f"{what}: another process is at it; waiting")
            file = lock_file(path, what)
        part = cls(path, file, what, progress)
        with storage_errors(what):
            file.seek(0)
            while block := file.read(BLOCK):
                part._count(block)
        return part

    @property
    def digest(self) -> Digest:
        """The digest of what is here."""
        return Digest("sha256", self._hash.hexdigest())

    def wanted(self) -> dict[str, str]:
        """The headers that ask for the rest."""
        if not self.size:
            return {}
        with storage_errors(self.what):
            tag = self._tag.read_bytes() if self._tag.exists() else b""
        # Without a validator the digest at the end decides.
        validator = {"If-Range": tag.decode()} if _is_validator(tag) else {}
        return {"Range": f"bytes={self.size}-", **validator}

    def remember(self, answer: Answer) -> None:
        """Keep the validator of the content that begins to arrive; a weak one is of no use.

        Raises:
            StorageError: it cannot be written.
        """
        tag = answer.headers.get("ETag", "")
        if not tag.startswith('"'):
            tag = answer.headers.get("Last-Modified", "")
        raw = tag.encode()
        replace_file(self._tag, raw if _is_validator(raw) else b"", self.what)

    def begin(self, total: int) -> None:
        """The bytes after those that are here come now; `total` with them, 0 if not known."""
        if not self._begun:
            self._begun = True
            self._progress.begin(self.what, total)
            self._progress.advance(self.size)

    def end(self) -> None:
        """No more bytes come."""
        if self._begun:
            self._begun = False
            self._progress.end()

    def append(self, block: bytes) -> None:
        """Add what arrived.

        Raises:
            StorageError: the disk is full, above all; what was there before stays.
        """
        with storage_errors(self.what):
            self._file.write(block)
        self._count(block)
        self._progress.advance(len(block))

    def restart(self) -> None:
        """Forget everything that is here.

        Raises:
            StorageError: the file cannot be changed.
        """
        with storage_errors(self.what):
            self._file.truncate(0)
        if self._begun:
            self._progress.advance(-self.size)
        self.size = 0
        self._hash = hashlib.sha256()

    def keep_as(self, final: Path) -> None:
        """Give the complete file its place; it is no part any more.

        Raises:
            StorageError: it cannot be written.
        """
        with storage_errors(self.what):
            self._file.flush()
            os.fsync(self._file.fileno())
            final.parent.mkdir(parents=True, exist_ok=True)
            set_mode(self._path, FILE_MODE)
            self._path.replace(final)
            self._tag.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take it off the disk.

        Raises:
            StorageError: it cannot be removed.
        """
        with storage_errors(self.what):
            self._path.unlink(missing_ok=True)
            self._tag.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the lock; what arrived stays for the next run."""
        with suppress(OSError):  # of a full disk, which was told already
            if not self.size:
                self._path.unlink(missing_ok=True)
            self._file.close()

    def _count(self, block: bytes) -> None:
        self.size += len(block)
        self._hash.update(block)


def _is_validator(tag: bytes) -> bool:
    """Whether it can be sent back as it came."""
    return bool(tag) and tag.isascii() and tag.decode().isprintable()
