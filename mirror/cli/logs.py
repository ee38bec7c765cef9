"""`airgap-mirror logs`: what every pod of a site says, in one folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mirror import duration
from mirror.cli.hands import asking
from mirror.cli.operation import View, show_plan, view_options
from mirror.cli.options import app_option, examples, site_option
from mirror.command import Command
from mirror.credentials import Keyring, passwords
from mirror.kots.outcome import LAST_LINES, Finished
from mirror.kube import kubectl_daily
from mirror.process import Runner
from mirror.site import Site, by_namespace
from mirror.site.file import load_site
from mirror.upkeep.confidential import licence_secrets
from mirror.upkeep.gather import gather
from mirror.upkeep.logs import Logs, plan_logs, plan_to_gather, read_logs
from transfer.console import emit, home, say_for
from transfer.text import counted


def _read_since(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if value is not None and not duration.seconds(value):
        raise click.BadParameter(f"{value!r}: expected a duration such as 24h or 90m")
    return value


@click.command(
    short_help="The logs of every pod into one folder.",
    epilog=examples(
        "logs --site site.yaml -o logs",
        "logs --site site.yaml -o logs --since 24h",
        "logs --site site.yaml -o logs --dry-run",
        "logs --site site.yaml -o logs --dry-run --output script",
    ),
)
@site_option("The site file: which cluster, which namespaces.", required=True)
@app_option
@click.option(
    "-o",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Where to put them; made where it is not there.",
)
@click.option(
    "--since",
    metavar="DURATION",
    callback=_read_since,
    help="Nothing that is older, such as 24h; otherwise all there is.",
)
@view_options
def logs(
    *,
    site: Path,
    app: str | None,
    folder: Path,
    since: str | None,
    **common: Any,  # noqa: ANN401 - as View takes them
) -> None:
    """Write the log of every container of every pod, and of the run before where it crashed.

    Vendor's install guide, "Logging". One file each, DIR/NAMESPACE/POD/CONTAINER.log, for its
    owner alone; passwords of the site and the IDs of its licences are hidden. A log that cannot be
    had does not stop the others; the command then ends with 11.
    """
    view = View(site=site, **common)
    loaded = load_site(site, home())
    applications = [loaded.application(app)] if app else loaded.applications
    place = str(folder.absolute())
    if view.dry_run:
        hidden = passwords(loaded)
        show_plan(plan_to_gather(loaded, applications, place, since, hidden), view)
        return
    say = say_for(quiet=view.quiet)
    found = [_look(loaded, name) for name in by_namespace(applications)]
    plan = plan_logs(loaded, found, place, since)
    for note in plan.notes:
        say(f"note: {note}")
    saved = gather(plan, _listening(loaded), say)
    text = f"{counted(len(saved), 'log')} in {place}"
    emit(view.output, text, {"folder": place, "files": saved, "notes": list(plan.notes)})


def _look(site: Site, namespace: str) -> Logs:
    command = kubectl_daily.get_pods(site, namespace)
    return read_logs(asking(site)(command), command, namespace)


def _listening(site: Site) -> Callable[[Command, Callable[[str], None]], Finished]:
    runner = Runner(
        keyring=Keyring(dict(os.environ)),
        secrets=passwords(site),
        say=lambda _line: None,
        kept=LAST_LINES,
        hidden=licence_secrets(site.applications),
    )
    return lambda command, hear: replace(runner, out=hear)(command)
