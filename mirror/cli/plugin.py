"""`airgap-mirror plugin`: kubectl-kots out of a bundle."""

from __future__ import annotations

import os
import platform as machine
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from mirror.cli.operation import Elsewhere, operation_options, turn_of
from mirror.cli.options import examples, sources_argument
from mirror.deploy.plugin import PROGRAM, CarriedPlugin, plan_plugin
from transfer.bundle import Bundle
from transfer.console import emit
from transfer.contents import ArchiveKind
from transfer.sources import OpenSource, open_sources

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@click.command(
    short_help="Install kubectl-kots, the plugin that crossed.",
    epilog=examples(
        "plugin /media/usb/harness --to ~/.local/bin",
        "plugin /media/usb/harness --to /srv/tools --platform darwin/arm64",
        "plugin /media/usb/harness --to ~/.local/bin --journal site.journal.jsonl",
        "plugin /media/usb/harness --to ~/.local/bin --dry-run --output script > plugin.sh",
    ),
)
@sources_argument
@click.option(
    "--to",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to put it; kubectl finds it if that is on PATH.",
)
@click.option("--platform", metavar="OS/ARCH", help="Another machine's; by default this one's.")
@operation_options
def plugin(
    *,
    sources: tuple[Path, ...],
    folder: Path,
    platform: str | None,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Put kubectl-kots out of SOURCE into a folder, proven, executable, whole or not at all.

    Vendor's install guide, "Install KOTS plugin". It deploys the admin console of its own version:
    one of another version than the console that crossed with it is refused.
    """
    manner = Elsewhere(**common)
    here = _here()
    with turn_of(manner) as turn, open_sources(sources) as opened:
        planned = plan_plugin(
            tuple(_carried(opened)),
            platform or here,
            str(folder.absolute()),
            foreign=platform not in (None, here),
        )
        if turn.carry_out(None, planned) is None:
            return
    path = folder.absolute() / PROGRAM
    notes = [*planned.notes, *_about_path(folder)]
    data = {"path": str(path), "notes": notes}
    emit(manner.output, "\n".join((f"{path} is there", *(f"note: {note}" for note in notes))), data)


def _carried(opened: Sequence[OpenSource]) -> Iterator[CarriedPlugin]:
    from transfer.archive.plugin import plugin_version

    consoles = [
        record.release.version_label
        for source in opened
        for record in source.contents.archives
        if record.kind is ArchiveKind.ADMIN_CONSOLE
    ]
    for source in opened:
        if not isinstance(source.content, Bundle):
            continue
        for record in source.contents.plugins:
            path = source.content.path_of(record.file.path).absolute()
            yield CarriedPlugin(
                platform=record.platform,
                archive=str(path),
                digest=str(record.file.digest),
                version=plugin_version(path),
                console=consoles[-1] if consoles else None,
            )


def _here() -> str:
    """The platform of this machine, as KOTS names its releases."""
    architecture = machine.machine()
    return f"{machine.system().lower()}/{_ARCHITECTURES.get(architecture, architecture)}"


def _about_path(folder: Path) -> Iterator[str]:
    places = os.environ.get("PATH", "").split(os.pathsep)
    if str(folder.absolute()) not in places:
        yield f"{folder.absolute()} is not on PATH: put it first there; kubectl kots version tells"
