"""Servers that refuse a body before they have read it, and hang up: their answer is heard."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.servers import Certificate
from tests.transfer.registry.support import AT_ONCE, Content, noise
from transfer.errors import AccessDenied, Conflict, StorageError, TransferError, Unavailable
from transfer.registry import RegistryClient

pytest_plugins = ["tests.server_fixtures"]

CONTENT = Content(noise(9_000_000))
ROUNDS = 8
NO_MORE = struct.pack("ii", 1, 0)
"""Of SO_LINGER: what is not sent yet is thrown away, and the connection reset."""

KINDS: dict[int, type[TransferError]] = {
    401: AccessDenied,
    403: AccessDenied,
    409: Conflict,
    413: StorageError,
}


class Hasty:
    """Reads a part of what is sent, answers, and resets the connection."""

    def __init__(self, code: int, *, reads: int, body: int, tls: ssl.SSLContext | None) -> None:
        self._reads = reads
        self._tls = tls
        self._answer = (
            f"HTTP/1.1 {code} No\r\nContent-Length: {body}\r\nConnection: close\r\n\r\n"
        ).encode() + b"x" * body
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.bodies = 0

    def serve(self) -> None:
        """Until nobody listens any more."""
        with ExitStack() as connections, suppress(OSError):
            while True:
                raw, _ = self._listening.accept()
                connections.callback(raw.close)
                threading.Thread(target=self._converse, args=(raw,), daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _converse(self, raw: socket.socket) -> None:
        with suppress(OSError), ExitStack() as stack:
            line = stack.enter_context(
                self._tls.wrap_socket(raw, server_side=True) if self._tls else raw
            )
            stream = stack.enter_context(line.makefile("rb"))
            while request := stream.readline():
                while stream.readline().strip():
                    pass
                if request.startswith((b"PUT", b"PATCH")):
                    self.bodies += 1
                    stream.read(self._reads)
                    line.sendall(self._answer)
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_MORE)
                    return
                line.sendall(_good(request))


def _good(request: bytes) -> bytes:
    if request.startswith(b"POST"):
        place = b"Location: /v2/a/b/blobs/uploads/1"
        return b"HTTP/1.1 202 Yes\r\nContent-Length: 0\r\n%s\r\n\r\n" % place
    if request.startswith(b"DELETE"):
        return b"HTTP/1.1 204 Yes\r\n\r\n"
    return b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def hasty(
    code: int, *, reads: int, body: int = 9, tls: Certificate | None = None
) -> Iterator[tuple[Hasty, RegistryClient]]:
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
    server = Hasty(code, reads=reads, body=body, tls=context)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        with RegistryClient.connect(
            server.host, plain_http=tls is None, ca_file=tls.ca if tls else None, retry=AT_ONCE
        ) as client:
            yield server, client
    finally:
        server.close()
        thread.join()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("body", [9, 200_000], ids=["short", "long"])
@pytest.mark.parametrize("reads", [0, 1_000_000])
@pytest.mark.parametrize("code", KINDS)
def test_a_refusal_is_heard_whenever_it_comes(
    tls: Certificate, code: int, reads: int, body: int, *, secure: bool
) -> None:
    for _ in range(ROUNDS):
        with hasty(code, reads=reads, body=body, tls=tls if secure else None) as (server, client):
            with pytest.raises(KINDS[code], match=f"answered {code}"):
                client.repository("a/b").push_blob(CONTENT.blob, CONTENT.open)
            # A body that is too large is followed by smaller ones; nothing else is tried again.
            assert server.bodies == (3 if code == 413 else 1)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("code", [201, 503])
def test_what_is_no_refusal_is_not_believed_by_half(
    tls: Certificate, code: int, *, secure: bool
) -> None:
    with (
        hasty(code, reads=0, body=200_000, tls=tls if secure else None) as (server, client),
        pytest.raises(Unavailable, match="tried 3 times"),
    ):
        client.repository("a/b").push_blob(CONTENT.blob, CONTENT.open)
    assert server.bodies == AT_ONCE.attempts
