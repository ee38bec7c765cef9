"""`airgap-mirror load`: images into a local engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mirror.cli.options import examples, release_option, sources_argument
from mirror.load import Loaded, choose, raise_for_failures
from mirror.load import load as run_load
from transfer.console import emit, output_option, progress_for, quiet_option
from transfer.delivery import Outcome
from transfer.engine import Engine
from transfer.sources import open_sources
from transfer.text import table

_WORDS = {Outcome.COPIED: "loaded", Outcome.PRESENT: "present", Outcome.FAILED: "failed"}


@click.command(
    short_help="Load images into a local Docker or Podman engine.",
    epilog=examples(
        "load /media/usb/harness --image docker.io/library/registry:2",
        "load /media/usb/harness --image registry:2 --engine unix:///run/podman/podman.sock",
        "load harness.airgap --all",
    ),
)
@sources_argument
@release_option
@click.option(
    "--image",
    "names",
    metavar="NAME",
    multiple=True,
    help="As `show` lists it, or the end of that. May be given more than once.",
)
@click.option("--all", "everything", is_flag=True, help="Every image of the sources.")
@click.option(
    "--engine",
    "address",
    metavar="ADDRESS",
    default="",
    help="unix:///path/to.sock or tcp://HOST:PORT; otherwise DOCKER_HOST, or the first socket "
    "of Docker or Podman that is there.",
)
@quiet_option
@output_option
def load(
    *,
    sources: tuple[Path, ...],
    releases: tuple[str, ...],
    names: tuple[str, ...],
    everything: bool,
    address: str,
    quiet: bool,
    output: str,
) -> None:
    """Load images of bundles and archives into a local engine, for its own platform.

    Nothing is unpacked on the way. Each image is looked at afterwards: it is loaded when the
    engine knows it by the ID that its content gives. What is there already is left alone.
    """
    if bool(names) == everything:
        raise click.UsageError("give --image NAME, or --all")
    progress = progress_for(quiet=quiet)
    with (
        Engine.connect(address, os.environ) as engine,
        open_sources(sources, progress, releases) as opened,
    ):
        loaded = run_load(choose(opened, names), engine, progress)
    emit(output, _text(loaded), _json(loaded))
    raise_for_failures(loaded)


def _text(loaded: Sequence[Loaded]) -> str:
    rows = [(_WORDS[one.outcome], one.name, str(one.id or "")) for one in loaded]
    return "\n".join(table(rows))


def _json(loaded: Sequence[Loaded]) -> dict[str, Any]:
    return {
        "images": [
            {
                "name": one.name,
                "outcome": _WORDS[one.outcome],
                **({"id": str(one.id)} if one.id else {}),
                **({"error": one.error.message} if one.error else {}),
            }
            for one in loaded
        ]
    }
