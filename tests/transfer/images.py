"""Tiny images and indexes, OCI and Docker v2, the same bytes every time they are made.

Layers are real gzipped tars with one file, configs name their diff IDs: a real tool takes these
images. Two images that are given the same layer share its blob.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transfer import descriptor as types
from transfer.descriptor import Descriptor
from transfer.digest import Digest


@dataclass(frozen=True, slots=True)
class Layer:
    """A gzipped tar, and the digest of the tar in it."""

    raw: bytes
    diff_id: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """An image or index with everything below it."""

    root: Descriptor
    manifests: Mapping[Digest, bytes]
    """The root's own bytes included."""
    blobs: Mapping[Digest, bytes]

    @property
    def digests(self) -> frozenset[Digest]:
        """Every digest that must be there for the root to be complete."""
        return frozenset({*self.manifests, *self.blobs})


def layer(text: str, *, size: int = 0) -> Layer:
    """A layer with one file, `file`, that holds `text`, and zeros up to `size` bytes."""
    content = text.encode().ljust(size, b"\0")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("file")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    raw = buffer.getvalue()
    return Layer(raw=gzip.compress(raw, mtime=0), diff_id=Digest.of(raw))


def image(*layers: Layer, docker: bool = False, author: str = "", architecture: str = "") -> Tree:
    """An image of these layers; another author makes another config, thus another image."""
    config = _json(
        {
            "architecture": architecture or "amd64",
            "author": author,
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [str(one.diff_id) for one in layers]},
        }
    )
    return from_blobs(config, *(one.raw for one in layers), docker=docker)


def from_blobs(config: bytes, *layers: bytes, docker: bool = False) -> Tree:
    """An image manifest over any bytes at all, for images that no tool would make."""
    config_type, layer_type, manifest_type = (
        (types.DOCKER_CONFIG, types.DOCKER_LAYER_GZIP, types.DOCKER_MANIFEST)
        if docker
        else (types.OCI_CONFIG, types.OCI_LAYER_GZIP, types.OCI_MANIFEST)
    )
    raw = _json(
        {
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": describe(config_type, config).to_json(),
            "layers": [describe(layer_type, one).to_json() for one in layers],
        }
    )
    root = describe(manifest_type, raw)
    blobs = {Digest.of(blob): blob for blob in (config, *layers)}
    return Tree(root=root, manifests={root.digest: raw}, blobs=blobs)


def index(*trees: Tree, docker: bool = False) -> Tree:
    """An index over images and other indexes, in this order."""
    media_type = types.DOCKER_INDEX if docker else types.OCI_INDEX
    entries = [tree.root.to_json() for tree in trees]
    raw = _json({"schemaVersion": 2, "mediaType": media_type, "manifests": entries})
    root = describe(media_type, raw)
    manifests = {digest: held for tree in trees for digest, held in tree.manifests.items()}
    blobs = {digest: held for tree in trees for digest, held in tree.blobs.items()}
    return Tree(root=root, manifests={**manifests, root.digest: raw}, blobs=blobs)


def about(subject: Tree, *, kind: str = "", annotations: Mapping[str, str] | None = None) -> Tree:
    """An artifact about an image: a manifest whose `subject` is the image's root."""
    config = describe(types.OCI_CONFIG, b"{}")
    value = {
        "schemaVersion": 2,
        "mediaType": types.OCI_MANIFEST,
        **({"artifactType": kind} if kind else {}),
        "config": config.to_json(),
        "layers": [],
        "subject": subject.root.to_json(),
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    raw = _json(value)
    root = describe(types.OCI_MANIFEST, raw)
    return Tree(root=root, manifests={root.digest: raw}, blobs={config.digest: b"{}"})


def describe(media_type: str, content: bytes, algorithm: str = "sha256") -> Descriptor:
    """The descriptor of some bytes."""
    digest = Digest(algorithm, hashlib.new(algorithm, content).hexdigest())
    return Descriptor(media_type=media_type, digest=digest, size=len(content))


def every_kind() -> dict[str, Tree]:
    """One of each form, by name; layers are shared between them."""
    base, extra = layer("base"), layer("extra")
    kinds = {}
    for name, docker in (("OCI", False), ("Docker", True)):
        amd, arm = image(base, docker=docker), image(base, extra, docker=docker, author="arm")
        kinds[f"{name} image"] = amd
        kinds[f"{name} index"] = index(amd, arm, docker=docker)
        kinds[f"{name} nested index"] = index(index(amd, docker=docker), arm, docker=docker)
    return kinds


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
