"""`airgap-mirror remove-ingress-patch`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mirror.cli.hands import asking_once
from mirror.cli.operation import Manner, operation_options, turn_of
from mirror.cli.options import examples, one_app_option, site_option
from mirror.deploy.spelling import as_called, typed
from mirror.site.file import load_site
from mirror.upkeep.folder import get_manifests
from mirror.upkeep.ingress import Manifests, Patch, plan_removal
from mirror.upkeep.newest import check_newest
from transfer.console import home

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


def _read_path(_context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not _PLAIN.fullmatch(value) or (parameter.name == "patch" and "/" in value):
        raise click.BadParameter(f"{value!r}: expected a name, without .. and without blanks")
    return value


@click.command(
    "remove-ingress-patch",
    short_help="Take the ingress customisation of old installations out.",
    epilog=examples(
        "remove-ingress-patch --site site.yaml --app harness --dry-run",
        "remove-ingress-patch --site site.yaml --app harness",
    ),
)
@site_option("The site file: which cluster, which applications.", required=True)
@one_app_option
@click.option(
    "--patch",
    metavar="FILE",
    default=Patch().name,
    show_default=True,
    callback=_read_path,
    help="The patch.",
)
@click.option(
    "--listed-in",
    metavar="FILE",
    default=Patch().listed_in,
    show_default=True,
    callback=_read_path,
    help="The file that lists it.",
)
@click.option(
    "--work-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where KOTS puts the manifests; by default a folder beside the site file. It has to be "
    "new or empty, and is deleted in the end.",
)
@operation_options
def remove_ingress_patch(
    *,
    site: Path,
    app: str,
    patch: str,
    listed_in: str,
    work_dir: Path | None,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Remove the patch that old installations have for their ingress controller, and deploy.

    Vendor's install guide, "Note: Remove previous kustomization for ingress controller". KOTS
    gives the manifests of the deployed version out; the patch is taken from its list, and nothing
    else changed; KOTS takes them back as a new version and deploys it. If there is no such patch,
    nothing is done.
    """
    manner = Manner(site=site, **common)
    wanted = Patch(name=patch, listed_in=listed_in)
    loaded = typed(load_site(site, home()), app)
    application = loaded.application(app)
    folder = (work_dir or site.with_name(f"{site.stem}.{app}-manifests")).absolute()
    with turn_of(manner) as turn:
        found = Manifests(folder=str(folder))
        if not manner.dry_run:
            ask = asking_once(loaded)
            loaded = as_called(loaded, [application], ask)
            application = loaded.application(app)
            settled = check_newest(loaded, application, ask)
            found = replace(
                get_manifests(loaded, application, wanted, folder, ask), settled=settled
            )
        turn.take(loaded, plan_removal(loaded, application, wanted, found))
