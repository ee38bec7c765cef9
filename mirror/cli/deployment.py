"""How an install or upgrade is carried out, once its options are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from mirror.cli.expiry import warn_of_licences
from mirror.cli.hands import Opened, asking
from mirror.cli.known import known_for, puller_for
from mirror.cli.operation import Manner, carry_out, show_plan
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
from mirror.deploy.spelling import in_cluster, respell, typed
from mirror.kots import Engine
from mirror.offer import Offered
from mirror.site import Site
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
    site, order = respell(site, job.order, typed(site, job.order))
    job = replace(job, order=order)
    if order.connected:
        _carry_out_connected(site, job)
        return
    with open_sources(job.sources) as opened:
        found = offers(job.sources, opened)
        if job.manner.dry_run:
            state = assume(site, found, _known(site, job, found, opened))
            if not _asks(job, site, found, state):
                show_plan(plan(site, found, order, state), job.manner)
            return
        if order.engine is Engine.KOTS:
            check_kept(opened)
        new = applications_of(site, order, found) if order.task is Task.INSTALL else ()
        check_files(site, new)
        site, state = _observe(site, job, found, opened)
        order = state.known.order
        if _asks(replace(job, order=order), site, found, state):
            return
        planned = plan(site, found, order, state)
        carry_out(site, planned, job.manner, Opened(job.sources, opened))


def _known(site: Site, job: Job, found: Sequence[Offered], opened: Sequence[OpenSource]) -> Known:
    known = known_for(job.order, job.stated, looked_at(site, job.order, found), opened)
    return replace(known, renew=job.renew)


def _observe(
    site: Site, job: Job, found: Sequence[Offered], opened: Sequence[OpenSource]
) -> tuple[Site, State]:
    """What runs; asked again where the cluster calls an application otherwise."""
    known = replace(_known(site, job, found, opened), puller=puller_for(site))
    state = observe(site, looked_at(site, job.order, found), known, asking(site))
    spellings = in_cluster(site, state)
    if not spellings:
        return site, state
    site, order = respell(site, job.order, spellings)
    return _observe(site, replace(job, order=order), found, opened)


def _carry_out_connected(site: Site, job: Job) -> None:
    order = job.order
    concerned = applications_of(site, order, ())
    seen = looked_at(site, order, ())
    known = known_for(order, job.stated, seen, ())
    if job.manner.dry_run:
        show_plan(plan_connected(site, order, assume(site, (), known), concerned), job.manner)
        return
    check_files(site, concerned if order.task is Task.INSTALL else ())
    state = observe(site, seen, known, asking(site))
    carry_out(site, plan_connected(site, order, state, concerned), job.manner, Opened())


def _asks(job: Job, site: Site, found: Sequence[Offered], state: State) -> bool:
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
