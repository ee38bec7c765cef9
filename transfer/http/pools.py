"""Pools whose connections do not take an answer that broke off in its head for a whole one.

The standard library reads headers up to an empty line, or to the end of the connection: an
answer that was cut there looks like one with fewer headers, or with a number that lost its last
digits. Source: RFC 9112, section 8: such a message is incomplete.
"""

from __future__ import annotations

import errno
import ssl
from http.client import HTTPResponse, IncompleteRead
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class _Head:
    """A stream that remembers the last line that was read of it."""

    def __init__(self, stream: Any) -> None:  # noqa: ANN401 - the library's own
        self._stream = stream
        self.last = b""

    def readline(self, limit: int = -1, /) -> bytes:
        """Return the next line, "" at the end."""
        self.last = bytes(self._stream.readline(limit))
        return self.last

    def close(self) -> None:
        """Close it."""
        self._stream.close()


class _Response(HTTPResponse):
    """An answer whose head has to come to its end."""

    fp: Any

    def begin(self) -> None:
        """Read the head.

        Raises:
            IncompleteRead: the connection ended in it.
        """
        stream, self.fp = self.fp, _Head(self.fp)
        head = self.fp
        try:
            super().begin()
        finally:
            if self.fp is head:  # it is None where there is no body
                self.fp = stream
        if head.last.strip(b"\r\n") or not head.last:
            self.close()
            raise IncompleteRead(head.last)


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response

    def send(self, data: Any) -> None:  # noqa: ANN401 - the library's own
        """Send a part of a request.

        Raises:
            BrokenPipeError: nobody reads it any more. The library then looks for an answer that
                came before that, as it does without TLS.
        """
        try:
            super().send(data)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise BrokenPipeError(errno.EPIPE, "closed the connection") from error


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}
"""What a pool manager makes, by scheme."""
