from __future__ import annotations

from collections.abc import Callable

import pytest

from transfer.errors import AccessDenied, TransferError, Unavailable
from transfer.progress import Silent
from transfer.registry import RetryPolicy


class Lines(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


class Work:
    """Raises these errors, one at each call, and then succeeds."""

    def __init__(self, *errors: TransferError) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def policy(slept: list[float], *, attempts: int = 5, longest: float = 60.0) -> RetryPolicy:
    sleep: Callable[[float], None] = slept.append
    return RetryPolicy(
        attempts=attempts, longest=longest, sleep=sleep, random=lambda: 0.0, clock=lambda: 0.0
    )


def test_pauses_grow_up_to_the_longest() -> None:
    slept: list[float] = []
    work = Work(*(Unavailable("down") for _ in range(5)))
    assert policy(slept, attempts=6, longest=20.0).run(work) == "done"
    assert slept == [1.0, 3.0, 9.0, 20.0, 20.0]


def test_a_part_of_a_pause_is_chance() -> None:
    assert RetryPolicy(random=lambda: 0.5).pause(3, None) == 9 * 0.875
    assert RetryPolicy(random=lambda: 1.0).pause(3, None) == 9 * 0.75


class Time:
    """A clock that goes on only while somebody sleeps, or works."""

    def __init__(self) -> None:
        self.now = 0.0

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("downtime", [0.5, 5.0, 20.0, 29.0])
def test_a_registry_that_starts_anew_is_waited_for(downtime: float, chance: float) -> None:
    time = Time()

    def work() -> str:
        if time.now < downtime:
            raise Unavailable("Connection refused")
        return "done"

    patient = RetryPolicy(sleep=time.pass_by, random=lambda: chance, clock=lambda: time.now)
    assert patient.run(work) == "done"


@pytest.mark.parametrize("chance", [0.0, 1.0])
@pytest.mark.parametrize(("took", "soon"), [(0.0, 40.0), (20.0, 5 * 20.0 + 11.0)])
def test_a_registry_that_is_gone_is_told_soon(took: float, soon: float, chance: float) -> None:
    """Whether it refuses connections, or lets them time out."""
    time = Time()

    def work() -> None:
        time.pass_by(took)
        raise Unavailable("gone")

    patient = RetryPolicy(sleep=time.pass_by, random=lambda: chance, clock=lambda: time.now)
    with pytest.raises(Unavailable, match="tried 5 times"):
        patient.run(work)
    assert time.now <= soon


def test_whoever_fails_late_is_not_asked_again_at_once() -> None:
    assert RetryPolicy(random=lambda: 0.0).pause(2, None, 500.0) == 1.0
    assert RetryPolicy(random=lambda: 0.0).pause(4, 30.0, 500.0) == 30.0


def test_what_the_other_side_asks_for_is_respected_up_to_the_longest() -> None:
    slept: list[float] = []
    work = Work(Unavailable("busy", retry_after=7.0), Unavailable("busy", retry_after=3600.0))
    assert policy(slept).run(work) == "done"
    assert slept == [7.0, 60.0]


def test_a_retry_and_its_reason_are_told() -> None:
    slept: list[float] = []
    progress = Lines()
    policy(slept).run(Work(Unavailable("registry x: down")), progress)
    assert progress.lines == ["registry x: down; trying again in 1.0 s"]


def test_the_last_failure_says_how_often_it_was_tried() -> None:
    work = Work(*(Unavailable("down", hint="wait", retry_after=1.0) for _ in range(9)))
    with pytest.raises(Unavailable, match=r"^down \(tried 3 times\)$") as caught:
        policy([], attempts=3).run(work)
    assert (work.calls, caught.value.hint, caught.value.retry_after) == (3, "wait", 1.0)


def test_a_single_attempt_does_not_boast() -> None:
    with pytest.raises(Unavailable, match=r"^down$"):
        policy([], attempts=1).run(Work(Unavailable("down")))


def test_only_what_is_temporary_is_tried_again() -> None:
    work = Work(AccessDenied("no"))
    with pytest.raises(AccessDenied):
        policy([]).run(work)
    assert work.calls == 1


def test_what_was_given_up_is_not_taken_up_again_further_out() -> None:
    work = Work(*(Unavailable("down") for _ in range(9)))
    inner, outer = policy([], attempts=3), policy([], attempts=3)
    with pytest.raises(Unavailable):
        outer.run(lambda: inner.run(work))
    assert work.calls == 3


def test_a_pause_that_is_cut_short_ends_it() -> None:
    work = Work(Unavailable("down"))
    with pytest.raises(Unavailable, match=r"^down$"):
        RetryPolicy(sleep=lambda _: True).run(work)
    assert work.calls == 1


def test_an_attempt_that_came_further_counts_as_the_first() -> None:
    slept: list[float] = []
    far = iter([0, 0, 10, 20, 20, 20])
    work = Work(*(Unavailable("down") for _ in range(9)))
    with pytest.raises(Unavailable, match=r"^down \(tried 3 times\)$"):
        policy(slept, attempts=3).run(work, reached=lambda: next(far))
    assert slept == [1.0, 1.0, 1.0, 3.0]
