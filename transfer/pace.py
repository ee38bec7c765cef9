"""How many blobs are moved at a time: as many as the other side sustains, found out on the way.

More at a time help until something is used up: the registry's processor, the line, a limit of
requests, a disk that has to seek. Whoever waits for one of them gains nothing by asking for more,
and burdens others. So the number climbs while that is worth it, goes down while that costs
nothing, and is halved when the other side says that it is too much. A line that breaks now and
then says the same: where it was one of many, the number is soon what it was.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

START = 4
"""Blobs at a time until something is known; right for most registries."""

FAR = 0.02
"""Seconds of the quickest answer, from which on a registry is far away, and blobs spend more of
their time waiting for answers than on the line."""

START_FAR = 8
"""As `START`, where it is."""

MOST = 16
"""Beyond this no registry was seen to gain, and each has a connection and a thread."""

WINDOW = 1.0
"""Seconds that a rate is measured over; the first ones after a change are not counted."""

SELDOM = 10
"""Blobs and questions that went well for each setback, so that it is no sign of too much."""

REST = 20
"""Windows without trials, once neither more nor fewer were better."""

QUESTIONS = 4
"""Questions at a time for each blob: whoever is far away answers them in good time before it."""

GAIN = 1.1
"""How many times as fast it has to be to be worth one more."""

NO_LOSS = 0.97
"""How many times as fast it has to stay for one less to cost nothing."""

Clock = Callable[[], float]
"""Seconds since some moment."""


class Climb:
    """The search for the best number, told of one rate after the other."""

    def __init__(self, start: int = START, most: int = MOST) -> None:
        self.limit = start
        """How many at a time."""
        self._most = most
        self._before: int | None = None
        """Where to go back to, while a trial is under way."""
        self._rate = 0.0
        self._up = True
        self._failures = 0
        self._rest = 0
        self._settling = False
        self._sustained = 0
        """Where to go back to after a setback that says little, without asking what it brings."""

    def measured(self, rate: float) -> None:
        """Hear how fast it was, over a window in which there was enough to do."""
        if self._settling:
            self._settling = False
        elif self.limit < self._sustained:
            self.limit += 1
        elif self._before is None:
            self._rate, self._sustained = rate, 0
            self._rest -= 1
            if self._rest < 0:
                self._try()
        elif rate >= self._rate * (GAIN if self._up else NO_LOSS):
            self._rate, self._failures = max(rate, self._rate), 0
            self._try()
        else:
            self._give_up_trial(self._before)

    def fall_back(self, *, lasting: bool = True) -> None:
        """Go on with half as many: the other side had enough, or may have had."""
        self._sustained = 0 if lasting else max(self.limit, self._sustained)
        self.limit = max(1, self.limit // 2)
        self._before, self._rest, self._up, self._failures = None, REST, True, 0
        self._settling = True

    def _give_up_trial(self, before: int) -> None:
        self.limit, self._before = before, None
        self._up, self._settling = not self._up, True
        self._failures += 1
        if self._failures > 1:  # neither way is better
            self._failures, self._rest = 0, REST

    def _try(self) -> None:
        step = max(1, self.limit // 3)
        wanted = min(self.limit + step, self._most) if self._up else max(self.limit - step, 1)
        if wanted == self.limit:
            self._give_up_trial(self.limit)
        else:
            self._before, self.limit, self._settling = self.limit, wanted, True


class Pace:
    """Lets so many threads work at a time on one host, and measures what comes of it."""

    def __init__(
        self, clock: Clock, setbacks: Callable[[], int], climb: Climb | None = None
    ) -> None:
        """`setbacks` tells how often so far the other side had to be asked again."""
        self._clock = clock
        self._setbacks = setbacks
        self._climb = climb or Climb()
        self._free = threading.Condition()
        self._active = 0
        self._asking = 0
        self._quickest: float | None = None
        self._has_begun = False
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int]] = []
        self._heard = setbacks()
        self._since = clock()
        self._bytes = 0
        self._went_well = 0
        """Turns and questions since the last setback."""

    @property
    def limit(self) -> int:
        """How many work at a time now."""
        return self._climb.limit

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return len(self._waiting)

    @contextmanager
    def turn(self, number: int = 0) -> Iterator[None]:
        """Move something as soon as it is one's turn: of those who wait, the lowest number's."""
        me = number, next(self._numbers)
        with self._free:
            self._begin()
            heapq.heappush(self._waiting, me)
            self._free.wait_for(lambda: self._active < self.limit and self._waiting[0] == me)
            heapq.heappop(self._waiting)
            self._active += 1
            self._free.notify_all()
        try:
            yield
        finally:
            with self._free:
                self._active -= 1
                self._end_turn()

    @contextmanager
    def question(self) -> Iterator[None]:
        """Ask something that moves nothing; more may do that at a time."""
        with self._free:
            self._free.wait_for(lambda: self._asking < QUESTIONS * self.limit)
            self._asking += 1
            began = self._clock()
        try:
            yield
        finally:
            with self._free:
                took = self._clock() - began
                self._quickest = took if self._quickest is None else min(took, self._quickest)
                self._asking -= 1
                self._end_turn()

    def _begin(self) -> None:
        """Before the first turn, see how far away it is."""
        is_far = self._quickest is not None and self._quickest >= FAR
        if is_far and not self._has_begun and self.limit == START:
            self._climb.limit = START_FAR
        self._has_begun = True

    def _end_turn(self) -> None:
        self._went_well += 1
        self._look()
        self._free.notify_all()

    def moved(self, count: int) -> None:
        """Hear of `count` bytes that went over."""
        with self._free:
            self._bytes += count
            before = self._climb.limit
            self._look()
            if self._climb.limit > before:
                self._free.notify_all()

    def _look(self) -> None:
        """At the end of a window, say how fast it was; a fall is heard at once, one a window."""
        now, setbacks = self._clock(), self._setbacks()
        passed = now - self._since
        if setbacks > self._heard:
            few = setbacks - self._heard
            self._climb.fall_back(lasting=self._went_well < SELDOM * few)
            self._went_well = 0
        elif passed < WINDOW:
            return
        elif self._waiting:
            self._climb.measured(self._bytes / passed)
        self._heard, self._since, self._bytes = setbacks, now, 0


class Unpaced:
    """Where the number of threads is all that limits them."""

    @contextmanager
    def turn(self, number: int = 0) -> Iterator[None]:  # noqa: ARG002 - as Pace
        """It is always one's turn."""
        yield

    @contextmanager
    def question(self) -> Iterator[None]:
        """The same."""
        yield

    def moved(self, count: int) -> None:
        """Ignore it."""


UNPACED = Unpaced()
