"""A request, and the reply before its body was read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import requests
import urllib3

from transfer.errors import Unavailable
from transfer.http.answers import Answer
from transfer.http.failures import translate

Scopes = tuple[str, ...]
"""For example `("repository:harness/redis:pull,push",)`."""

READ_TIMEOUT = 120.0
"""Seconds without a byte from the other side."""
COMMIT_TIMEOUT = 900.0
"""The same after a whole blob was sent: a registry may copy and hash it before it answers."""

ANSWER_TIMEOUT = 300.0
"""Seconds until an answer of at most this size has to be there whole."""

_MAX_BODY = 4 * 1024 * 1024 + 1
"""Bytes read of an answer: a manifest of the largest size allowed, and one more to notice."""
_REFUSALS = range(400, 500)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Pieces(Protocol):
    """A request's body whose length nobody knows yet: sent in chunks, once."""

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, none of which is empty."""
        ...


class Body(Protocol):
    """A request's body of known length, read once from its first byte."""

    def __len__(self) -> int:
        """Bytes, for Content-Length."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Tells requests that this is a stream; urllib3 calls `read`."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked of a server."""

    method: str
    url: str = field(repr=False)
    """Absolute, or for a registry from its root; may hold a signature."""
    what: str
    """What it is about; starts the message of an error."""
    scopes: Scopes = ()
    """What a token has to allow."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further headers, for this very server: no redirect takes them to another."""
    body: bytes | Body | Pieces | None = None
    """Sent with its Content-Length; pieces, which have none, in chunks."""
    read_timeout: float = READ_TIMEOUT
    """Seconds to wait for the answer."""

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent twice: a stream can not."""
        return self.body is None or isinstance(self.body, bytes)

    def with_header(self, name: str, value: str | None) -> Self:
        """The same with another header, or without it."""
        headers = {k: v for k, v in self.headers.items() if k.lower() != name.lower()}
        if value is not None:
            headers[name] = value
        return replace(self, headers=headers)


class Reply:
    """A response whose body was not read yet; to be closed."""

    def __init__(self, response: requests.Response, what: str) -> None:
        self._response = response
        self._what = what

    @property
    def answer(self) -> Answer:
        """Status and headers."""
        response = self._response
        return Answer(
            status=response.status_code, headers=response.headers, body=b"", url=response.url
        )

    @property
    def redirect(self) -> str | None:
        """Where it points instead of answering."""
        return self.answer.location if self._response.status_code in _REDIRECTS else None

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes of the body, as they were sent.

        Raises:
            Unavailable: the connection failed before the end.
        """
        with self._translated():
            block: bytes = self._response.raw.read(None if size < 0 else size)
        return block

    def read_some(self, size: int) -> bytes:
        """What is there already, or comes next: a byte now and then does not hold us up.

        Raises:
            Unavailable: as `read`.
        """
        with self._translated():
            block: bytes = self._response.raw.read1(size)
        return block

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise translate(error, self._response.url, self._what) from None

    def whole(self, limit: int = _MAX_BODY) -> Answer:
        """The answer with up to `limit` bytes of its body; closes the reply.

        The default is what the largest manifest has, and one more. A server that refuses what it
        is being sent may hang up before all of its reasons are out: its status says enough.

        Raises:
            Unavailable: as `read`.
        """
        blocks = bytearray()
        with self:
            try:
                for block in self._blocks(limit):
                    blocks += block
            except Unavailable:
                if self._response.status_code not in _REFUSALS:
                    raise
            return replace(self.answer, body=bytes(blocks))

    def _blocks(self, left: int) -> Iterator[bytes]:
        deadline = time.monotonic() + ANSWER_TIMEOUT
        # Only the read after the last byte tells the end from a broken connection.
        while left and (block := self.read_some(left)):
            yield block
            left -= len(block)
            if time.monotonic() > deadline:
                raise Unavailable(f"{self._what}: does not come to the end of its answer")

    def abort(self) -> None:
        """Let a read that waits in another thread come to its end.

        What that read returns is no content any more: under TLS it may be what was encrypted.
        """
        with suppress(AttributeError, ValueError, RuntimeError, OSError):  # over, or urllib3 < 2.3
            self._response.raw.shutdown()

    def close(self) -> None:
        """Let the connection go: for the next request when the body was read to its end."""
        self._response.close()

    def __enter__(self) -> Self:
        """Nothing more."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close it."""
        self.close()
