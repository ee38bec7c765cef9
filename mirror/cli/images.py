"""The commands that prove, show and move images."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from mirror.audit import audit as run_audit
from mirror.audit import lock_plan, receipt_plan, sources_plan
from mirror.cli import reports
from mirror.cli.destination import destination_options
from mirror.cli.options import adaptive_jobs_option, examples, release_option, sources_argument
from mirror.outlet import SiteOutlet
from mirror.plan import examine
from mirror.push import push as run_push
from mirror.receipts import check_place, find_list, write_receipt
from mirror.target import RegistryAccess, open_destinations
from transfer import report
from transfer.console import (
    emit,
    jobs_option,
    output_option,
    progress_for,
    quiet_option,
)
from transfer.errors import TransferError
from transfer.lock import BundleLock
from transfer.pace import MOST
from transfer.receipt import Receipt
from transfer.relocate import relocate
from transfer.sources import images_of, open_sources
from transfer.verify import verify as run_verify


@click.command(
    short_help="Read every byte, and prove it.",
    epilog=examples("verify /media/usb/harness", "verify kotsadm.tar.gz harness.airgap"),
)
@sources_argument
@jobs_option
@quiet_option
@output_option
def verify(*, sources: tuple[Path, ...], jobs: int, quiet: bool, output: str) -> None:
    """Read every byte of bundles and archives, and prove it."""
    verified = run_verify(sources, jobs=jobs, progress=progress_for(quiet=quiet))
    emit(output, report.verified_text(verified), report.verified_json(verified))


@click.command(epilog=examples("show /media/usb/harness", "show harness.airgap --output json"))
@sources_argument
@quiet_option
@output_option
def show(*, sources: tuple[Path, ...], quiet: bool, output: str) -> None:
    """Show what bundles and archives hold."""
    with open_sources(sources, progress_for(quiet=quiet)) as opened:
        emit(output, report.shown_text(opened), report.shown_json(opened))


@click.command(
    short_help="Show what a push would do; write nothing.",
    epilog=examples(
        "plan /media/usb/harness --to registry.example:5000/harness",
        "plan /media/usb/harness --site site.yaml",
        "plan harness.airgap --to oci:/srv/store",
    ),
)
@sources_argument
@release_option
@destination_options()
@jobs_option
@quiet_option
@output_option
def plan(
    *,
    sources: tuple[Path, ...],
    releases: tuple[str, ...],
    to: str,
    access: RegistryAccess,
    jobs: int,
    quiet: bool,
    output: str,
) -> None:
    """Show what a push would send and where, and what is in its way; write nothing.

    Ends with 8 where a push would: a name at the destination holds other content.
    """
    progress = progress_for(quiet=quiet)
    with (
        open_destinations(to, access, progress=progress) as destinations,
        open_sources(sources, progress, releases, SiteOutlet(destinations, writes=False)) as opened,
    ):
        relocations = relocate(images_of(opened), destinations.endpoint)
        examined = examine(opened, relocations, destinations, jobs=jobs)
    emit(output, reports.plan_text(examined), reports.plan_json(examined))
    examined.raise_for_conflicts()


@click.command(
    short_help="Push every image, and read each name back.",
    epilog=examples(
        "push /media/usb/harness --site site.yaml --receipt receipt.json",
        "push /media/usb/harness --to registry.example:5000/harness --ca-file ca.pem",
        "push kotsadm.tar.gz harness.airgap --to oci:/srv/store",
    ),
)
@sources_argument
@release_option
@destination_options()
@adaptive_jobs_option
@click.option("--overwrite", is_flag=True, help="Move names that hold other content.")
@click.option(
    "--create-missing",
    is_flag=True,
    help="Create projects and repositories that the registry wants first: of a Harbor, or an ECR.",
)
@click.option(
    "--repair",
    is_flag=True,
    help="Look below names that are right too, and send what an audit found missing there.",
)
@click.option(
    "--deep",
    is_flag=True,
    help="Read every blob back too, not the manifests alone; takes about as long as pushing it.",
)
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write down here what the destination was read back to hold.",
)
@quiet_option
@output_option
def push(
    *,
    sources: tuple[Path, ...],
    releases: tuple[str, ...],
    to: str,
    access: RegistryAccess,
    jobs: int,
    overwrite: bool,
    create_missing: bool,
    repair: bool,
    deep: bool,
    receipt: Path | None,
    quiet: bool,
    output: str,
) -> None:
    """Push every image of bundles and archives, and read each name back.

    What is there already is not sent again, so the same command continues after an
    interruption. An image that fails does not stop the others.
    """
    progress = progress_for(quiet=quiet)
    if receipt:
        check_place(receipt)
    with ExitStack() as stack:
        if create_missing:
            access = replace(access, create_missing=True)
        destinations = stack.enter_context(
            open_destinations(to, access, writing=True, progress=progress)
        )
        outlet = SiteOutlet(
            destinations, writes=True, overwrite=overwrite, repair=repair, progress=progress
        )
        # An archive takes a while, and sends layers already.
        opened = stack.enter_context(open_sources(sources, progress, releases, outlet))
        pushed = run_push(
            opened,
            relocate(images_of(opened), destinations.endpoint),
            destinations,
            jobs=jobs or MOST,
            stopwatch=None if jobs else time.monotonic,
            clock=lambda: datetime.now(UTC),
            overwrite=overwrite,
            repair=repair,
            deep=deep,
            outlet=outlet,
            progress=progress,
        )
    emit(output, reports.pushed_text(pushed), reports.pushed_json(pushed))
    unwritten = _write_receipt(receipt, pushed.receipt) if receipt else None
    try:
        pushed.copied.raise_for_failures()
    except TransferError as failed:
        if unwritten is not None:  # neither hides the other
            failed.faults += (unwritten,)
        raise
    if unwritten is not None:
        raise unwritten


def _write_receipt(path: Path, receipt: Receipt) -> TransferError | None:
    try:
        write_receipt(path, receipt)
    except TransferError as error:
        return error
    return None


@click.command(
    short_help="See whether the destination still holds it all.",
    epilog=examples(
        "audit receipt.json",
        "audit receipt.json --site site.yaml",
        "audit /media/usb/harness --to registry.example:5000/harness --deep",
        "audit bundle.lock.json --site site.yaml",
    ),
)
@click.argument(
    "held",
    metavar="RECEIPT|LOCK|SOURCE...",
    type=click.Path(path_type=Path),
    nargs=-1,
    required=True,
)
@release_option
@destination_options(required=False)
@jobs_option
@click.option(
    "--deep",
    is_flag=True,
    help="Read every blob too, once wherever it is shared, and compare it with its digest.",
)
@quiet_option
@output_option
def audit(
    *,
    held: tuple[Path, ...],
    releases: tuple[str, ...],
    to: str | None,
    access: RegistryAccess,
    jobs: int,
    deep: bool,
    quiet: bool,
    output: str,
) -> None:
    """See whether the destination still holds what was pushed, by digest, down to each blob.

    With a receipt, --to and --site may be left out. Other names in the same repositories are
    listed as extra. Ends with 5 if something is missing, with 8 if a name stands for other
    content, with 11 if there is both.
    """
    listed = find_list(held)
    if listed and releases:
        raise click.UsageError("--release is for sources: a receipt or lock lists what is meant")
    where = to or (listed.target if isinstance(listed, Receipt) else None)
    if where is None:
        raise click.UsageError(
            "--to or --site is missing: only a receipt says where it was pushed to"
        )
    progress = progress_for(quiet=quiet)
    with open_destinations(where, access, progress=progress) as destinations:
        match listed:
            case Receipt():
                expected = receipt_plan(listed, destinations.endpoint)
            case BundleLock():
                expected = lock_plan(listed, destinations.endpoint)
            case None:
                expected = sources_plan(held, destinations.endpoint, progress, releases)
        found = run_audit(expected, destinations, jobs=jobs, deep=deep, progress=progress)
    emit(output, reports.audit_text(found), reports.audit_json(found))
    found.raise_for_findings()
