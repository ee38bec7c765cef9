"""The commands that drive KOTS."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from mirror.cli.hands import Opened, asking
from mirror.cli.operation import Manner, carry_out, operation_options, show_plan
from mirror.cli.options import examples, site_option, sources_argument
from mirror.credentials import Keyring
from mirror.deploy import (
    Known,
    Order,
    State,
    Task,
    applications_of,
    assume,
    check_kept,
    observe,
    offers,
    plan,
)
from mirror.deploy.assume import ANY, CONSOLE
from mirror.deploy.request import as_spec
from mirror.deploy.request import request as request_of
from mirror.kots import Engine
from mirror.offer import Offered
from mirror.outcome import with_v
from mirror.pullsecret import Puller
from mirror.site import Site, puller_of
from mirror.sitefile import check_files, load_licences, load_site
from transfer.console import emit, home
from transfer.disk import replace_file
from transfer.errors import TransferError
from transfer.sources import open_sources

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One call of `install` or `upgrade`."""

    sources: tuple[Path, ...]
    order: Order
    stated: Mapping[str, str]
    manner: Manner
    request: Path | None = None
    """Where to write what is missing, instead of doing anything."""


def _kots_options(command: _Decorated) -> _Decorated:
    """What installs and upgrades have in common."""
    options = (
        sources_argument,
        site_option("The site file: registry, cluster, licences.", required=True),
        click.option("--app", metavar="SLUG", help="One application; otherwise all, in order."),
        click.option(
            "--engine",
            type=click.Choice([engine.value for engine in Engine]),
            default=Engine.MIRROR.value,
            show_default=True,
            help="Who puts the images into the registry: airgap-mirror push before, or KOTS now.",
        ),
        click.option(
            "--work-dir",
            type=click.Path(path_type=Path, file_okay=False),
            help="For --engine kots: where full archives are put together and unpacked.",
        ),
        operation_options,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    short_help="Install applications, the admin console with the first.",
    epilog=examples(
        "install /media/usb/harness --site site.yaml --dry-run",
        "install /media/usb/harness --site site.yaml",
        "install kotsadm.tar.gz harness.airgap --site site.yaml",
    ),
)
@_kots_options
@click.option("--skip-console", is_flag=True, help="An admin console is there; leave it as it is.")
def install(
    *,
    sources: tuple[Path, ...],
    site: Path,
    app: str | None,
    engine: str,
    work_dir: Path | None,
    skip_console: bool,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Install the applications of SOURCE, and the admin console with the first one.

    What is installed already is left alone, so the same command continues after a failure.
    """
    order = _order(Task.INSTALL, app, engine, work_dir)
    order = replace(order, skip_console=skip_console)
    manner = Manner(site=site, **common)
    _carry_out(_Job(sources=sources, order=order, stated={}, manner=manner))


def _read_stated(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    stated: dict[str, str] = {}
    for value in values:
        name, equals, version = value.rpartition("=")
        if not version or (equals and not name) or name in stated:
            raise click.BadParameter(f"{value!r}: expected VERSION or SLUG=VERSION, each once")
        stated[name or ANY] = with_v(version) if name == CONSOLE else version
    return stated


@click.command(
    short_help="Upgrade the admin console, then the applications.",
    epilog=examples(
        "upgrade /media/usb/harness --site site.yaml --from 79915 --dry-run",
        "upgrade /media/usb/harness --site site.yaml",
        "upgrade /media/usb/harness --site site.yaml --request request.yaml",
        "upgrade kotsadm.tar.gz --site site.yaml --console-only",
    ),
)
@_kots_options
@click.option("--skip-console", is_flag=True, help="Leave the admin console as it is.")
@click.option("--console-only", is_flag=True, help="Upgrade the admin console alone.")
@click.option(
    "--from",
    "stated",
    metavar="[SLUG=]VERSION",
    multiple=True,
    callback=_read_stated,
    help="What is installed; kotsadm=VERSION for the console. For --dry-run; a run reads it "
    "from the cluster, and refuses to go on if it differs.",
)
@click.option(
    "--request",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Change nothing: write what SOURCE lacks for the way to its newest releases, as a "
    "bundle spec for the connected side.",
)
def upgrade(
    *,
    sources: tuple[Path, ...],
    site: Path,
    app: str | None,
    engine: str,
    work_dir: Path | None,
    skip_console: bool,
    console_only: bool,
    stated: dict[str, str],
    request: Path | None,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Upgrade the admin console if SOURCE has a newer one, then the applications, oldest first.

    Every release of SOURCE that is newer than the installed one is taken, none skipped.
    """
    if skip_console and console_only:
        raise click.UsageError("--skip-console and --console-only exclude each other")
    order = _order(Task.UPGRADE, app, engine, work_dir)
    order = replace(order, skip_console=skip_console, console_only=console_only)
    manner = Manner(site=site, **common)
    job = _Job(sources=sources, order=order, stated=stated, manner=manner, request=request)
    _carry_out(job)


def _order(action: Task, app: str | None, engine: str, work_dir: Path | None) -> Order:
    folder = str(work_dir.absolute()) if work_dir else None
    return Order(task=action, engine=Engine(engine), only=app, work_dir=folder)


def _carry_out(job: _Job) -> None:
    site = load_site(job.manner.site, home())
    with open_sources(job.sources) as opened:
        found = offers(job.sources, opened)
        concerned = applications_of(site, job.order, found)
        installs = job.order.task is Task.INSTALL
        licences = load_licences(concerned) if installs else {}
        if job.manner.dry_run:
            state = assume(site, found, job.order, job.stated, licences)
            if not _asks(job, site, found, state):
                show_plan(plan(site, found, job.order, state), job.manner)
            return
        if job.order.engine is Engine.KOTS:
            check_kept(opened)
        check_files(site, concerned if installs else ())
        known = Known(order=job.order, stated=job.stated, licences=licences, puller=_puller(site))
        state = observe(site, concerned, known, asking(site))
        if _asks(job, site, found, state):
            return
        planned = plan(site, found, job.order, state)
        carry_out(site, planned, job.manner, Opened(job.sources, opened))


def _asks(job: _Job, site: Site, found: Sequence[Offered], state: State) -> bool:
    """Whether nothing was asked for but the request, which is then written."""
    if job.request is None:
        return False
    wanted = request_of(site, found, job.order, state)
    data = {"request": None if wanted.is_empty else str(job.request)}
    if wanted.is_empty:
        emit(job.manner.output, "Nothing is missing.", data)
        return True
    replace_file(job.request, as_spec(wanted).encode(), f"request {job.request}")
    emit(job.manner.output, f"{job.request}: for the connected side, which builds a bundle", data)
    return True


def _puller(site: Site) -> Puller | None:
    """Who the cluster is to be in the registry, if that can be read already.

    What cannot be read is told of where it is needed: not everything that is asked for needs it.
    """
    login, keyring = puller_of(site.registry), Keyring(dict(os.environ))
    if login is None:
        return None
    try:
        return Puller(
            host=site.registry.endpoint.registry,
            username=keyring.username(login),
            password=keyring.read(login.password),
        )
    except TransferError:
        return None
