"""What the tests of the registry client share."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.registry import FakeRegistry
from transfer.descriptor import OCI_LAYER_GZIP, Descriptor
from transfer.digest import Digest, Readable, VerifyingReader
from transfer.registry import Credentials, RegistryClient, RetryPolicy

AT_ONCE = RetryPolicy(attempts=3, base=0.0, longest=0.0)
"""Three attempts without a pause."""


def connect(
    registry: FakeRegistry,
    *,
    credentials: Credentials | None = None,
    environ: dict[str, str] | None = None,
    ca_file: Path | None = None,
    retry: RetryPolicy = AT_ONCE,
) -> RegistryClient:
    """A client for a fake; over HTTPS if the fake is."""
    return RegistryClient.connect(
        registry.host,
        plain_http=registry.tls is None,
        ca_file=ca_file or (registry.tls.ca if registry.tls else None),
        credentials=credentials,
        environ=environ,
        retry=retry,
    )


def noise(size: int) -> bytes:
    """Bytes that are the same every time and nowhere else."""
    return hashlib.shake_128(str(size).encode()).digest(size)


def descriptor(content: bytes) -> Descriptor:
    return Descriptor(media_type=OCI_LAYER_GZIP, digest=Digest.of(content), size=len(content))


class Content:
    """A blob to push: opened anew for each attempt, and verified while it is read."""

    def __init__(self, content: bytes, *, promised: bytes | None = None) -> None:
        self.content = content
        self.blob = descriptor(content if promised is None else promised)
        self.opened = 0
        self.reads: list[int] = []

    @contextmanager
    def open(self) -> Iterator[Readable]:
        self.opened += 1
        source = self
        stream = io.BytesIO(self.content)

        class Noted:
            def read(self, size: int = -1, /) -> bytes:
                source.reads.append(size)
                return stream.read(size)

        yield VerifyingReader(Noted(), self.blob.digest, self.blob.size, "test content")
