"""A site store with one image of every kind, served, and a client that asks it over HTTP."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mirror.serve import Passwords, Service, open_library, serving
from tests.transfer import images
from tests.transfer.images import Tree
from transfer.descriptor import Manifest
from transfer.digest import Digest
from transfer.layout import OciLayout

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


def keep(layout: OciLayout, tree: Tree, name: str) -> None:
    """Write an image as it is; no copy, no check."""
    for digest, raw in {**tree.blobs, **tree.manifests}.items():
        layout.path_of(digest).write_bytes(raw)
    layout.push_manifest(Manifest.parse(tree.manifests[tree.root.digest]), name)


def fill_store(path: Path) -> Path:
    """A store with every image of `STORE`."""
    with OciLayout.create(path) as layout:
        for name, tree in STORE.items():
            keep(layout, tree, name)
    return path


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
def served(
    path: Path,
    namespace: str = "",
    said: list[str] | None = None,
    passwords: Passwords | None = None,
) -> Iterator[Client]:
    lines = said if said is not None else []
    service = Service(files=open_library(path, namespace), say=lines.append, passwords=passwords)
    with (
        serving(service, "127.0.0.1", 0) as address,
        closing_client(address) as client,
    ):
        yield client


def quiet(path: Path, tls: ssl.SSLContext | None = None) -> Service:
    """A store to be served, of which nobody hears."""
    return Service(files=open_library(path), say=lambda _: None, tls=tls)


@contextmanager
def closing_client(address: str) -> Iterator[Client]:
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        yield Client(connection)
    finally:
        connection.close()
