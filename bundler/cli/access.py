"""How to reach what a spec names by address: the connections that a run keeps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bundler.downloads import Downloads
from bundler.resolve import Inputs
from bundler.resolve.inputs import Resolved
from bundler.sources import Asker, Evidence, Sources
from bundler.spec import BundleSpec, ImageInput
from transfer.contents import ImageRecord
from transfer.descriptor import Descriptor
from transfer.errors import NotFound
from transfer.http.retry import RetryPolicy
from transfer.http.transport import Transport
from transfer.http.trust import load_trust
from transfer.progress import Progress
from transfer.registry import RegistryClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach what a spec names by address."""

    cache: Path
    ca_file: Path | None
    plain_http: tuple[str, ...]
    """The registries that are spoken to without TLS."""

    @contextmanager
    def inputs(self, spec: BundleSpec, folder: Path, progress: Progress) -> Iterator[Inputs]:
        """The inputs of a spec that stands in `folder`.

        Raises:
            InvalidInput: the CA file cannot be used.
        """
        environ = dict(os.environ)

        def connect(host: str) -> RegistryClient:
            return RegistryClient.connect(
                host,
                ca_file=self.ca_file,
                plain_http=host in self.plain_http,
                environ=environ,
                progress=progress,
            )

        with (
            Downloads.connect(
                self.cache, ca_file=self.ca_file, environ=environ, progress=progress
            ) as downloads,
            _Registries(connect) as images,
            closing(Transport(load_trust(self.ca_file), environ)) as transport,
        ):
            asker = Asker(transport, RetryPolicy(), progress)
            sources = Sources(asker, folder=folder, environ=environ, portal=spec.portal)
            yield Inputs(folder, downloads, sources.source_for, images, progress)


class _Registries(ExitStack):
    """Images of registries."""

    def __init__(self, connect: Callable[[str], RegistryClient]) -> None:
        super().__init__()
        self._connect = connect
        self._clients: dict[str, RegistryClient] = {}

    def resolve(
        self, wanted: ImageInput, locked: ImageRecord | None, notes: tuple[str, ...]
    ) -> Resolved:
        place = wanted.reference.repository
        if place.registry not in self._clients:
            self._clients[place.registry] = self.enter_context(self._connect(place.registry))
        repository = self._clients[place.registry].repository(place.path)
        if locked:
            return repository, locked, Evidence.REGISTRY, notes
        root = repository.resolve(wanted.reference.name)
        if root is None:
            raise NotFound(
                f"image {wanted.reference}: not there",
                hint="check its name, and whether the registry wants credentials (docker login)",
            )
        plain = Descriptor(media_type=root.media_type, digest=root.digest, size=root.size)
        record = ImageRecord(name=str(wanted.reference), root=plain)
        return repository, record, Evidence.REGISTRY, notes
