"""The brake that the workers of one copy share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from transfer.delivery import NotTried
from transfer.errors import AccessDenied, StorageError, TransferError, Unavailable
from transfer.progress import SILENT
from transfer.run import Run


@pytest.fixture
def run() -> Iterator[Run]:
    run = Run(1, SILENT)
    yield run
    run.close()


def fail(error: TransferError) -> None:
    raise error


def fails(run: Run, *errors: TransferError) -> None:
    for error in errors:
        assert run.attempt(fail)(error) is error


def is_braked(run: Run) -> bool:
    return isinstance(run.attempt(str)(), NotTried)


DOWN, FULL, DENIED = Unavailable("down"), StorageError("full"), AccessDenied("denied")


def test_three_failures_in_a_row_pull_the_brake(run: Run) -> None:
    fails(run, DOWN, FULL, DOWN)
    assert is_braked(run)


def test_a_success_between_them_does_not(run: Run) -> None:
    fails(run, DOWN, DOWN)
    assert run.attempt(str)() == ""
    fails(run, DOWN, DOWN)
    assert not is_braked(run)


def test_other_errors_neither_pull_nor_release_it(run: Run) -> None:
    fails(run, DENIED, DENIED, DENIED)
    assert not is_braked(run)
    fails(run, DOWN, DOWN, DENIED, DOWN)
    assert is_braked(run)


def test_what_was_on_its_way_does_not_release_it(run: Run) -> None:
    def slow() -> str:
        fails(run, DOWN, DOWN, DOWN)
        return "arrived"

    assert run.attempt(slow)() == "arrived"
    assert is_braked(run)


def test_nothing_starts_once_it_is_abandoned() -> None:
    run = Run(1, SILENT)
    run.abandon()
    found = run.attempt(fail)(DOWN)
    assert isinstance(found, NotTried)
    assert str(found) == "interrupted"
