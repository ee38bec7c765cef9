"""A registry that takes everything, proves it, and keeps nothing but what it was and how large.

    python -m benchmarks.sink

prints the address where it listens, until somebody ends it.
"""

from __future__ import annotations

from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BLOCK = 1 << 20


class Sink(BaseHTTPRequestHandler):
    """Answers as a registry does; every repository holds what any of them was sent."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    blobs: dict[str, int] = {}  # noqa: RUF012 - what all requests share
    manifests: dict[str, tuple[str, bytes]] = {}  # noqa: RUF012 - the same

    def do_POST(self) -> None:
        """Open an upload."""
        self.reply(HTTPStatus.ACCEPTED, {"Location": f"{urlsplit(self.path).path}upload"})

    def do_PUT(self) -> None:
        """Take a blob to its end, or a manifest."""
        parts = urlsplit(self.path)
        size, state, manifest = int(self.headers["Content-Length"]), sha256(), b""
        buffer = memoryview(bytearray(BLOCK))
        left = size
        while left and (count := self.rfile.readinto1(buffer[: min(left, BLOCK)])):
            state.update(buffer[:count])
            left -= count
            if "/manifests/" in parts.path:
                manifest += bytes(buffer[:count])
        digest = f"sha256:{state.hexdigest()}"
        if manifest:
            kind = self.headers["Content-Type"]
            for name in (parts.path, f"{parts.path.rpartition('/')[0]}/{digest}"):
                self.manifests[name] = kind, manifest
        elif left or parse_qs(parts.query)["digest"] != [digest]:
            self.reply(HTTPStatus.BAD_REQUEST)
            return
        else:
            self.blobs[digest] = size
        self.reply(HTTPStatus.CREATED, {"Docker-Content-Digest": digest})

    def do_HEAD(self) -> None:
        """Say whether something came."""
        name = self.path.rpartition("/")[2]
        if self.path in self.manifests:
            kind, raw = self.manifests[self.path]
            digest = f"sha256:{sha256(raw).hexdigest()}"
            head = {"Content-Type": kind, "Docker-Content-Digest": digest}
            self.reply(HTTPStatus.OK, {**head, "Content-Length": str(len(raw))})
        elif name in self.blobs:
            self.reply(HTTPStatus.OK, {"Content-Length": str(self.blobs[name])})
        else:
            self.reply(HTTPStatus.OK if self.path == "/v2/" else HTTPStatus.NOT_FOUND)

    do_GET = do_HEAD  # noqa: N815 - inherited name; only /v2/ is asked for

    def reply(self, status: HTTPStatus, headers: dict[str, str] | None = None) -> None:
        """An answer without content."""
        self.send_response(status)
        for name, value in {"Content-Length": "0", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited name
        """Stay silent."""


def main() -> None:
    """Serve until the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        print(f"127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
