"""docker-save images made into what a registry holds: layers compressed, a manifest written.

The archive has neither. Both are made so that the same archive always gives the same bytes
(docs/decisions/0003). Compressed layers are not kept anywhere: a layer is compressed once to
learn its digest, and again whenever it is read. The manifest is a Docker v2 one, which is what
KOTS would push.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import IO, cast

from transfer.archive.compress import BLOCK, Compressor
from transfer.archive.dockersave import SavedImage, SavedLayer
from transfer.archive.shelf import Shelf
from transfer.archive.tarscan import Section
from transfer.descriptor import DOCKER_CONFIG, DOCKER_LAYER_GZIP, DOCKER_MANIFEST, Descriptor
from transfer.digest import Digest
from transfer.errors import CorruptArchive, DigestMismatch, IntegrityError, TransferError
from transfer.progress import Progress

MAX_RATIO = 200
"""How many times as large as the archive all its layers may be; ten times is much already.

A gzip in a gzip makes a terabyte of a megabyte.
"""
ALWAYS = 1 << 30
"""Bytes of layers that an archive may hold however small it is."""


@dataclass(frozen=True, slots=True)
class _Packed:
    """A layer as a registry holds it, and the digest of its content."""

    descriptor: Descriptor
    diff_id: Digest


@dataclass(slots=True)
class Packing:
    """Makes images of what docker-save archives hold; each layer once, however often it occurs."""

    shelf: Shelf
    compressor: Compressor
    progress: Progress
    faults: list[TransferError]
    _inflated: int = 0

    def pack(self, images: Iterable[SavedImage]) -> list[Descriptor]:
        """Put config, layers and manifest of each image on the shelf.

        Returns:
            The descriptor of each image's manifest; the layers are compared with what the
            configurations say of them, and a difference is a fault.
        """
        images = list(images)
        layers = {layer.stored.result(): layer for image in images for layer in image.layers}
        self.progress.begin("compressing layers", sum(x.extent.size for x in layers.values()))
        try:
            packed = {digest: self._layer(digest, layer) for digest, layer in layers.items()}
        finally:
            self.progress.end()
        return [self._image(image, packed) for image in images]

    def _layer(self, stored: Digest, layer: SavedLayer) -> _Packed:
        if layer.is_gzip:
            self.shelf.place(stored, layer.extent)
            return _Packed(_layer_descriptor(stored, layer.extent.size), self._content(layer))
        found, size = hashlib.sha256(), 0
        with closing(self.compressor.compress(self._read(layer))) as pieces:
            for piece in pieces:
                found.update(piece)
                size += len(piece)
        digest = Digest("sha256", found.hexdigest())
        self.shelf.pack(digest, size, layer.extent)
        return _Packed(_layer_descriptor(digest, size), stored)

    def _read(self, layer: SavedLayer) -> Watched:
        return Watched(self.shelf.section(layer.extent), self.progress)

    def _content(self, layer: SavedLayer) -> Digest:
        """The digest of what a compressed layer holds."""
        found = hashlib.sha256()
        limit = ALWAYS + MAX_RATIO * self.shelf.file_size
        try:
            with gzip.GzipFile(fileobj=cast("IO[bytes]", self._read(layer))) as content:
                while block := content.read(BLOCK):
                    found.update(block)
                    self._inflated += len(block)
                    if self._inflated > limit:
                        raise CorruptArchive(f"{layer.where}: inflates without end")
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            self.faults.append(CorruptArchive(f"{layer.where}: a damaged gzip file ({error})"))
        return Digest("sha256", found.hexdigest())

    def _image(self, image: SavedImage, packed: dict[Digest, _Packed]) -> Descriptor:
        layers = [packed[layer.stored.result()] for layer in image.layers]
        self._compare(image, [str(layer.diff_id) for layer in layers])
        config = Descriptor(
            media_type=DOCKER_CONFIG, digest=Digest.of(image.config), size=len(image.config)
        )
        raw = manifest_json(config, [layer.descriptor for layer in layers])
        root = Descriptor(media_type=DOCKER_MANIFEST, digest=Digest.of(raw), size=len(raw))
        self.shelf.hold(config.digest, image.config)
        self.shelf.hold(root.digest, raw)
        return root

    def _compare(self, image: SavedImage, found: list[str]) -> None:
        if len(found) != len(image.diff_ids):
            fault = f"{len(found)} layers, and {len(image.diff_ids)} in its configuration"
            self.faults.append(IntegrityError(f"{image.where}: {fault}"))
            return
        for layer, expected, actual in zip(image.layers, image.diff_ids, found, strict=True):
            if expected != actual:
                fault = f"{layer.where}: expected {expected}, found {actual}"
                self.faults.append(DigestMismatch(fault))


class Watched:
    """A part of an archive whose reading is progress."""

    def __init__(self, section: Section, progress: Progress) -> None:
        self._section = section
        self._progress = progress

    def read(self, size: int = -1, /) -> bytes:
        """Pass a block on."""
        block = self._section.read(size)
        self._progress.advance(len(block))
        return block


def manifest_json(config: Descriptor, layers: Iterable[Descriptor]) -> bytes:
    """A Docker v2 manifest, always in the same form: its digest is what a lock pins."""
    value = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": config.to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    return json.dumps(value, separators=(",", ":")).encode()


def _layer_descriptor(digest: Digest, size: int) -> Descriptor:
    return Descriptor(media_type=DOCKER_LAYER_GZIP, digest=digest, size=size)
