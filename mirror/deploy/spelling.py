"""Slugs that are spelled otherwise: the printed guide has `harnesss-ng`, its archives may not.

What the cluster calls an application is what commands have to say. A slug counts as another
spelling of one where only letters are doubled, or not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from mirror.deploy.model import Order, State, Task
from mirror.site import Site

_DOUBLED = re.compile(r"(.)\1+")


def alike(slug: str, known: Collection[str]) -> str | None:
    """The one known slug that is another spelling of this one; None where there is not just one."""
    if slug in known:
        return None
    found = [one for one in known if _plain(one) == _plain(slug)]
    return found[0] if len(found) == 1 else None


def typed(site: Site, order: Order) -> dict[str, str]:
    """What a person who upgrades an application of the site file calls it, by its slug there."""
    if order.task is Task.INSTALL:
        return {}
    slugs = [one.slug for one in site.applications]
    listed = alike(order.only, slugs) if order.only else None
    return {listed: order.only} if listed and order.only else {}


def in_cluster(site: Site, state: State) -> dict[str, str]:
    """What the cluster calls applications of the site file otherwise, by their slugs there."""
    found = {}
    listed = {one.slug for one in site.applications}
    for application in site.applications:
        deployed = state.namespaces.get(application.namespace)
        other = alike(application.slug, deployed.known if deployed else ())
        if other and other not in listed:
            found[application.slug] = other
    return found


def respell(site: Site, order: Order, spellings: Mapping[str, str]) -> tuple[Site, Order]:
    """The site and the order with other slugs; archives are known by the ones before."""
    applications = tuple(
        replace(one, slug=spellings.get(one.slug, one.slug)) for one in site.applications
    )
    return replace(site, applications=applications), replace(
        order,
        only=spellings.get(order.only, order.only) if order.only else None,
        take_from=spellings.get(order.take_from, order.take_from) if order.take_from else None,
        spellings={
            **spellings,
            **{slug: spellings.get(name, name) for slug, name in order.spellings.items()},
        },
    )


def _plain(slug: str) -> str:
    return _DOUBLED.sub(r"\1", slug)
