"""How an install or upgrade is carried out, once its options are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from mirror.cli.expiry import warn_of_licences
from mirror.cli.hands import Opened, asking
from mirror.cli.known import known_for, puller_for
from mirror.cli.operation import Manner, Turn, turn_of
from mirror.deploy import (
    Known,
    Order,
    State,
    Task,
    applications_of,
    assume,
    check_kept,
    looked_at,
    observe,
    offers,
    plan,
)
from mirror.deploy.connected import plan_connected
from mirror.deploy.request import as_spec
from mirror.deploy.request import request as request_of
from mirror.deploy.spelling import carried, observed, typed_order
from mirror.kots import Engine
from mirror.offer import Offered
from mirror.site import Application, Site
from mirror.site.file import check_files, load_site
from transfer.console import emit, home, say_for
from transfer.disk import replace_file
from transfer.sources import OpenSource, open_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One call of `install` or `upgrade`."""

    sources: tuple[Path, ...]
    order: Order
    stated: Mapping[str, str]
    manner: Manner
    request: Path | None = None
    """Where to write what is missing, instead of doing anything."""
    renew: bool = False


def _check(job: Job) -> None:
    """Refuse options that say nothing together.

    Raises:
        click.UsageError: naming them.
    """
    order = job.order
    if not order.connected and not job.sources:
        raise click.UsageError("Missing argument '[SOURCE]...': what crossed, or --connected.")
    if not order.connected and order.label:
        raise click.UsageError("--version goes with --connected")
    if order.connected and job.sources:
        raise click.UsageError(
            "--connected takes no SOURCE; with a vendor's .airgap file, push and install it as a "
            "site does that is not connected"
        )
    if order.connected and (job.request or order.engine is Engine.KOTS):
        raise click.UsageError("--connected goes with neither --engine kots nor --request")


def carry_out_job(job: Job) -> None:
    """Show the plan, write the request, or take every step.

    Raises:
        click.UsageError: options say nothing together.
        TransferError: it cannot be planned, or a step failed.
    """
    _check(job)
    site = load_site(job.manner.site, home())
    warn_of_licences(site.applications, say_for(quiet=job.manner.quiet))
    site, order = typed_order(site, job.order)
    job = replace(job, order=order)
    if job.request:
        _request(site, job, job.request)
        return
    with turn_of(job.manner) as turn:
        if order.connected:
            _carry_out_connected(site, job, turn)
            return
        with open_sources(job.sources) as opened:
            found = offers(job.sources, opened)
            job = _with_carried(site, job, found)
            order = job.order
            if not job.manner.dry_run:
                if order.engine is Engine.KOTS:
                    check_kept(opened)
                check_files(site, _new(site, order, found))
            site, state = _seen(site, job, found, opened)
            planned = plan(site, found, state.known.order, state)
            turn.take(site, planned, Opened(job.sources, opened))


def _with_carried(site: Site, job: Job, found: Sequence[Offered]) -> Job:
    """The job that knows archives by what the site calls their applications."""
    slugs = [one.release.app_slug for one in found]
    return replace(job, order=carried(site, job.order, slugs))


def _new(site: Site, order: Order, found: Sequence[Offered]) -> Sequence[Application]:
    """What is installed, whose files have to be there."""
    return applications_of(site, order, found) if order.task is Task.INSTALL else ()


def _request(site: Site, job: Job, path: Path) -> None:
    """Write what is missing; nothing else is changed, whoever else is at work."""
    with open_sources(job.sources) as opened:
        found = offers(job.sources, opened)
        job = _with_carried(site, job, found)
        site, state = _seen(site, job, found, opened)
        wanted = request_of(site, found, state.known.order, state)
    data = {"request": None if wanted.is_empty else str(path)}
    if wanted.is_empty:
        emit(job.manner.output, "Nothing is missing.", data)
        return
    replace_file(path, as_spec(wanted).encode(), f"request {path}")
    emit(job.manner.output, f"{path}: for the connected side, which builds a bundle", data)


def _seen(
    site: Site, job: Job, found: Sequence[Offered], opened: Sequence[OpenSource]
) -> tuple[Site, State]:
    """What runs; what is assumed, in a dry run."""
    if job.manner.dry_run:
        return site, assume(site, found, _known(site, job, found, opened))
    return _observe(site, job, found, opened)


def _known(site: Site, job: Job, found: Sequence[Offered], opened: Sequence[OpenSource]) -> Known:
    order = job.order
    stated = {order.spellings.get(name, name): said for name, said in job.stated.items()}
    known = known_for(order, stated, looked_at(site, order, found), opened)
    return replace(known, renew=job.renew)


def _observe(
    site: Site, job: Job, found: Sequence[Offered], opened: Sequence[OpenSource]
) -> tuple[Site, State]:
    """What runs, and the site as the cluster calls its applications."""

    def look(site: Site, order: Order) -> State:
        known = _known(site, replace(job, order=order), found, opened)
        if not order.connected:
            known = replace(known, puller=puller_for(site))
        return observe(site, looked_at(site, order, found), known, asking(site))

    site, _order, state = observed(site, job.order, look)
    return site, state


def _carry_out_connected(site: Site, job: Job, turn: Turn) -> None:
    if not job.manner.dry_run:
        check_files(site, _new(site, job.order, ()))
    site, state = _seen(site, job, (), ())
    order = state.known.order
    turn.take(site, plan_connected(site, order, state, applications_of(site, order, ())))
