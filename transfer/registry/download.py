"""Content on its way from a registry."""

from __future__ import annotations

from http import HTTPStatus

from transfer.errors import Unavailable
from transfer.http.messages import Reply, Request
from transfer.http.transport import BLOCK
from transfer.registry.connection import Connection


class Download:
    """The bytes of a blob or manifest; after a broken connection it goes on where it stopped.

    Nothing is verified here: whoever reads does, and so bytes from two connections fit together
    or are found out.
    """

    def __init__(self, connection: Connection, request: Request) -> None:
        self._connection = connection
        self._request = request
        self._reply: Reply | None = None
        self._offset = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes; the first read asks the registry.

        Raises:
            NotFound: the registry does not hold it.
            Unavailable: the connection failed as often as it may.
        """
        return self._connection.retried(lambda: self._read(size))

    def close(self) -> None:
        """Let the connection go."""
        if self._reply is not None:
            self._reply.close()
            self._reply = None

    def _read(self, size: int) -> bytes:
        try:
            if self._reply is None:
                self._reply = self._asked()
            block = self._reply.read(size)
        except Unavailable:
            self.close()
            raise
        self._offset += len(block)
        return block

    def _asked(self) -> Reply:
        if not self._offset:
            return self._connection.download(self._request)
        rest = self._request.with_header("Range", f"bytes={self._offset}-")
        reply = self._connection.download(rest)
        if reply.answer.status == HTTPStatus.OK:  # it does not do parts: skip what we have
            left = self._offset
            while left and (block := reply.read(min(left, BLOCK))):
                left -= len(block)
        return reply
