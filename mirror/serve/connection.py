"""One connection to the registry: HTTP/1.1 requests, one after the other.

A request is answered by `mirror.serve.answers`. Blobs go from the file to the socket without
passing through Python, or, where TLS has to see them, in blocks that are large.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import BinaryIO

from mirror.serve.accesslog import Access
from mirror.serve.answers import answer, read_only, unauthorized
from mirror.serve.exchange import Answer, Request, Slice, error
from mirror.serve.server import Server
from transfer import __version__
from transfer.errors import TransferError

IDLE = 60.0
"""Seconds a connection may do nothing."""

_BLOCK = 256 << 10
"""Bytes of a file that are encrypted at a time."""


class Connection(BaseHTTPRequestHandler):
    """What the other side asks, and what it gets."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = f"airgap-mirror/{__version__}"
    sys_version = ""
    timeout = IDLE
    disable_nagle_algorithm = True
    user = ""
    sent = 0

    def setup(self) -> None:
        """Shake hands here, in the connection's own thread."""
        super().setup()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.do_handshake()

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

    def _answer(self) -> Answer:
        passwords = self.server.service.passwords
        if passwords is not None:
            self.user = passwords.user_of(self.headers.get("Authorization", "")) or ""
            if not self.user:
                return unauthorized()
        try:
            return answer(self.server.service.files, self._request())
        except TransferError as fault:
            self.server.service.say(f"error: {fault}")
            message = "the content is damaged or cannot be read; see the log of this registry"
            return error(HTTPStatus.INTERNAL_SERVER_ERROR, "UNKNOWN", message)

    def _request(self) -> Request:
        return Request(
            target=self.path,
            range=self.headers.get("Range", ""),
            if_range=self.headers.get("If-Range"),
            if_none_match=", ".join(self.headers.get_all("If-None-Match", ())),
        )

    def _reply(self, make: Callable[[], Answer], *, body: bool) -> None:
        with self.server.answering(self.connection):
            self.user, self.sent = "", 0
            reply = make()
            try:
                self._send_head(reply)
                if body:
                    self._send_body(reply.body)
            finally:
                self._log(reply.status)

    def _send_head(self, reply: Answer) -> None:
        # What a client sends along is not read: the next request would start in its middle.
        headers = getattr(self, "headers", {})
        if "Transfer-Encoding" in headers or headers.get("Content-Length", "0") != "0":
            self.close_connection = True
        self.send_response_only(reply.status)
        self.send_header("Server", self.version_string())
        self.send_header("Date", self.date_time_string())
        self.send_header("Docker-Distribution-API-Version", "registry/2.0")
        if reply.status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(reply.length))
        for name, value in reply.headers:
            self.send_header(name, value)
        if self.close_connection or self.server.stopping:
            self.send_header("Connection", "close")  # the base class closes after it
        self.end_headers()

    def _send_body(self, body: bytes | Slice) -> None:
        if isinstance(body, bytes):
            self.wfile.write(body)
            self.sent = len(body)
        elif body.count:
            self._send_blob(body)

    def _send_blob(self, part: Slice) -> None:
        send = self._encrypt if isinstance(self.connection, ssl.SSLSocket) else self._hand_over
        with self.server.service.files.open_blob(part.digest) as file:
            send(file, part)
        if self.sent != part.count:
            end = part.start + self.sent
            self.server.service.say(f"error: blob {part.digest}: ended after {end} bytes")
            self.close_connection = True

    def _hand_over(self, file: BinaryIO, part: Slice) -> None:
        try:
            self.connection.sendfile(file, part.start, part.count)
        finally:
            self.sent = max(file.tell() - part.start, 0)  # also where the other side hung up

    def _encrypt(self, file: BinaryIO, part: Slice) -> None:
        """As `sendfile`, which would read 8 KiB at a time where there is TLS."""
        block = memoryview(bytearray(min(_BLOCK, part.count)))
        file.seek(part.start)
        while count := os.readv(file.fileno(), [block[: part.count - self.sent]]):
            self.connection.sendall(block[:count])
            self.sent += count

    def _log(self, status: HTTPStatus) -> None:
        access = Access(
            client=self.client_address[0],
            user=self.user,
            moment=datetime.now(UTC),
            request=self.requestline,
            status=int(status),
            sent=self.sent,
        )
        self.server.service.say(str(access))
