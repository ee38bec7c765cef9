"""Files beside the spec."""

from __future__ import annotations

from pathlib import Path

from bundler.sources.protocol import Location, Promise
from bundler.spec.origin import LocalFile
from transfer.disk import storage_errors
from transfer.errors import InvalidInput


class LocalSource:
    """A file on this machine; links are followed, for a person named it."""

    def __init__(self, origin: LocalFile, folder: Path) -> None:
        self._origin = origin
        self._path = (folder / origin.path).absolute()

    @property
    def path(self) -> Path:
        """Where it is: no download is needed."""
        return self._path

    def promise(self) -> Promise:
        """Its size; it is known by its path, size and time.

        Raises:
            NotFound: there is none.
            InvalidInput: a folder, a pipe or a device stands there.
            StorageError: it cannot be looked at.
        """
        what = f"file {self._origin.path}"
        with storage_errors(what):
            status = self._path.stat()
        if not self._path.is_file():
            raise InvalidInput(f"{what}: not a plain file", hint="check the path in the spec")
        return Promise(
            file_name=self._origin.file_name,
            size=status.st_size,
            identity=f"file {self._path} {status.st_size} {status.st_mtime_ns}",
        )

    def locate(self) -> Location:
        """Its path as an address."""
        return Location(url=self._path.as_uri())
