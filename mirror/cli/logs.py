"""`airgap-mirror logs`: what every pod of a site says, in one folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from mirror import duration
from mirror.cli.hands import asking
from mirror.cli.options import app_option, examples, site_option
from mirror.command import Command
from mirror.credentials import Keyring, passwords
from mirror.kots.outcome import LAST_LINES, Finished
from mirror.kube import kubectl_daily
from mirror.operation import as_json, as_text
from mirror.process import Runner
from mirror.site import Site, by_namespace
from mirror.site.file import load_site
from mirror.upkeep.confidential import licence_secrets
from mirror.upkeep.gather import gather
from mirror.upkeep.logs import Logs, plan_logs, read_logs
from transfer.console import emit, home, output_option, quiet_option, say_for
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
@click.option("--dry-run", is_flag=True, help="Print the questions; ask nothing.")
@quiet_option
@output_option
def logs(
    *,
    site: Path,
    app: str | None,
    folder: Path,
    since: str | None,
    dry_run: bool,
    quiet: bool,
    output: str,
) -> None:
    """Write the log of every container of every pod, and of the run before where it crashed.

    Vendor's install guide, "Logging". One file each, DIR/NAMESPACE/POD/CONTAINER.log, for its
    owner alone; passwords of the site and the IDs of its licences are hidden. A log that cannot be
    had does not stop the others; the command then ends with 11.
    """
    loaded = load_site(site, home())
    applications = [loaded.application(app)] if app else loaded.applications
    place = str(folder.absolute())
    namespaces = by_namespace(applications)
    if dry_run:
        plan = plan_logs(loaded, [Logs(namespace=name) for name in namespaces], place, since)
        emit(output, as_text(plan).rstrip("\n"), as_json(plan))
        return
    say = say_for(quiet=quiet)
    found = [_look(loaded, name) for name in namespaces]
    plan = plan_logs(loaded, found, place, since)
    for note in plan.notes:
        say(f"note: {note}")
    saved = gather(plan, _listening(loaded), say)
    text = f"{counted(len(saved), 'log')} in {place}"
    emit(output, text, {"folder": place, "files": saved, "notes": list(plan.notes)})


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
