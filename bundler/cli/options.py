"""Options that several commands share, turned into values; the environment is read here."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bundler.cli.access import Access
from bundler.spec import BundleSpec, parse_spec
from transfer import console
from transfer.bundle import EPOCH
from transfer.disk import read_text
from transfer.errors import InvalidInput

examples = functools.partial(console.examples, "airgap-bundler")
"""An epilog for `--help`: see `transfer.console.examples`."""


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


def lock_path(spec: Path) -> Path:
    """Where the lock of a spec stands: `harness.yaml` has `harness.lock.json` beside it."""
    return spec.with_name(f"{spec.stem}.lock.json")


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
