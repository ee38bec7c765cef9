"""Whether there is room, before the first byte is asked for."""

from __future__ import annotations

import os
from pathlib import Path

from transfer.disk import storage_errors
from transfer.errors import StorageError
from transfer.text import human_bytes


def free_space(folder: Path, side: str) -> int:
    """Bytes that may be written into a folder, which need not be there yet.

    Raises:
        StorageError: nobody knows.
    """
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    with storage_errors(side):
        found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def require_room(folder: Path, needed: int, side: str, what: str) -> None:
    """Refuse what does not fit.

    Args:
        folder: On the file system that is written to.
        needed: Bytes that are still to be written.
        side: How messages name the folder.
        what: What needs them.

    Raises:
        StorageError: fewer are free.
    """
    free = free_space(folder, side)
    if needed > free:
        raise StorageError(
            f"{side}: {human_bytes(needed)} ({needed} bytes) more are needed for {what}, "
            f"{human_bytes(free)} ({free} bytes) are free",
            hint="free some space there, or name a cache on another disk by --cache-dir; "
            "then run the same command",
        )
