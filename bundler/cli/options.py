"""Options that several commands share, turned into values; the environment is read here."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bundler.cli.access import Access
from bundler.images import Mirror
from bundler.spec import BundleSpec, parse_spec
from transfer import console
from transfer.bundle import EPOCH
from transfer.disk import read_text
from transfer.errors import InvalidInput

_LATEST = (1 << 32) - 1
"""Seconds since 1970, in the year 2106: later times do not fit into every file system."""


def _read_rate(_: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Bytes a second: a number, with K, M or G for powers of 1024 as curl takes them."""
    if value is None:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,11})([KMGkmg]?)", value)
    if found is None:
        message = f"expected bytes a second such as 500K or 10M, found {value!r}"
        raise click.BadParameter(message, param=param)
    return int(found[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[found[2].lower()]


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
    @click.option(
        "--mirror",
        "mirrors",
        metavar="REGISTRY=HOST[:PORT][/PREFIX]",
        multiple=True,
        help="Ask there first for the images of a registry; may be given more than once.",
    )
    @click.option(
        "--limit-rate",
        metavar="RATE",
        callback=_read_rate,
        help="Bytes a second that all downloads together take at most, such as 10M.",
    )
    @functools.wraps(command)
    def with_access(
        *args: object,
        cache_dir: Path | None,
        mirrors: tuple[str, ...],
        **options: Any,  # noqa: ANN401 - of the command
    ) -> object:
        access = Access(
            cache=cache_dir or default_cache(),
            mirrors=tuple(map(Mirror.parse, mirrors)),
            **{name: options.pop(name) for name in ("ca_file", "plain_http", "limit_rate")},
        )
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
        InvalidInput: SOURCE_DATE_EPOCH is no number, or none that a file can have.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", str(EPOCH))
    number = int(text) if re.fullmatch("[0-9]{1,10}", text) else None
    if number is None or number > _LATEST:
        raise InvalidInput(
            f"SOURCE_DATE_EPOCH: expected seconds since 1970, found {text!r}",
            hint="for example SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)",
        )
    return number


def default_cache() -> Path:
    """Where downloads are kept unless the command line says otherwise.

    Raises:
        InvalidInput: there is no such place.
    """
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named) / "harness-airgap"
    if (home := console.home()) is None:
        raise InvalidInput(
            "no folder for downloads: this user has no home, and XDG_CACHE_HOME is not set",
            hint="name one by --cache-dir",
        )
    return home / ".cache" / "harness-airgap"
