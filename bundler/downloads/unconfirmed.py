"""Complete files that got their name before the disk had confirmed them.

    CACHE/unconfirmed/<hex>     the boot ID (see `bundler.downloads.boot`)

Such a file is as good as any other for as long as the machine runs. After a restart whoever wants
it hashes it once; what the disk did not get in time is removed, and comes again.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from bundler.downloads.boot import boot_id, is_this_boot
from transfer.digest import Digest
from transfer.disk import BLOCK, read_plain, replace_file, storage_errors
from transfer.errors import NotFound


def note_unconfirmed(note: Path, what: str) -> None:
    """Note it, before the file gets its name.

    Raises:
        StorageError: it cannot be written.
    """
    with storage_errors(what):
        note.parent.mkdir(parents=True, exist_ok=True)
    replace_file(note, boot_id().encode(), what)


def is_doubtful(note: Path) -> bool:
    """Whether the machine went down since the note was written; False where there is none.

    Raises:
        UnsafePath: something else stands there.
        StorageError: it cannot be read.
    """
    try:
        noted = read_plain(note, f"cache file {note}")
    except NotFound:
        return False
    return not is_this_boot(noted.decode(errors="replace"))


def is_sound(file: BinaryIO, digest: Digest, note: Path) -> bool:
    """Whether a complete file is what it was, which is looked at where it is doubtful.

    Raises:
        UnsafePath, StorageError: as `is_doubtful`.
        OSError: the file cannot be read.
    """
    if not is_doubtful(note):
        return True
    found = hashlib.sha256()
    while block := file.read(BLOCK):
        found.update(block)
    if found.hexdigest() != digest.encoded:
        return False
    with suppress(OSError):  # a cache of somebody else's
        note.unlink(missing_ok=True)
    return True
