"""`airgap-bundler verify` and `show`: what bundles and archives hold, and whether it is sound."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.cli import examples
from transfer import report
from transfer.console import emit, jobs_option, output_option, progress_for, quiet_option
from transfer.sources import open_sources
from transfer.verify import verify as run_verify

_SOURCES = click.argument(
    "sources", metavar="SOURCE...", type=click.Path(path_type=Path), nargs=-1, required=True
)


@click.command(epilog=examples("verify harness-2026.11", "verify kotsadm.tar.gz harness.airgap"))
@_SOURCES
@jobs_option
@quiet_option
@output_option
def verify(*, sources: tuple[Path, ...], jobs: int, quiet: bool, output: str) -> None:
    """Read every byte of bundles and archives, and prove it."""
    verified = run_verify(sources, jobs=jobs, progress=progress_for(quiet=quiet))
    emit(output, report.verified_text(verified), report.verified_json(verified))


@click.command(epilog=examples("show harness-2026.11", "show harness.airgap --output json"))
@_SOURCES
@quiet_option
@output_option
def show(*, sources: tuple[Path, ...], quiet: bool, output: str) -> None:
    """Show what bundles and archives hold."""
    with open_sources(sources, progress_for(quiet=quiet)) as opened:
        emit(output, report.shown_text(opened), report.shown_json(opened))
