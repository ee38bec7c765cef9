"""A layer that is read by somebody who may stop, or keep quiet about what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from transfer.archive.packing import Pressed
from transfer.digest import Digest
from transfer.errors import CorruptArchive

PIECES = [b"one", b"two", b"three"]
ALL = Digest.of(b"onetwothree")


def test_what_nobody_took_counts_too() -> None:
    blob = Pressed(iter(PIECES))
    assert next(iter(blob)) == b"one"
    before = blob.digest
    assert blob.finish() == ALL == blob.digest
    assert before is None
    assert blob.size == 11


def test_it_is_known_once_all_was_taken() -> None:
    blob = Pressed(iter(PIECES))
    assert list(blob) == PIECES
    assert blob.digest == ALL


def test_a_failure_that_was_kept_quiet_is_told_in_the_end() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"one"
        raise CorruptArchive("damaged")

    blob = Pressed(pieces())
    with suppress(CorruptArchive):
        list(blob)
    with pytest.raises(CorruptArchive, match="damaged"):
        blob.finish()
    assert blob.digest is None
