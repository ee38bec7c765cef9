"""Whether a bundle has room where it is to be, before the first byte of it is written."""

from __future__ import annotations

from pathlib import Path

from bundler.downloads.space import free_space
from transfer.disk import storage_errors
from transfer.errors import StorageError
from transfer.text import human_bytes


def require_room(target: Path, bundle: int, cache: Path, downloads: int) -> None:
    """Refuse what does not fit; where both lie on one file system, they share what is free.

    Args:
        target: The bundle's folder; it need not be there yet.
        bundle: Bytes that are still to be written for the bundle.
        cache: The folder of the downloads.
        downloads: Bytes that are still to be written there.

    Raises:
        StorageError: too few are free.
    """
    side = f"bundle {target}"
    shared = downloads if _device(target.parent) == _device(cache) else 0
    free, needed = free_space(target.parent, side), bundle + shared
    if needed > free:
        also = f", {human_bytes(shared)} of them for downloads" if shared else ""
        raise StorageError(
            f"{side}: needs {human_bytes(needed)} ({needed} bytes) more{also}; "
            f"{human_bytes(free)} ({free} bytes) are free",
            hint="free some space there, or choose another disk for it by -o or for downloads "
            "by --cache-dir; then run the same command",
        )


def _device(folder: Path) -> int:
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    with storage_errors(f"folder {folder}"):
        return folder.stat().st_dev
