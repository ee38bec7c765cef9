"""`VerifyingReader` lets right content through, whole, and nothing else."""

from __future__ import annotations

import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from transfer.digest import Digest, VerifyingReader
from transfer.errors import IntegrityError

contents = st.binary(max_size=200)
algorithms = st.sampled_from(["sha256", "sha512"])
blocks = st.lists(st.integers(-1, 70), min_size=1, max_size=5)


class Trickle(io.BytesIO):
    """A stream that returns less than it is asked for, as sockets do."""

    def __init__(self, stored: bytes, most: int) -> None:
        super().__init__(stored)
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.most if size is None or size < 0 else min(size, self.most))


def passed_on(reader: VerifyingReader, sizes: list[int]) -> bytes:
    """Read to the end in blocks of these sizes, over and over."""
    passed: list[bytes] = []
    while not reader.verified:
        passed.extend(reader.read(size) for size in sizes)
        passed.append(reader.read(1))
    return b"".join(passed)


@given(contents, algorithms, blocks, st.integers(1, 300))
def test_right_content_comes_through_in_any_blocks(
    content: bytes, algorithm: str, sizes: list[int], most: int
) -> None:
    stream = Trickle(content, most)
    digest = Digest.of(content, algorithm)
    assert passed_on(VerifyingReader(stream, digest, len(content), "x"), sizes) == content


@given(contents, algorithms, st.data())
def test_no_change_of_a_single_byte_comes_through(
    content: bytes, algorithm: str, data: st.DataObject
) -> None:
    assume(content)
    at = data.draw(st.integers(0, len(content) - 1))
    new = data.draw(st.integers(0, 255).filter(lambda value: value != content[at]))
    changed = content[:at] + bytes([new]) + content[at + 1 :]
    check_refused(content, changed, algorithm, data)


@given(contents, algorithms, st.data())
def test_no_truncation_comes_through(content: bytes, algorithm: str, data: st.DataObject) -> None:
    assume(content)
    check_refused(content, content[: data.draw(st.integers(0, len(content) - 1))], algorithm, data)


@given(contents, algorithms, st.binary(min_size=1, max_size=80), st.data())
def test_no_extension_comes_through(
    content: bytes, algorithm: str, more: bytes, data: st.DataObject
) -> None:
    check_refused(content, content + more, algorithm, data)


@given(contents, contents, algorithms, st.data())
def test_no_other_content_comes_through(
    content: bytes, other: bytes, algorithm: str, data: st.DataObject
) -> None:
    assume(content != other)
    check_refused(content, other, algorithm, data)


def check_refused(content: bytes, stored: bytes, algorithm: str, data: st.DataObject) -> None:
    digest = Digest.of(content, algorithm)
    stream = Trickle(stored, data.draw(st.integers(1, 300)))
    reader = VerifyingReader(stream, digest, len(content), "x")
    passed: list[bytes] = []
    sizes = data.draw(blocks)
    with pytest.raises(IntegrityError):
        passed.extend(reader.read(sizes[i % len(sizes)] or 1) for i in range(1000))
    assert len(b"".join(passed)) < max(len(content), 1)
    with pytest.raises(IntegrityError):
        reader.read(1)
    assert not reader.verified
