"""`plan`: from what is offered and what runs to the commands in between."""

from __future__ import annotations

from collections.abc import Sequence

from mirror.deploy.backup import backup
from mirror.deploy.consoles import plan_console_upgrades
from mirror.deploy.draft import Draft
from mirror.deploy.installs import plan_installs
from mirror.deploy.model import Order, State, Task
from mirror.deploy.releases import (
    applications_of,
    by_application,
    console_for,
    looked_at,
    other_consoles,
)
from mirror.deploy.upgrades import plan_upgrades
from mirror.offer import Offered
from mirror.operation.model import Plan
from mirror.site import Application, Site


def plan(site: Site, offers: Sequence[Offered], order: Order, state: State) -> Plan:
    """Every step of an order, decided before the first is taken.

    Harness guide, "Option 1: Disconnected installation (air gap)", "Install NextGen on existing
    FirstGen cluster", "Updating Harness FirstGen" and "Updating Harness NextGen".

    Raises:
        InvalidInput: the sources, the site file and the order do not fit together.
        PolicyError: KOTS would refuse it later, or it would break what runs.
        Conflict: two images have one destination.
    """
    console = console_for(offers, order)
    draft = Draft(site, order, state, console)
    if others := other_consoles(offers, console):
        draft.note(
            f"Of the admin consoles of the sources, {', '.join(others)} is left out: the plugin is "
            "of one version, and deploys the console of that version alone."
        )
    applications = applications_of(site, order, offers)
    releases = {
        site.application(slug): found for slug, found in by_application(offers, order).items()
    }
    if order.task is Task.INSTALL:
        plan_installs(draft, releases)
    else:
        draft.begin_with(backup(draft, applications, {} if order.console_only else releases))
        plan_console_upgrades(draft, applications)
        if not order.console_only:
            plan_upgrades(draft, releases)
    return draft.finish(_title(draft, applications), looked_at(site, order, offers))


def _title(draft: Draft, applications: Sequence[Application]) -> str:
    slugs = " and ".join(application.slug for application in applications)
    what = "the admin console" if draft.order.console_only else slugs or "nothing"
    return f"{draft.order.task.value} {what} at {draft.site.name}"
