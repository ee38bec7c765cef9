"""Locks that outlive the file they were taken on, files that appear whole, errors that are ours."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from transfer.disk import (
    ingest,
    lock_file,
    open_plain,
    read_plain,
    read_text,
    replace_file,
    storage_errors,
    try_lock_file,
)
from transfer.errors import (
    InvalidInput,
    NotFound,
    SizeMismatch,
    StorageError,
    TransferError,
    UnsafePath,
)


def sleeping_locks() -> int:
    """How many of this process's threads wait for a lock, as the kernel tells."""
    lines = Path("/proc/locks").read_text().splitlines()
    return sum("->" in line and f" {os.getpid()} " in line for line in lines)


@pytest.mark.parametrize("go", [Path.unlink, lambda path: path.rename(path.with_name("other"))])
def test_lock_is_never_held_on_a_file_that_is_gone(
    tmp_path: Path, go: Callable[[Path], object]
) -> None:
    path = tmp_path / "lock"
    first = lock_file(path, "lock")
    waits, got = threading.Event(), list[int]()

    def second() -> None:
        waits.set()
        with lock_file(path, "lock") as file:
            got.append(os.fstat(file.fileno()).st_ino)
            assert try_lock_file(path, "lock") is None

    thread = threading.Thread(target=second)
    thread.start()
    waits.wait()
    while sleeping_locks() == 0:
        assert thread.is_alive()
        time.sleep(0.001)
    go(path)
    first.close()
    thread.join()
    assert got == [path.stat().st_ino]


def interrupted(file: BinaryIO) -> None:
    file.write(b"half")
    raise KeyboardInterrupt


def test_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    final = tmp_path / "folder/final"
    with ingest(final, tmp_path, "side") as file:
        file.write(b"whole")
        assert not final.exists()
    assert final.read_bytes() == b"whole"
    with pytest.raises(KeyboardInterrupt), ingest(final, tmp_path, "side") as file:
        interrupted(file)
    assert final.read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_replaced_at_once(tmp_path: Path) -> None:
    replace_file(tmp_path / "file", b"one", "side")
    replace_file(tmp_path / "file", b"two", "side")
    assert (tmp_path / "file").read_bytes() == b"two"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
    with pytest.raises(NotFound, match="side: does not exist"):
        replace_file(tmp_path / "nowhere/file", b"", "side")


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.ENOENT, NotFound, "side: does not exist (/x)"),
        (errno.ELOOP, UnsafePath, "side: is a link, not a plain file (/x)"),
        (errno.ENOSPC, StorageError, "side: No space left on device (/x)"),
        (errno.EIO, StorageError, "side: Input/output error (/x)"),
        (errno.ENOTDIR, StorageError, "side: Not a directory (/x)"),
        (errno.EACCES, StorageError, "side: Permission denied (/x)"),
    ],
)
def test_errors_are_ours(number: int, kind: type[TransferError], said: str) -> None:
    with pytest.raises(kind) as caught, storage_errors("side"):
        raise OSError(number, os.strerror(number), "/x")
    assert caught.value.message == said
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.hint or kind is UnsafePath


def test_a_path_is_told_once() -> None:
    with pytest.raises(NotFound) as caught, storage_errors("source /x/y"):
        raise FileNotFoundError(errno.ENOENT, "", "/x/y")
    assert caught.value.message == "source /x/y: does not exist"


def test_only_plain_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "."):
        with (
            pytest.raises(UnsafePath, match=r"side: (not a|is a link)"),
            open_plain(tmp_path / name, "side"),
        ):
            pass


def test_text_that_a_person_named(tmp_path: Path) -> None:
    file, link = tmp_path / "spec.yaml", tmp_path / "link.yaml"
    file.write_text("größer\n")
    link.symlink_to(file)
    assert read_text(link, "spec") == "größer\n"
    file.write_bytes(b"password \xff")
    with pytest.raises(InvalidInput, match=r"^spec: not text in UTF-8 \(byte 9\)$") as caught:
        read_text(file, "spec")
    assert caught.value.__cause__ is None
    with pytest.raises(NotFound, match=r"^spec: does not exist"):
        read_text(tmp_path / "nowhere", "spec")
    with pytest.raises(StorageError, match=r"^spec: Is a directory"):
        read_text(tmp_path, "spec")
    with pytest.raises(InvalidInput, match=r"^spec: more than 67108864 characters"):
        read_text(Path("/dev/zero"), "spec")


def test_a_small_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_plain(tmp_path / "file", "side", 5) == b"12345"
    with pytest.raises(SizeMismatch, match=r"^side: has more than 4 bytes"):
        read_plain(tmp_path / "file", "side", 4)
