"""Digests, and the reader that lets nothing wrong through."""

from __future__ import annotations

import hashlib
import io

import pytest

from transfer.digest import Digest, VerifyingReader, read_verified
from transfer.errors import DigestMismatch, IntegrityError, InvalidInput, SizeMismatch

CONTENT = b"what the digest stands for"
DIGEST = Digest.of(CONTENT)


def reader(stored: bytes, *, digest: Digest = DIGEST, size: int = len(CONTENT)) -> VerifyingReader:
    return VerifyingReader(io.BytesIO(stored), digest, size, "blob x")


@pytest.mark.parametrize(("algorithm", "length"), [("sha256", 64), ("sha512", 128)])
def test_a_digest_is_parsed_and_written(algorithm: str, length: int) -> None:
    text = f"{algorithm}:{'0a' * (length // 2)}"
    digest = Digest.parse(text)
    assert (digest.algorithm, digest.encoded) == (algorithm, "0a" * (length // 2))
    assert str(digest) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "sha256",
        "sha256:",
        "a" * 64,
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 65,
        "sha256:" + "A" * 64,
        "sha256:" + "g" * 64,
        "sha256:" + "a" * 63 + "\n",
        " sha256:" + "a" * 64,
        "sha256:" + "\N{ARABIC-INDIC DIGIT ONE}" * 64,
        "sha512:" + "a" * 64,
        "sha256:" + "a" * 128,
        "md5:" + "a" * 32,
        "SHA256:" + "a" * 64,
        "sha256:sha256:" + "a" * 64,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a digest") as caught:
        Digest.parse(text)
    assert repr(text) in str(caught.value)
    assert "64 lower-case" in str(caught.value.hint)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_digest_of_content_is_the_one_other_tools_compute(algorithm: str) -> None:
    found = Digest.of(CONTENT, algorithm)
    assert str(found) == f"{algorithm}:{hashlib.new(algorithm, CONTENT).hexdigest()}"
    assert Digest.of(CONTENT) == Digest.of(CONTENT, "sha256")


@pytest.mark.parametrize("block", [1, 7, len(CONTENT), 1000, -1])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_right_content_passes_in_blocks_of_any_size(block: int, algorithm: str) -> None:
    proven = reader(CONTENT, digest=Digest.of(CONTENT, algorithm))
    assert b"".join(iter(lambda: proven.read(block), b"")) == CONTENT
    assert proven.verified
    assert proven.read() == b""


def test_asking_for_nothing_gets_nothing_and_proves_nothing() -> None:
    proven = reader(CONTENT)
    assert proven.read(0) == b""
    assert not proven.verified
    assert proven.read() == CONTENT


def test_a_stream_that_trickles_is_not_taken_for_a_short_one() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1))

    proven = VerifyingReader(Trickle(CONTENT), DIGEST, len(CONTENT), "blob x")
    assert proven.read() == CONTENT


def test_no_more_is_taken_from_the_stream_than_it_takes_to_prove_the_size() -> None:
    stream = io.BytesIO(CONTENT + b"more of it")
    with pytest.raises(SizeMismatch):
        VerifyingReader(stream, DIGEST, len(CONTENT), "blob x").read()
    assert stream.tell() == len(CONTENT) + 1


FLIPPED = b"W" + CONTENT[1:]
BAD = {
    "changed": (FLIPPED, DigestMismatch, f"expected {DIGEST}, found {Digest.of(FLIPPED)}"),
    "short": (CONTENT[:-1], SizeMismatch, "ended after 25 of 26 bytes"),
    "empty": (b"", SizeMismatch, "ended after 0 of 26 bytes"),
    "long": (CONTENT + b"x", SizeMismatch, "goes on after its declared 26 bytes"),
    "twice": (CONTENT * 2, SizeMismatch, "goes on after its declared 26 bytes"),
}


@pytest.mark.parametrize("block", [1, 5, len(CONTENT), 1000, -1])
@pytest.mark.parametrize(("stored", "kind", "message"), BAD.values(), ids=BAD)
def test_wrong_content_never_comes_through_whole(
    stored: bytes, kind: type[IntegrityError], message: str, block: int
) -> None:
    proven = reader(stored)
    passed: list[bytes] = []
    with pytest.raises(kind) as caught:
        passed.extend(iter(lambda: proven.read(block), b""))
    assert str(caught.value) == f"blob x: {message}"
    assert caught.value.hint
    assert len(b"".join(passed)) < len(CONTENT)
    for again in (block, 1, -1):
        with pytest.raises(kind):
            proven.read(again)
    assert not proven.verified


def test_empty_content_is_proven_too() -> None:
    assert read_verified(io.BytesIO(b""), Digest.of(b""), 0, "blob x") == b""
    with pytest.raises(SizeMismatch):
        read_verified(io.BytesIO(b"x"), Digest.of(b""), 0, "blob x")
    with pytest.raises(DigestMismatch):
        read_verified(io.BytesIO(b""), DIGEST, 0, "blob x")


def test_small_content_is_read_whole_and_proven() -> None:
    assert read_verified(io.BytesIO(CONTENT), DIGEST, len(CONTENT), "blob x") == CONTENT
    with pytest.raises(DigestMismatch):
        read_verified(io.BytesIO(FLIPPED), DIGEST, len(CONTENT), "blob x")
