"""Which place an image comes from, and the connections to all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from bundler.downloads.cache import Cache
from bundler.images.engine import EngineImages
from bundler.images.found import Found, ImageSource
from bundler.images.mirrors import Mirror, MirroredRepository, Mirrors, PullSource
from bundler.images.registry import RegistryImage
from bundler.spec import ImageInput
from transfer.contents import ImageRecord
from transfer.engine import Engine
from transfer.progress import SILENT, Progress
from transfer.reference import Repository
from transfer.registry import RegistryClient

Connect = Callable[[str], RegistryClient]
"""Prepares to speak to the registry of a host."""


class Images:
    """Finds the images of a spec; a context manager that keeps what it has opened."""

    def __init__(
        self,
        connect: Connect,
        *,
        cache: Path,
        environ: Mapping[str, str],
        mirrors: Sequence[Mirror] = (),
        progress: Progress = SILENT,
    ) -> None:
        """Nothing is asked and nothing written yet.

        Args:
            connect: How registries and mirrors are reached.
            cache: The folder of everything that is downloaded; saved images go below it.
            environ: Names the local engine.
            mirrors: Asked first, in this order.
            progress: Told of bytes, retries, and what is left out.
        """
        self._connect = connect
        self._cache = Cache(cache)
        self._environ = environ
        self._mirrors = Mirrors(mirrors, progress)
        self._progress = progress
        self._opened = ExitStack()
        self._opened.callback(self._cache.release)
        self._registries: dict[str, RegistryClient] = {}
        self._engines: dict[str, Engine] = {}

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close everything: nothing can be read from what was found any more."""
        self._opened.close()

    def resolve(
        self, wanted: ImageInput, locked: ImageRecord | None, notes: tuple[str, ...]
    ) -> Found:
        """An image as its name leads to it now, or as it was locked with these notes.

        Raises:
            TransferError: as its source says; see `ImageSource`.
        """
        source = self.source(wanted)
        return source.locked(locked, notes) if locked else source.resolve()

    def source(self, wanted: ImageInput) -> ImageSource:
        """Where an entry of a spec is looked for; nothing is asked yet."""
        if wanted.engine is None:
            repository = self._repository(wanted.reference.repository)
            return RegistryImage(wanted, repository, self._progress)
        address = wanted.engine
        return EngineImages(
            wanted, self._cache, lambda: self._engine(address), self._opened, self._progress
        )

    def _repository(self, place: Repository) -> PullSource:
        own = self._pulled(place)
        mirrored = [self._pulled(mirror) for mirror in self._mirrors.of(place)]
        return MirroredRepository(mirrored, own, self._mirrors) if mirrored else own

    def _pulled(self, place: Repository) -> PullSource:
        client = self._registries.get(place.registry)
        if client is None:
            client = self._opened.enter_context(self._connect(place.registry))
            self._registries[place.registry] = client
        return client.repository(place.path)

    def _engine(self, address: str) -> Engine:
        engine = self._engines.get(address)
        if engine is None:
            engine = self._opened.enter_context(Engine.connect(address, self._environ))
            self._engines[address] = engine
        return engine
