"""The command `airgap-bundler`; `options` reads what is given, `reports` words the results."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bundler.build import Order, check_lock
from bundler.build import build as run_build
from bundler.build import lock as run_lock
from bundler.build import update as update_lock
from bundler.cli import reports
from bundler.cli.access import Access
from bundler.cli.cache import cache as cache_command
from bundler.cli.check import allow_option, verdict_json, verdict_lines
from bundler.cli.check import check as check_command
from bundler.cli.init import init as init_command
from bundler.cli.options import access_options, epoch, examples, lock_path, read_spec
from bundler.cli.schema import schema as schema_command
from transfer import __version__, report
from transfer.console import (
    HELP,
    Program,
    emit,
    jobs_option,
    output_option,
    progress_for,
    quiet_option,
    say_for,
)
from transfer.sources import open_sources
from transfer.verify import verify as run_verify

_SPEC = click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
_SOURCES = click.argument(
    "sources", metavar="SOURCE...", type=click.Path(path_type=Path), nargs=-1, required=True
)


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


main.add_command(init_command)


@main.command(
    short_help="Resolve SPEC to digests and sizes, and write its lock.",
    epilog=examples(
        "lock manifests/first-install.yaml",
        "lock spec.yaml --check",
        "lock spec.yaml --update harness-ng",
        "lock spec.yaml --update 'applications[0].releases[1]'",
    ),
)
@_SPEC
@click.option(
    "--check",
    is_flag=True,
    help="Only compare the lock with SPEC; fetch and write nothing.",
)
@click.option(
    "--update",
    metavar="NAME",
    help="Resolve one entry anew and leave the others: its path in the spec, a slug, a file's "
    "name, or an image.",
)
@access_options
@quiet_option
@output_option
def lock(
    *, spec: Path, check: bool, update: str | None, access: Access, quiet: bool, output: str
) -> None:
    """Read everything that SPEC names, and write it down as SPEC's lock.

    The lock stands beside the spec as NAME.lock.json: every archive, image and file with its
    digest and size, and who said so; made to be reviewed and committed. A lock that is there is
    written anew.
    """
    if check and update is not None:
        raise click.UsageError("--check and --update exclude each other")
    progress, path = progress_for(quiet=quiet), lock_path(spec)
    wanted = read_spec(spec)
    if check:
        found = check_lock(wanted, path)
    else:
        with access.inputs(wanted, spec.parent, progress) as inputs:
            if update is None:
                found = run_lock(wanted, path, inputs)
            else:
                found = update_lock(wanted, path, inputs, update)
    emit(output, reports.locked_text(found, path), reports.locked_json(found))


main.add_command(check_command)


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
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The bundle; must not exist, unless it is this very bundle.",
)
@click.option(
    "--keep-archives",
    is_flag=True,
    help="Carry the vendor's archives too, unchanged, below files/archives/.",
)
@allow_option
@access_options
@jobs_option
@quiet_option
@output_option
def build(
    *,
    spec: Path,
    target: Path,
    keep_archives: bool,
    allow: tuple[str, ...],
    access: Access,
    jobs: int,
    quiet: bool,
    output: str,
) -> None:
    """Build the bundle of SPEC, as its lock says; without a lock, make one first.

    What the site could not use is refused, as by `check`; --allow lets a finding pass by name.
    The bundle grows in DIR.partial and gets its name when it is complete. After an interruption
    the same command continues. The same lock gives the same bundle, byte for byte; the time of
    its files is that of SOURCE_DATE_EPOCH, or 1980.
    """
    progress = progress_for(quiet=quiet)
    wanted = read_spec(spec)
    order = Order(
        spec=wanted,
        folder=spec.parent,
        lock_path=lock_path(spec),
        target=target,
        cache=access.cache,
        keep_archives=keep_archives,
        allow=allow,
        now=datetime.now(UTC),
        epoch=epoch(),
        jobs=jobs,
    )
    with access.inputs(wanted, spec.parent, progress) as inputs:
        built = run_build(order, inputs, progress)
    say = say_for(quiet=quiet)
    for line in verdict_lines(built.verdict):
        say(line)
    emit(
        output,
        reports.built_text(built),
        {**reports.built_json(built), **verdict_json(built.verdict)},
    )


@main.command(epilog=examples("verify harness-2026.11", "verify kotsadm.tar.gz harness.airgap"))
@_SOURCES
@jobs_option
@quiet_option
@output_option
def verify(*, sources: tuple[Path, ...], jobs: int, quiet: bool, output: str) -> None:
    """Read every byte of bundles and archives, and prove it."""
    verified = run_verify(sources, jobs=jobs, progress=progress_for(quiet=quiet))
    emit(output, report.verified_text(verified), report.verified_json(verified))


@main.command(epilog=examples("show harness-2026.11", "show harness.airgap --output json"))
@_SOURCES
@quiet_option
@output_option
def show(*, sources: tuple[Path, ...], quiet: bool, output: str) -> None:
    """Show what bundles and archives hold."""
    with open_sources(sources, progress_for(quiet=quiet)) as opened:
        emit(output, report.shown_text(opened), report.shown_json(opened))


main.add_command(schema_command)
main.add_command(cache_command)
