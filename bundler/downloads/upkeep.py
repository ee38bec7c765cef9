"""What the cache holds: shown, proven, tidied away. Nothing that is in use is removed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bundler.downloads.cache import Cache
from bundler.downloads.journal import read_journal
from bundler.downloads.part import journal_of
from bundler.downloads.remembered import memories, memory_at
from bundler.downloads.unconfirmed import is_doubtful
from transfer.bundle.tree import digest_file
from transfer.digest import Digest
from transfer.disk import storage_errors, try_lock_file
from transfer.errors import DigestMismatch, IntegrityError, NotFound, StorageError, raise_together
from transfer.progress import Progress
from transfer.text import counted

_NAME = re.compile(r"[0-9a-f]{64}")
_ASIDE = ".gone"
_YOUNG = 3600.0
"""Seconds that what is remembered may wait for its file to be there."""
_TICK = 0.01
"""Seconds by which a file may be dated back: the clock that it is dated by moves in steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file in the cache."""

    path: Path
    file_name: str
    """What its source calls it; "" where nobody knows any more."""
    complete: bool
    size: int
    """Bytes that are here."""
    total: int | None
    """Bytes of the whole; None where no server has told it yet."""
    used: float
    """When it was last fetched or asked for; seconds since 1970."""
    in_use: bool
    """Whether a build has it open right now."""

    @property
    def digest(self) -> Digest | None:
        """What it hashes to; a part's name need not be that."""
        return Digest("sha256", self.path.name) if self.complete else None


def look(cache: Cache) -> list[Kept]:
    """Everything that the cache holds, complete files first, the largest first.

    Raises:
        StorageError: it cannot be read.
    """
    names = {memory.digest: memory.file_name for _, memory in memories(cache) if memory}
    found = [_complete(path, names) for path in _files(cache.complete, cache.what)]
    found += [_part(path, cache.what) for path in _files(cache.partial, cache.what)]
    return sorted(found, key=lambda kept: (not kept.complete, -kept.size, kept.path))


def prune(cache: Cache, chosen: Callable[[Kept], bool]) -> tuple[list[Kept], list[Kept]]:
    """Remove what is chosen.

    Returns:
        What was removed, and what is in use and stays.

    Raises:
        StorageError: something cannot be removed.
    """
    began = time.time() - _TICK
    removed: list[Kept] = []
    staying: list[Kept] = []
    for kept in filter(chosen, look(cache)):
        (removed if _remove(kept, cache) else staying).append(kept)
    _forget_what_is_gone(cache, began, {kept.digest for kept in removed if kept.digest})
    return removed, staying


def prove(cache: Cache, progress: Progress) -> list[Kept]:
    """Hash every complete file again; one that is damaged is removed.

    Returns:
        All of them.

    Raises:
        IntegrityError: some were damaged; all of them are told.
        StorageError: they cannot be read.
    """
    complete = [kept for kept in look(cache) if kept.complete]
    faults = []
    progress.begin(cache.what, sum(kept.size for kept in complete))
    try:
        for kept in complete:
            found = digest_file(kept.path, cache.what, progress)
            if found != kept.digest:
                cache.forget(kept.digest or found)
                name = kept.file_name or "a file"
                faults.append(
                    DigestMismatch(f"{name}: expected {kept.digest}, found {found}; removed")
                )
    finally:
        progress.end()
    raise_together(
        IntegrityError,
        f"{cache.what}: {len(faults)} of {counted(len(complete), 'file')} damaged",
        faults,
        hint="look after the disk; the next build fetches them again",
    )
    return complete


def _files(folder: Path, what: str) -> list[Path]:
    with storage_errors(what):
        found = folder.iterdir() if folder.is_dir() else iter(())
        named = (path for path in found if _NAME.fullmatch(path.name))
        return sorted(path for path in named if path.is_file() and not path.is_symlink())


def _complete(path: Path, names: dict[Digest, str]) -> Kept:
    with storage_errors(f"cache file {path}"):
        status = path.stat()
    return Kept(
        path=path,
        file_name=names.get(Digest("sha256", path.name), ""),
        complete=True,
        size=status.st_size,
        total=status.st_size,
        used=status.st_mtime,
        in_use=_in_use(path),
    )


def _part(path: Path, what: str) -> Kept:
    noted = read_journal(journal_of(path), what)
    with storage_errors(f"cache file {path}"):
        used = path.stat().st_mtime
    return Kept(
        path=path,
        file_name=noted.content.file_name,
        complete=False,
        size=noted.here.total,
        total=noted.content.size,
        used=used,
        in_use=_in_use(path),
    )


def _in_use(path: Path) -> bool:
    try:
        lock = try_lock_file(path, "")
    except StorageError:  # somebody else's, to be read only
        return False
    if lock:
        lock.close()
    return lock is None


def _remove(kept: Kept, cache: Cache) -> bool:
    """False when it is in use."""
    lock = try_lock_file(kept.path, cache.what)
    if lock is None:
        return False
    with lock, storage_errors(cache.what):
        if not kept.complete:
            journal_of(kept.path).unlink(missing_ok=True)
        kept.path.unlink(missing_ok=True)
        if kept.digest:
            cache.note(kept.digest).unlink(missing_ok=True)
    return True


def _forget_what_is_gone(cache: Cache, began: float, removed: Collection[Digest]) -> None:
    """What is remembered of files that are not there, and what killed processes left over.

    A build remembers what it has fetched a moment before the file has its name, so what is young
    stays, unless it is about what we removed ourselves.
    """

    def is_stale(path: Path) -> bool:
        memory = memory_at(path, cache.what)
        if memory is None:
            return True
        if cache.path(memory.digest).exists():
            return False
        return path.stat().st_mtime < (began if memory.digest in removed else began - _YOUNG)

    def is_doubtful_of_nothing(path: Path) -> bool:
        return is_doubtful(path) and not cache.path(Digest("sha256", path.name[:64])).exists()

    def is_unfinished(path: Path) -> bool:
        """Of a process that was killed; one that writes right now is not to lose its file."""
        return path.stat().st_mtime < began - _YOUNG

    with storage_errors(cache.what):
        for path, _ in memories(cache):
            _forget(path, is_stale if path.suffix == ".json" else is_unfinished)
        for path in cache.partial.glob("*.journal*"):
            _remove_journal(path, cache.what)
        for path in cache.unconfirmed.glob("*"):
            is_note = _NAME.fullmatch(path.name)
            _forget(path, is_doubtful_of_nothing if is_note else is_unfinished)


def _forget(note: Path, is_stale: Callable[[Path], bool]) -> None:
    """Remove a note, but not one that another process has put there since we looked.

    Nobody can look at a file and remove it in one step: it is moved aside, and looked at again.
    """
    with suppress(NotFound, FileNotFoundError):  # somebody else tidies too
        if not is_stale(note):
            return
        aside = note.with_name(f"{note.name}{_ASIDE}")
        note.rename(aside)
        if is_stale(aside) or note.exists():
            aside.unlink()
        else:
            aside.rename(note)


def _remove_journal(journal: Path, what: str) -> None:
    """Remove what is left of a part that is gone; whoever begins one now waits for us."""
    part = journal.with_name(journal.name.partition(".")[0])
    if part.exists():
        return
    lock = try_lock_file(part, what)
    if lock is None:
        return
    with lock:
        if not os.fstat(lock.fileno()).st_size:
            journal.unlink(missing_ok=True)
            part.unlink(missing_ok=True)
