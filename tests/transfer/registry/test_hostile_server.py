"""Servers that answer to harm: without end, with nonsense, or with the way to somewhere else.

Each sends raw bytes, so that it may say what no web server would.
"""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.transfer.registry.support import AT_ONCE, Content
from transfer.descriptor import OCI_MANIFEST
from transfer.digest import Digest
from transfer.errors import AccessDenied, IntegrityError, InvalidInput, TransferError, Unavailable
from transfer.http import messages
from transfer.http.answers import Answer, printable
from transfer.http.retry import GivenUp
from transfer.registry import Credentials, RegistryClient
from transfer.registry.tokens import Challenge

PASSWORD = "opensesame"
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "x", "digest": str(Digest.of(b"")), "size": 0},
        "layers": [],
    }
).encode()
MOST = 64 << 20
"""Bytes after which a server that never ends has ended after all."""

Bytes = Callable[[], Iterator[bytes]]
Use = Callable[[RegistryClient], object]


def endless(head: bytes, block: bytes = b"x" * 65536) -> Bytes:
    def send() -> Iterator[bytes]:
        yield head
        for _ in range(MOST // len(block)):
            yield block

    return send


def once(status: str = "200 OK", body: bytes = b"", **headers: str) -> Bytes:
    def send() -> Iterator[bytes]:
        named = {"Content-Length": str(len(body))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        yield f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body

    return send


@contextmanager
def server(send: Bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Answers every request with the same bytes, and closes; gives `host:port` and the requests."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        ending = threading.Event()

        def answer() -> None:
            while not ending.is_set():
                with suppress(OSError):
                    connection, _ = listening.accept()
                    with connection:
                        connection.settimeout(5)
                        requests.append(_request(connection))
                        for block in send():
                            connection.sendall(block)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):
                            pass

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}", requests
        finally:
            ending.set()
            thread.join()


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received and (block := connection.recv(65536)):
        received += block
    return received


def asked(send: Bytes, use: Use) -> tuple[object, list[bytes]]:
    """What using a registry gives that answers so: a result, or an error of ours."""
    with server(send) as (host, requests):
        client = RegistryClient.connect(
            host, plain_http=True, credentials=Credentials("user", PASSWORD), retry=AT_ONCE
        )
        with client:
            try:
                found = use(client)
            except TransferError as error:
                found = error
    return found, requests


def resolve(client: RegistryClient) -> object:
    return client.repository("a/b").resolve("1")


def manifest(client: RegistryClient) -> object:
    return client.repository("a/b").get_manifest("1").raw


def tags(client: RegistryClient) -> object:
    return client.repository("a/b").tags()


def push(client: RegistryClient) -> object:
    content = Content(b"layer")
    client.repository("a/b").push_blob(content.blob, content.open)
    return None


CHUNKS = b"10000\r\n" + b"x" * 65536 + b"\r\n"
TYPE = {"Content_Type": OCI_MANIFEST}
BEARER = "401 Unauthorized"
TABLE: dict[str, tuple[Bytes, Use, type[TransferError]]] = {
    "body": (endless(b"HTTP/1.1 200 OK\r\n\r\n"), manifest, IntegrityError),
    "error": (endless(b"HTTP/1.1 400 X\r\n\r\n"), manifest, InvalidInput),
    "chunks": (
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNKS),
        tags,
        InvalidInput,
    ),
    "redirect": (endless(b"HTTP/1.1 302 X\r\nLocation: /x\r\n\r\n"), manifest, InvalidInput),
    "header": (endless(b"HTTP/1.1 200 OK\r\nX: "), manifest, Unavailable),
    "headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100), manifest, Unavailable),
    "no-http": (once("\x00"), manifest, Unavailable),
    "zip-bomb": (
        once(body=gzip.compress(bytes(MOST)), Content_Encoding="gzip", **TYPE),
        manifest,
        IntegrityError,
    ),
    "zip-bomb-in-redirect": (
        once("302 X", gzip.compress(bytes(MOST)), Content_Encoding="gzip", Location="/x"),
        manifest,
        InvalidInput,
    ),
    "digest-of-another": (
        once(body=MANIFEST, Docker_Content_Digest=str(Digest.of(b"")), **TYPE),
        manifest,
        IntegrityError,
    ),
    "digest-by-md5": (
        once(body=MANIFEST, Docker_Content_Digest="md5:" + "0" * 32, **TYPE),
        resolve,
        IntegrityError,
    ),
    "redirect-to-file": (once("302 X", Location="file:///etc/passwd"), manifest, InvalidInput),
    "redirect-nowhere": (once("302 X", Location="http://["), manifest, InvalidInput),
    "upload-to-file": (once("202 X", Location="file:///etc/passwd"), push, InvalidInput),
    "upload-nowhere": (once("202 X", Location="http://["), push, InvalidInput),
    "realm-nowhere": (
        once(BEARER, WWW_Authenticate='Bearer realm="http://["'),
        manifest,
        AccessDenied,
    ),
    "realm-file": (
        once(BEARER, WWW_Authenticate='Bearer realm="file:///etc/passwd"'),
        manifest,
        AccessDenied,
    ),
    "realm-elsewhere": (
        once(BEARER, WWW_Authenticate='Bearer realm="ftp://127.0.0.1/"'),
        manifest,
        AccessDenied,
    ),
    "deep-json": (once(body=b"[" * 100_000), tags, InvalidInput),
    "deep-error": (
        once("400 X", b'{"errors":[{"code":' + b"[" * 900 + b"]" * 900 + b"}]}"),
        manifest,
        InvalidInput,
    ),
    "pages": (
        once(body=b'{"tags": []}', Link="<" * 60_000),
        lambda client: tags(client) and None,
        InvalidInput,
    ),
}


