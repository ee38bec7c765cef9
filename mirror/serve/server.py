"""The sockets of the read-only registry: who is connected, who is being answered, and the end."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO, Protocol

from mirror.serve.exchange import Content
from mirror.serve.passwords import Passwords
from transfer.digest import Digest
from transfer.errors import TransferError

GRACE = 10.0
"""Seconds that running answers get to end when the server stops."""

MOST_CONNECTIONS = 500
"""Open at a time, with a thread for each. Where more come, those that do nothing are closed."""

SPARED = 2.0
"""Seconds in which a connection is not closed for others: its request is on its way."""

_PATIENCE = 0.1
"""Seconds to wait for one of them to end before looking whether the server is to stop."""


class Files(Content, Protocol):
    """Content that is in files."""

    def open_blob(self, digest: Digest) -> AbstractContextManager[BinaryIO]:
        """Open a blob's file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is served, to whom, and how."""

    files: Files
    say: Callable[[str], None]
    """Told one line for each request, and of whatever goes wrong."""
    tls: ssl.SSLContext | None = None
    passwords: Passwords | None = None
    """Who may read; None for everybody."""


class Server(ThreadingHTTPServer):
    """Accepts connections, and knows which of them are being answered."""

    daemon_threads = False  # `server_close` waits for them
    request_queue_size = 128

    def __init__(
        self, service: Service, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.service = service
        self.stopping = False
        self._changed = threading.Condition()
        self._busy: set[socket.socket] = set()
        self._open: dict[socket.socket, float] = {}
        """When each was last heard of."""
        super().__init__(address, handler)

    @property
    def address(self) -> str:
        """`host:port`, the port as it was given by the system."""
        host, port = self.socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def server_bind(self) -> None:
        """Bind, without asking the DNS for our own name as the base class does."""
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the TLS handshake is left to the connection's own thread.

        Raises:
            OSError: too many are being answered; the base class comes again.
        """
        with self._changed:
            if not self._has_room():
                _hang_up(self._idle(SPARED))
                if not self._changed.wait_for(self._has_room, _PATIENCE):
                    raise OSError
        connection, address = super().get_request()
        if self.service.tls:
            connection = self.service.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._changed:
            self._open[connection] = time.monotonic()
        return connection, address

    def _idle(self, seconds: float) -> list[socket.socket]:
        """The connections that nothing was heard of for so long."""
        before = time.monotonic() - seconds
        return [one for one, last in self._open.items() if last <= before and one not in self._busy]

    def _has_room(self) -> bool:
        return len(self._open) < MOST_CONNECTIONS

    def close_request(self, request: Any) -> None:  # noqa: ANN401 - the base's
        """A connection has ended."""
        with self._changed:
            self._open.pop(request, None)
            self._changed.notify_all()
        super().close_request(request)

    @contextmanager
    def answering(self, connection: socket.socket) -> Iterator[None]:
        """While a request of a connection is being answered."""
        with self._changed:
            self._busy.add(connection)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(connection)
                self._open[connection] = time.monotonic()
                self._changed.notify_all()

    def finish(self) -> None:
        """Close what is idle, let running answers end, then close what is still open."""
        with self._changed:
            self.stopping = True
            _hang_up(self._idle(0))
            self._changed.wait_for(lambda: not self._busy, timeout=GRACE)
            _hang_up(self._open)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        """A client that went away is no news; anything but an error keeps its traceback."""
        fault = sys.exception()
        if isinstance(fault, (ConnectionError, TimeoutError, ssl.SSLError)):
            return
        if isinstance(fault, (OSError, TransferError)):  # a medium that failed or was pulled out
            self.service.say(f"error: {fault}")
        else:
            super().handle_error(request, client_address)


def _hang_up(connections: Iterable[socket.socket]) -> None:
    """Wake whoever waits for the other side.

    Not by a TLS socket's own method: that would let its thread go on without TLS.
    """
    for connection in connections:
        with suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
