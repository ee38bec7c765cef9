"""Changes to files, each made whole or not at all, and the same when made twice."""

from __future__ import annotations

from pathlib import Path

from mirror.operation.model import Edit, RemoveFile
from transfer.disk import storage_errors


def edit(wanted: Edit) -> None:
    """Make one change.

    Raises:
        StorageError: the file cannot be read or written.
    """
    path = Path(wanted.path)
    match wanted.change:
        case RemoveFile():
            with storage_errors(str(path)):
                path.unlink(missing_ok=True)
