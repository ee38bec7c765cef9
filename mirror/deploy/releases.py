"""Which archives of the sources an order is about, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mirror.deploy.model import Order, Task
from mirror.offer import Offered
from mirror.site import Application, Site
from transfer.contents import ArchiveKind
from transfer.errors import InvalidInput
from transfer.kots.upgrade import oldest_first
from transfer.kots.version import is_older, numbers


def console_for(offers: Sequence[Offered], order: Order) -> Offered | None:
    """The admin console among the sources; of several the newest, since it serves every upgrade.

    An install is refused by a console that is newer than the release names: there it is the newest
    that all of them allow, if there is one.
    """
    consoles = _consoles(offers)
    installs = bool(consoles) and order.task is Task.INSTALL
    releases = by_application(offers, order) if installs else {}
    for one in consoles:
        version = one.release.version_label
        installed = (found[-1].release for found in releases.values())
        if not any(is_older(release.target_kots_version, version) for release in installed):
            return one
    return consoles[0] if consoles else None


def other_consoles(offers: Sequence[Offered], chosen: Offered | None) -> list[str]:
    """The versions of the consoles among the sources that are not taken."""
    return [one.release.version_label for one in _consoles(offers) if chosen not in (None, one)]


def _consoles(offers: Iterable[Offered]) -> list[Offered]:
    """The newest first."""
    found = (offer for offer in offers if offer.is_console)
    return sorted(found, key=lambda one: numbers(one.release.version_label) or (), reverse=True)


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
