"""`airgap-bundler lock`: writes a spec's lock, compares the two, or takes up one entry anew."""

from __future__ import annotations

from pathlib import Path

import click

from bundler.build import check_lock
from bundler.build import lock as run_lock
from bundler.build import update as update_lock
from bundler.cli import examples, reports
from bundler.cli.access import Access
from bundler.cli.options import access_options, lock_path, read_spec
from transfer.console import emit, output_option, progress_for, quiet_option


@click.command(
    short_help="Resolve SPEC to digests and sizes, and write its lock.",
    epilog=examples(
        "lock manifests/first-install.yaml",
        "lock spec.yaml --check",
        "lock spec.yaml --update harness-ng",
        "lock spec.yaml --update 'applications[0].releases[1]'",
    ),
)
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
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
    progress, wanted = progress_for(quiet=quiet), read_spec(spec)
    path = lock_path(spec)
    if check:
        found = check_lock(wanted, path)
    else:
        with access.inputs(wanted, spec.parent, progress) as inputs:
            if update is None:
                found = run_lock(wanted, path, inputs)
            else:
                found = update_lock(wanted, path, inputs, update)
    emit(output, reports.locked_text(found, path), reports.locked_json(found))
