"""The served registry as a server: what it refuses, survives, and how it ends."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mirror.serve import open_library, serving
from tests.mirror.served import (
    ARM,
    BLOB,
    BLOB_DIGEST,
    DOCKER,
    INDEX,
    OCI,
    Client,
    closing_client,
    fill_store,
    keep,
    quiet,
    served,
)
from tests.processes import run
from tests.servers import Certificate
from transfer.digest import Digest
from transfer.errors import InvalidInput, NotFound
from transfer.layout import OciLayout

pytest_plugins = ["tests.server_fixtures"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return fill_store(tmp_path / "store")


@pytest.fixture
def ask(store: Path) -> Iterator[Client]:
    with served(store) as client:
        yield client


def test_an_empty_blob(store: Path) -> None:
    with OciLayout.create(store) as layout:
        layout.path_of(Digest.of(b"")).write_bytes(b"")
    with served(store) as ask:
        answered = ask(f"/v2/redis/blobs/{Digest.of(b'')}")
        assert (answered.status, answered.body) == (200, b"")
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
    for wrong in ("Upper", "slash/", "/slash"):
        with pytest.raises(InvalidInput, match=f"--namespace '{wrong}': not the path"):
            open_library(store, wrong)


def test_a_running_answer_ends_before_the_server_does(store: Path) -> None:
    raw = bytes(range(256)) * 80_000  # more than both socket buffers
    digest = Digest.of(raw)
    with OciLayout.create(store) as layout:
        layout.path_of(digest).write_bytes(raw)
    server = serving(quiet(store), "127.0.0.1", 0)
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
    with serving(quiet(store), "127.0.0.1", 0) as address:
        port = int(address.rpartition(":")[2])
        with (
            pytest.raises(InvalidInput, match=f"127.0.0.1:{port}: Address already in use"),
            serving(quiet(store), "127.0.0.1", port),
        ):
            pass


def test_nothing_to_serve(tmp_path: Path) -> None:
    archive = tmp_path / "harness.airgap"
    archive.touch()
    for other in (tmp_path, archive):
        with pytest.raises(InvalidInput, match="neither a site store nor a bundle"):
            open_library(other)
    with pytest.raises(NotFound, match="nowhere"):
        open_library(tmp_path / "nowhere")


def test_tls(store: Path, tls: Certificate) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    with serving(quiet(store, context), "127.0.0.1", 0) as address:
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
    with serving(quiet(store), "127.0.0.1", 0) as address:
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
