"""How to reach what a spec names by address: the connections that a run keeps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bundler.downloads import Downloads
from bundler.images import Images, Mirror
from bundler.resolve import Inputs
from bundler.sources.asking import Asker
from bundler.sources.sources import Sources
from bundler.spec import BundleSpec
from bundler.toolkit.fetch import Wheels
from bundler.toolkit.shelf import Shelf
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
    mirrors: tuple[Mirror, ...] = ()
    """Asked for images before their registries are."""
    jobs: int = 4
    """Files that are downloaded at the same time."""
    limit_rate: int | None = None
    """Bytes a second of all downloads together."""

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
                self.cache,
                ca_file=self.ca_file,
                environ=environ,
                jobs=self.jobs,
                limit_rate=self.limit_rate,
                progress=progress,
            ) as downloads,
            Images(
                connect,
                cache=self.cache,
                environ=environ,
                mirrors=self.mirrors,
                progress=progress,
            ) as images,
            closing(Transport(load_trust(self.ca_file), environ)) as transport,
        ):
            asker = Asker(transport, RetryPolicy(), progress)
            sources = Sources(asker, folder=folder, environ=environ, portal=spec.portal)
            wheels = Wheels(shelf=Shelf(self.cache), environ=environ, progress=progress)
            yield Inputs(
                folder,
                downloads=downloads,
                source_of=sources.source_for,
                images=images,
                wheels=wheels,
                progress=progress,
            )
