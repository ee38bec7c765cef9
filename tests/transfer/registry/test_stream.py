"""Blobs sent while they are made: one PATCH of unknown length, and a PUT that tells the digest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.fakes.faulty import close_after, header, status
from tests.fakes.registry import FakeRegistry
from tests.transfer.registry.support import noise
from transfer.digest import Digest
from transfer.errors import CorruptArchive, DigestMismatch, TransferError, Unavailable
from transfer.registry import RegistryRepository

CONTENT = noise(700_000)
PIECE = 300_000


@dataclass(slots=True)
class Made:
    """Content that is there once, in pieces."""

    content: bytes = CONTENT
    fails_at: int | None = None
    size: int = 0

    def __iter__(self) -> Iterator[bytes]:
        while self.size < len(self.content):
            if self.size == self.fails_at:
                raise CorruptArchive("it cannot be made")
            piece = self.content[self.size : self.size + PIECE]
            self.size += len(piece)
            yield piece

    @property
    def digest(self) -> Digest | None:
        return Digest.of(self.content) if self.size == len(self.content) else None


def test_a_blob_of_unknown_size_arrives(fake: FakeRegistry, repository: RegistryRepository) -> None:
    repository.stream_blob(Made())
    assert fake.blobs == {("a/b", str(Digest.of(CONTENT))): CONTENT}
    assert [seen.method for seen in fake.requests] == ["POST", "PATCH", "PUT"]
    patch, put = fake.requests[1:]
    assert patch.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in patch.headers
    assert "_state=later" in put.path, "the second address holds"
    assert fake.open_uploads == set()


REFUSALS = {
    "no upload": ("POST", status(503), Unavailable),
    "no stream": ("PATCH", status(405), TransferError),
    "too large": ("PATCH", status(413), TransferError),
    "breaks": ("PATCH", close_after(10), Unavailable),
    "nowhere": ("PATCH", header("Location", None), TransferError),
    "wrong digest": ("PUT", status(400, error=("DIGEST_INVALID", "no")), TransferError),
    "other digest": ("PUT", header("Docker-Content-Digest", f"{Digest.of(b'x')}"), DigestMismatch),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_fails_is_tried_once_and_the_upload_taken_back(
    fake: FakeRegistry, repository: RegistryRepository, case: str
) -> None:
    method, action, kind = REFUSALS[case]
    fake.fail(method, "/uploads/", 9, action)
    with pytest.raises(kind):
        repository.stream_blob(Made())
    assert fake.count("PATCH") == (method != "POST")
    assert fake.open_uploads == set()


def test_what_cannot_be_made_is_no_blob(fake: FakeRegistry, repository: RegistryRepository) -> None:
    with pytest.raises(CorruptArchive, match="it cannot be made"):
        repository.stream_blob(Made(fails_at=PIECE))
    assert fake.blobs == {}
    assert fake.count("PUT") == 0
