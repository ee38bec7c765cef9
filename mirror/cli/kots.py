"""The commands that drive KOTS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from mirror.cli.deployment import Job, carry_out_job
from mirror.cli.operation import Manner, operation_options
from mirror.cli.options import examples, site_option
from mirror.deploy import (
    Order,
    Task,
)
from mirror.deploy.assume import ANY, CONSOLE
from mirror.kots import Engine
from mirror.kots.outcome import with_v

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def _kots_options(command: _Decorated) -> _Decorated:
    """What installs and upgrades have in common."""
    options = (
        click.argument("sources", metavar="[SOURCE]...", type=click.Path(path_type=Path), nargs=-1),
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
        click.option(
            "--connected",
            is_flag=True,
            help="The site reaches the vendor: KOTS fetches what it needs. Takes no SOURCE.",
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
        "install --connected --site site.yaml",
        "install harness-ng.airgap --site site.yaml --take-config-from harness",
    ),
)
@_kots_options
@click.option("--skip-console", is_flag=True, help="An admin console is there; leave it as it is.")
@click.option(
    "--take-config-from",
    metavar="SLUG",
    help="Configure what is added as this application is configured, which is installed already or "
    "comes first; what configValues answers comes before that.",
)
@click.option(
    "--decrypt-config",
    is_flag=True,
    help="Take passwords over in the clear: the file that is written then holds them.",
)
@click.option(
    "--migrate-legacy",
    is_flag=True,
    help="After the first application, wait until the data of an old installation without KOTS was "
    "moved to it.",
)
def install(
    *,
    sources: tuple[Path, ...],
    site: Path,
    app: str | None,
    engine: str,
    work_dir: Path | None,
    connected: bool,
    skip_console: bool,
    take_config_from: str | None,
    decrypt_config: bool,
    migrate_legacy: bool,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Install the applications of SOURCE, and the admin console with the first one.

    What is installed already is left alone, so the same command continues after a failure.
    """
    if take_config_from is None and decrypt_config:
        raise click.UsageError("--decrypt-config goes with --take-config-from")
    manner = Manner(site=site, **common)
    order = replace(
        _order(Task.INSTALL, manner, app, engine, work_dir),
        skip_console=skip_console,
        take_from=take_config_from,
        decrypt=decrypt_config,
        legacy=migrate_legacy,
        connected=connected,
    )
    carry_out_job(Job(sources=sources, order=order, stated={}, manner=manner))


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
        "upgrade --connected --site site.yaml --app harness --version 80307",
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
    "--new-password",
    is_flag=True,
    help="The registry's password has changed: for --dry-run; a run compares it with the cluster's "
    "pull secret.",
)
@click.option(
    "--version",
    "label",
    metavar="LABEL",
    help="With --connected: the release to go to; else the newest of the channel.",
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
    connected: bool,
    skip_console: bool,
    console_only: bool,
    stated: dict[str, str],
    request: Path | None,
    new_password: bool,
    label: str | None,
    **common: Any,  # noqa: ANN401 - as Manner takes them
) -> None:
    """Upgrade the admin console if SOURCE has a newer one, then the applications, oldest first.

    Every release of SOURCE that is newer than the installed one is taken, none skipped.
    """
    if skip_console and console_only:
        raise click.UsageError("--skip-console and --console-only exclude each other")
    manner = Manner(site=site, **common)
    order = _order(Task.UPGRADE, manner, app, engine, work_dir)
    order = replace(
        order,
        skip_console=skip_console,
        console_only=console_only,
        connected=connected,
        label=label,
    )
    job = Job(sources=sources, order=order, stated=stated, manner=manner, request=request)
    carry_out_job(replace(job, renew=new_password))


def _order(action: Task, manner: Manner, app: str | None, engine: str, work: Path | None) -> Order:
    return Order(
        task=action,
        engine=Engine(engine),
        only=app,
        work_dir=str(work.absolute()) if work else None,
        folder=str(manner.site.absolute().parent),
    )
