"""The progress of several downloads as one phase."""

from __future__ import annotations

import threading

from transfer.progress import Progress


class Tally:
    """Begins with the first byte, and ends when all files are done, well or not."""

    def __init__(self, progress: Progress, label: str, total: int | None) -> None:
        """`total` in bytes; None to be told of it when a server says it."""
        self._progress = progress
        self._label = label
        self._total = total
        self._begun = False
        self._lock = threading.Lock()

    def told(self, size: int) -> None:
        """A server said how many bytes a file has."""
        self._begin(size)

    def advance(self, count: int) -> None:
        """`count` more bytes are here; negative when they have to come again."""
        if count:
            self._begin(0)
            self._progress.advance(count)

    def say(self, line: str) -> None:
        """One line worth keeping."""
        self._progress.say(line)

    def begin(self, label: str, total: int) -> None:
        """Ignored: there is one phase for all."""

    def end(self) -> None:
        """All is done."""
        if self._begun:
            self._progress.end()

    def _begin(self, total: int) -> None:
        with self._lock:
            if not self._begun:
                self._begun = True
                self._progress.begin(self._label, total if self._total is None else self._total)