@pytest.mark.parametrize("name", [name for name in TABLE if name != "pages"])
def test_an_answer_that_harms_is_an_error_of_ours(name: str) -> None:
    send, use, kind = TABLE[name]
    found, requests = asked(send, use)
    assert type(found) is kind or isinstance(found, kind), found
    assert PASSWORD not in str(found)
    assert not [request for request in requests if b"Authorization" in request]


HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1234\r\n\r\n"


@pytest.mark.parametrize("length", range(1, len(HEAD), 3))
def test_an_answer_that_ends_in_its_head_is_none(length: int) -> None:
    def held(client: RegistryClient) -> object:
        return client.repository("a/b").has_blob(Content(b"x" * 1234).blob)

    assert asked(lambda: iter([HEAD]), held)[0] is True
    found, requests = asked(lambda: iter([HEAD[:length]]), held)
    assert type(found) is GivenUp, found
    assert len(requests) == AT_ONCE.attempts


def test_a_length_that_is_none_counts_as_missing() -> None:
    found, _ = asked(once(body=MANIFEST, Content_Length="9" * 5000, **TYPE), manifest)
    assert found == MANIFEST


@pytest.mark.parametrize("link", ["<" * 60_000, "<a>;" * 15_000, '</x>; rel="prev"'])
def test_a_link_to_something_else_ends_the_list(link: str) -> None:
    found, requests = asked(once(body=b'{"tags": ["1"]}', Link=link), tags)
    assert found == ["1"]
    assert len(requests) == 1


@pytest.mark.parametrize(
    "place", ["http://[", "http://r.example:99999/", "http://r.example:x/", "//:0/", "ftp://r/", ""]
)
def test_a_list_that_goes_on_nowhere_is_not_taken_for_whole(place: str) -> None:
    found, requests = asked(once(body=b'{"tags": ["1"]}', Link=f'<{place}>; rel="next"'), tags)
    assert isinstance(found, InvalidInput)
    assert found.message.endswith("/tags/list: the list goes on at an address that is none (Link)")
    assert len(requests) == 1


def test_a_list_without_end() -> None:
    pages = iter(range(10_000))

    def send() -> Iterator[bytes]:
        link = f'</v2/a/b/tags/list?n={next(pages)}>; rel="next"'
        return once(body=b'{"tags": ["1"]}', Link=link, Connection="close")()

    found, requests = asked(send, tags)
    assert isinstance(found, InvalidInput)
    assert found.message.endswith("goes on after 1000 pages")
    assert len(requests) <= 1001


def test_an_answer_that_comes_byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "ANSWER_TIMEOUT", 0.1)
    pause = threading.Event()

    def send() -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        for _ in range(1000):
            yield b" "
            pause.wait(0.005)

    found, _ = asked(send, manifest)
    assert isinstance(found, Unavailable)
    assert "does not come to the end of its answer" in found.message


@pytest.mark.parametrize(
    ("expires", "lifetime"),
    [("1" + "0" * 400, 60), ("NaN", 60), ("Infinity", 60), ("-1", 60), ('"x"', 60), ("120", 120)],
)
def test_a_token_lives_as_long_as_tokens_do(expires: str, lifetime: int) -> None:
    """Shown by asking twice: a lifetime that is none is the one a token has by default."""
    body = b'{"token": "t", "expires_in": ' + expires.encode() + b"}"
    with server(once(body=body)) as (realm, tokens):
        challenge = f'Bearer realm="http://{realm}/",service="x"'

        def use(client: RegistryClient) -> object:
            for _ in range(2):
                with suppress(AccessDenied):
                    client.ping()
            return lifetime

        found, requests = asked(once(BEARER, WWW_Authenticate=challenge), use)
    assert found == lifetime
    assert len(tokens) >= 1
    assert any(b"Bearer t" in request for request in requests)


def test_a_challenge_of_any_length_is_read_at_once() -> None:
    for header in ("Bearer " + "a=b" * 20_000, "Bearer" + " " * 60_000 + "x", 'Bearer a="' * 9_000):
        assert Challenge.parse(header) is not None


def test_what_is_secret_in_a_request_or_answer_is_not_in_its_repr() -> None:
    url = "https://user:pw@r.example/v2/?sig=SECRET"
    headers = {"Authorization": "Basic SECRET"}
    request = messages.Request(method="GET", url=url, what="x", headers=headers)
    answer = Answer(status=200, headers=headers, body=b"SECRET", url=url)
    assert "SECRET" not in f"{request} {answer}"
    assert printable(url) == "https://r.example/v2/"
    assert printable("http://a\x1b31m/\n") == r"http://a\x1b31m/"
    assert printable("http://a[b/") == "an address that is none"
