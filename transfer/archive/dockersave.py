"""docker-save archives: tars of images whose layers are tars, with a `manifest.json`.

Written by `docker save`, `skopeo copy … docker-archive:` and what merges their results. Layers
are `<id>/layer.tar`, `<hex>.tar` or `blobs/sha256/<hex>`; which ones belong to an image, and in
which order, only `manifest.json` says, and it may come before them or after.
Source: docker's image/spec/v1.2.md; go.podman.io/image, docker/internal/tarfile.
"""

from __future__ import annotations

import json
import re
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from transfer.archive.gzipstream import MAGIC
from transfer.archive.hashing import Lane
from transfer.archive.shelf import Extent
from transfer.archive.tarscan import Member
from transfer.digest import Digest
from transfer.errors import (
    CorruptArchive,
    DigestMismatch,
    MissingContent,
    TransferError,
)

MANIFEST = "manifest.json"
MAX_JSON = 4 << 20
"""Bytes of a JSON file that is read; configurations have a few kilobytes."""

MAX_HELD = 32 << 20
"""Bytes of all JSON files of one docker-save archive."""

MAX_ENTRIES = 1000
"""Images in an archive, and layers in an image: Docker itself makes at most 127."""

MAX_LINKS = 8
_NAMED_BY_DIGEST = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedLayer:
    """A layer as it lies in the archive."""

    where: str
    """How messages name it."""
    extent: Extent
    stored: Future[Digest]
    """The digest of the bytes that lie there."""
    is_gzip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedImage:
    """An image as a docker-save archive describes it."""

    where: str
    """How messages name it."""
    tags: tuple[str, ...]
    config: bytes
    diff_ids: tuple[str, ...]
    """The digests that the uncompressed layers should have, by the configuration."""
    layers: tuple[SavedLayer, ...]


@dataclass(slots=True)
class DockerSave:
    """A docker-save archive as its members come by."""

    what: str
    lane: Lane
    faults: list[TransferError]
    _texts: dict[str, bytes] = field(default_factory=dict)
    _held: int = 0
    _layers: dict[str, SavedLayer] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """Bytes of the JSON files that came by."""
        return self._held

    @property
    def is_one(self) -> bool:
        """Whether a `manifest.json` came by, without which it is not such an archive."""
        return MANIFEST in self._texts

    def take(self, member: Member) -> None:
        """Take the next member."""
        if member.link is not None:
            self._links[member.name] = member.link
            return
        head = member.content.read(1) + member.content.read(1)
        if head[:1] in (b"{", b"[") and member.size <= MAX_JSON:
            self._held += member.size
            if self._held <= MAX_HELD:
                self._texts[member.name] = head + member.content.read(-1)
            return
        hashing = self.lane.start()
        hashing.update(head)
        while block := member.content.read(member.size):
            hashing.update(block)
        self._layers[member.name] = SavedLayer(
            where=f"{self.what}: {member.name}",
            extent=Extent(member.offset, member.size),
            stored=hashing.result(),
            is_gzip=head == MAGIC,
        )

    def images(self) -> tuple[SavedImage, ...]:
        """The images, once every member came by; what is wrong with them are faults."""
        if self._held > MAX_HELD:
            self._fault(CorruptArchive(f"{self.what}: more than {MAX_HELD} bytes of JSON files"))
            return ()
        entries = self._json(MANIFEST)
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._fault(CorruptArchive(f"{self.what}: manifest.json is not a list of images"))
            return ()
        if len(entries) > MAX_ENTRIES:
            self._fault(CorruptArchive(f"{self.what}: lists more than {MAX_ENTRIES} images"))
            return ()
        images = [self._image(entry) for entry in entries]
        return tuple(image for image in images if image is not None)

    def _image(self, entry: dict[str, Any]) -> SavedImage | None:
        tags, paths = entry.get("RepoTags") or [], entry.get("Layers") or []
        name = entry.get("Config")
        if not isinstance(name, str) or not _is_texts(tags) or not _is_texts(paths):
            self._fault(CorruptArchive(f"{self.what}: manifest.json: an image is not described"))
            return None
        where = f"{self.what}: image {', '.join(tags) or name}"
        if len(paths) > MAX_ENTRIES:
            self._fault(CorruptArchive(f"{where}: has more than {MAX_ENTRIES} layers"))
            return None
        config = self._texts.get(self._follow(name))
        layers = [self._layers.get(self._follow(path)) for path in paths]
        for path, found in ((name, config), *zip(paths, layers, strict=True)):
            if found is None:
                self._fault(MissingContent(f"{where}: {path} is not in it"))
        if config is None or None in layers:
            return None
        self._check_name(name, config)
        return SavedImage(
            where=where,
            tags=tuple(tags),
            config=config,
            diff_ids=self._diff_ids(name, where),
            layers=tuple(layer for layer in layers if layer is not None),
        )

    def _diff_ids(self, name: str, where: str) -> tuple[str, ...]:
        config = self._json(self._follow(name))
        rootfs = config.get("rootfs") if isinstance(config, dict) else None
        diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        if not _is_texts(diff_ids):
            self._fault(CorruptArchive(f"{where}: {name} does not name the image's layers"))
            return ()
        return tuple(diff_ids)

    def _check_name(self, name: str, config: bytes) -> None:
        match = _NAMED_BY_DIGEST.fullmatch(name)
        found = Digest.of(config)
        if match and match[1] != found.encoded:
            fault = f"{self.what}: {name}: its {len(config)} bytes hash to {found}"
            self._fault(DigestMismatch(fault))

    def _follow(self, name: str) -> str:
        for _ in range(MAX_LINKS):
            name = self._links.get(name, name)
        return name

    def _json(self, name: str) -> Any:  # noqa: ANN401 - whatever the file holds
        try:
            return json.loads(self._texts[name]) if name in self._texts else None
        except (ValueError, RecursionError) as error:
            self._fault(CorruptArchive(f"{self.what}: {name}: not JSON: {error}"))
            return None

    def _fault(self, fault: TransferError) -> None:
        self.faults.append(fault)


def _is_texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
