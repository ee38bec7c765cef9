"""Descriptors, manifests and indexes, with the raw bytes that their digests belong to.

Sources: OCI image-spec `descriptor.md`, `manifest.md`, `image-index.md`; Docker image manifest
version 2, schema 2. A manifest is parsed to find what it points at and is never written back:
the digest belongs to the bytes as they came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from transfer.digest import Digest
from transfer.errors import IntegrityError, InvalidInput

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip"

MANIFEST_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEX_TYPES = (OCI_INDEX, DOCKER_INDEX)
ACCEPTED_TYPES = (*INDEX_TYPES, *MANIFEST_TYPES)
"""What we can carry, in the order in which a registry is asked for it."""

FOREIGN_LAYER_TYPES = frozenset(
    {
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    }
)
"""Layers that a registry is not expected to hold (image-spec `layer.md`)."""

MAX_SIZE = (1 << 63) - 1
"""Bytes of any content; the specification's own limit is not far from it (int64)."""

MAX_MANIFEST_SIZE = 4 * 1024 * 1024
"""Bytes; the limit that registries put on a manifest (distribution-spec, pushing manifests)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Operating system and architecture of one entry of an index."""

    os: str
    architecture: str
    variant: str | None = None

    def __str__(self) -> str:
        """`os/architecture[/variant]`."""
        tail = f"/{self.variant}" if self.variant else ""
        return f"{self.os}/{self.architecture}{tail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """What some content is, what it hashes to and how many bytes it has."""

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = field(default=None, compare=False)
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def from_json(cls, value: object, where: str) -> Self:
        """Read the JSON form.

        Raises:
            IntegrityError: a required field is missing or wrong; `where` starts the message.
        """
        if not isinstance(value, dict):
            raise IntegrityError(f"{where}: not a descriptor")
        media_type, size = value.get("mediaType"), value.get("size")
        if not isinstance(media_type, str) or not media_type:
            raise IntegrityError(f"{where}.mediaType: not a media type")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_SIZE:
            raise IntegrityError(f"{where}.size: not a number of bytes")
        try:
            digest = Digest.parse(str(value.get("digest")))
        except InvalidInput as error:
            raise IntegrityError(f"{where}.digest: {error}") from error
        annotations = value.get("annotations")
        return cls(
            media_type=media_type,
            digest=digest,
            size=size,
            platform=_platform(value.get("platform")),
            annotations=annotations if isinstance(annotations, dict) else {},
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON form, for an index of our own."""
        value: dict[str, Any] = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": self.size,
        }
        if self.annotations:
            value["annotations"] = dict(self.annotations)
        return value

    @property
    def is_manifest(self) -> bool:
        """True for a manifest or an index: content that points at other content."""
        return self.media_type in ACCEPTED_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest or index: its bytes, and what stands one step below it."""

    raw: bytes
    media_type: str
    blobs: tuple[Descriptor, ...] = ()
    """Config and layers of an image; empty for an index."""
    manifests: tuple[Descriptor, ...] = ()
    """The images of an index; empty for an image."""
    algorithm: str = "sha256"
    """Of its digest: the one by which it is known to whatever points at it."""

    @classmethod
    def parse(cls, raw: bytes, what: str = "manifest", *, algorithm: str = "sha256") -> Self:
        """Read an image manifest or an index, OCI or Docker v2.

        Raises:
            IntegrityError: not one of these, or one of its descriptors is wrong.
        """
        value = _parse_json(raw, what)
        media_type = _media_type(value, what)
        if media_type in INDEX_TYPES:
            entries = _list(value, "manifests", what)
            children = tuple(
                Descriptor.from_json(entry, f"{what}: manifests[{i}]")
                for i, entry in enumerate(entries)
            )
            return cls(raw=raw, media_type=media_type, manifests=children, algorithm=algorithm)
        layers = [
            Descriptor.from_json(entry, f"{what}: layers[{i}]")
            for i, entry in enumerate(_list(value, "layers", what))
        ]
        config = Descriptor.from_json(value.get("config"), f"{what}: config")
        carried = [layer for layer in layers if layer.media_type not in FOREIGN_LAYER_TYPES]
        return cls(raw=raw, media_type=media_type, blobs=(config, *carried), algorithm=algorithm)

    @property
    def descriptor(self) -> Descriptor:
        """The descriptor of these bytes."""
        return Descriptor(
            media_type=self.media_type,
            digest=Digest.of(self.raw, self.algorithm),
            size=len(self.raw),
        )


def _parse_json(raw: bytes, what: str) -> dict[str, Any]:
    if len(raw) > MAX_MANIFEST_SIZE:
        raise IntegrityError(f"{what}: {len(raw)} bytes are more than a manifest may have")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{what}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise IntegrityError(f"{what}: not a JSON object")
    return value


def _media_type(value: dict[str, Any], what: str) -> str:
    if "manifests" in value and ("config" in value or "layers" in value):
        # image-spec GHSA-77vh-xpmg-72qh: another reader might take the other half of it.
        raise IntegrityError(f"{what}: an image and an index at once")
    declared = value.get("mediaType")
    if declared in ACCEPTED_TYPES:
        return str(declared)
    if declared is None and value.get("schemaVersion") == 2:  # noqa: PLR2004 - the spec's number
        return OCI_INDEX if "manifests" in value else OCI_MANIFEST
    raise IntegrityError(
        f"{what}: neither an OCI nor a Docker v2 manifest "
        f"(mediaType {declared!r}, schemaVersion {value.get('schemaVersion')!r})"
    )


def _list(value: dict[str, Any], key: str, what: str) -> list[Any]:
    entries = value.get(key)
    if not isinstance(entries, list):
        raise IntegrityError(f"{what}: {key} is not a list")
    return entries


def _platform(value: object) -> Platform | None:
    if not isinstance(value, dict):
        return None
    return Platform(
        os=str(value.get("os", "")),
        architecture=str(value.get("architecture", "")),
        variant=str(value["variant"]) if value.get("variant") else None,
    )
