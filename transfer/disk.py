"""Files on a disk that may be full, read-only, shared with another process, or pulled out.

A file appears under its final name whole or not at all; a link is never followed; an `OSError`
leaves here as one of our own errors, naming the side it happened on.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from transfer.errors import InvalidInput, NotFound, SizeMismatch, StorageError, UnsafePath

FILE_MODE = 0o644
FOLDER_MODE = 0o755
BLOCK = 1 << 20
"""Bytes moved at a time."""

MAX_FILE = 16 << 20
"""Bytes of a file that describes others: with a line for each, a hundred thousand of them."""

MAX_TEXT = 64 << 20
"""Characters of a file that a person named; a receipt has a line for every blob of a site."""

_HINTS = {
    errno.ENOSPC: "free some space there, then run the same command: it continues",
    errno.EDQUOT: "free some of your quota there, then run the same command: it continues",
    errno.EROFS: "mount it writable, or choose another folder",
    errno.ENOTDIR: "a file stands where a folder is wanted; check the path",
    errno.EISDIR: "a folder stands where a file is wanted; check the path",
    errno.EACCES: "check who owns it and what its mode allows",
    errno.EPERM: "check who owns it and what its mode allows",
    errno.EIO: "the medium is damaged or was pulled out; try another copy of it",
}


@contextmanager
def storage_errors(side: str) -> Iterator[None]:
    """Turn an OSError of the body into an error of ours that starts with `side`.

    Raises:
        NotFound: a file or folder does not exist.
        UnsafePath: a link stands where a plain file was expected.
        StorageError: anything else: disk full, read-only, permissions.
    """
    try:
        yield
    except OSError as error:
        named = isinstance(error.filename, (str, bytes))  # it may be a file's number
        path = os.fsdecode(error.filename) if named else ""
        at = f" ({path})" if path not in side else ""
        if error.errno == errno.ENOENT:
            raise NotFound(
                f"{side}: does not exist{at}",
                hint="check the path, and whether its disk is mounted",
            ) from error
        if error.errno == errno.ELOOP:
            raise UnsafePath(f"{side}: is a link, not a plain file{at}") from error
        raise StorageError(
            f"{side}: {error.strerror or error}{at}", hint=_HINTS.get(error.errno or 0)
        ) from error


class PlainFile:
    """A file open for reading, whose read errors are ours."""

    def __init__(self, file: BinaryIO, what: str) -> None:
        self._file = file
        self._what = what

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes.

        Raises:
            StorageError: the medium failed.
        """
        with storage_errors(self._what):
            return self._file.read(size)


@contextmanager
def open_plain(path: Path, what: str) -> Iterator[PlainFile]:
    """Open a regular file for reading; `what` names it in messages.

    Raises:
        NotFound: there is none.
        UnsafePath: a link, a folder or a device stands there.
        StorageError: it cannot be opened or read.
    """
    with storage_errors(what):
        # O_NONBLOCK: a named pipe must not hold us up before it is refused.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnsafePath(f"{what}: not a plain file")
    with os.fdopen(handle, "rb", buffering=0) as file:
        yield PlainFile(file, what)


def read_plain(path: Path, what: str, limit: int = MAX_FILE) -> bytes:
    """A small file whole; see `open_plain`.

    Raises:
        SizeMismatch: it has more than `limit` bytes.
        NotFound, UnsafePath, StorageError: as `open_plain`.
    """
    blocks, left = [], limit + 1
    with open_plain(path, what) as file:
        while left and (block := file.read(left)):
            blocks.append(block)
            left -= len(block)
    if not left:
        raise SizeMismatch(f"{what}: has more than {limit} bytes, which none of its kind has")
    return b"".join(blocks)


def read_text(path: Path, what: str) -> str:
    """The text of a file that a person named: links are followed, and a pipe will do.

    Raises:
        NotFound: there is none.
        InvalidInput: it is not UTF-8, or too large; what is in it is not repeated.
        StorageError: it cannot be read.
    """
    try:
        with storage_errors(what), path.open(encoding="utf-8") as file:
            text = file.read(MAX_TEXT + 1)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{what}: not text in UTF-8 (byte {error.start})") from None
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"{what}: more than {MAX_TEXT} characters; it is another file")
    return text


def plain_size(path: Path, what: str) -> int | None:
    """Bytes of a regular file, or None where nothing stands.

    Raises:
        UnsafePath: something else stands there, such as a link or a folder.
    """
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        with storage_errors(what):
            raise
    if not stat.S_ISREG(status.st_mode):
        raise UnsafePath(f"{what}: not a plain file")
    return status.st_size


@contextmanager
def ingest(final: Path, scratch: Path, what: str, mode: int = FILE_MODE) -> Iterator[BinaryIO]:
    """A file to write; it gets the name `final` only when the body ended without an error.

    `scratch` is a folder on the same file system. Nothing stays in it, unless the process is
    killed.

    Raises:
        StorageError: it cannot be written.
    """
    with storage_errors(what):
        handle, name = tempfile.mkstemp(prefix=f"{final.name[:80]}.", dir=scratch)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                with suppress(PermissionError):  # as set_mode
                    os.fchmod(handle, mode)
                os.fsync(handle)
            final.parent.mkdir(parents=True, exist_ok=True)
            Path(name).replace(final)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


def replace_file(final: Path, content: bytes, what: str, mode: int = FILE_MODE) -> None:
    """Give `final` new content at once, or leave it as it is.

    Raises:
        StorageError: it cannot be written.
    """
    with ingest(final, final.parent, what, mode) as file:
        file.write(content)


def set_mode(path: Path, mode: int) -> None:
    """Set a mode where the file system has modes: FAT has none, and says EPERM."""
    with suppress(PermissionError):
        path.chmod(mode)


def lock_file(path: Path, what: str, *, shared: bool = False) -> BinaryIO:
    """Lock a file until it is closed or the process ends, however it ends; waits for its turn.

    Returns:
        The file, open for appending.

    Raises:
        UnsafePath: a link stands there.
        StorageError: it cannot be opened for writing.
    """
    with storage_errors(what):
        return _lock(path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def try_lock_file(path: Path, what: str) -> BinaryIO | None:
    """As `lock_file`, but None at once when another process or thread holds the lock.

    Raises:
        UnsafePath, StorageError: as `lock_file`.
    """
    with storage_errors(what):
        try:
            return _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None


def share_lock(file: BinaryIO) -> None:
    """Let others in who ask for a shared lock."""
    fcntl.flock(file, fcntl.LOCK_SH)


def _lock(path: Path, how: int) -> BinaryIO:
    while True:
        file = open(path, "a+b", opener=_follow_no_link)  # noqa: SIM115 - whoever asked closes it
        try:
            fcntl.flock(file, how)
            if _still_there(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _follow_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def _still_there(file: BinaryIO, path: Path) -> bool:
    """Whether whoever held the lock before has not removed or renamed the file meanwhile."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
