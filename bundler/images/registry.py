"""An image in a registry: as it is, or only some of its platforms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO

from bundler.images.choice import Choice, check_there, choose, plain, read_platform
from bundler.images.found import Found, noted_digest
from bundler.images.mirrors import PullSource
from bundler.sources.protocol import Evidence
from bundler.spec import ImageInput
from transfer.contents import ImageRecord
from transfer.descriptor import (
    INDEX_TYPES,
    MAX_MANIFEST_SIZE,
    Descriptor,
    Manifest,
    Platform,
)
from transfer.digest import Readable, read_verified
from transfer.errors import DigestMismatch, IntegrityError, InvalidInput, NotFound
from transfer.progress import SILENT, Progress
from transfer.store import Source

CHOSEN_FROM = "chosen from"
"""The note of a lock that names the index which platforms were chosen from."""

_LOCK_AGAIN = "run airgap-bundler lock --update with this entry, and review what it changed"


class WithIndex:
    """A repository, and an index of ours that it does not hold."""

    def __init__(self, repository: Source, index: Manifest) -> None:
        """Everything below the index is in the repository."""
        self._repository = repository
        self._index = index

    @property
    def description(self) -> str:
        """The repository's."""
        return self._repository.description

    def open(self, descriptor: Descriptor) -> AbstractContextManager[Readable]:
        """Open the index, or what the repository holds.

        Raises:
            NotFound: it holds no such thing.
        """
        if descriptor.digest == self._index.descriptor.digest:
            return nullcontext(BytesIO(self._index.raw))
        return self._repository.open(descriptor)


class RegistryImage:
    """An image as an entry of a spec names it."""

    def __init__(
        self, wanted: ImageInput, repository: PullSource, progress: Progress = SILENT
    ) -> None:
        """Nothing is asked yet."""
        self._reference = wanted.reference
        self._platforms = [read_platform(text) for text in wanted.platforms]
        self._repository = repository
        self._progress = progress
        self._what = f"image {wanted.reference}"

    def resolve(self) -> Found:
        """What the image's name stands for right now.

        Raises:
            NotFound: for nothing, or not for these platforms.
            InvalidInput: it is named by digest, and choosing platforms would change that.
            TransferError: as the registry refuses.
        """
        if self._platforms:
            return self._resolve_platforms()
        root = self._repository.resolve(self._reference.name)
        if root is None:
            raise self._not_there()
        return self._found(self._repository, plain(root))

    def locked(self, record: ImageRecord, notes: tuple[str, ...]) -> Found:
        """The image that a lock has; a tag may have moved since.

        An index that was written is made again from the one it was chosen from.

        Raises:
            DigestMismatch: that cannot be done.
            NotFound: the registry does not hold it any more.
        """
        origin = noted_digest(notes, CHOSEN_FROM, self._what)
        if origin in (None, record.root.digest) or record.root.media_type not in INDEX_TYPES:
            return Found(self._repository, record, Evidence.REGISTRY, notes)
        faults = []
        for name in dict.fromkeys((str(origin), self._reference.name)):
            try:
                index = self._repository.get_manifest(name)
                choice = choose(index, self._platforms, self._what)
            except NotFound as error:
                faults.append(error)
                continue
            if choice.root.digest == record.root.digest:
                return Found(self._source(choice), record, Evidence.REGISTRY, notes)
            faults.append(NotFound(f"{self._what}: {name} gives {choice.root.digest}"))
        raise DigestMismatch(
            f"{self._what}: the lock has {record.root.digest}, chosen from {origin}, "
            f"which cannot be had again",
            hint=_LOCK_AGAIN,
            faults=faults,
        )

    def _resolve_platforms(self) -> Found:
        try:
            manifest = self._repository.get_manifest(self._reference.name)
        except NotFound as error:
            raise self._not_there() from error
        whole = manifest.descriptor
        if manifest.media_type not in INDEX_TYPES:
            check_there(self._platforms, [self._platform_of(manifest)], self._what)
            return self._found(self._repository, whole)
        choice = choose(manifest, self._platforms, self._what)
        if choice.root.digest == whole.digest:
            return self._found(self._repository, whole)
        self._refuse_by_digest(choice)
        if choice.left_out:
            self._progress.say(f"{self._what}: left out: {choice.left_out}")
        note = f"{CHOSEN_FROM}: {whole.digest}"
        return self._found(self._source(choice), choice.root, note)

    def _refuse_by_digest(self, choice: Choice) -> None:
        if self._reference.digest is None:
            return
        chosen = ", ".join(map(str, self._platforms))
        pinned = self._reference.pin(choice.root.digest)
        hint = "leave platforms: out, or name the image by its tag: the lock keeps the digest"
        if choice.written is None:
            hint = f"write {pinned} without platforms:, or name the image by its tag"
        raise InvalidInput(
            f"{self._what}: is named by the digest of all its platforms; "
            f"{chosen} alone would have another: {choice.root.digest}",
            hint=hint,
        )

    def _platform_of(self, manifest: Manifest) -> Platform | None:
        """What the configuration of a single image says."""
        config, what = manifest.blobs[0], f"{self._what}: configuration"
        if config.size > MAX_MANIFEST_SIZE:
            raise IntegrityError(f"{what}: {config.size} bytes are more than one may have")
        with self._repository.open(config) as stream:
            raw = read_verified(stream, config.digest, config.size, what)
        return platform_in(raw)

    def _source(self, choice: Choice) -> Source:
        if choice.written is None:
            return self._repository
        return WithIndex(self._repository, choice.written)

    def _found(self, source: Source, root: Descriptor, *notes: str) -> Found:
        record = ImageRecord(name=str(self._reference), root=root)
        return Found(source, record, Evidence.REGISTRY, notes)

    def _not_there(self) -> NotFound:
        return NotFound(
            f"{self._what}: not there",
            hint="check its name, and whether the registry wants credentials (docker login)",
        )


def platform_in(config: bytes) -> Platform | None:
    """The platform that an image's configuration names, in its one form; None where it is none."""
    try:
        value = json.loads(config)
        parts = [str(part) for part in _parts(value)]
        return read_platform("/".join(parts))
    except (ValueError, RecursionError, InvalidInput):
        return None


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from (value.get("os", ""), value.get("architecture", ""))
        if value.get("variant"):
            yield value["variant"]
