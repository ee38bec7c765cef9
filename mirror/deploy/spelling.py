"""What the cluster calls the applications of the site file: that is what commands have to say.

It is found out once, where a run looks at what is there, and the site is respelled; whoever plans
from it needs to know nothing of it. `mirror.spelling` tells what counts as a spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from mirror import kots
from mirror.deploy.model import Order, State, Task
from mirror.kots import outcome
from mirror.operation.hands import AskCluster
from mirror.site import Application, Site, by_namespace
from mirror.spelling import alike


def typed(site: Site, app: str | None) -> Site:
    """The site with an application called as a person has typed it."""
    listed = alike(app, [one.slug for one in site.applications]) if app else None
    return respelled(site, {listed: app}) if listed and app else site


def typed_order(site: Site, order: Order) -> tuple[Site, Order]:
    """The same for an upgrade, which may meet what was installed by that name."""
    if order.task is Task.INSTALL or order.only is None:
        return site, order
    listed = alike(order.only, [one.slug for one in site.applications])
    return respell(site, order, {listed: order.only} if listed else {})


def carried(site: Site, order: Order, slugs: Iterable[str]) -> Order:
    """The order that knows archives whose slugs the site file spells otherwise."""
    known = [one.slug for one in site.applications]
    others = {slug: name for slug in slugs if (name := alike(slug, known))}
    return replace(order, spellings={**others, **order.spellings})


def as_called(site: Site, applications: Iterable[Application], ask: AskCluster) -> Site:
    """The site with some applications called as the consoles of their namespaces call them.

    Raises:
        ToolError: the plugin cannot be run, or fails.
    """
    known = {}
    for namespace in by_namespace(applications):
        command = kots.get_apps(site, namespace)
        known[namespace] = tuple(outcome.read_apps(ask(command), command))
    return respelled(site, spellings_of(site, known))


def observed(
    site: Site, order: Order, look: Callable[[Site, Order], State]
) -> tuple[Site, Order, State]:
    """What runs, looked at once more where the cluster calls an application otherwise."""
    state = look(site, order)
    names = spellings_of(site, {name: place.known for name, place in state.namespaces.items()})
    if not names:
        return site, order, state
    return observed(*respell(site, order, names), look)


def spellings_of(site: Site, known: Mapping[str, Collection[str]]) -> dict[str, str]:
    """What the cluster calls applications of the site otherwise, by their slugs there.

    Args:
        site: The site.
        known: What there is, by namespace.
    """
    found = {}
    listed = {one.slug for one in site.applications}
    for application in site.applications:
        other = alike(application.slug, known.get(application.namespace, ()))
        if other and other not in listed:
            found[application.slug] = other
    return found


def respelled(site: Site, names: Mapping[str, str]) -> Site:
    """The site with other slugs."""
    return replace(site, applications=tuple(renamed(site.applications, names)))


def renamed(applications: Iterable[Application], names: Mapping[str, str]) -> Iterator[Application]:
    """Applications with other slugs."""
    return (replace(one, slug=names.get(one.slug, one.slug)) for one in applications)


def respell(site: Site, order: Order, names: Mapping[str, str]) -> tuple[Site, Order]:
    """The site and the order with other slugs; archives are known by the ones before."""
    return respelled(site, names), replace(
        order,
        only=names.get(order.only, order.only) if order.only else None,
        take_from=names.get(order.take_from, order.take_from) if order.take_from else None,
        spellings={
            **names,
            **{slug: names.get(name, name) for slug, name in order.spellings.items()},
        },
    )
