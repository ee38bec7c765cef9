"""Not faster than allowed, not slower than makes sense."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from transfer.errors import Unavailable

Clock = Callable[[], float]


class Limiter:
    """Keeps all connections together below a rate."""

    def __init__(self, rate: int | None, clock: Clock = time.monotonic) -> None:
        """`rate` in bytes a second, None for as fast as it goes."""
        self.rate = rate
        self._clock = clock
        self._free = 0.0
        self._lock = threading.Lock()

    def block(self, largest: int) -> int:
        """Bytes to read in one go: a few times a second, not a second's worth at once."""
        return largest if self.rate is None else max(1, min(largest, self.rate // 8))

    def take(self, count: int) -> float:
        """`count` bytes came: seconds to wait before the next."""
        if self.rate is None:
            return 0.0
        with self._lock:
            now = self._clock()
            self._free = max(self._free, now) + count / self.rate
            return self._free - now


class Trickle:
    """Notices a connection that still brings something, but so little that it will never end."""

    def __init__(
        self, what: str, least: int, seconds: float, clock: Clock = time.monotonic
    ) -> None:
        """Less than `least` bytes a second for so many seconds is too little."""
        self._what = what
        self._least = least
        self._seconds = seconds
        self._clock = clock
        self._since = clock()
        self._bytes = 0

    def came(self, count: int) -> None:
        """So many bytes came.

        Raises:
            Unavailable: too few, for too long.
        """
        self._bytes += count
        elapsed = self._clock() - self._since
        if elapsed < self._seconds:
            return
        if self._bytes < self._least * elapsed:
            raise Unavailable(
                f"{self._what}: only {self._bytes} bytes in {elapsed:.0f} s; dropped the connection"
            )
        self._since, self._bytes = self._clock(), 0

    def excuse(self, seconds: float) -> None:
        """It was not the server who made it wait."""
        self._since += seconds
