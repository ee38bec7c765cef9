"""Which archives of the sources an order is about, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mirror.deploy.model import Order, Task
from mirror.offer import Offered
from mirror.site import Application, Site
from transfer.contents import ArchiveKind
from transfer.errors import InvalidInput
from transfer.kots.upgrade import oldest_first
from transfer.kots.version import numbers


def newest_console(offers: Iterable[Offered]) -> Offered | None:
    """The admin console among the sources, the newest if there are several."""
    consoles = [offer for offer in offers if offer.is_console]
    return max(consoles, key=lambda offer: numbers(offer.release.version_label) or (), default=None)


def by_application(offers: Iterable[Offered], order: Order) -> dict[str, list[Offered]]:
    """The releases of every application asked for, each oldest first.

    Raises:
        InvalidInput: an archive does not say its application, or `--app` names none of them.
    """
    found: dict[str, list[Offered]] = {}
    for offer in offers:
        if offer.record.kind is not ArchiveKind.APPLICATION:
            continue
        slug = offer.release.app_slug
        if not slug:
            raise InvalidInput(
                f"{offer.record.file_name}: its airgap.yaml does not say which application it is",
                hint="ask the vendor for an archive with an appSlug",
            )
        found.setdefault(order.spellings.get(slug, slug), []).append(offer)
    if order.only is not None and order.only not in found and not order.console_only:
        known = ", ".join(found) or "none"
        raise InvalidInput(
            f"--app {order.only}: no archive of it among the sources; they have: {known}",
            hint="choose one of them, or give its archive as a source too",
        )
    return {
        slug: oldest_first(releases)
        for slug, releases in found.items()
        if order.only in (None, slug)
    }


def applications_of(site: Site, order: Order, offers: Sequence[Offered]) -> tuple[Application, ...]:
    """The applications that an order is about; of the console alone, all that it may serve.

    Raises:
        InvalidInput: the site file does not list one, or as `by_application`.
    """
    if order.connected:
        return (site.application(order.only),) if order.only else site.applications
    slugs = () if order.console_only else tuple(by_application(offers, order))
    if order.only is not None:
        slugs = (order.only,)
    if not slugs and order.task is Task.UPGRADE:
        return site.applications
    return tuple(site.application(slug) for slug in slugs)


def looked_at(site: Site, order: Order, offers: Sequence[Offered]) -> tuple[Application, ...]:
    """The same, and the application whose answers are taken over.

    Raises:
        InvalidInput: as `applications_of`.
    """
    found = applications_of(site, order, offers)
    if order.take_from is None or order.take_from in {one.slug for one in found}:
        return found
    return (site.application(order.take_from), *found)
