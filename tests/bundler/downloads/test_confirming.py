"""The disk is asked now and then, one question at a time, and its answer is heard."""

from __future__ import annotations

import threading

import pytest

from bundler.downloads.confirming import CONFIRM_EVERY, Confirming
from tests.processes import PATIENCE
from transfer.errors import StorageError


def test_disk_is_asked_now_and_then() -> None:
    asked: list[None] = []
    confirming = Confirming(lambda: asked.append(None))
    for _ in range(10):
        confirming.wrote(CONFIRM_EVERY // 2)
        confirming.wait()
    assert len(asked) == 5


def test_slow_disk_is_asked_one_thing_at_a_time() -> None:
    asked: list[None] = []
    answer = threading.Event()

    def slowly() -> None:
        asked.append(None)
        assert answer.wait(PATIENCE)

    confirming = Confirming(slowly)
    for _ in range(10):
        confirming.wrote(CONFIRM_EVERY)
    answer.set()
    confirming.wait()
    assert len(asked) == 1
    confirming.wrote(0)  # what came meanwhile is still to be confirmed
    confirming.wait()
    assert len(asked) == 2


def test_disk_that_refuses() -> None:
    def refuse() -> None:
        raise StorageError("the medium is damaged")

    confirming = Confirming(refuse)
    confirming.wrote(CONFIRM_EVERY)
    with pytest.raises(StorageError, match="damaged"):
        confirming.wait()
    with pytest.raises(StorageError, match="damaged"):
        confirming.wrote(CONFIRM_EVERY)
