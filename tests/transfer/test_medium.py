"""One reader at a time where the medium is slow, in the order of its content; else all at once."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby

import pytest

from transfer.medium import FAST, WINDOW, Medium

PIECE = 100_000
SIZE = 10 * PIECE
SLOW = 2 * PIECE / FAST
"""Seconds for a piece."""
QUICK = SLOW / 4
READERS = 4
PATIENCE = 30


@dataclass(slots=True)
class Now:
    """A clock that goes on by as much at each look: what a read takes, where one reads."""

    step: float
    _seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> float:
        with self._lock:
            self._seconds += self.step
            return self._seconds


def read(medium: Medium, place: int, order: list[int], size: int = SIZE) -> None:
    """Read a file to its end, and note each piece of it."""
    stream = io.BytesIO(bytes(size))
    with medium.line(place), medium.turn(place, size) as turn:
        while turn.read(stream, PIECE):
            order.append(place)


def runs(order: list[int]) -> int:
    """How often it went on with another file."""
    return len(list(groupby(order)))


def read_together(medium: Medium, files: int) -> list[int]:
    order: list[int] = []
    with ThreadPoolExecutor(READERS) as pool:
        for done in [pool.submit(read, medium, place, order) for place in range(files)]:
            done.result(PATIENCE)
    assert len(order) == files * SIZE / PIECE
    return order


def enter_together(medium: Medium) -> None:
    """Several have their turn at the same time, or this fails."""
    inside = threading.Barrier(READERS)

    def enter(place: int) -> None:
        with medium.turn(place, SIZE):
            inside.wait(PATIENCE)

    with ThreadPoolExecutor(READERS) as pool:
        for done in [pool.submit(enter, place) for place in range(READERS)]:
            done.result(PATIENCE)


def test_one_that_is_slow_is_read_file_by_file() -> None:
    order = read_together(Medium(Now(SLOW)), 40)
    assert runs(order) == 40


def test_one_that_is_fast_is_read_by_all() -> None:
    medium = Medium(Now(QUICK))
    read(medium, 0, [], WINDOW)
    enter_together(medium)


def test_until_it_is_known_one_reads() -> None:
    assert runs(read_together(Medium(Now(QUICK)), WINDOW // SIZE)) == WINDOW // SIZE


def test_one_that_becomes_slow_is_noticed() -> None:
    now = Now(QUICK)
    medium = Medium(now)
    read(medium, 0, [], WINDOW)
    now.step = SLOW
    read(medium, 0, [], WINDOW + PIECE)
    assert runs(read_together(medium, 20)) == 20
    now.step = QUICK
    read(medium, 0, [], 2 * WINDOW)
    enter_together(medium)


def test_whoever_is_before_goes_first_though_it_comes_late() -> None:
    medium, order = Medium(Now(SLOW)), list[int]()
    with ThreadPoolExecutor(2) as pool:
        with medium.line(1), medium.line(2):
            late = pool.submit(read, medium, 3, order)
            read(medium, 0, order)
            with medium.turn(1, SIZE):
                pass
            assert order.count(3) == 0
        late.result(PATIENCE)
    assert [place for place, _ in groupby(order)] == [0, 3]


def test_whoever_is_before_and_does_not_come_is_not_waited_for() -> None:
    medium, order = Medium(Now(SLOW)), list[int]()
    with medium.line(1):
        read(medium, 2, order)
    assert order


def test_whoever_has_read_all_holds_nobody_up() -> None:
    medium, order = Medium(Now(SLOW)), list[int]()
    with ThreadPoolExecutor(1) as pool, medium.turn(0, SIZE) as turn:
        assert len(turn.read(io.BytesIO(bytes(SIZE)), SIZE)) == SIZE
        pool.submit(read, medium, 1, order).result(PATIENCE)
    assert order


def test_whoever_fails_holds_nobody_up() -> None:
    medium, order = Medium(Now(SLOW)), list[int]()
    with pytest.raises(ZeroDivisionError), medium.turn(0, SIZE):
        _ = 1 / 0
    with medium.turn(0, SIZE) as turn:
        assert turn.read(io.BytesIO(b"x"), PIECE) == b"x"
        assert turn.read(io.BytesIO(b""), PIECE) == b""
        read(medium, 1, order)
    assert order
