"""The number of jobs that is found out: by rates that are made up, and by a scripted registry."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.fakes.faulty import Exchange
from tests.fakes.registry import FakeRegistry
from tests.transfer.images import from_blobs
from tests.transfer.memory import MemoryStore
from tests.transfer.registry.support import noise
from transfer.copy import copy
from transfer.delivery import ImageCopy
from transfer.pace import FAR, MOST, QUESTIONS, REST, SELDOM, START, START_FAR, WINDOW, Climb, Pace
from transfer.progress import SILENT
from transfer.registry import RegistryClient, RetryPolicy
from transfer.run import Run

RATES: dict[str, tuple[Callable[[int], float], range]] = {
    "each adds as much": (lambda jobs: jobs * 10, range(MOST, MOST + 1)),
    "eight use it up": (lambda jobs: min(jobs, 8) * 50, range(8, 9)),
    "three use it up": (lambda jobs: min(jobs, 3) * 100, range(3, 4)),
    "one uses it up": (lambda _: 40, range(1, 2)),
    "a disk that seeks": (lambda jobs: 40 / jobs, range(1, 2)),
    "it thrashes beyond six": (lambda jobs: jobs * 10 if jobs <= 6 else 20, range(6, 7)),
    "it hardly matters": (lambda jobs: 100 - 2 * abs(jobs - 4), range(1, 5)),
}


@pytest.mark.parametrize("case", RATES)
def test_it_finds_the_number_that_pays(case: str) -> None:
    rate, right = RATES[case]
    climb, seen = Climb(), list[int]()
    for _ in range(30 + 10 * REST):
        climb.measured(rate(climb.limit))
        seen.append(climb.limit)
    settled = seen[30:]
    assert sum(limit in right for limit in settled) >= 0.7 * len(settled), settled
    assert min(seen) >= 1
    assert max(seen) <= MOST


def test_it_falls_to_half_and_rests() -> None:
    climb = Climb(start=8)
    climb.fall_back()
    assert climb.limit == 4
    for _ in range(REST):
        climb.measured(100)
        assert climb.limit == 4
    for _ in range(4):
        climb.fall_back()
    assert climb.limit == 1


def test_after_a_setback_among_much_that_went_well_it_is_soon_what_it_was() -> None:
    climb = Climb(start=8)
    climb.fall_back(lasting=False)
    limits = [climb.limit]
    for _ in range(6):
        climb.measured(100)
        limits.append(climb.limit)
    assert limits == [4, 4, 5, 6, 7, 8, 8]
    climb.fall_back(lasting=False)
    climb.fall_back(lasting=False)
    assert climb.limit == 2
    for _ in range(7):
        climb.measured(100)
    assert climb.limit == 8, "the second came while the first was not made up for"


@dataclass(slots=True)
class Now:
    """A clock that goes when it is told to, and setbacks that were had so far."""

    seconds: float = 0.0
    setbacks: int = 0

    def pace(self) -> Pace:
        return Pace(lambda: self.seconds, lambda: self.setbacks)


def test_setbacks_of_one_window_are_one_fall() -> None:
    now = Now()
    pace = now.pace()
    for setbacks, seconds, limit in ((1, 0, 2), (1, 0.1, 2), (1, WINDOW, 2), (4, 0, 1)):
        now.setbacks, now.seconds = setbacks, now.seconds + seconds
        pace.moved(1)
        assert pace.limit == limit


@pytest.mark.parametrize(("turns", "limit"), [(SELDOM, START), (SELDOM - 1, START // 2)])
def test_one_setback_among_many_turns_says_little(turns: int, limit: int) -> None:
    now, climb = Now(), Climb()
    pace = Pace(lambda: now.seconds, lambda: now.setbacks, climb)
    for _ in range(turns):
        with pace.turn():
            pass
    now.setbacks += 1
    pace.moved(1)
    assert pace.limit == START // 2
    for _ in range(REST):
        climb.measured(100)
    assert pace.limit == limit


def test_a_window_without_enough_to_do_says_nothing() -> None:
    now = Now()
    pace = now.pace()
    for _ in range(20):
        with pace.turn():
            now.seconds += WINDOW
            pace.moved(1000)
    assert pace.limit == START


def test_no_more_than_the_limit_work_at_a_time_and_more_are_let_in_when_it_rises() -> None:
    now, most = Now(), 0
    pace, lock, active = now.pace(), threading.Lock(), 0
    gate = threading.Barrier(START + 1)

    def work() -> None:
        nonlocal active, most
        with pace.turn():
            with lock:
                active += 1
                most = max(most, active)
            gate.wait(30)
            with lock:
                active -= 1

    with ThreadPoolExecutor(3 * START) as pool:
        tasks = [pool.submit(work) for _ in range(2 * START)]
        gate.wait(30)
        gate.wait(30)
        for task in tasks:
            task.result()
    assert most == START


def test_of_those_who_wait_the_lowest_number_goes_first() -> None:
    now, order = Now(), list[int]()
    pace = Pace(lambda: now.seconds, lambda: 0, Climb(start=1))
    waiting = threading.Semaphore(0)

    def work(number: int) -> None:
        with pace.question():
            waiting.release()
        with pace.turn(number):
            order.append(number)

    with ThreadPoolExecutor(3) as pool:
        with pace.turn(0):
            tasks = [pool.submit(work, number) for number in (3, 1, 2)]
            for _ in tasks:
                assert waiting.acquire(timeout=30), "questions do not wait for turns"
            while pace.waiting < len(tasks):
                assert not order
        for task in tasks:
            task.result(30)
    assert order == [1, 2, 3]


@pytest.mark.parametrize(("took", "limit"), [(FAR / 2, START), (FAR, START_FAR)])
def test_where_answers_take_long_it_begins_with_more(took: float, limit: int) -> None:
    now = Now()
    pace = now.pace()
    for seconds in (WINDOW / 2, took, took + WINDOW / 4):
        with pace.question():
            now.seconds += seconds
    with pace.turn():
        assert pace.limit == limit
    with pace.question():
        now.seconds += FAR / 4
    with pace.turn():
        assert pace.limit == limit, "it is found out once"


def test_questions_have_a_limit_too() -> None:
    now = Now()
    pace = Pace(lambda: now.seconds, lambda: 0, Climb(start=2))
    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        for _ in range(2 * QUESTIONS):
            last = ExitStack()
            last.enter_context(pace.question())
            stack.push(last)
        one_more = pool.submit(lambda: pace.question().__enter__())
        with pytest.raises(TimeoutError):
            one_more.result(0.2)
        last.close()
        one_more.result(30)


@dataclass(slots=True)
class Busy:
    """Answers 429 to whoever comes while `limit` uploads are under way."""

    limit: int
    now: Now
    active: int = 0
    most: int = 0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, exchange: Exchange) -> bool:
        with self._lock:
            self.active += 1
            self.most = max(self.most, self.active)
            refused = self.active > self.limit
            self.refused += refused
        try:
            if refused:
                exchange.read_body()
                exchange.answer(429, {"Retry-After": "0"})
            else:
                exchange.serve()
        finally:
            with self._lock:
                self.active -= 1
                self.now.seconds += WINDOW  # each answer ends a window
        return True


def test_a_registry_that_has_enough_gets_less() -> None:
    tree = from_blobs(b"config", *(noise(1000 + number) for number in range(60)))
    now = Now()
    busy = Busy(limit=2, now=now)
    retry = RetryPolicy(attempts=50, base=0.0, longest=0.0)
    with (
        FakeRegistry() as fake,
        RegistryClient.connect(fake.host, plain_http=True, retry=retry) as client,
    ):
        fake.fail("PUT", "/uploads/", 10_000, busy)
        target = client.repository("a/b")
        image = ImageCopy(root=tree.root, source=MemoryStore(tree), target=target, name="1")

        copy([image], jobs=MOST, clock=lambda: now.seconds).raise_for_failures()
        assert target.setbacks == busy.refused
    assert len(fake.blobs) == len(tree.blobs)
    assert busy.most <= START + 1
    assert busy.refused < len(tree.blobs), "not one in two is refused for long"


def test_hosts_have_a_pace_each_and_a_given_number_is_kept() -> None:
    with (
        RegistryClient.connect("a.example") as first,
        RegistryClient.connect("b.example") as second,
    ):
        run = Run(MOST, SILENT, lambda: 0.0)
        one = run.pace(first.repository("x"))
        assert run.pace(first.repository("y")) is one
        assert run.pace(second.repository("x")) is not one
        assert run.jobs == START
        run.close()
        fixed = Run(7, SILENT)
        assert not isinstance(fixed.pace(first.repository("x")), Pace)
        assert fixed.jobs == 7
        fixed.close()
