"""More connections for one file, where the server limits each: for as long as one more pays.

The first connection works alone and is measured. If it is slow, another one joins; if that made
the file faster, one more, and so on. Where the line itself is the limit, the second brings nothing
and stays the last.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, wait

from bundler.downloads.limits import Clock
from bundler.downloads.means import Means
from bundler.downloads.stop import Stopped
from transfer.errors import TransferError

_NEARLY = 0.8
"""The part of the allowed rate from which on nothing is gained."""


class Crew:
    """The helpers of one file's first connection."""

    def __init__(
        self, means: Means, help_out: Callable[[], None], clock: Clock = time.monotonic
    ) -> None:
        """Nobody helps yet; `help_out` is what a helper does, until nothing is left to do."""
        self.stop = means.stop.below()
        """Ends the helpers."""
        self.possible = False
        """Whether the server takes requests for ranges."""
        self._over = False
        self._helpers = means.helpers
        self._help_out = help_out
        self._pace = means.pace
        allowed = means.limiter.rate
        self._enough = min(
            means.pace.fast, means.pace.fast if allowed is None else allowed * _NEARLY
        )
        self._clock = clock
        self._since, self._before = clock(), 0
        self._speed = 0.0
        self._asked: list[Future[None]] = []

    def consider(self, arrived: int) -> None:
        """Told now and then how many bytes have arrived; asks for help where it pays."""
        elapsed = self._clock() - self._since
        if self._over or not self.possible or elapsed < self._pace.window:
            return
        speed = (arrived - self._before) / elapsed
        self._since, self._before = self._clock(), arrived
        if speed >= self._enough or len(self._asked) >= self._pace.extra:
            return
        if speed < self._speed * self._pace.gain:
            self._over = True
            return
        self._speed = speed
        self._asked.append(self._helpers.submit(self._help))

    def dismiss(self) -> None:
        """End the helpers and wait until they are gone."""
        self._over = True
        self.stop.set()
        for future in self._asked:
            future.cancel()
        wait(self._asked)

    def _help(self) -> None:
        try:
            self._help_out()
        except (TransferError, Stopped):
            self._over = True  # the first connection takes over, and knows what to do
