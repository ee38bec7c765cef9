"""The command `airgap-bundler`."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.build import Order
from bundler.build import build as run_build
from bundler.build import lock as run_lock
from bundler.cli import reports
from bundler.cli.options import Access, access_options, epoch, examples, read_spec
from transfer import __version__
from transfer.archive import AirgapArchive
from transfer.bundle import Bundle
from transfer.console import (
    HELP,
    Program,
    emit,
    jobs_option,
    output_option,
    progress_for,
    quiet_option,
)

_SPEC = click.argument("spec", type=click.Path(path_type=Path))
_BUNDLE = click.argument("bundle", type=click.Path(path_type=Path))


@click.group(
    cls=Program,
    context_settings=HELP,
    epilog=examples(
        "lock   manifests/first-install.yaml",
        "build  manifests/first-install.yaml -o harness-2026.11",
        "verify harness-2026.11",
    ),
)
@click.version_option(__version__, prog_name="airgap-bundler")
def main() -> None:
    """The connected end: resolve a bundle spec, prove every byte, write the transfer bundle.

    Results go to stdout, everything else to stderr.
    """


@main.command(
    short_help="Resolve SPEC to digests and sizes, and write its lock.",
    epilog=examples("lock manifests/first-install.yaml"),
)
@_SPEC
@access_options
@quiet_option
@output_option
def lock(*, spec: Path, access: Access, quiet: bool, output: str) -> None:
    """Read everything that SPEC names, and write it down as SPEC's lock.

    The lock stands beside the spec as NAME.lock.json: every archive, image and file with its
    digest and size, made to be reviewed and committed. A lock that is there is written anew.
    """
    progress = progress_for(quiet=quiet)
    wanted = read_spec(spec)
    with access.inputs(spec.parent, progress) as inputs:
        found = run_lock(wanted, lock_path(spec), inputs)
    emit(output, reports.locked_text(found, lock_path(spec)), reports.locked_json(found))


@main.command(
    short_help="Build the bundle of SPEC, as its lock says.",
    epilog=examples(
        "build manifests/first-install.yaml -o harness-2026.11",
        "build spec.yaml -o /mnt/disk/harness --keep-archives",
    ),
)
@_SPEC
@click.option(
    "-o",
    "target",
    metavar="DIR",
    type=click.Path(path_type=Path),
    required=True,
    help="The bundle; must not exist, unless it is this very bundle.",
)
@click.option(
    "--keep-archives",
    is_flag=True,
    help="Carry the vendor's archives too, unchanged, below files/archives/.",
)
@access_options
@jobs_option
@quiet_option
@output_option
def build(
    *,
    spec: Path,
    target: Path,
    keep_archives: bool,
    access: Access,
    jobs: int,
    quiet: bool,
    output: str,
) -> None:
    """Build the bundle of SPEC, as its lock says; without a lock, make one first.

    The bundle grows in DIR.partial and gets its name when it is complete. After an interruption
    the same command continues. The same lock gives the same bundle, byte for byte; the time of
    its files is that of SOURCE_DATE_EPOCH, or 1980.
    """
    progress = progress_for(quiet=quiet)
    order = Order(
        spec=read_spec(spec),
        lock_path=lock_path(spec),
        target=target,
        keep_archives=keep_archives,
        epoch=epoch(),
        jobs=jobs,
    )
    with access.inputs(spec.parent, progress) as inputs:
        built = run_build(order, inputs, progress)
    emit(output, reports.built_text(built), reports.built_json(built))


@main.command(epilog=examples("verify harness-2026.11"))
@_BUNDLE
@jobs_option
@quiet_option
@output_option
def verify(*, bundle: Path, jobs: int, quiet: bool, output: str) -> None:
    """Read every byte of BUNDLE and compare it with SHA256SUMS."""
    verified = Bundle.read(bundle).verify(progress_for(quiet=quiet), jobs)
    emit(output, reports.verified_text(verified), reports.verified_json(verified))


@main.command(epilog=examples("show harness-2026.11", "show harness.airgap --output json"))
@click.argument("source", metavar="BUNDLE|ARCHIVE", type=click.Path(path_type=Path))
@quiet_option
@output_option
def show(*, source: Path, quiet: bool, output: str) -> None:
    """Show what a bundle or a vendor's archive holds."""
    if source.is_dir():
        bundle = Bundle.read(source)
        emit(output, reports.bundle_text(bundle), bundle.contents.to_json())
    else:
        with AirgapArchive.read(source, progress=progress_for(quiet=quiet)) as archive:
            emit(output, reports.archive_text(archive.record), reports.archive_json(archive.record))


def lock_path(spec: Path) -> Path:
    """Where the lock of a spec stands: `harness.yaml` has `harness.lock.json` beside it."""
    return spec.with_name(f"{spec.stem}.lock.json")
