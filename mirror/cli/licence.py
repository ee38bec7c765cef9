"""`airgap-mirror licence`: what licences allow, when they end, and a new one in place of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from mirror import kots
from mirror.cli.hands import asking_once
from mirror.cli.operation import Manner, operation_options, turn_of
from mirror.cli.options import app_option, examples, one_app_option, site_option
from mirror.deploy.spelling import as_called, typed
from mirror.kots import outcome
from mirror.operation import AskCluster
from mirror.site import Application, Site
from mirror.site.file import load_licences, load_site
from mirror.upkeep.folder import claim
from mirror.upkeep.licences import (
    New,
    channels_of,
    check_new,
    describe,
    end_of,
    findings_of,
    plan_upload,
)
from mirror.upkeep.newest import check_newest
from transfer.console import HELP, emit, home, output_option, say_for
from transfer.disk import read_text
from transfer.errors import NotFound, PolicyError, raise_together
from transfer.kots.finding import Rule
from transfer.kots.licence import Licence
from transfer.text import table

_SITE = "The site file: which applications, and where their licences are."


@click.group(
    short_help="What licences allow, when they end, and a new one.",
    context_settings=HELP,
    epilog=examples(
        "licence show --site site.yaml",
        "licence upload renewed.yaml --site site.yaml --app harness",
    ),
)
def licence() -> None:
    """Licences of the site's applications.

    Vendor's install guide, "License expired". Neither the ID nor the signature of a licence is
    ever shown.
    """


@licence.command(
    short_help="What they allow, and when they end.",
    epilog=examples(
        "licence show --site site.yaml",
        "licence show --site site.yaml --app harness --output json",
        "licence show --site site.yaml --fail",
    ),
)
@site_option(_SITE, required=True)
@app_option
@click.option("--fail", is_flag=True, help="End with 12 where one has ended.")
@output_option
def show(*, site: Path, app: str | None, fail: bool, output: str) -> None:
    """Show what each licence allows and when it ends; warn of one that ends within 30 days."""
    loaded = load_site(site, home())
    applications = [loaded.application(app)] if app else loaded.applications
    found = _present(applications)
    now = datetime.now(UTC)
    rows = [_row(one, licence, now) for one, licence in found]
    data = {"licences": [describe(one, licence, now) for one, licence in found]}
    emit(output, "\n".join(table([_HEAD, *rows])), data)
    say = say_for(quiet=False)
    findings = [
        one for application, licence in found for one in findings_of(application, licence, now)
    ]
    for finding in findings:
        say(f"warning: {finding.message}\nhint: {finding.hint}")
    ended = [one for one in findings if one.rule is Rule.LICENSE_EXPIRED]
    faults = [PolicyError(one.message, hint=one.hint) for one in ended] if fail else []
    raise_together(PolicyError, "licences have ended", faults)


@licence.command(
    short_help="Put a new one in place of one that ends.",
    epilog=examples(
        "licence upload renewed.yaml --site site.yaml --app harness --dry-run",
        "licence upload renewed.yaml --site site.yaml --app harness",
    ),
)
@click.argument("new", metavar="NEW", type=click.Path(path_type=Path, dir_okay=False))
@site_option(_SITE, required=True)
@one_app_option
@operation_options
def upload(
    *,
    new: Path,
    site: Path,
    app: str,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Check a new licence against the one of now, and lead through its upload in the console.

    KOTS has no command for it. What its console would refuse is refused here first, all of it at
    once: the licence of another application, customer or channel, one without a signature, one
    that is not newer. Afterwards the licence file of the site is the new one.
    """
    manner = Manner(site=site, **common)
    loaded = typed(load_site(site, home()), app)
    application = loaded.application(app)
    with turn_of(manner) as turn:
        given = _read_new(application, new, site.with_name(f"{site.stem}.{app}-licence"))
        if not manner.dry_run:
            ask = asking_once(loaded)
            loaded = as_called(loaded, [application], ask)
            application = loaded.application(app)
            check_newest(loaded, application, ask)
            given = replace(given, channel_id=_channel_of(loaded, application, ask))
        notes = check_new(application, given, datetime.now(UTC))
        if not (manner.dry_run or given.is_there):
            claim(
                Path(given.folder), "folder", "move them: manifests of KOTS come there for a moment"
            )
        turn.take(loaded, plan_upload(loaded, application, given, notes))


_HEAD = ("application", "channels", "ends", "days left", "signed")


def _row(application: Application, licence: Licence, now: datetime) -> tuple[str, ...]:
    end = end_of(licence)
    when = str(end.date()) if end else ("unknown" if licence.expires_at else "never")
    left = str((end - now).days) if end else ""
    signed = "yes" if licence.is_signed else "no"
    return application.slug, ", ".join(channels_of(licence)), when, left, signed


def _present(applications: Iterable[Application]) -> list[tuple[Application, Licence]]:
    """The licences; all that are missing are named."""
    wanted = list(applications)
    found = load_licences(wanted)
    raise_together(
        NotFound,
        "licences of the site are not there",
        [
            NotFound(f"applications.{one.slug}.licenseFile: {one.license_file} does not exist")
            for one in wanted
            if found[one.slug] is None
        ],
        hint="put them there, or change the site file; relative paths start at its folder",
    )
    return [(one, licence) for one in wanted if (licence := found[one.slug])]


def _read_new(application: Application, path: Path, folder: Path) -> New:
    text = read_text(path, f"licence {path}")
    old = load_licences([application])[application.slug]
    file = Path(application.license_file)
    same = old is not None and read_text(file, f"licence {file}") == text
    licence = Licence.parse(text, str(path))
    return New(
        file=str(path.absolute()),
        folder=str(folder.absolute()),
        licence=licence,
        old=old,
        is_there=same,
    )


def _channel_of(site: Site, application: Application, ask: AskCluster) -> str:
    """Of the release that is deployed."""
    command = kots.get_versions(site, application)
    versions = outcome.read_versions(ask(command), command)
    return next((one.channel_id for one in versions if one.status == "deployed"), "")
