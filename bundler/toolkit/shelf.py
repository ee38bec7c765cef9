"""Wheels that were fetched before: in the cache of the downloads, by their digest."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transfer.bundle.tree import digest_file
from transfer.digest import Digest
from transfer.disk import storage_errors
from transfer.errors import NotFound


@dataclass(frozen=True, slots=True)
class Shelf:
    """A cache folder; two builds at once may share it."""

    cache: Path

    def find(self, digest: Digest) -> Path | None:
        """The file with this digest, hashed anew: None where there is none, or a damaged one."""
        path = self._path(digest)
        try:
            return path if digest_file(path, f"cache {path}") == digest else None
        except NotFound:
            return None

    def keep(self, file: Path, digest: Digest) -> Path:
        """Move a proven file of this cache's scratch folder to its place.

        Raises:
            StorageError: it cannot be written.
        """
        path = self._path(digest)
        with storage_errors(f"cache {self.cache}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            file.replace(path)
        return path

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder in the cache, gone afterwards.

        Raises:
            StorageError: it cannot be made.
        """
        with storage_errors(f"cache {self.cache}"):
            self.cache.mkdir(parents=True, exist_ok=True)
            folder = tempfile.TemporaryDirectory(
                prefix="toolkit.", dir=os.fspath(self.cache), ignore_cleanup_errors=True
            )
        with folder as name:
            yield Path(name)

    def _path(self, digest: Digest) -> Path:
        return self.cache / digest.algorithm / digest.encoded
