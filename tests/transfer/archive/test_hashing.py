"""Hashing in a thread of its own gives what hashing inline gives."""

from __future__ import annotations

import hashlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.archive.hashing import DEPTH, SMALL, Lane
from transfer.digest import Digest

BLOCKS = st.lists(st.sampled_from([b"", b"a", b"b" * SMALL, b"c" * (SMALL + 1), b"d" * 100_000]))


@given(contents=st.lists(BLOCKS, max_size=5))
def test_digests_are_those_of_the_whole_content(contents: list[list[bytes]]) -> None:
    with Lane() as lane:
        results = []
        for blocks in contents:
            hashing = lane.start()
            for block in blocks:
                hashing.update(block)
            results.append(hashing.result())
    assert [x.result() for x in results] == [Digest.of(b"".join(blocks)) for blocks in contents]


def test_far_more_blocks_than_may_wait_are_hashed_all_the_same() -> None:
    block = bytes(1 << 20)
    with Lane() as lane:
        hashing = lane.start("sha512")
        for _ in range(4 * DEPTH):
            hashing.update(block)
        found = hashing.result()
    expected = hashlib.sha512(block * (4 * DEPTH)).hexdigest()
    assert found.result() == Digest("sha512", expected)


def fail_while_hashing(lane: Lane) -> None:
    hashing = lane.start()
    for _ in range(DEPTH):
        hashing.update(bytes(1 << 20))
    raise KeyError


def test_leaving_with_an_error_leaves_no_thread() -> None:
    with pytest.raises(KeyError), Lane() as lane:
        fail_while_hashing(lane)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("hash")]
