"""`airgap-mirror status` and `deploy`: what runs at a site, and what waits there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mirror import kots
from mirror.cli.hands import asking
from mirror.cli.operation import (
    Manner,
    View,
    operation_options,
    show_plan,
    turn_of,
    view_options,
)
from mirror.cli.options import examples, site_option
from mirror.deploy.pending import plan_deploy
from mirror.deploy.spelling import as_called, typed
from mirror.deploy.status import as_lines, plan_status, read_status
from mirror.kots import outcome
from mirror.site.file import load_site
from transfer.console import emit, home

_SITE = "The site file: which cluster, which applications."


@click.command(
    short_help="What runs at a site, and what waits to be deployed.",
    epilog=examples(
        "status --site site.yaml",
        "status --site site.yaml --output json",
        "status --site site.yaml --dry-run --output script",
    ),
)
@site_option(_SITE, required=True)
@view_options
def status(
    *,
    site: Path,
    **common: Any,  # noqa: ANN401 - as View takes them
) -> None:
    """Show the admin consoles of a site, their applications, and versions that are not deployed.

    Vendor's install guide, "Future versions".
    """
    view = View(site=site, **common)
    read = load_site(site, home())
    plan = plan_status(read)
    if view.dry_run:
        show_plan(plan, view)
        return
    found = tuple(read_status(plan, asking(read)))
    data = {"site": read.name, "namespaces": [one.to_json() for one in found]}
    emit(view.output, "\n".join(as_lines(found)), data)


@click.command(
    short_help="Have a version deployed that waits in the admin console.",
    epilog=examples(
        "deploy --site site.yaml --app harness",
        "deploy --site site.yaml --app harness --version 80307",
    ),
)
@site_option(_SITE, required=True)
@click.option("--app", metavar="SLUG", required=True, help="Which application.")
@click.option("--version", "label", metavar="LABEL", help="Which version; else the newest.")
@operation_options
def deploy(
    *,
    site: Path,
    app: str,
    label: str | None,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Bring a version to its end that an install or upgrade left waiting in the admin console.

    A person deploys it on the pages of the console; then it is waited for.
    """
    manner = Manner(site=site, **common)
    read = typed(load_site(site, home()), app)
    application = read.application(app)
    with turn_of(manner) as turn:
        versions = None
        if not manner.dry_run:
            ask = asking(read)
            read = as_called(read, [application], ask)
            application = read.application(app)
            command = kots.get_versions(read, application)
            versions = outcome.read_versions(ask(command), command)
        turn.take(read, plan_deploy(read, application, versions, label))
