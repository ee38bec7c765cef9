from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mirror.serve import open_library, serving
from tests.processes import run
from tests.servers import Certificate
from tests.transfer import images
from tests.transfer.images import Tree
from transfer.descriptor import DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, Manifest
from transfer.digest import Digest
from transfer.errors import InvalidInput, NotFound
from transfer.layout import OciLayout
from transfer.layout.store import OciLayout as Layout

pytest_plugins = ["tests.server_fixtures"]

LAYER = images.layer("base", size=100_000)
OCI = images.image(LAYER)
DOCKER = images.image(LAYER, images.layer("extra"), docker=True)
ARM = images.image(LAYER, author="arm", architecture="arm64")
INDEX = images.index(OCI, ARM)
DOCKER_LIST = images.index(DOCKER, docker=True)
STORE = {
    "redis:7": OCI,
    "redis:8": DOCKER,
    "redis:latest": OCI,
    "a/b/both:1": INDEX,
    "list:1": DOCKER_LIST,
    f"pinned@{OCI.root.digest}": OCI,
    "no:valid:name": OCI,
    "latest": OCI,
}
BLOB = LAYER.raw
BLOB_DIGEST = Digest.of(BLOB)


def keep(layout: Layout, tree: Tree, name: str) -> None:
    """Write an image as it is; no copy, no check."""
    for digest, raw in {**tree.blobs, **tree.manifests}.items():
        layout.path_of(digest).write_bytes(raw)
    layout.push_manifest(Manifest.parse(tree.manifests[tree.root.digest]), name)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with OciLayout.create(tmp_path / "store") as layout:
        for name, tree in STORE.items():
            keep(layout, tree, name)
    return tmp_path / "store"


class Answered:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["errors"][0]["code"])


