"""The files of a bundle's folder, as they stand on the disk."""

from __future__ import annotations

import hashlib
import stat
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

from transfer.digest import Digest
from transfer.disk import BLOCK, open_plain, storage_errors
from transfer.errors import DigestMismatch, TransferError, UnexpectedFile, UnsafePath
from transfer.medium import Medium, Turn
from transfer.plain import one_line
from transfer.progress import SILENT, Progress

MAX_ENTRIES = 500_000
"""Files and folders; a bundle has some thousands, and all names are in memory at once."""


def list_files(root: Path, what: str) -> tuple[dict[str, int], dict[str, TransferError]]:
    """Every regular file below `root`; folders count only by what is in them.

    Returns:
        By their paths with slashes, the size of each file in bytes, and a fault for each link,
        device or pipe: nothing of that kind belongs into a bundle, and no link is followed.

    Raises:
        UnexpectedFile: there are more than any bundle has.
        StorageError: a folder cannot be read.
    """
    sizes: dict[str, int] = {}
    entries = 0
    faults: dict[str, TransferError] = {}
    folders = [root]
    with storage_errors(what):
        while folders:
            for path in folders.pop().iterdir():
                entries += 1
                if entries > MAX_ENTRIES:
                    raise UnexpectedFile(f"{what}: more than {MAX_ENTRIES} files and folders")
                name, status = path.relative_to(root).as_posix(), path.lstat()
                if stat.S_ISDIR(status.st_mode):
                    folders.append(path)
                elif stat.S_ISREG(status.st_mode):
                    sizes[name] = status.st_size
                else:
                    kind = "a link" if stat.S_ISLNK(status.st_mode) else "a device or pipe"
                    fault = f"{what}: {one_line(name)}: {kind}, not a plain file or folder"
                    faults[name] = UnsafePath(fault)
    return sizes, faults


def compare_files(  # noqa: PLR0913 - what to compare, and what callers choose
    root: Path,
    sums: Mapping[str, Digest],
    what: str,
    *,
    jobs: int = 1,
    medium: Medium | None = None,
    progress: Progress = SILENT,
) -> dict[str, TransferError]:
    """Read files and compare their digests; return what is wrong, by path.

    `medium` is where they are, if it may be slow.
    """

    def fault(file: str) -> TransferError | None:
        turn = medium.turn(0, sys.maxsize) if medium else nullcontext()
        try:
            with turn as reader:
                found = digest_file(root / file, f"{what}: {file}", progress, reader)
        except TransferError as error:
            return error
        if found == sums[file]:
            return None
        return DigestMismatch(f"{what}: {file}: expected {sums[file]}, found {found}")

    with ThreadPoolExecutor(jobs) as pool:
        faults = zip(sums, pool.map(fault, sums), strict=True)
        return {file: error for file, error in faults if error is not None}


def digest_file(
    path: Path, what: str, progress: Progress = SILENT, turn: Turn | None = None
) -> Digest:
    """The SHA-256 digest of a file; read in one's `turn` at its medium, if there is one.

    Raises:
        NotFound, UnsafePath, StorageError: it cannot be read.
    """
    state = hashlib.sha256()
    with open_plain(path, what) as stream:
        while block := turn.read(stream, BLOCK) if turn else stream.read(BLOCK):
            state.update(block)
            progress.advance(len(block))
    return Digest("sha256", state.hexdigest())
