"""Options that several commands share, turned into values; the environment is read here."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bundler.downloads import Downloads
from bundler.resolve import Inputs
from bundler.spec import BundleSpec
from transfer import console
from transfer.bundle import EPOCH
from transfer.disk import read_text
from transfer.errors import InvalidInput
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
    def inputs(self, folder: Path, progress: Progress) -> Iterator[Inputs]:
        """The inputs of a spec in `folder`.

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
            Inputs(folder, downloads, connect, progress) as inputs,
        ):
            yield inputs


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
    return BundleSpec.parse(read_text(path, f"spec {path}"), str(path))


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
