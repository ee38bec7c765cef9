"""A web server that serves one file, and follows a script of faults, one for each request.

nginx is the real one; this is for what nginx never does: failing once, cutting a body short,
answering a range with another one.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Step = Callable[["Exchange"], None]


@dataclass(slots=True)
class Exchange:
    """One request, and the ways to answer it."""

    handler: BaseHTTPRequestHandler
    content: bytes

    @property
    def offset(self) -> int:
        """Where the asked range starts; 0 without one."""
        found = re.fullmatch(r"bytes=(\d+)-", self.handler.headers.get("Range", ""))
        return int(found[1]) if found else 0

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        """Send a response as it is given."""
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()
        self.handler.wfile.write(body)


def well(exchange: Exchange) -> None:
    """Answer as asked, ranges included."""
    send(exchange, len(exchange.content))


def cut(after: int) -> Step:
    """Answer as asked, and close the connection after so many bytes of the body."""
    return lambda exchange: send(exchange, after)


def send(exchange: Exchange, count: int) -> None:
    """Answer as asked with at most `count` bytes of what was announced."""
    body, total = exchange.content[exchange.offset :], len(exchange.content)
    headers = {"Content-Length": str(len(body)), "ETag": '"one"'}
    if exchange.offset:
        headers["Content-Range"] = f"bytes {exchange.offset}-{total - 1}/{total}"
    exchange.answer(206 if exchange.offset else 200, headers, body[:count])


def status(code: int, **headers: str) -> Step:
    """Answer with a status and nothing else."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda exchange: exchange.answer(code, {"Content-Length": "0", **named})


@dataclass(slots=True)
class Web:
    """A running server."""

    url: str
    requests: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request, names in lower case."""


@contextmanager
def web(content: bytes, script: Sequence[Step] = ()) -> Iterator[Web]:
    """Serve `content` at `url`; when the script is over, everything is answered well."""
    steps, lock = iter(script), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                server.requests.append({k.lower(): v for k, v in self.headers.items()})
                step = next(steps, well)
            step(Exchange(self, content))

        def log_message(self, *_arguments: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server = Web(f"http://127.0.0.1:{listener.server_port}/release/harness.airgap")
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
