"""`airgap-mirror down` and `up`: planned downtime."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mirror.cli.hands import asking
from mirror.cli.operation import Manner, operation_options, turn_of
from mirror.cli.options import app_option, examples, site_option
from mirror.deploy.spelling import typed
from mirror.downtime import parse_scaled
from mirror.operation import Plan
from mirror.site import Site
from mirror.site.file import load_site
from mirror.upkeep.down import plan_down
from mirror.upkeep.standing import Place, look, places_of, read_counts
from mirror.upkeep.up import plan_up
from transfer.console import home
from transfer.disk import read_text

_SITE = "The site file: which cluster, which applications."


@click.command(
    short_help="Planned downtime: stop what works in the background.",
    epilog=examples(
        "down --site site.yaml --dry-run",
        "down --site site.yaml",
        "down --site site.yaml --app harness --all",
    ),
)
@site_option(_SITE, required=True)
@app_option
@click.option(
    "--all", "everything", is_flag=True, help="Then stop everything else but the admin console."
)
@operation_options
def down(
    *,
    site: Path,
    app: str | None,
    everything: bool,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Scale the Manager and the Verification Service to nothing, for planned downtime.

    Vendor's install guide, "Bring down Harness cluster for planned downtime". How many pods
    everything has is noted beside the site file first; `up` brings it back as it was. The site
    file can name other workloads: downtime, of an application.
    """
    manner = Manner(site=site, **common)
    _carry_out(manner, app, {}, lambda *known: plan_down(*known, everything=everything))


def _read_pods(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, int]:
    stated: dict[str, int] = {}
    for value in values:
        one = parse_scaled(value)
        if one is None or one.pods is None or one.workload in stated:
            raise click.BadParameter(f"{value!r}: expected deployment/NAME=PODS, each once")
        stated[one.workload] = one.pods
    return stated


@click.command(
    short_help="The end of a downtime: databases first, the rest after them.",
    epilog=examples(
        "up --site site.yaml --dry-run",
        "up --site site.yaml",
        "up --site site.yaml --app harness --pods deployment/harness-manager=2",
    ),
)
@site_option(_SITE, required=True)
@app_option
@click.option(
    "--pods",
    metavar="WORKLOAD=PODS",
    multiple=True,
    callback=_read_pods,
    help="How many pods a workload gets, such as deployment/ui=2. May be given more than once.",
)
@operation_options
def up(
    *,
    site: Path,
    app: str | None,
    pods: dict[str, int],
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Bring back what was taken down: MongoDB and Redis, the Manager once those are ready.

    Vendor's install guide, "Bring down Harness cluster for planned downtime". Everything gets as
    many pods as `down` noted.
    """
    manner = Manner(site=site, **common)
    _carry_out(manner, app, pods, plan_up)


def _carry_out(
    manner: Manner,
    app: str | None,
    pods: dict[str, int],
    plan: Callable[[Site, list[Place]], Plan],
) -> None:
    site = typed(load_site(manner.site, home()), app)
    applications = [site.application(app)] if app else site.applications
    start = str(manner.site.absolute().with_suffix(""))
    with turn_of(manner) as turn:
        places = [_with_note(one, pods) for one in places_of(applications, start)]
        if not manner.dry_run:
            site, places = look(site, places, asking(site))
        turn.take(site, plan(site, places))


def _with_note(place: Place, pods: dict[str, int]) -> Place:
    path = Path(place.file)
    noted = read_counts(read_text(path, place.file), place.file) if path.exists() else None
    return replace(place, noted=noted, stated=pods)
