"""When and how often something is tried again: only what is temporary, and ever less eagerly."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from transfer.errors import Unavailable
from transfer.progress import SILENT, Progress

_Result = TypeVar("_Result")

_STEEPER = 3.0
"""How many times as long each pause is as the one before."""

_JITTER = 0.25
"""The part of a pause that is chance, so that many who failed at once do not all come back at
once. Not more: the pauses together are what somebody who starts anew has for it."""


class GivenUp(Unavailable):
    """Was tried as often as allowed: whoever called need not try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with a floor; what the other side asks for is respected.

    By default whoever is gone has at least 30 seconds to come back, and is given up after at most
    40, and the time that the attempts themselves took.
    """

    attempts: int = 5
    """How often something is tried in all."""
    base: float = 1.0
    """Seconds of the first pause, at most."""
    longest: float = 60.0
    """Seconds that no pause exceeds, even when `Retry-After` asks for more."""
    sleep: Callable[[float], object] = time.sleep
    """Waits; a true result means that waiting was cut short and nothing is tried any more."""
    random: Callable[[], float] = random.random
    """From 0 to 1."""
    clock: Callable[[], float] = time.monotonic
    """Seconds since some moment."""

    def run(
        self,
        work: Callable[[], _Result],
        progress: Progress = SILENT,
        reached: Callable[[], int] = lambda: 0,
    ) -> _Result:
        """The result of `work`, tried again while it raises Unavailable.

        Args:
            work: What is tried.
            progress: Told of each pause and its reason.
            reached: How far the work has come. Slow is not broken: an attempt that came further
                is counted as the first.

        Raises:
            GivenUp: as the last attempt said, with how many there were.
            TransferError: anything else that `work` raises, at once.
        """
        attempt, before = 1, reached()
        while True:
            began = self.clock()
            try:
                return work()
            except GivenUp:
                raise
            except Unavailable as error:
                if (now := reached()) > before:
                    attempt, before = 1, now
                if attempt >= self.attempts:
                    raise _given_up(error, attempt) from error
                pause = self.pause(attempt, error.retry_after, self.clock() - began)
                progress.say(f"{error.message}; trying again in {pause:.1f} s")
                if self.sleep(pause):
                    raise
            attempt += 1

    def pause(self, attempt: int, retry_after: float | None, took: float = 0.0) -> float:
        """Seconds to wait after attempt number `attempt`, counted from 1.

        An attempt that `took` long, as one that ends in a time-out does, was a pause itself.
        """
        part = 1.0 - _JITTER * self.random()
        backoff = max(self.base * _STEEPER ** (attempt - 1) * part - took, self.base * part)
        return min(max(backoff, retry_after or 0.0), self.longest)


def _given_up(error: Unavailable, attempts: int) -> GivenUp:
    tries = f" (tried {attempts} times)" if attempts > 1 else ""
    return GivenUp(
        f"{error.message}{tries}",
        hint=error.hint,
        faults=error.faults,
        retry_after=error.retry_after,
        stumbled=error.stumbled,
    )
