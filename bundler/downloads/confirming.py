"""Lets the disk confirm now and then what was written, while more arrives."""

from __future__ import annotations

import threading
from collections.abc import Callable

from transfer.errors import TransferError

CONFIRM_EVERY = 256 << 20
"""Bytes; a machine that goes down loses at most about these."""


class Confirming:
    """At most one confirmation at a time, in a thread of its own."""

    def __init__(self, confirm: Callable[[], None]) -> None:
        """`confirm` waits for the disk."""
        self._confirm = confirm
        self._open = 0
        self._thread: threading.Thread | None = None
        self._error: TransferError | None = None

    def wrote(self, count: int) -> None:
        """So many bytes more; starts a confirmation when it is time for one.

        Raises:
            StorageError: the disk refused the last one.
        """
        self._open += count
        if self._open < CONFIRM_EVERY or (self._thread and self._thread.is_alive()):
            return
        self.wait()
        self._open = 0
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
