"""Digests, and the reader that refuses content which is not what its digest promised.

Sources: OCI image-spec `descriptor.md` (digests, and why content must be verified in full).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Protocol, Self

from transfer.errors import DigestMismatch, IntegrityError, InvalidInput, SizeMismatch

_LENGTHS = {"sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")


class Readable(Protocol):
    """The one thing asked of a stream: `read(n)` returns at most n bytes, and b"" at the end."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """Algorithm and lower-case hexadecimal value of some content."""

    algorithm: str
    encoded: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `algorithm:hex`; only sha256 and sha512 of the right length pass.

        Raises:
            InvalidInput: anything else.
        """
        algorithm, _, encoded = text.partition(":")
        length = _LENGTHS.get(algorithm)
        if length is None or len(encoded) != length or not _HEX.fullmatch(encoded):
            raise InvalidInput(
                f"not a digest: {text!r}",
                hint="a digest is sha256: followed by 64 lower-case hexadecimal digits",
            )
        return cls(algorithm, encoded)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Self:
        """The digest of `content`."""
        return cls(algorithm, hashlib.new(algorithm, content).hexdigest())

    def __str__(self) -> str:
        """`algorithm:hex`, the form that `parse` takes."""
        return f"{self.algorithm}:{self.encoded}"


class VerifyingReader:
    """Passes a stream on, and never hands out the last byte of content that is wrong.

    The stream must hold exactly `size` bytes that hash to `digest`: a short stream, a wrong byte
    and trailing data are refused before the final block is returned, so a consumer that got
    everything got the right thing.
    """

    def __init__(self, stream: Readable, digest: Digest, size: int, what: str) -> None:
        self._stream = stream
        self._digest = digest
        self._size = size
        self._what = what
        self._left = size
        self._hash = hashlib.new(digest.algorithm)
        self._verified = False
        self._refusal: IntegrityError | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes (all that is left when negative), b"" at the verified end.

        Once it refused, it refuses for good.

        Raises:
            SizeMismatch: the stream is shorter or longer than declared.
            DigestMismatch: the bytes are not the ones the digest stands for.
        """
        if self._refusal:
            raise self._refusal
        if size < 0:
            return self._read_all()
        block = self._stream.read(min(size, self._left)) if self._left and size else b""
        if not block and self._left and size:
            raise self._refuse(
                SizeMismatch,
                f"ended after {self._size - self._left} of {self._size} bytes",
                hint="the content was cut short; copy or download it again",
            )
        self._left -= len(block)
        self._hash.update(block)
        if not self._left and not self._verified:
            self._finish()
        return block

    def _read_all(self) -> bytes:
        blocks = []
        while block := self.read(1 << 20):
            blocks.append(block)
        return b"".join(blocks)

    def _finish(self) -> None:
        if self._stream.read(1):
            raise self._refuse(
                SizeMismatch,
                f"goes on after its declared {self._size} bytes",
                hint="the content was changed; copy or download it again",
            )
        found = self._hash.hexdigest()
        if found != self._digest.encoded:
            raise self._refuse(
                DigestMismatch,
                f"expected {self._digest}, found {self._digest.algorithm}:{found}",
                hint="the content is damaged; copy or download it again",
            )
        self._verified = True

    def _refuse(self, kind: type[IntegrityError], why: str, *, hint: str) -> IntegrityError:
        self._refusal = kind(f"{self._what}: {why}", hint=hint)
        return self._refusal

    @property
    def refused(self) -> bool:
        """True once the content turned out to be wrong."""
        return self._refusal is not None

    @property
    def verified(self) -> bool:
        """True once every byte was handed out and proven."""
        return self._verified


def read_verified(stream: Readable, digest: Digest, size: int, what: str) -> bytes:
    """Read small content whole (a manifest, a config) and prove it.

    Raises:
        IntegrityError: as `VerifyingReader.read`.
    """
    return VerifyingReader(stream, digest, size, what).read()
