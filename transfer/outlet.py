"""Where images are going, asked while they are still being made.

A docker-save tar has layers that are not compressed and no manifest, so the digests of what a
registry is to hold are known only once everything was compressed. Whoever knows where it all
goes can spare that: an image may be there already, which its configuration tells, and a layer
can be sent while it is compressed, so that it is compressed once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from transfer.descriptor import DOCKER_LAYER_GZIP, DOCKER_MANIFEST, Descriptor, Manifest
from transfer.digest import Digest
from transfer.naming import Naming


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmadeImage:
    """An image of which only the configuration is known."""

    names: tuple[str, ...]
    """At least one."""
    naming: Naming
    """The rule that its destination goes by."""
    config: Descriptor
    raw_config: bytes
    layers: int
    """How many it has."""

    def is_made(self, manifest: Manifest) -> bool:
        """Whether a manifest is what we would make of this image, its layers taken on trust.

        It is if its bytes are: nobody else writes this very form. That the layers are those of
        the configuration is what whoever wrote it had proven.
        """
        config, *layers = manifest.blobs or (None,)
        return (
            config == self.config
            and len(layers) == self.layers
            and all(layer.media_type == DOCKER_LAYER_GZIP for layer in layers)
            and manifest.raw == manifest_json(self.config, layers)
        )


def manifest_json(config: Descriptor, layers: Iterable[Descriptor]) -> bytes:
    """A Docker v2 manifest, always in the same form: its digest is what a lock pins."""
    value = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": config.to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    return json.dumps(value, separators=(",", ":")).encode()


class Making(Protocol):
    """A blob that comes into being as it is read, once."""

    def __iter__(self) -> Iterator[bytes]:
        """Its content, in pieces."""
        ...

    @property
    def digest(self) -> Digest | None:
        """What it turned out to be; None as long as it was not read to its end."""
        ...

    @property
    def size(self) -> int:
        """Bytes so far."""
        ...


class Outlet(Protocol):
    """What is asked of it; an answer of no is always right, it only takes longer then."""

    def find(self, image: UnmadeImage) -> Manifest | None:
        """The manifest of an image that is there already, under all its names, as we make it.

        Asked for all images of an archive before the first is made.
        """
        ...

    def wants(self, image: UnmadeImage) -> bool:
        """Whether the layers of an image that was not found are to be sent as they are made."""
        ...

    def send(self, image: UnmadeImage, blob: Making) -> None:
        """Send a layer of an image, if it can be; what goes wrong is met again later."""
        ...
