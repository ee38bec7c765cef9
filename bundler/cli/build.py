"""`airgap-bundler build`: writes the bundle of a spec."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bundler.build import Order
from bundler.build import build as run_build
from bundler.cli import examples, reports
from bundler.cli.access import Access
from bundler.cli.check import allow_option, verdict_json, verdict_lines
from bundler.cli.options import access_options, epoch, lock_path, read_spec
from transfer.console import (
    emit,
    jobs_option,
    output_option,
    progress_for,
    quiet_option,
    say_for,
)


@click.command(
    short_help="Build the bundle of SPEC, as its lock says.",
    epilog=examples(
        "build manifests/first-install.yaml -o harness-2026.11",
        "build spec.yaml -o /mnt/disk/harness --keep-archives",
    ),
)
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
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
