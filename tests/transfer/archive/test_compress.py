"""The compressor: right, and always the same."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transfer.archive.forge import seeded
from transfer.archive import flate
from transfer.archive.compress import BLOCK, COMPRESSOR, Compressor, Pieces

SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 17]


def sample(size: int) -> bytes:
    rng = seeded(size)
    words = rng.choices([b"layer ", b"manifest ", b"blob ", rng.randbytes(9)], k=size // 5 + 1)
    return b"".join(words)[:size]


class Dripping:
    """A stream that hands out its content in odd sizes."""

    def __init__(self, content: bytes, seed: int) -> None:
        self._stream = io.BytesIO(content)
        self._rng = seeded(seed)

    def read(self, size: int = -1, /) -> bytes:
        return self._stream.read(self._rng.randint(1, size))


def packed(content: bytes, threads: int, seed: int = 0) -> bytes:
    with Compressor(threads) as compressor:
        return b"".join(compressor.compress(Dripping(content, seed)))


@pytest.mark.parametrize("size", SIZES)
def test_gzip_reads_what_was_compressed(size: int) -> None:
    content = sample(size)
    assert gzip.decompress(packed(content, 2)) == content


@pytest.mark.parametrize("size", SIZES)
def test_neither_threads_nor_read_sizes_change_a_byte(size: int) -> None:
    content = sample(size)
    expected = packed(content, 1)
    for threads in (2, 3, 8):
        assert packed(content, threads, seed=threads) == expected


def test_blocks_know_what_came_before_them() -> None:
    """Without the dictionary the second half would cost as much as the first."""
    unit = seeded(0).randbytes(20_000)
    content = b"".join((sample(BLOCK - len(unit)), unit, unit, sample(1000)))
    assert len(packed(content, 2)) < len(packed(content[: BLOCK + 1], 2)) + 3000


def test_the_result_has_no_date_and_no_name() -> None:
    assert packed(b"", 1)[:10] == bytes.fromhex("1f8b08000000000000ff")


@pytest.mark.skipif(not COMPRESSOR.startswith("zlib-ng 2.3.3 level 2,"), reason=COMPRESSOR)
def test_the_result_is_the_one_seen_on_other_processors() -> None:
    """Digests of these bytes are in locks: see docs/decisions/0003."""
    lines = (hashlib.sha256(b"%d" % n).hexdigest()[: n % 60] for n in range(100_000))
    content = "\n".join(lines).encode()
    assert len(content) > 2 * BLOCK
    digest = hashlib.sha256(packed(content, 2)).hexdigest()
    assert digest == "69d83249f7b4c38c7a5b0f59ffa021566fc0178a8d687d83b0df113dc3891999"


def test_the_compressor_says_what_it_is() -> None:
    name, _, blocks = COMPRESSOR.partition(", ")
    assert name == f"{flate.NAME} level {flate.LEVEL}"
    assert blocks == "blocks of 1 MiB"


def test_leaving_early_leaves_nothing_running() -> None:
    with Compressor(2) as compressor:
        pieces = compressor.compress(io.BytesIO(sample(20 * BLOCK)))
        assert next(pieces)
        pieces.close()


def test_without_zlib_ng_the_standard_library_does_it() -> None:
    script = (
        "import sys; sys.modules['zlib_ng'] = None\n"
        "import gzip, io\n"
        "from transfer.archive.compress import COMPRESSOR, Compressor\n"
        "from transfer.archive.flate import decompressor\n"
        "content = b'content ' * 300000\n"
        "with Compressor(2) as compressor:\n"
        "    packed = b''.join(compressor.compress(io.BytesIO(content)))\n"
        "assert gzip.decompress(packed) == content\n"
        "assert decompressor().decompress(packed, 8) == b'content '\n"
        "print(COMPRESSOR)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("zlib 1.")
    assert " level 1, blocks of 1 MiB" in found.stdout


@given(pieces=st.lists(st.binary(max_size=20)), size=st.integers(1, 30))
def test_pieces_are_a_stream(pieces: list[bytes], size: int) -> None:
    def each() -> Iterator[bytes]:
        yield from pieces

    stream = Pieces(each())
    blocks = list(iter(lambda: stream.read(size), b""))
    assert b"".join(blocks) == b"".join(pieces)
    assert all(len(block) <= size for block in blocks)
    assert Pieces(each()).read() == b"".join(pieces)
