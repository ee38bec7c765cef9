"""A web server that misbehaves as it is told; the ground that fakes stand on.

A fault answers in place of the server, or changes its answer; after so many requests it is used
up. Every request that arrives is kept.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Self

from tests.servers import Certificate

FOREVER = 1 << 30
"""As many times as it is asked."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that arrived."""

    method: str
    path: str
    """With its query."""
    authorized: bool
    """Whether it carried an Authorization."""
    headers: Mapping[str, str]
    """Under lower-case names."""


Action = Callable[["Exchange"], bool]
"""Is given the exchange; True when it has answered, False when the registry still should."""


@dataclass(slots=True)
class Fault:
    """What happens instead, to which requests, and how many more times."""

    method: str
    pattern: re.Pattern[str]
    times: int
    action: Action


def status(
    code: int,
    headers: Mapping[str, str] | None = None,
    *,
    error: tuple[str, str] | None = None,
    body: bytes = b"",
    unread: bool = False,
) -> Action:
    """Answer with a status.

    Args:
        code: The status.
        headers: Further headers.
        error: Code and message of a registry's error body.
        body: The body, where it is no such error.
        unread: Answer before the request's body was read, and close, as busy servers do.
    """

    def act(exchange: Exchange) -> bool:
        if unread:
            exchange.close_connection = True
        else:
            exchange.read_body()
        content = body
        if error:
            content = json.dumps({"errors": [{"code": error[0], "message": error[1]}]}).encode()
        exchange.answer(code, headers, content)
        return True

    return act


def close_after(count: int) -> Action:
    """Close the connection after `count` bytes of the body: the request's, or for GET ours."""

    def act(exchange: Exchange) -> bool:
        if exchange.command == "GET":
            exchange.cut = count
            return False
        # Never more than there is: whoever waits for the rest of a short body waits for ever.
        exchange.rfile.read(min(count, int(exchange.headers.get("Content-Length") or 0)))
        exchange.close_connection = True
        return True

    return act


def forget(exchange: Exchange) -> bool:
    """Read and acknowledge what is sent, and store nothing."""
    exchange.forgetful = True
    return False


def header(name: str, value: str | None) -> Action:
    """Change one header of the answer; None leaves it out. `{host}` in it is this registry."""

    def act(exchange: Exchange) -> bool:
        exchange.changed[name] = value
        return False

    return act


def rewrite(name: str, change: Callable[[str], str]) -> Action:
    """Change one header of the answer by what it would have been."""

    def act(exchange: Exchange) -> bool:
        exchange.rewritten[name] = change
        return False

    return act


class Exchange(BaseHTTPRequestHandler):
    """One request and its answer; what is served is for subclasses to say."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes
    server: _Server

    def serve(self) -> None:
        """Answer as a good server would."""
        self.answer(404)

    def handle_one_request(self) -> None:
        self.changed: dict[str, str | None] = {}
        self.rewritten: dict[str, Callable[[str], str]] = {}
        self.cut: int | None = None
        self.forgetful = False
        super().handle_one_request()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        """Stay silent."""

    def read_body(self) -> bytes:
        """The request's body; less than announced when the client went away."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            return b"".join(iter(self._read_chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _read_chunk(self) -> bytes:
        size = int(self.rfile.readline() or b"0", 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def answer(
        self, code: int, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        """Send the answer, with what the faults change in it."""
        self.send_response(code)
        sent: dict[str, str | None] = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in (sent | self.changed).items():
            if value is not None:
                told = value.format(host=self.server.owner.host)
                change = self.rewritten.get(name)
                self.send_header(name, change(told) if change else told)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if self.cut is None else body[: self.cut])
            self.close_connection = self.close_connection or self.cut is not None

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.owner.requests.append(
            Seen(self.command, self.path, "authorization" in headers, headers)
        )
        action = self.server.owner.take_fault(self.command, self.path)
        if action is not None and action(self):
            return
        self.serve()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 - inherited names


@dataclass(slots=True)
class FaultyServer:
    """A server on a free port of this machine, used with `with`."""

    handler: ClassVar[type[Exchange]] = Exchange

    tls: Certificate | None = None
    client_ca: Path | None = None
    """Whoever has no certificate of this authority is not let in."""
    requests: list[Seen] = field(default_factory=list)
    connections: int = 0
    """How many connections were taken."""
    _faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None
    _port: int = 0

    def fail(self, method: str, pattern: str, times: int, action: Action) -> None:
        """From now on, let `action` handle `times` requests of that method and path."""
        self._faults.append(Fault(method, re.compile(pattern), times, action))

    def count(self, method: str, pattern: str = "") -> int:
        """How many requests had this method and a path in which the pattern is found."""
        return sum(r.method == method and bool(re.search(pattern, r.path)) for r in self.requests)

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`."""
        assert self._port
        return f"127.0.0.1:{self._port}"

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody listens, and afterwards somebody does again under the same address."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def take_fault(self, method: str, path: str) -> Action | None:
        """The action of the first fault that fits, one use of which is gone."""
        with self._lock:
            for fault in self._faults:
                if fault.times and fault.method == method and fault.pattern.search(path):
                    fault.times -= 1
                    return fault.action
        return None

    def __enter__(self) -> Self:
        """Listen."""
        self._server = _Server(self, self._port)
        self._port = self._server.server_port
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls.certificate, self.tls.key)
            if self.client_ca:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop listening."""
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a client may keep its connection open for longer than the test

    def __init__(self, owner: FaultyServer, port: int) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", port), owner.handler)

    def get_request(self) -> Any:  # noqa: ANN401 - inherited
        self.owner.connections += 1
        return super().get_request()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is part of many tests."""
