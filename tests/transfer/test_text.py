from __future__ import annotations

import pytest

from transfer.text import counted, human_bytes, table


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1234, "1.23 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (999_999, "1 MB"),
        (1_150_000_000, "1.15 GB"),
        (999_999_999_999, "1 TB"),
        (999_600_000_000_000, "1000 TB"),
        (12_345_000_000_000_000, "12345 TB"),
    ],
)
def test_sizes_are_for_people(count: int, text: str) -> None:
    assert human_bytes(count) == text


def test_one_is_not_many() -> None:
    assert [counted(n, "image") for n in (0, 1, 2)] == ["0 images", "1 image", "2 images"]


def test_columns_are_as_wide_as_they_must_be() -> None:
    assert table([("a", "bb", "c"), ("ddd", "", "")]) == ["a    bb  c", "ddd"]
    assert table([]) == []
