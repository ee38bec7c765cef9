"""Reading a gzip file from any place gives what reading it from the start gives."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transfer.archive.forge import seeded
from transfer.archive.gzipstream import GzipFile, Inflater, Scan

PIECES = st.lists(
    st.one_of(
        st.binary(max_size=300),
        st.builds(lambda unit, times: unit * times, st.binary(max_size=4), st.integers(0, 4000)),
    ),
    max_size=12,
)


@contextmanager
def gzip_file(raw: bytes, *, block: int, checkpoints: int, spacing: int) -> Iterator[GzipFile]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.gz"
        path.write_bytes(raw)
        with GzipFile(path, block=block, checkpoints=checkpoints, spacing=spacing) as file:
            yield file


def read_all(stream: Inflater, size: int) -> bytes:
    return b"".join(iter(lambda: stream.read(size), b""))


def scan_all(stream: Scan, size: int) -> bytes:
    blocks: list[bytes] = []
    while True:
        stream.mark()
        block = stream.read(size)
        if not block:
            return b"".join(blocks)
        blocks.append(block)


@given(
    members=st.lists(PIECES, min_size=1, max_size=4),
    level=st.sampled_from([0, 1, 6, 9]),
    limits=st.fixed_dictionaries(
        {
            "block": st.integers(1, 700),
            "checkpoints": st.integers(1, 12),
            "spacing": st.integers(1, 2000),
        }
    ),
    size=st.integers(1, 500),
    places=st.lists(st.floats(0, 1), min_size=1, max_size=6),
)
def test_any_place_gives_what_the_start_gives(
    members: list[list[bytes]],
    level: int,
    limits: dict[str, int],
    size: int,
    places: list[float],
) -> None:
    contents = [b"".join(pieces) for pieces in members]
    expected = b"".join(contents)
    raw = b"".join(gzip.compress(content, level) for content in contents)
    with gzip_file(raw, **limits) as file:
        seen: list[bytes] = []
        assert scan_all(file.scan(seen.append), size) == expected
        assert b"".join(seen) == raw
        assert len(file.checkpoints) <= limits["checkpoints"]
        near = [place + step for place in file.checkpoints[:5] for step in (-1, 0, 1)]
        far = [int(place * len(expected)) for place in places]
        for offset in (min(place, len(expected)) for place in (*near, *far)):
            stream = file.open(offset)
            assert stream.position == offset
            assert read_all(stream, size) == expected[offset:]


@pytest.fixture(scope="module")
def content() -> bytes:
    rng = seeded(1)
    return b"".join(rng.randbytes(2000) + b"text " * 400 for _ in range(1000))


def test_reading_from_afar_inflates_only_what_is_near(content: bytes) -> None:
    """The bytes read from the file are the effort: a checkpoint must save most of them."""
    raw = gzip.compress(content)
    with gzip_file(raw, block=4096, checkpoints=64, spacing=4096) as file:
        scan_all(file.scan(lambda block: None), 10_000)
        counted = _Counted(file)
        stream = counted.open(len(content) - 10_000)
        assert len(read_all(stream, 4096)) == 10_000
        assert counted.count < len(raw) / 20


class _Counted(GzipFile):
    """The same file again, counting what is read of it."""

    def __init__(self, file: GzipFile) -> None:
        for name, value in vars(file).items():
            setattr(self, name, value)
        self.count = 0

    def read_raw(self, offset: int) -> bytes:
        block = super().read_raw(offset)
        self.count += len(block)
        return block


def test_checkpoints_are_thinned_over_the_whole_file(content: bytes) -> None:
    with gzip_file(gzip.compress(content), block=2048, checkpoints=16, spacing=1) as file:
        scan_all(file.scan(lambda block: None), 4096)
        places = (0, *file.checkpoints, len(content))
        gaps = [after - before for before, after in pairwise(places)]
        assert 8 <= len(gaps) <= 17
        assert max(gaps) <= len(content) / 4


def test_the_last_to_lose_its_checkpoint_is_what_is_far_from_the_others(content: bytes) -> None:
    with gzip_file(gzip.compress(content), block=2048, checkpoints=4, spacing=1) as file:
        stream = file.scan(lambda block: None)
        for far in (400_000, 800_000):
            for place in (far, far + 10_000, far + 20_000, far + 30_000):
                stream.skip(place - stream.position)
                stream.mark()
                stream.read(1)
        while stream.read(4096):
            pass
        near = [min(file.checkpoints, key=lambda found: abs(found - far)) for far in (4e5, 8e5)]
        assert [abs(found - far) < 10_000 for found, far in zip(near, (4e5, 8e5), strict=True)] == [
            True,
            True,
        ]
        assert len(file.checkpoints) == 4, "as many as there is room for"


def test_many_threads_read_at_once(content: bytes) -> None:
    with gzip_file(gzip.compress(content), block=4096, checkpoints=32, spacing=4096) as file:
        scan_all(file.scan(lambda block: None), 10_000)

        def read_some(number: int) -> bool:
            rng = seeded(number)
            offset = rng.randrange(len(content))
            return read_all(file.open(offset), rng.randrange(1, 50_000)) == content[offset:]

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(read_some, range(48)))
