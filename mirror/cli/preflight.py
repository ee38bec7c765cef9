"""`airgap-mirror preflight`: what would fail in the maintenance window, found before it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mirror.cli.operation import View, show_plan, view_options
from mirror.cli.options import examples, release_option, site_option, sources_argument
from mirror.cli.senses import senses_for
from mirror.kots import Engine
from mirror.preflight.case import read_case
from mirror.preflight.checks import NAMES, judge
from mirror.preflight.gather import gather
from mirror.preflight.plan import plan_preflight
from mirror.preflight.report import Report
from mirror.site.file import load_site
from transfer.console import emit, home, progress_for
from transfer.sources import open_sources


@click.command(
    short_help="Find what would fail in the maintenance window, before it.",
    epilog=examples(
        "preflight /media/usb/harness --site site.yaml",
        "preflight /media/usb/harness --site site.yaml --dry-run",
        "preflight /media/usb/harness --site site.yaml --dry-run --output script",
        "preflight /media/usb/harness --site site.yaml --skip storage --output json",
    ),
)
@sources_argument
@release_option
@site_option("The site file: registry, cluster, licences.", required=True)
@click.option(
    "--skip",
    metavar="NAME",
    type=click.Choice(NAMES),
    multiple=True,
    help="Leave this check out; the report says so. May be given more than once.",
)
@click.option(
    "--engine",
    type=click.Choice([engine.value for engine in Engine]),
    default=Engine.MIRROR.value,
    show_default=True,
    help="Who puts the images into the registry, as for install and upgrade.",
)
@click.option(
    "--work-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="For --engine kots: where full archives are put together and unpacked.",
)
@view_options
def preflight(
    *,
    sources: tuple[Path, ...],
    releases: tuple[str, ...],
    site: Path,
    skip: tuple[str, ...],
    engine: str,
    work_dir: Path | None,
    **common: Any,  # noqa: ANN401 - as View takes them
) -> None:
    """Ask the registry, the cluster and this machine all that an install or upgrade depends on.

    Vendor's install guide, "Step 1: Set up cluster requirements" and "Step 2: Set up networking
    requirements".

    Every finding passes, warns or fails, and says what to do. Nothing is changed: uploads are
    begun and cancelled. Ends with 12 if something failed. docs/preflight.md lists the checks.
    """
    view = View(site=site, **common)
    at_site = load_site(site, home())
    folder = str(work_dir.absolute()) if work_dir else None
    with open_sources(sources, progress_for(quiet=view.quiet), releases) as opened:
        case = read_case(at_site, sources, opened, engine=Engine(engine), work_dir=folder)
        case = replace(case, temporary=os.environ.get("TMPDIR", case.temporary))
        if view.dry_run:
            show_plan(plan_preflight(case, skip), view)
            return
        seen = gather(case, senses_for(at_site, quiet=view.quiet), datetime.now(UTC), skip)
    report = Report(site=at_site.name, findings=judge(seen, skip), skipped=skip)
    emit(view.output, report.text(), report.to_json())
    report.raise_for_failures()
