"""`index.json`: which names a layout holds, and the manifest each one stands for.

Source: OCI image-spec `image-layout.md`. Names are sorted and the file is replaced at once, so
the same images give the same bytes and a reader never sees half of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from transfer.descriptor import INDEX_TYPES, OCI_INDEX, Descriptor, Manifest
from transfer.disk import lock_file, read_plain, replace_file
from transfer.errors import IntegrityError
from transfer.fields import dump_json

NAME_ANNOTATION = "org.opencontainers.image.ref.name"
"""Where an entry keeps the name of its image (image-spec `annotations.md`)."""

INDEX_FILE = "index.json"

_Entries = list[dict[str, Any]]


class IndexFile:
    """The index of one layout; `lock` is the file that serialises its writers."""

    def __init__(self, folder: Path, lock: Path, description: str) -> None:
        self._path = folder / INDEX_FILE
        self._lock = lock
        self._what = f"{description}: {INDEX_FILE}"

    def images(self) -> dict[str, Descriptor]:
        """Every name and the manifest it stands for; entries without a name are left out.

        Raises:
            NotFound: there is no such file.
            IntegrityError: it is not an index.
        """
        entries = self._read().manifests
        named = ((entry.annotations.get(NAME_ANNOTATION), entry) for entry in entries)
        return {name: entry for name, entry in named if isinstance(name, str) and name}

    def begin(self) -> None:
        """Write an empty index where there is none.

        Raises:
            StorageError: the file cannot be written.
        """
        if not self._path.exists():
            self._change(lambda entries: entries)

    def point(self, name: str, manifest: Descriptor) -> None:
        """Let `name` stand for `manifest`.

        Raises:
            StorageError: the file cannot be written.
        """
        entry = {**manifest.to_json(), "annotations": {NAME_ANNOTATION: name}}
        self._change(lambda entries: [*(e for e in entries if _name_of(e) != name), entry])

    def retain(self, names: Iterable[str]) -> None:
        """Take out everything but these names.

        Raises:
            StorageError: the file cannot be written.
        """
        kept = frozenset(names)
        self._change(lambda entries: [e for e in entries if _name_of(e) in kept])

    def _read(self) -> Manifest:
        index = Manifest.parse(read_plain(self._path, self._what), self._what)
        if index.media_type not in INDEX_TYPES:
            raise IntegrityError(f"{self._what}: not an index, but {index.media_type}")
        return index

    def _change(self, change: Callable[[_Entries], _Entries]) -> None:
        with lock_file(self._lock, self._what):
            entries: _Entries = []
            if self._path.exists():
                entries = json.loads(self._read().raw)["manifests"]
            index = {
                "schemaVersion": 2,
                "mediaType": OCI_INDEX,
                "manifests": sorted(change(entries), key=_name_of),
            }
            replace_file(self._path, dump_json(index).encode(), self._what)


def _name_of(entry: dict[str, Any]) -> str:
    annotations = entry.get("annotations")
    return str(annotations.get(NAME_ANNOTATION, "")) if isinstance(annotations, dict) else ""
