"""An archive that an engine loads, made while it is read: one image, no file of ours.

A tar with the blobs under `blobs/sha256/`, and before them what says how they belong together:
`manifest.json` as `docker save` writes it, or the index of an OCI image layout, for an engine
that keeps manifests. Layers stay compressed; every engine takes them so.
Sources: Docker image specification 1.2; OCI image-spec `image-layout.md`.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from transfer.descriptor import Descriptor, Manifest
from transfer.digest import Digest, VerifyingReader
from transfer.progress import SILENT, Progress
from transfer.store import Source

_BLOCK = 1 << 20
_RECORD = 512
_CONTAINERD_NAME = "io.containerd.image.name"
_OCI_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loadable:
    """One image for one platform, and where its blobs are read."""

    manifest: Manifest
    """An image's, not an index."""
    source: Source
    tag: str = ""
    """`registry/path:tag`; "" for an image that gets no name."""

    @property
    def config(self) -> Descriptor:
        """Its configuration, whose digest is the image's ID where manifests are not kept."""
        return self.manifest.blobs[0]

    @property
    def layers(self) -> tuple[Descriptor, ...]:
        """From the lowest to the highest; one may be there more than once."""
        return self.manifest.blobs[1:]

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Configuration and layers, each once."""
        return tuple({blob.digest: blob for blob in self.manifest.blobs}.values())


def docker_archive(image: Loadable, progress: Progress = SILENT) -> Generator[bytes, None, None]:
    """The image as `docker save` would write it, block by block, every byte proven.

    Raises:
        IntegrityError: a blob is not what its digest promised; the archive ends unfinished.
        NotFound, StorageError: a blob cannot be read.
    """
    entry = {
        "Config": _path(image.config.digest),
        "RepoTags": [image.tag] if image.tag else None,
        "Layers": [_path(layer.digest) for layer in image.layers],
    }
    yield from _tar({"manifest.json": [entry]}, image, progress)


def oci_archive(image: Loadable, progress: Progress = SILENT) -> Generator[bytes, None, None]:
    """The image as an OCI image layout, with its own manifest.

    Raises:
        TransferError: as `docker_archive`.
    """
    tag = image.tag.rpartition(":")[2]
    names = {_CONTAINERD_NAME: image.tag, _OCI_NAME: tag} if image.tag else {}
    root = {**image.manifest.descriptor.to_json(), "annotations": names}
    told = {
        "oci-layout": {"imageLayoutVersion": "1.0.0"},
        "index.json": {"schemaVersion": 2, "manifests": [root]},
    }
    raw = image.manifest.raw
    manifest = _member(_path(image.manifest.descriptor.digest), len(raw)) + raw + _padding(len(raw))
    yield from _tar(told, image, progress, manifest)


def _tar(
    told: Mapping[str, Any], image: Loadable, progress: Progress, more: bytes = b""
) -> Generator[bytes, None, None]:
    for name, value in told.items():
        raw = json.dumps(value).encode()
        yield _member(name, len(raw)) + raw + _padding(len(raw))
    if more:
        yield more
    for blob in image.blobs:
        yield _member(_path(blob.digest), blob.size)
        with image.source.open(blob) as stream:
            what = f"{image.source.description}: blob {blob.digest}"
            reader = VerifyingReader(stream, blob.digest, blob.size, what)
            while block := reader.read(_BLOCK):
                progress.advance(len(block))
                yield block
        if padding := _padding(blob.size):
            yield padding  # an empty block would end the request
    yield bytes(2 * _RECORD)


def _path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.encoded}"


def _member(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _RECORD)
