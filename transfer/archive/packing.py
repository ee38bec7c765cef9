"""docker-save images made into what a registry holds: layers compressed, a manifest written.

The archive has neither. Both are made so that the same archive always gives the same bytes
(docs/decisions/0003). Compressed layers are not kept anywhere: a layer is compressed once to
learn its digest, and again whenever it is read. Where it is known where the images go, an image
that is there is not made at all, and the layers of the others are sent as they are compressed
(docs/decisions/0010). The manifest is a Docker v2 one, which is what KOTS would push.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import IO, cast

from transfer.archive.compress import BLOCK, Compressor
from transfer.archive.dockersave import SavedImage, SavedLayer
from transfer.archive.shelf import Shelf
from transfer.archive.tarscan import Section
from transfer.descriptor import (
    DOCKER_CONFIG,
    DOCKER_LAYER_GZIP,
    DOCKER_MANIFEST,
    Descriptor,
    Manifest,
)
from transfer.digest import Digest
from transfer.errors import CorruptArchive, DigestMismatch, IntegrityError, TransferError
from transfer.naming import Naming
from transfer.outlet import Outlet, UnmadeImage, manifest_json
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


@dataclass(frozen=True, slots=True)
class _Image:
    """An image as it lies in the archive, and as whoever knows where it goes gets to know it."""

    saved: SavedImage
    unmade: UnmadeImage

    @property
    def is_plain(self) -> bool:
        """Whether its layers are not compressed, and are those that its configuration lists."""
        found = [str(layer.stored.result()) for layer in self.saved.layers]
        compressed = any(layer.is_gzip for layer in self.saved.layers)
        return not compressed and found == list(self.saved.diff_ids)


class Pressed:
    """A layer that is compressed as it is read, hashed on its way."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.size = 0
        """Bytes so far."""
        self._pieces = pieces
        self._hash = hashlib.sha256()
        self._ended = False
        self._failure: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Go on from where whoever read before has stopped."""
        while piece := self._next():
            yield piece

    @property
    def digest(self) -> Digest | None:
        """What it is; None before its end."""
        return Digest("sha256", self._hash.hexdigest()) if self._ended else None

    def finish(self) -> Digest:
        """Read what is left, and say what all of it is.

        Raises:
            TransferError: the archive could not be read; also if whoever read before kept it quiet.
        """
        if self._failure:
            raise self._failure
        while self._next():
            pass
        return Digest("sha256", self._hash.hexdigest())

    def _next(self) -> bytes:
        """The next piece, none of which is empty; b"" at the end."""
        try:
            piece = next(self._pieces, b"")
        except BaseException as error:
            self._failure = error
            raise
        self._hash.update(piece)
        self.size += len(piece)
        self._ended = not piece
        return piece


@dataclass(slots=True)
class Packing:
    """Makes images of what docker-save archives hold; each layer once, however often it occurs."""

    shelf: Shelf
    compressor: Compressor
    progress: Progress
    faults: list[TransferError]
    outlet: Outlet | None = None
    """Where the images go, if that is known."""
    _inflated: int = 0

    def pack(
        self, saved: Iterable[tuple[SavedImage, Sequence[str]]], naming: Naming
    ) -> list[Descriptor]:
        """Put config, layers and manifest of each image on the shelf.

        Args:
            saved: The images, each with its names.
            naming: The rule that their destinations go by.

        Returns:
            The descriptor of each image's manifest; the layers are compared with what the
            configurations say of them, and a difference is a fault. The layers of an image that
            its destination has already are not on the shelf.
        """
        images = [_Image(image, _unmade(image, names, naming)) for image, names in saved]
        there = [self._find(image) for image in images]
        packed = self._layers([i for i, found in zip(images, there, strict=True) if not found])
        return [
            self._image(image, found.raw if found else self._manifest(image, packed))
            for image, found in zip(images, there, strict=True)
        ]

    def _find(self, image: _Image) -> Manifest | None:
        if self.outlet is None or not image.is_plain:
            return None
        return self.outlet.find(image.unmade)

    def _layers(self, images: Sequence[_Image]) -> dict[Digest, _Packed]:
        """Each layer once, on its way to the first image that has it."""
        first: dict[Digest, tuple[SavedLayer, _Image]] = {}
        for image in images:
            for layer in image.saved.layers:
                first.setdefault(layer.stored.result(), (layer, image))
        sizes = sum(layer.extent.size for layer, _ in first.values())
        self.progress.begin("compressing layers", sizes)
        try:
            outlets = {id(image): self._outlet(image) for image in images}
            return {
                stored: self._layer(stored, layer, image, outlets[id(image)])
                for stored, (layer, image) in first.items()
            }
        finally:
            self.progress.end()

    def _outlet(self, image: _Image) -> Outlet | None:
        """Where the layers of an image are sent as they are compressed."""
        wants = self.outlet and image.is_plain and self.outlet.wants(image.unmade)
        return self.outlet if wants else None

    def _layer(
        self, stored: Digest, layer: SavedLayer, image: _Image, outlet: Outlet | None
    ) -> _Packed:
        if layer.is_gzip:
            self.shelf.place(stored, layer.extent)
            return _Packed(_layer_descriptor(stored, layer.extent.size), self._content(layer))
        with closing(self.compressor.compress(self._read(layer))) as pieces:
            blob = Pressed(pieces)
            if outlet:
                outlet.send(image.unmade, blob)
            digest = blob.finish()
        self.shelf.pack(digest, blob.size, layer.extent)
        return _Packed(_layer_descriptor(digest, blob.size), stored)

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

    def _manifest(self, image: _Image, packed: dict[Digest, _Packed]) -> bytes:
        layers = [packed[layer.stored.result()] for layer in image.saved.layers]
        self._compare(image.saved, [str(layer.diff_id) for layer in layers])
        return manifest_json(image.unmade.config, [layer.descriptor for layer in layers])

    def _image(self, image: _Image, raw: bytes) -> Descriptor:
        root = Descriptor(media_type=DOCKER_MANIFEST, digest=Digest.of(raw), size=len(raw))
        self.shelf.hold(image.unmade.config.digest, image.saved.config)
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


def _unmade(image: SavedImage, names: Sequence[str], naming: Naming) -> UnmadeImage:
    raw = image.config
    config = Descriptor(media_type=DOCKER_CONFIG, digest=Digest.of(raw), size=len(raw))
    return UnmadeImage(
        names=tuple(names),
        naming=naming,
        config=config,
        raw_config=raw,
        layers=len(image.layers),
    )


def _layer_descriptor(digest: Digest, size: int) -> Descriptor:
    return Descriptor(media_type=DOCKER_LAYER_GZIP, digest=digest, size=size)
