"""The served registry and its clients: many at a time, over TLS, and Podman."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mirror.serve import server, serving, tls_context
from tests.engines import podman_service
from tests.mirror.served import (
    ARM,
    BLOB,
    BLOB_DIGEST,
    DOCKER,
    OCI,
    Client,
    closing_client,
    fill_store,
    quiet,
    served,
)
from tests.servers import Certificate
from transfer.descriptor import Manifest
from transfer.digest import Digest
from transfer.layout import OciLayout

pytest_plugins = ["tests.server_fixtures"]
LARGE = 40_000_003
"""Bytes: more than any buffer, and no multiple of one."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return fill_store(tmp_path / "store")


def keep_large(store: Path) -> tuple[Digest, bytes]:
    raw = os.urandom(1_000_003) * (LARGE // 1_000_003) + b"end"
    with OciLayout.create(store) as layout:
        layout.path_of(Digest.of(raw)).write_bytes(raw)
    return Digest.of(raw), raw


def test_many_clients_at_a_time(store: Path) -> None:
    path = f"/v2/redis/blobs/{BLOB_DIGEST}"

    def pull(address: str) -> list[bytes]:
        with closing_client(address) as ask:
            return [ask(path).body for _ in range(3)]

    with serving(quiet(store), "127.0.0.1", 0) as address, ThreadPoolExecutor(60) as pool:
        pulled = list(pool.map(pull, [address] * 60))
    assert pulled == [[BLOB] * 3] * 60


def test_idle_connections_make_room(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(server, "SPARED", 0.0)
    with serving(quiet(store), "127.0.0.1", 0) as address:
        host, port = address.split(":")
        with (
            closing_client(address) as idle,
            socket.create_connection((host, int(port)), timeout=30) as silent,
            socket.create_connection((host, int(port)), timeout=30) as another,
            closing_client(address) as late,
        ):
            assert idle("/v2/").status == 200
            assert late("/v2/").status == 200
            assert silent.recv(1) == another.recv(1) == b""
            assert late("/v2/redis/manifests/7").body == OCI.manifests[OCI.root.digest]


@pytest.fixture
def secure(store: Path, tls: Certificate) -> Iterator[Client]:
    service = quiet(store, tls_context(tls.certificate, tls.key))
    with serving(service, "127.0.0.1", 0) as address:
        trusted = ssl.create_default_context(cafile=tls.ca)
        connection = http.client.HTTPSConnection(address, timeout=30, context=trusted)
        try:
            yield Client(connection)
        finally:
            connection.close()


def test_large_blobs_over_tls(store: Path, secure: Client) -> None:
    digest, raw = keep_large(store)
    path = f"/v2/redis/blobs/{digest}"
    assert hashlib.sha256(secure(path).body).hexdigest() == digest.encoded
    start, end = 1_000_001, LARGE - 5
    part = secure(path, Range=f"bytes={start}-{end - 1}")
    assert (part.status, part.body == raw[start:end]) == (206, True)
    assert secure("/v2/").status == 200


def test_a_client_that_leaves_in_the_middle(store: Path) -> None:
    digest, _ = keep_large(store)
    said: list[str] = []
    with served(store, said=said) as ask:
        ask.connection.request("GET", f"/v2/redis/blobs/{digest}")
        response = ask.connection.getresponse()
        response.read(10)
        response.close()
        ask.connection.close()
    (line,) = said
    assert 0 < int(line.rpartition(" ")[2]) < LARGE


def test_a_blob_that_becomes_shorter_ends_the_connection(store: Path) -> None:
    digest, raw = keep_large(store)
    cut = LARGE - 10_000_000
    said: list[str] = []
    with served(store, said=said) as ask:
        ask.connection.request("GET", f"/v2/redis/blobs/{digest}")
        response = ask.connection.getresponse()
        start = response.read(10)  # the rest does not fit into the sockets' buffers
        os.truncate(store / "blobs/sha256" / digest.encoded, cut)
        with pytest.raises(http.client.IncompleteRead) as caught:
            response.read()
        assert start + caught.value.partial == raw[:cut]
    assert f"error: blob {digest}: ended after {cut} bytes" in said


@pytest.mark.real
def test_podman_pulls_every_kind(store: Path, tmp_path: Path) -> None:
    with (
        podman_service(tmp_path / "podman") as podman,
        serving(quiet(store), "127.0.0.1", 0) as address,
    ):
        pull = ("pull", "--quiet", "--arch", "amd64", "--tls-verify=false")
        for name, tree in (
            ("redis:7", OCI),
            ("redis:8", DOCKER),
            ("a/b/both:1", OCI),
            (f"a/b/both@{ARM.root.digest}", ARM),
        ):
            pulled = podman.run(*pull, f"{address}/{name}")
            config = Manifest.parse(tree.manifests[tree.root.digest]).blobs[0]
            assert pulled.strip() == config.digest.encoded
