"""The last touches to a bundle's folder: nothing too much in it, modes and times set."""

from __future__ import annotations

import errno
import os
from collections.abc import Container
from pathlib import Path

from transfer.disk import FILE_MODE, FOLDER_MODE, set_mode, storage_errors


def remove_others(root: Path, wanted: Container[str], kept_folders: tuple[str, ...] = ()) -> None:
    """Remove every file that is not `wanted`, nor below one of `kept_folders`, and empty folders.

    Raises:
        StorageError: something cannot be removed.
    """
    with storage_errors(f"bundle {root}"):
        for folder, folders, files in os.walk(root, topdown=False):
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for path in (Path(folder, name) for name in (*links, *files)):
                name = path.relative_to(root).as_posix()
                if name not in wanted and not (kept_folders and name.startswith(kept_folders)):
                    path.unlink()
            if folder != str(root) and not any(Path(folder).iterdir()):
                Path(folder).rmdir()


def seal(root: Path, epoch: int, what: str) -> None:
    """Give every file and folder the mode and time that every build gives it.

    Raises:
        StorageError: the disk refuses.
    """
    with storage_errors(what):
        for folder, _, names in os.walk(root, topdown=False):
            for name in names:
                path = Path(folder, name)
                set_mode(path, FILE_MODE)
                os.utime(path, (epoch, epoch))
            set_mode(Path(folder), FOLDER_MODE)
            os.utime(folder, (epoch, epoch))
            _flush_folder(Path(folder))


def _flush_folder(folder: Path) -> None:
    """Files were flushed as they were written; their names are kept by the folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems
            raise
    finally:
        os.close(handle)
