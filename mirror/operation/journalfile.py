"""The journal as a file beside the site file; one run at a time may write it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mirror.operation.journal import Event, done_before, entry, fingerprint, opened_by, opening
from mirror.operation.model import Step
from transfer.disk import storage_errors
from transfer.errors import Conflict, StorageError


@dataclass(frozen=True, slots=True)
class JournalFile:
    """The notes of one run, at the end of those of all runs before."""

    path: Path
    title: str
    """Of the plan: what `done` was read for."""
    done: frozenset[str]
    """Fingerprints of steps that the run that is continued has done."""
    now: Callable[[], datetime]
    """The time, with its zone."""
    _file: int

    def has_done(self, step: Step) -> bool:
        """Whether this very step was done by the run that is continued."""
        return fingerprint(step) in self.done

    def note(self, event: Event, step: Step) -> None:
        """Append a line, and see it on the disk.

        Raises:
            StorageError: it cannot be written.
        """
        self._append(entry(self.now(), self.title, event, step))

    def end(self) -> None:
        """Note that the run came to its end.

        Raises:
            StorageError: it cannot be written.
        """
        self._append(entry(self.now(), self.title, Event.ENDED))

    def _append(self, line: str) -> None:
        _append(self._file, self.path, line)


@dataclass(frozen=True, slots=True)
class HeldJournal:
    """A journal that nobody else can write, nor hold, as long as this lasts."""

    path: Path
    now: Callable[[], datetime]
    _file: int

    def of(self, title: str) -> JournalFile:
        """For the run of the plan with this title.

        Raises:
            StorageError: it cannot be read.
        """
        with storage_errors(f"journal {self.path}"):
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        done = done_before(lines, title, self.now())
        return JournalFile(self.path, title, done, self.now, self._file)


@contextmanager
def hold_journal(path: Path, by: str, now: Callable[[], datetime]) -> Iterator[HeldJournal]:
    """Hold the journal at `path`: from before a run looks at what is there until it ends.

    Args:
        path: Where it is, or will be.
        by: Who holds it, for whoever is refused meanwhile.
        now: The time, with its zone.

    Raises:
        Conflict: somebody else holds it.
        StorageError: it cannot be read or written.
    """
    file = _open(path)
    try:
        with storage_errors(f"journal {path}"):
            _lock(file, path)
            text = path.read_text(encoding="utf-8", errors="replace")
            if text and not text.endswith("\n"):  # a line cut short by a machine that went down
                os.write(file, b"\n")
        _append(file, path, opening(now(), by))
        yield HeldJournal(path, now, file)
    finally:
        os.close(file)


def _append(file: int, path: Path, line: str) -> None:
    with storage_errors(f"journal {path}"):
        left = line.encode()
        while left:  # the last room on a disk takes a part of it
            left = left[os.write(file, left) :]
        os.fsync(file)


def _open(path: Path) -> int:
    try:
        with storage_errors(f"journal {path}"):
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except StorageError as error:
        raise StorageError(
            str(error), hint="--journal FILE notes it elsewhere; nothing runs that is not on record"
        ) from error


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = opened_by(path.read_text(encoding="utf-8", errors="replace").splitlines())
        raise Conflict(
            f"journal {path}: another run is under way" + (f": {holder}" if holder else ""),
            hint="wait until it has ended, then run the same command again: it plans from what "
            "is there then",
        ) from error
