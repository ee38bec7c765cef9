"""Images of several platforms, registries that hold them, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bundler.images import Found, Images, Mirror
from bundler.spec import ImageInput
from tests.fakes.registry import FakeRegistry, Stored
from tests.transfer import images
from tests.transfer.images import Tree
from tests.transfer.memory import MemoryStore
from tests.transfer.registry.support import AT_ONCE
from transfer.copy import copy
from transfer.delivery import ImageCopy
from transfer.descriptor import DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST
from transfer.reference import Reference
from transfer.registry import RegistryClient

AMD, ARM, S390 = "linux/amd64", "linux/arm64", "linux/s390x"


class Told:
    """Progress that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.bytes = 0

    def begin(self, label: str, total: int) -> None: ...

    def advance(self, count: int) -> None:
        self.bytes += count

    def say(self, line: str) -> None:
        self.lines.append(line)

    def end(self) -> None: ...


def single(platform: str, text: str = "", *, docker: bool = False) -> Tree:
    """An image for one platform; images of the same text share a layer."""
    architecture = platform.split("/")[1]
    return images.image(
        images.layer(text or platform), docker=docker, author=platform, architecture=architecture
    )


def multiple(trees: Mapping[str, Tree], *, docker: bool = False, attested: bool = False) -> Tree:
    """An index over images by their platforms, and an attestation for each where wanted."""
    entries, below = [], list(trees.values())
    for platform, tree in trees.items():
        os, architecture, *variant = platform.split("/")
        value = {"os": os, "architecture": architecture}
        value |= {"variant": variant[0]} if variant else {}
        entries.append({**tree.root.to_json(), "platform": value})
    for platform in trees if attested else ():
        proof = images.from_blobs(b"{}", f"proof of {platform}".encode())
        below.append(proof)
        unknown = {"os": "unknown", "architecture": "unknown"}
        entries.append({**proof.root.to_json(), "mediaType": OCI_MANIFEST, "platform": unknown})
    media_type = DOCKER_INDEX if docker else OCI_INDEX
    value_ = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    raw = json.dumps(value_, indent=2).encode()
    root = images.describe(media_type, raw)
    manifests = {digest: held for tree in below for digest, held in tree.manifests.items()}
    blobs = {digest: held for tree in below for digest, held in tree.blobs.items()}
    return Tree(root=root, manifests={**manifests, root.digest: raw}, blobs=blobs)


def hold(registry: FakeRegistry, path: str, tree: Tree, tag: str = "") -> None:
    """Let a fake registry have an image, under a tag or by digest alone."""
    for digest, raw in tree.manifests.items():
        media_type = json.loads(raw)["mediaType"]
        registry.manifests[path, str(digest)] = Stored(media_type, raw)
    registry.blobs.update({(path, str(digest)): raw for digest, raw in tree.blobs.items()})
    if tag:
        registry.tags[path, tag] = str(tree.root.digest)


@contextmanager
def finder(
    cache: Path, *mirrors: str, told: Told | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[Images]:
    """What finds images, in registries that speak plain HTTP."""
    progress = told or Told()

    def connect(host: str) -> RegistryClient:
        return RegistryClient.connect(
            host, plain_http=True, environ=environ, retry=AT_ONCE, progress=progress
        )

    with Images(
        connect,
        cache=cache,
        environ=environ or {},
        mirrors=[Mirror.parse(text) for text in mirrors],
        progress=progress,
    ) as found:
        yield found


def wanted(name: str, *platforms: str, engine: str | None = None) -> ImageInput:
    """An entry of a spec."""
    reference = Reference.parse(name)
    return ImageInput(entry="images[0]", reference=reference, platforms=platforms, engine=engine)


def delivered(found: Found) -> MemoryStore:
    """Where an image arrives: complete, and every byte of it proven."""
    store = MemoryStore()
    name = found.record.name
    done = copy(
        [ImageCopy(root=found.record.root, source=found.source, target=store, name=name)], jobs=2
    )
    done.raise_for_failures()
    assert store.resolve(name) == found.record.root
    return store
