"""An image that exists only in a local engine: saved once, then read like a vendor's archive.

What the engine saves is kept in the cache, complete or not at all, and remembered by the image's
ID. It is proven whenever it is read: its configuration against the ID, its layers against the
configuration. Layers come without compression and no manifest comes with them; both are made as
for any docker-save archive, so that the same image always ends as the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing

from bundler.downloads.cache import Cache
from bundler.downloads.space import require_room
from bundler.downloads.streamed import find_stream, keep_stream
from bundler.downloads.values import Fetched
from bundler.images.found import Found, noted_digest
from bundler.sources.protocol import Evidence
from bundler.spec import ImageInput
from transfer.archive import AirgapArchive
from transfer.archive.compress import COMPRESSOR, Compressor, Pieces
from transfer.contents import ImageRecord
from transfer.descriptor import Descriptor, Manifest
from transfer.digest import Digest, read_verified
from transfer.engine import Engine, EngineImage
from transfer.errors import (
    Conflict,
    CorruptArchive,
    DigestMismatch,
    IntegrityError,
    InvalidInput,
    NotFound,
)
from transfer.progress import SILENT, Progress

IMAGE_ID, COMPRESSED_BY = "image id", "compressor"
"""Notes of a lock."""


class EngineImages:
    """An image as an entry of a spec names it, in one engine."""

    def __init__(
        self,
        wanted: ImageInput,
        cache: Cache,
        connect: Callable[[], Engine],
        opened: ExitStack,
        progress: Progress = SILENT,
    ) -> None:
        """Nothing is asked and nothing written yet.

        Args:
            wanted: The entry.
            cache: Where saved images are kept.
            connect: Reaches the engine; called only where it is needed.
            opened: Closes what is read from, once nobody reads it any more.
            progress: Told of every byte that is saved and read.
        """
        self._reference = wanted.reference
        self._cache = cache
        self._connect = connect
        self._opened = opened
        self._progress = progress
        self._what = f"image {wanted.reference}"

    def resolve(self) -> Found:
        """The image that the name stands for in the engine right now.

        Raises:
            InvalidInput: it is named by digest, which an engine cannot promise.
            NotFound: the engine has no such image.
            Conflict: the name was moved to another image meanwhile.
            DigestMismatch: the engine saved something else.
            ToolError: the engine fails.
            StorageError: the cache cannot be written.
        """
        if self._reference.digest is not None:
            raise InvalidInput(
                f"{self._what}: an engine keeps no manifests, so that it cannot be had by digest",
                hint="name it by its tag: the lock keeps the ID of the image",
            )
        engine = self._connect()
        image = engine.inspect(str(self._reference))
        saved = find_stream(self._cache, _identity(image.id))
        if saved is None:
            saved = self._save(engine, image)
            now = engine.inspect(str(self._reference)).id
            if now != image.id:
                raise Conflict(
                    f"{self._what}: was moved from {image.id} to {now} while it was saved",
                    hint="run the same command again, when nobody builds this image",
                )
        archive, root = self._read(saved)
        self._check_id(image, saved, archive, root)
        notes = f"{IMAGE_ID}: {image.id}", f"{COMPRESSED_BY}: {COMPRESSOR}"
        return Found(archive, self._record(root), Evidence.IMAGE_ID, notes)

    def locked(self, record: ImageRecord, notes: tuple[str, ...]) -> Found:
        """The image that a lock has, from the cache or else from the engine.

        Raises:
            NotFound: neither has it.
            DigestMismatch: it comes out different.
            TransferError: as `resolve`.
        """
        wanted = noted_digest(notes, IMAGE_ID, self._what)
        if wanted is None:
            raise InvalidInput(
                f"{self._what}: the lock does not say its image id",
                hint="run airgap-bundler lock --update with this entry",
            )
        saved = find_stream(self._cache, _identity(wanted)) or self._save_locked(wanted)
        archive, root = self._read(saved)
        if root != record.root:
            raise self._differs(record, root, notes)
        return Found(archive, record, Evidence.IMAGE_ID, notes)

    def _save_locked(self, wanted: Digest) -> Fetched:
        engine = self._connect()
        try:
            image = engine.inspect(str(wanted))
        except NotFound as error:
            raise NotFound(
                f"{self._what}: the lock wants image id {wanted}, and neither "
                f"{engine.description} nor the cache has it",
                hint="load that image again, or take up the one of today: "
                "airgap-bundler lock --update with this entry",
            ) from error
        return self._save(engine, image)

    def _save(self, engine: Engine, image: EngineImage) -> Fetched:
        blocks = self._compressed(engine, image)
        return keep_stream(self._cache, _identity(image.id), str(self._reference), blocks)

    def _compressed(self, engine: Engine, image: EngineImage) -> Generator[bytes, None, None]:
        """What the engine saves, as the gzip file that an archive is read from."""
        require_room(self._cache.root, image.size, self._cache.what, self._what)
        self._progress.begin(f"saving {self._reference}", image.size)
        try:
            with (
                Compressor() as compressor,
                closing(self._watched(engine.save(image.id))) as saved,
                closing(compressor.compress(Pieces(saved))) as pieces,
            ):
                yield from pieces
        finally:
            self._progress.end()

    def _watched(self, blocks: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
        with closing(blocks):
            for block in blocks:
                self._progress.advance(len(block))
                yield block

    def _read(self, saved: Fetched) -> tuple[AirgapArchive, Descriptor]:
        """Read and prove a saved image; what is damaged is removed from the cache."""
        try:
            archive = self._opened.enter_context(
                AirgapArchive.read(
                    saved.path,
                    file_name=f"{self._reference.repository.name}.tar.gz",
                    unnamed=str(self._reference),
                    progress=self._progress,
                )
            )
            roots = {image.root for image in archive.record.images}
            if len(roots) != 1:
                raise CorruptArchive(f"{self._what}: {len(roots)} images were saved, expected one")
        except (IntegrityError, InvalidInput) as error:
            self._cache.forget(saved.digest)
            raise CorruptArchive(
                f"{self._what}: what was saved of it is damaged, and is removed from the cache",
                hint="run the same command again: the engine is asked once more",
                faults=error.faults or [error],
            ) from error
        return archive, roots.pop()

    def _check_id(
        self, image: EngineImage, saved: Fetched, archive: AirgapArchive, root: Descriptor
    ) -> None:
        """Compare a saved image with its ID.

        An ID that is the digest of a manifest says nothing of a configuration: there, the layers
        have to be those that the engine lists.
        """
        raw = _content(archive, root)
        config = Manifest.parse(raw, self._what).blobs[0]
        if config.digest == image.id:
            return
        diff_ids = json.loads(_content(archive, config))["rootfs"]["diff_ids"]
        if tuple(diff_ids) != image.diff_ids:
            self._cache.forget(saved.digest)
            raise DigestMismatch(
                f"{self._what}: the engine was asked for {image.id} and saved {config.digest}",
                hint="run the same command again, when nobody builds this image",
            )

    def _differs(
        self, record: ImageRecord, root: Descriptor, notes: tuple[str, ...]
    ) -> DigestMismatch | InvalidInput:
        compressor = next((n for n in notes if n.startswith(f"{COMPRESSED_BY}: ")), "")
        before = compressor.partition(": ")[2]
        if before and before != COMPRESSOR:
            return InvalidInput(
                f"{self._what}: locked with {before}, and this host has {COMPRESSOR}: "
                f"its layers would come out different",
                hint="lock again on this host, or build where the lock was made",
            )
        return DigestMismatch(
            f"{self._what}: the lock has {record.root.digest}, found {root.digest}",
            hint="run airgap-bundler lock --update with this entry, and review what it changed",
        )

    def _record(self, root: Descriptor) -> ImageRecord:
        return ImageRecord(name=str(self._reference), root=root)


def _identity(image: Digest) -> str:
    """What a saved image is remembered by."""
    return f"engine image {image}"


def _content(archive: AirgapArchive, descriptor: Descriptor) -> bytes:
    with archive.open(descriptor) as stream:
        return read_verified(stream, descriptor.digest, descriptor.size, archive.description)