class Client:
    """One kept connection; paths go out as they are."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self.connection = connection

    def __call__(
        self, path: str, method: str = "GET", /, body: bytes | None = None, **headers: str
    ) -> Answered:
        self.connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            self.connection.putheader("Content-Length", str(len(body)))
        self.connection.endheaders(body)
        return Answered(self.connection.getresponse())


@contextmanager
def served(path: Path, namespace: str = "", said: list[str] | None = None) -> Iterator[Client]:
    lines = said if said is not None else []
    with (
        serving(
            open_library(path, namespace), "127.0.0.1", 0, tls=None, say=lines.append
        ) as address,
        closing_client(address) as client,
    ):
        yield client


@contextmanager
def closing_client(address: str) -> Iterator[Client]:
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        yield Client(connection)
    finally:
        connection.close()


@pytest.fixture
def ask(store: Path) -> Iterator[Client]:
    with served(store) as client:
        yield client


def test_the_api_is_there(ask: Client) -> None:
    for path in ("/v2/", "/v2"):
        answered = ask(path)
        assert (answered.status, json.loads(answered.body)) == (200, {})
        assert answered.headers["Docker-Distribution-API-Version"] == "registry/2.0"


@pytest.mark.parametrize(
    ("name", "tree", "media_type"),
    [
        ("redis/manifests/7", OCI, OCI_MANIFEST),
        ("redis/manifests/8", DOCKER, DOCKER_MANIFEST),
        ("a/b/both/manifests/1", INDEX, OCI_INDEX),
        ("list/manifests/1", DOCKER_LIST, DOCKER_INDEX),
        (f"a/b/both/manifests/{ARM.root.digest}", ARM, OCI_MANIFEST),
        (f"pinned/manifests/{OCI.root.digest}", OCI, OCI_MANIFEST),
        (f"redis/manifests/{str(OCI.root.digest).replace(':', '%3A')}", OCI, OCI_MANIFEST),
    ],
)
def test_manifests_keep_their_bytes_and_types(
    ask: Client, name: str, tree: Tree, media_type: str
) -> None:
    raw = tree.manifests[tree.root.digest]
    head, answered = ask(f"/v2/{name}", "HEAD"), ask(f"/v2/{name}")
    assert (head.status, head.body) == (200, b"")
    assert (answered.status, answered.body) == (200, raw)
    for headers in (head.headers, answered.headers):
        assert headers["Content-Type"] == media_type
        assert headers["Docker-Content-Digest"] == str(tree.root.digest)
        assert headers["Content-Length"] == str(len(raw))


def test_blobs_come_whole(ask: Client) -> None:
    path = f"/v2/redis/blobs/{BLOB_DIGEST}"
    head, answered = ask(path, "HEAD"), ask(path)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(BLOB)))
    assert (answered.status, answered.body) == (200, BLOB)
    assert answered.headers["Docker-Content-Digest"] == str(BLOB_DIGEST)
    assert answered.headers["Accept-Ranges"] == "bytes"


SIZE = len(BLOB)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=5-", (5, SIZE)),
        ("bytes=-7", (SIZE - 7, SIZE)),
        (f"bytes=-{SIZE + 5}", (0, SIZE)),
        (f"bytes=3-{SIZE + 100}", (3, SIZE)),
        (f"bytes={SIZE - 1}-", (SIZE - 1, SIZE)),
    ],
)
def test_ranges(ask: Client, asked: str, expected: tuple[int, int]) -> None:
    start, end = expected
    answered = ask(f"/v2/redis/blobs/{BLOB_DIGEST}", Range=asked)
    assert (answered.status, answered.body) == (206, BLOB[start:end])
    assert answered.headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 1}-{SIZE + 9}", "bytes=-0"])
def test_ranges_beyond_the_end(ask: Client, asked: str) -> None:
    answered = ask(f"/v2/redis/blobs/{BLOB_DIGEST}", Range=asked)
    assert answered.status == 416
    assert answered.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,4-5"},
        {"Range": "bytes=9-3"},
        {"Range": "bytes=-"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=0-9", "If_Range": '"another"'},
        {"Range": "bytes=0-" + "9" * 40},
    ],
)
def test_a_range_that_means_nothing_gives_the_whole(ask: Client, headers: dict[str, str]) -> None:
    answered = ask(f"/v2/redis/blobs/{BLOB_DIGEST}", body=None, **headers)
    assert (answered.status, answered.body) == (200, BLOB)


def test_if_range_with_the_etag_gives_the_range(ask: Client) -> None:
    path = f"/v2/redis/blobs/{BLOB_DIGEST}"
    etag = ask(path, "HEAD").headers["ETag"]
    assert ask(path, Range="bytes=2-3", If_Range=etag).body == BLOB[2:4]


def test_an_empty_blob(store: Path) -> None:
    with OciLayout.create(store) as layout:
        layout.path_of(Digest.of(b"")).write_bytes(b"")
    with served(store) as ask:
        answered = ask(f"/v2/redis/blobs/{Digest.of(b'')}")
        assert (answered.status, answered.body) == (200, b"")
        assert ask("/v2/").status == 200


def tags_of(answered: Answered) -> list[str]:
    return list(json.loads(answered.body)["tags"])


def test_tags_come_in_pages(ask: Client) -> None:
    assert json.loads(ask("/v2/redis/tags/list").body) == {
        "name": "redis",
        "tags": ["7", "8", "latest"],
    }
    first = ask("/v2/redis/tags/list?n=2")
    assert tags_of(first) == ["7", "8"]
    following = re.fullmatch(r'<(.+)>; rel="next"', first.headers["Link"])
    assert following
    second = ask(following[1])
    assert tags_of(second) == ["latest"]
    assert "Link" not in second.headers
    assert tags_of(ask("/v2/redis/tags/list?n=0")) == []
    assert tags_of(ask("/v2/redis/tags/list?last=7")) == ["8", "latest"]
    assert tags_of(ask("/v2/pinned/tags/list")) == []
    assert "Link" not in ask("/v2/redis/tags/list?n=3").headers


UNKNOWN = Digest.of(b"nowhere")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v2/redis/tags/list?n=many", 400, "PAGINATION_NUMBER_INVALID"),
        ("/v2/redis/tags/list?n=-1", 400, "PAGINATION_NUMBER_INVALID"),
        ("/v2/nowhere/tags/list", 404, "NAME_UNKNOWN"),
        ("/v2/nowhere/manifests/7", 404, "NAME_UNKNOWN"),
        (f"/v2/nowhere/blobs/{BLOB_DIGEST}", 404, "NAME_UNKNOWN"),
        ("/v2/redis/manifests/9", 404, "MANIFEST_UNKNOWN"),
        (f"/v2/redis/manifests/{UNKNOWN}", 404, "MANIFEST_UNKNOWN"),
        (f"/v2/redis/manifests/{BLOB_DIGEST}", 404, "MANIFEST_UNKNOWN"),
        (f"/v2/redis/blobs/{UNKNOWN}", 404, "BLOB_UNKNOWN"),
        ("/v2/redis/blobs/latest", 400, "DIGEST_INVALID"),
        ("/v2/redis/blobs/sha256:short", 400, "DIGEST_INVALID"),
        ("/v2/redis/manifests/sha256:short", 400, "DIGEST_INVALID"),
        ("/v2/redis/manifests/", 404, "NAME_UNKNOWN"),
        ("/v2/redis", 404, "NAME_UNKNOWN"),
        ("/", 404, "NAME_UNKNOWN"),
        ("/v1/redis/manifests/7", 404, "NAME_UNKNOWN"),
    ],
)
def test_errors_have_the_codes_of_the_specification(
    ask: Client, path: str, status: int, code: str
) -> None:
    answered = ask(path)
    assert (answered.status, answered.code) == (status, code)
    assert answered.headers["Content-Type"] == "application/json"
    head = ask(path, "HEAD")
    assert (head.status, head.body) == (status, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/redis/blobs/../../../index.json",
        "/v2/redis/blobs/..%2f..%2f..%2findex.json",
        "/v2/redis/blobs/sha256:..%2f..%2findex.json",
        "/v2/redis/blobs/sha256:../../index.json",
        "/v2/redis/manifests/%2e%2e%2f%2e%2e%2findex.json",
        "/v2/../index.json",
        "/../index.json",
        "/v2//etc/passwd",
        "/v2/..%2f../manifests/7",
        "/v2/redis%00/manifests/7",
        "/v2/redis/manifests/7%00",
        "/v2/redis/manifests/7%0d%0aX-Injected:%201",
        "http://elsewhere/v2/redis/manifests/7",
        "/v2/redis/blobs/sha256:" + "A" * 64,
        "/v2/redis/blobs/md5:" + "a" * 32,
        "/v2/redis/blobs/" + "a" * 60_000,
    ],
)
def test_no_path_leads_out_of_the_blobs(ask: Client, path: str) -> None:
    answered = ask(path)
    assert answered.status in {400, 404}
    assert b"imageLayoutVersion" not in answered.body
    assert b"root:" not in answered.body
    assert "X-Injected" not in answered.headers
    assert ask("/v2/").status == 200


def test_a_link_in_place_of_a_blob_is_not_followed(store: Path) -> None:
    secret = store.parent / "secret"
    secret.write_bytes(b"top secret")
    digest = Digest.of(b"top secret")
    (store / "blobs/sha256" / digest.encoded).symlink_to(secret)
    said: list[str] = []
    with served(store, said=said) as ask:
        answered = ask(f"/v2/redis/blobs/{digest}")
        assert (answered.status, answered.code) == (500, "UNKNOWN")
        assert b"secret" not in answered.body
    assert any("not a plain file" in line for line in said)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_everything_that_would_write_is_refused(ask: Client, method: str) -> None:
    answered = ask("/v2/redis/blobs/uploads/", method, body=b"GET /v2/ HTTP/1.1\r\n\r\n")
    assert (answered.status, answered.code) == (405, "UNSUPPORTED")
    assert answered.headers["Allow"] == "GET, HEAD"
    assert answered.headers["Connection"] == "close"


def test_a_body_is_not_taken_for_the_next_request(store: Path) -> None:
    said: list[str] = []
    with served(store, said=said) as ask:
        assert ask("/v2/", "GET", body=b"GET /v2/redis/manifests/7 HTTP/1.1\r\n\r\n").status == 200
    assert len(said) == 1


def test_requests_that_are_none(store: Path) -> None:
    with (
        served(store) as ask,
        socket.create_connection((ask.connection.host, ask.connection.port), timeout=30) as raw,
    ):
        raw.sendall(b"GET /v2/ nonsense\r\n\r\n")
        with raw.makefile("rb") as stream:
            answered = stream.read()
    assert b" 400 " in answered
    assert b'"UNSUPPORTED"' in answered


def test_damaged_manifests_are_not_handed_out(store: Path) -> None:
    path = store / "blobs/sha256" / OCI.root.digest.encoded
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    said: list[str] = []
    with served(store, said=said) as ask:
        answered = ask("/v2/redis/manifests/7")
        assert (answered.status, answered.code) == (500, "UNKNOWN")
        assert ask("/v2/redis/manifests/8").status == 200
    assert any(str(OCI.root.digest) in line for line in said)


def test_a_store_is_served_as_it_is_now(store: Path) -> None:
    with served(store) as ask, OciLayout.create(store) as layout:
        assert ask("/v2/late/manifests/1").status == 404
        keep(layout, ARM, "late:1")
        assert ask("/v2/late/manifests/1").body == ARM.manifests[ARM.root.digest]


def test_one_connection_serves_many_requests(ask: Client) -> None:
    ask("/v2/")
    port = ask.connection.sock.getsockname()
    for _ in range(3):
        ask("/v2/redis/manifests/nowhere")
        ask(f"/v2/redis/blobs/{BLOB_DIGEST}", Range="bytes=0-1")
    assert ask.connection.sock.getsockname() == port


def test_a_namespace_goes_before_every_name(store: Path) -> None:
    with served(store, "harness/prod") as ask:
        assert ask("/v2/harness/prod/redis/manifests/7").status == 200
        assert ask("/v2/redis/manifests/7").code == "NAME_UNKNOWN"
    with pytest.raises(InvalidInput, match="Upper"):
        open_library(store, "Upper")


def test_a_running_answer_ends_before_the_server_does(store: Path) -> None:
    raw = bytes(range(256)) * 80_000  # more than both socket buffers
    digest = Digest.of(raw)
    with OciLayout.create(store) as layout:
        layout.path_of(digest).write_bytes(raw)
    library = open_library(store)
    server = serving(library, "127.0.0.1", 0, tls=None, say=lambda _: None)
    address = server.__enter__()
    with closing_client(address) as ask, closing_client(address) as idle:
        idle("/v2/")
        ask.connection.request("GET", f"/v2/redis/blobs/{digest}")
        response = ask.connection.getresponse()
        start = response.read(10)
        stopping = threading.Thread(target=server.__exit__, args=(None, None, None))
        stopping.start()
        assert idle.connection.sock.recv(1) == b""  # hung up on: the server is about to end
        assert start + response.read() == raw
        stopping.join(30)
        assert not stopping.is_alive()
    host, port = address.split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_a_port_that_is_taken(store: Path) -> None:
    library = open_library(store)
    with serving(library, "127.0.0.1", 0, tls=None, say=print) as address:
        port = int(address.rpartition(":")[2])
        with (
            pytest.raises(InvalidInput, match=f"127.0.0.1:{port}: Address already in use"),
            serving(library, "127.0.0.1", port, tls=None, say=print),
        ):
            pass


def test_a_folder_with_nothing_to_serve(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_library(tmp_path)


def test_tls(store: Path, tls: Certificate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    with serving(open_library(store), "127.0.0.1", 0, tls=context, say=lambda _: None) as address:
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as plain:
            plain.sendall(b"GET /v2/ HTTP/1.1\r\n\r\n")  # not TLS: refused, and nothing breaks
            plain.settimeout(30)
            assert b"200" not in plain.recv(100)
        trusted = ssl.create_default_context(cafile=tls.ca)
        connection = http.client.HTTPSConnection(address, timeout=30, context=trusted)
        try:
            assert Client(connection)(f"/v2/redis/blobs/{BLOB_DIGEST}").body == BLOB
        finally:
            connection.close()


@pytest.mark.real
def test_skopeo_reads_every_kind(store: Path, need: Callable[[str], Path], tmp_path: Path) -> None:
    skopeo: list[str | Path] = [need("skopeo"), "--insecure-policy", "--override-arch", "amd64"]
    with serving(open_library(store), "127.0.0.1", 0, tls=None, say=lambda _: None) as address:
        for name, tree in (("redis", OCI), ("redis", DOCKER), ("a/b/both", INDEX)):
            source = f"docker://{address}/{name}@{tree.root.digest}"
            raw = run([*skopeo, "inspect", "--raw", "--tls-verify=false", source])
            assert raw.encode() == tree.manifests[tree.root.digest]
            out = tmp_path / tree.root.digest.encoded
            run([*skopeo, "copy", "--src-tls-verify=false", source, f"dir:{out}"])
        out = tmp_path / "all"
        source = f"docker://{address}/a/b/both:1"
        run([*skopeo, "copy", "--all", "--src-tls-verify=false", source, f"dir:{out}"])
        copied = {path.name for path in out.iterdir()}
        expected = {digest.encoded for digest in INDEX.blobs}
        expected |= {f"{child.root.digest.encoded}.manifest.json" for child in (OCI, ARM)}
        assert expected <= copied
        listed = json.loads(
            run([*skopeo, "list-tags", "--tls-verify=false", f"docker://{address}/redis"])
        )
        assert listed["Tags"] == ["7", "8", "latest"]
