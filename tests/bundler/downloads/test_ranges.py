"""Which bytes are here: the arithmetic, against a set of numbers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bundler.downloads.ranges import Pair, Ranges

SIZE = 40
PAIRS = st.lists(st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)))


def numbers(pairs: list[Pair] | tuple[Pair, ...]) -> set[int]:
    return {number for start, end in pairs for number in range(start, end)}


@given(PAIRS)
def test_same_as_a_set(pairs: list[Pair]) -> None:
    ranges, expected = Ranges(), set[int]()
    for start, end in pairs:
        new = set(range(start, end)) - expected
        assert ranges.add(start, end) == len(new)
        expected |= new
    assert numbers(ranges.pairs) == expected
    assert ranges.total == len(expected)
    assert set(range(ranges.prefix)) <= expected
    assert ranges.prefix not in expected


@given(PAIRS)
def test_as_few_as_possible(pairs: list[Pair]) -> None:
    found = Ranges(pairs).pairs
    assert list(found) == sorted(found)
    assert all(one[1] < other[0] for one, other in pairwise(found))


@given(PAIRS, st.integers(0, SIZE + 5))
def test_gaps_are_what_is_missing(pairs: list[Pair], size: int) -> None:
    ranges = Ranges(pairs)
    gaps = list(ranges.gaps(size))
    assert numbers(gaps) == set(range(size)) - numbers(ranges.pairs)
    assert all(start < end for start, end in gaps)


@given(PAIRS, st.integers(0, SIZE))
def test_within(pairs: list[Pair], size: int) -> None:
    assert numbers(Ranges(pairs).within(size).pairs) == numbers(pairs) & set(range(size))
