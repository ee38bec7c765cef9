"""The folders of an OCI image layout: what must stand where, and who writes there.

Source: OCI image-spec `image-layout.md`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import BinaryIO

from transfer.disk import (
    lock_file,
    read_plain,
    replace_file,
    share_lock,
    storage_errors,
    try_lock_file,
)
from transfer.errors import IntegrityError, UnsafePath, UnsupportedVersion

LAYOUT_FILE = "oci-layout"
BLOBS = "blobs"
INGEST = "ingest"
"""Unfinished files, and the locks of writers; may be removed while nobody writes."""
INDEX_LOCK = ".index"

_WRITERS_LOCK = ".writers"
_VERSION = "1.0.0"


def check_layout(path: Path, what: str) -> None:
    """Check the version of a layout, and that no link leads out of it.

    Raises:
        NotFound: there is no layout.
        UnsupportedVersion: it is of another version.
        IntegrityError: `oci-layout` is damaged, or a link stands among the folders.
    """
    raw = read_plain(path / LAYOUT_FILE, f"{what}: {LAYOUT_FILE}")
    try:
        version = json.loads(raw)["imageLayoutVersion"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(f"{what}: {LAYOUT_FILE}: no imageLayoutVersion in it") from error
    if version != _VERSION:
        raise UnsupportedVersion(
            f"{what}: {LAYOUT_FILE}: version {version!r}, expected {_VERSION!r}",
            hint="use the version of the toolkit that wrote it, or a newer one",
        )
    with storage_errors(what):
        blobs = path / BLOBS
        if not os.path.lexists(blobs):
            return  # no image in it; many tools do not copy empty folders
        for folder in (blobs, *blobs.iterdir()):
            if folder.is_symlink() or not folder.is_dir():
                raise UnsafePath(f"{what}: {folder.relative_to(path)}: not a folder of its own")


def begin_writing(path: Path, what: str) -> BinaryIO:
    """Make the folders, and become one of the writers until the returned file is closed.

    Whoever comes when nobody writes removes what killed writers left behind.

    Raises:
        StorageError: the folder cannot be written.
    """
    with storage_errors(what):
        (path / BLOBS / "sha256").mkdir(parents=True, exist_ok=True)
        scratch = path / INGEST
        scratch.mkdir(exist_ok=True)
        writing = _join_writers(scratch, what)
        try:
            if not os.path.lexists(path / LAYOUT_FILE):
                text = json.dumps({"imageLayoutVersion": _VERSION}) + "\n"
                replace_file(path / LAYOUT_FILE, text.encode(), what)
        except BaseException:
            writing.close()
            raise
    return writing


def _join_writers(scratch: Path, what: str) -> BinaryIO:
    alone = try_lock_file(scratch / _WRITERS_LOCK, what)
    if alone is None:
        return lock_file(scratch / _WRITERS_LOCK, what, shared=True)
    for leftover in scratch.iterdir():
        if leftover.name not in (_WRITERS_LOCK, INDEX_LOCK):
            leftover.unlink()
    share_lock(alone)
    return alone
