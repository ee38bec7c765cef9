"""Where a file's bytes are right now, and where when that has expired."""

from __future__ import annotations

import threading

from bundler.downloads.values import Download
from bundler.sources.protocol import Location
from transfer.errors import AccessDenied, TransferError

_NEW_TOO = (
    "its source hands out addresses that are refused: check this machine's clock, and with the "
    "vendor whether the licence may have this file"
)


class Address:
    """The address of one file, shared by its connections."""

    def __init__(self, wanted: Download, renewals: int) -> None:
        """Nobody is asked yet.

        Args:
            wanted: Knows whom to ask.
            renewals: How often in a row, without a byte having come.
        """
        self._wanted = wanted
        self._most = renewals
        self._left = renewals
        self._arrived = 0
        self._location: Location | None = None
        self._lock = threading.Lock()

    def current(self) -> Location:
        """The address as far as is known; asks for the first.

        Raises:
            TransferError: as the source does.
        """
        with self._lock:
            if self._location is None:
                self._location = self._wanted.locate()
            return self._location

    def renew(self, refused: Location, refusal: TransferError, arrived: int) -> None:
        """Ask for another one, unless another connection just did.

        Args:
            refused: The address that is of no use any more.
            refusal: What was said there.
            arrived: Bytes that came by now, by whatever address.

        Raises:
            AccessDenied: too many new ones were refused.
            TransferError: the refusal, when there is no other address; or as the source does.
        """
        with self._lock:
            if self._location is not refused:
                return
            if arrived > self._arrived:
                self._left, self._arrived = self._most, arrived
            if not self._left:
                raise AccessDenied(
                    f"{refusal.message}, also at {self._most} new addresses", hint=_NEW_TOO
                )
            self._left -= 1
            location = self._wanted.locate()
            if location == refused:
                raise refusal
            self._location = location
