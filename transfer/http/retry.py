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


class GivenUp(Unavailable):
    """Was tried as often as allowed: whoever called need not try again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Exponential backoff with full jitter; what the other side asks for is respected.

    Source of the jitter: "Exponential Backoff And Jitter", AWS Architecture Blog.
    """

    attempts: int = 5
    """How often something is tried in all."""
    base: float = 1.0
    """Seconds; the first pause is anything up to this, each further one up to twice as much."""
    longest: float = 60.0
    """Seconds that no pause exceeds, even when `Retry-After` asks for more."""
    sleep: Callable[[float], object] = time.sleep
    """Waits; a true result means that waiting was cut short and nothing is tried any more."""
    random: Callable[[], float] = random.random
    """From 0 to 1."""

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
            try:
                return work()
            except GivenUp:
                raise
            except Unavailable as error:
                if (now := reached()) > before:
                    attempt, before = 1, now
                if attempt >= self.attempts:
                    raise _given_up(error, attempt) from error
                pause = self.pause(attempt, error.retry_after)
                progress.say(f"{error.message}; trying again in {pause:.1f} s")
                if self.sleep(pause):
                    raise
            attempt += 1

    def pause(self, attempt: int, retry_after: float | None) -> float:
        """Seconds to wait after attempt number `attempt`, counted from 1."""
        backoff = self.base * 2.0 ** (attempt - 1) * self.random()
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
