"""The sockets of the read-only registry: HTTP/1.1, keep-alive, TLS where asked for.

A request is answered by `mirror.serve.answers`; blobs go from the file to the socket without
passing through Python where the system can do that.
"""

from __future__ import annotations

import re
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from mirror.serve.answers import Answer, Content, Request, Slice, answer, error, read_only
from transfer import __version__
from transfer.digest import Digest
from transfer.disk import storage_errors
from transfer.errors import InvalidInput, TransferError

_LAST_PORT = 65535

IDLE = 60.0
"""Seconds a connection may do nothing."""

GRACE = 10.0
"""Seconds that running answers get to end when the server stops."""


class Files(Content, Protocol):
    """Content that is in files."""

    def open_blob(self, digest: Digest) -> AbstractContextManager[BinaryIO]:
        """Open a blob's file."""
        ...


Say = Callable[[str], None]
"""Told one line for each request, and of whatever goes wrong."""


@contextmanager
def serving(
    files: Files, host: str, port: int, *, tls: ssl.SSLContext | None, say: Say
) -> Iterator[str]:
    """Serve until the body ends; gives the address, `host:port`.

    Raises:
        InvalidInput: nothing can listen there.
    """
    try:
        server = _Server(files, (host, port), tls, say)
    except OSError as fault:
        raise InvalidInput(
            f"--listen {host}:{port}: {fault.strerror or fault}",
            hint="choose another port, or 0 for any that is free",
        ) from fault
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield server.address
    finally:
        server.shutdown()
        thread.join()
        server.finish()
        server.server_close()


def parse_listen(text: str) -> tuple[str, int]:
    """Parse `HOST:PORT`; an IPv6 address stands in brackets.

    Raises:
        InvalidInput: it is something else.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > _LAST_PORT:
        raise InvalidInput(
            f"--listen {text!r}: not an address", hint="write HOST:PORT, such as 127.0.0.1:5000"
        )
    return host, int(port)


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What a server needs for TLS; None where neither file is given.

    Raises:
        InvalidInput: only one is given, or they are not a certificate and its key.
        NotFound: a file does not exist.
        StorageError: a file cannot be read.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise InvalidInput("--tls-cert and --tls-key go together")
    what = f"certificate {certificate}, key {key}"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with storage_errors(what):
        try:
            context.load_cert_chain(certificate, key, password=lambda: "")  # asks nobody
        except ssl.SSLError as fault:
            raise InvalidInput(
                f"{what}: {fault.reason}", hint="give a certificate and its key, not encrypted"
            ) from fault
    return context


@contextmanager
def signals_held() -> Iterator[Callable[[], object]]:
    """Hold back SIGINT and SIGTERM; gives a function that waits for one of them.

    Threads that are started in the body do not get them either.
    """
    ending = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        yield lambda: signal.sigwait(ending)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ending)


class _Server(ThreadingHTTPServer):
    """Accepts connections, and knows which of them are being answered."""

    daemon_threads = False  # `server_close` waits for them
    request_queue_size = 128

    def __init__(
        self, files: Files, address: tuple[str, int], tls: ssl.SSLContext | None, say: Say
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.files = files
        self.say = say
        self.stopping = False
        self._tls = tls
        self._changed = threading.Condition()
        self._busy: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

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
        """Accept; the TLS handshake is left to the connection's own thread."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    @contextmanager
    def connected(self, connection: socket.socket) -> Iterator[None]:
        """While a connection is open."""
        with self._changed:
            self._open.add(connection)
        try:
            yield
        finally:
            with self._changed:
                self._open.discard(connection)

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
                self._changed.notify_all()

    def finish(self) -> None:
        """Close what is idle, let running answers end, then close what is still open."""
        with self._changed:
            self.stopping = True
            _hang_up(self._open - self._busy)
            self._changed.wait_for(lambda: not self._busy, timeout=GRACE)
            _hang_up(self._open)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        """A client that went away is no news; anything else is a bug and keeps its traceback."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _hang_up(connections: Iterable[socket.socket]) -> None:
    for connection in connections:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = f"airgap-mirror/{__version__}"
    sys_version = ""
    timeout = IDLE
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Shake hands here, in the connection's own thread."""
        super().setup()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()

    def handle(self) -> None:
        """Answer requests until one side closes."""
        with self.server.connected(self.connection):
            super().handle()

    def do_GET(self) -> None:
        """Answer with a body."""
        self._reply(self._answer, body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers of GET."""
        self._reply(self._answer, body=False)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the base class finds wrong, in a registry's form; a method it can't find writes."""
        status = HTTPStatus(code)
        text = message or explain or status.phrase
        self.close_connection = True
        self.request_version = self.protocol_version  # not the one that could not be read
        refused = status is HTTPStatus.NOT_IMPLEMENTED
        self._reply(read_only if refused else lambda: error(status, "UNSUPPORTED", text), body=True)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line for each answer; what came from the network is escaped."""
        self.server.say(f"{self.client_address[0]} {self.requestline!a} {int(code)} {size}")

    def _answer(self) -> Answer:
        try:
            return answer(self.server.files, self._request())
        except TransferError as fault:
            self.server.say(f"error: {fault}")
            message = "the content is damaged or cannot be read; see the log of this registry"
            return error(HTTPStatus.INTERNAL_SERVER_ERROR, "UNKNOWN", message)

    def _request(self) -> Request:
        wanted = self.headers.get("Range", "")
        return Request(target=self.path, range=wanted, if_range=self.headers.get("If-Range"))

    def _reply(self, make: Callable[[], Answer], *, body: bool) -> None:
        with self.server.answering(self.connection):
            reply = make()
            self._send_head(reply)
            if body and isinstance(reply.body, Slice):
                self._send_blob(reply.body)
            elif body and isinstance(reply.body, bytes):
                self.wfile.write(reply.body)

    def _send_head(self, reply: Answer) -> None:
        # What a client sends along is not read: the next request would start in its middle.
        headers = getattr(self, "headers", {})
        if "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0":
            self.close_connection = True
        self.log_request(reply.status, reply.length)
        self.send_response_only(reply.status)
        self.send_header("Server", self.version_string())
        self.send_header("Docker-Distribution-API-Version", "registry/2.0")
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(reply.length))
        for name, value in reply.headers:
            self.send_header(name, value)
        if self.close_connection or self.server.stopping:
            self.send_header("Connection", "close")  # the base class closes after it
        self.end_headers()

    def _send_blob(self, part: Slice) -> None:
        if not part.count:
            return
        with self.server.files.open_blob(part.digest) as file:
            sent = self.connection.sendfile(file, part.start, part.count)
        if sent != part.count:
            self.server.say(f"error: blob {part.digest}: ended after {part.start + sent} bytes")
            self.close_connection = True
