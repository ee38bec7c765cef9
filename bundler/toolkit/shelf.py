"""Wheels that were fetched before: in the cache of the downloads, by their digest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transfer.bundle.tree import digest_file
from transfer.digest import Digest
from transfer.disk import lock_file, storage_errors
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


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
