"""Options that several commands share, turned into values; the environment is read here."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bundler.downloads import Downloads
from bundler.resolve import Inputs
from bundler.resolve.inputs import Resolved
from bundler.sources import Evidence, Location, Promise
from bundler.spec import BundleSpec, ImageInput, Input, parse_spec
from bundler.spec.origin import Address
from transfer import console
from transfer.bundle import EPOCH
from transfer.contents import ImageRecord
from transfer.descriptor import Descriptor
from transfer.disk import read_text
from transfer.errors import InvalidInput, NotFound
from transfer.progress import Progress
from transfer.registry import RegistryClient

examples = functools.partial(console.examples, "airgap-bundler")
"""An epilog for `--help`: see `transfer.console.examples`."""


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
        ):
            yield Inputs(folder, downloads, _Address, images, progress)


class _Address:
    """The file behind an address."""

    def __init__(self, wanted: Input) -> None:
        self._wanted = wanted

    def promise(self) -> Promise:
        return Promise(
            file_name=self._wanted.file_name,
            digest=self._wanted.sha256,
            evidence=Evidence.SPEC,
            identity=self._wanted.source,
        )

    def locate(self) -> Location:
        origin = self._wanted.origin
        return Location(url=origin.url if isinstance(origin, Address) else "")


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


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where to download to and whom to trust; the command gets it as `access`."""

    @click.option(
        "--cache-dir",
        type=click.Path(path_type=Path),
        help="Where downloads are kept. [default: $XDG_CACHE_HOME/harness-airgap]",
    )
    @click.option(
        "--ca-file",
        type=click.Path(path_type=Path),
        help="PEM with the only authorities to trust, for downloads and registries.",
    )
    @click.option(
        "--plain-http",
        metavar="HOST[:PORT]",
        multiple=True,
        help="A registry to speak to without TLS; may be given more than once.",
    )
    @functools.wraps(command)
    def with_access(
        *args: object,
        cache_dir: Path | None,
        ca_file: Path | None,
        plain_http: tuple[str, ...],
        **options: object,
    ) -> object:
        access = Access(cache=cache_dir or _default_cache(), ca_file=ca_file, plain_http=plain_http)
        return command(*args, access=access, **options)

    return with_access


def read_spec(path: Path) -> BundleSpec:
    """The spec in a file.

    Raises:
        NotFound, StorageError: the file cannot be read.
        InvalidInput: with everything that is wrong with it.
    """
    return parse_spec(read_text(path, f"spec {path}"), str(path))


def epoch() -> int:
    """Seconds since 1970 that every file of a bundle gets as its time.

    Raises:
        InvalidInput: SOURCE_DATE_EPOCH is no number.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", str(EPOCH))
    if not (text.isascii() and text.isdigit()):
        raise InvalidInput(
            f"SOURCE_DATE_EPOCH: expected seconds since 1970, found {text!r}",
            hint="for example SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)",
        )
    return int(text)


def _default_cache() -> Path:
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named) / "harness-airgap"
    if (home := console.home()) is None:
        raise InvalidInput(
            "no folder for downloads: this user has no home, and XDG_CACHE_HOME is not set",
            hint="name one by --cache-dir",
        )
    return home / ".cache" / "harness-airgap"
