"""Lets the disk confirm now and then what was written, while more arrives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bundler.downloads.limits import Clock
from transfer.errors import TransferError

CONFIRM_EVERY = 20.0
"""Seconds; a machine that goes down loses what came in these, and while the disk was asked."""


class Confirming:
    """At most one question to the disk at a time, in a thread of its own."""

    def __init__(self, confirm: Callable[[], None], clock: Clock = time.monotonic) -> None:
        """`confirm` waits for the disk."""
        self._confirm = confirm
        self._clock = clock
        self._begun = self._asked = clock()
        self._thread: threading.Thread | None = None
        self._error: TransferError | None = None

    @property
    def brief(self) -> bool:
        """Whether it all takes no longer than what a machine that goes down may cost anyway."""
        return self._clock() - self._begun < CONFIRM_EVERY

    def wrote(self) -> None:
        """Something was written; asks the disk when it is time to.

        Raises:
            StorageError: the disk refused the last time.
        """
        busy = self._thread is not None and self._thread.is_alive()
        if busy or self._clock() - self._asked < CONFIRM_EVERY:
            return
        self.wait()
        self._asked = self._clock()
        self._thread = threading.Thread(target=self._run, name="confirm", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until the disk has answered.

        Raises:
            StorageError: it refused.
        """
        if self._thread:
            self._thread.join()
            self._thread = None
        if self._error:
            raise self._error

    def _run(self) -> None:
        try:
            self._confirm()
        except TransferError as error:
            self._error = error
