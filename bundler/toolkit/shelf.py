"""Wheels that were fetched before: in the cache of the downloads, by their digest.

They are small, so they are handed on as bytes: nobody can change or tidy them away meanwhile.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from transfer.digest import Digest
from transfer.disk import lock_file, read_plain, storage_errors
from transfer.errors import NotFound

_LARGEST = 64 << 20
"""Bytes; ten times the largest wheel there is."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A cache folder; two builds at once may share it."""

    cache: Path

    def find(self, digest: Digest) -> bytes | None:
        """The wheel with this digest, proven anew: None where there is none, or a damaged one.

        Raises:
            StorageError: the cache cannot be read.
        """
        path = self._path(digest)
        try:
            content = read_wheel(path)
        except NotFound:
            return None
        if Digest.of(content) != digest:
            return None
        with suppress(OSError):  # a cache of somebody else's
            os.utime(path)  # used today: it is not the oldest when the cache is tidied
        return content

    def keep(self, file: Path, digest: Digest) -> None:
        """Move a proven file of this cache's scratch folder to its place.

        Raises:
            StorageError: it cannot be written.
        """
        path = self._path(digest)
        with storage_errors(f"cache {self.cache}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            file.replace(path)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder in the cache, gone afterwards; one process at a time has it.

        Raises:
            StorageError: it cannot be made.
        """
        what, folder = f"cache {self.cache}", self.cache / "toolkit"
        with storage_errors(what):
            self.cache.mkdir(parents=True, exist_ok=True)
        with lock_file(self.cache / "toolkit.lock", what):
            with storage_errors(what):
                _remove(folder)  # of somebody who was killed
                folder.mkdir()
            try:
                yield folder
            finally:
                _remove(folder)

    def _path(self, digest: Digest) -> Path:
        return self.cache / digest.algorithm / digest.encoded


def read_wheel(path: Path) -> bytes:
    """A wheel of the cache, whole.

    Raises:
        NotFound: there is none.
        IntegrityError: something else is there.
        StorageError: it cannot be read.
    """
    return read_plain(path, f"cache {path}", _LARGEST)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
