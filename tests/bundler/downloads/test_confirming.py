"""The disk is asked now and then, one question at a time, and its answer is heard."""

from __future__ import annotations

import threading

import pytest

from bundler.downloads.confirming import CONFIRM_EVERY, Confirming
from tests.bundler.downloads.test_several import Time
from tests.processes import PATIENCE
from transfer.errors import StorageError


def test_disk_is_asked_now_and_then() -> None:
    asked: list[None] = []
    time = Time()
    confirming = Confirming(lambda: asked.append(None), time)
    for _ in range(10):
        time.now += CONFIRM_EVERY / 2
        confirming.wrote()
        confirming.wait()
    assert len(asked) == 5


def test_slow_disk_is_asked_one_thing_at_a_time() -> None:
    asked: list[None] = []
    answer, time = threading.Event(), Time()

    def slowly() -> None:
        asked.append(None)
        assert answer.wait(PATIENCE)

    confirming = Confirming(slowly, time)
    for _ in range(10):
        time.now += CONFIRM_EVERY
        confirming.wrote()
    answer.set()
    confirming.wait()
    assert len(asked) == 1
    confirming.wrote()  # it is time again
    confirming.wait()
    assert len(asked) == 2


def test_disk_that_refuses() -> None:
    def refuse() -> None:
        raise StorageError("the medium is damaged")

    time = Time()
    confirming = Confirming(refuse, time)
    time.now = CONFIRM_EVERY
    confirming.wrote()
    with pytest.raises(StorageError, match="damaged"):
        confirming.wait()
    time.now += CONFIRM_EVERY
    with pytest.raises(StorageError, match="damaged"):
        confirming.wrote()
