"""Which archives of the sources an order is about, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mirror.deploy.model import Action, Installed, Offered, Order
from mirror.site import Application, Site
from transfer.contents import ArchiveKind, ReleaseRecord
from transfer.errors import InvalidInput, PolicyError
from transfer.kots.version import is_older, numbers, sequence


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
        found.setdefault(slug, []).append(offer)
    if order.only is not None and order.only not in found and not order.console_only:
        known = ", ".join(found) or "none"
        raise InvalidInput(
            f"--app {order.only}: no archive of it among the sources; they have: {known}",
            hint="choose one of them, or give its archive as a source too",
        )
    return {
        slug: _oldest_first(releases)
        for slug, releases in found.items()
        if order.only in (None, slug)
    }


def applications_of(site: Site, order: Order, offers: Sequence[Offered]) -> tuple[Application, ...]:
    """The applications that an order is about; of the console alone, all that it may serve.

    Raises:
        InvalidInput: the site file does not list one, or as `by_application`.
    """
    slugs = () if order.console_only else tuple(by_application(offers, order))
    if order.only is not None:
        slugs = (order.only,)
    if not slugs and order.action is Action.UPGRADE:
        return site.applications
    return tuple(site.application(slug) for slug in slugs)


def _oldest_first(releases: list[Offered]) -> list[Offered]:
    """By the vendor's own sequence where all have one on the same channel, else as given."""
    channels = {offer.release.channel_id for offer in releases}
    cursors = [sequence(offer.release.update_cursor) for offer in releases]
    if len(channels) == 1 and None not in cursors:
        return sorted(releases, key=lambda offer: sequence(offer.release.update_cursor) or 0)
    return releases


def pending(releases: Sequence[Offered], installed: Installed) -> list[Offered]:
    """The releases that follow the installed one, all of them where that cannot be told."""
    labels = [offer.release.version_label for offer in releases]
    if installed.label in labels:
        return list(releases[labels.index(installed.label) + 1 :])
    return [offer for offer in releases if not _is_behind(offer.release, installed)]


def _is_behind(release: ReleaseRecord, installed: Installed) -> bool:
    same_channel = release.channel_id == installed.channel_id
    cursor = sequence(release.update_cursor)
    if installed.cursor is not None and same_channel and cursor is not None:
        return cursor <= installed.cursor
    return is_older(release.version_label, installed.label)


def check_version_gate(slug: str, release: ReleaseRecord, kots: str, *, install: bool) -> None:
    """Refuse what KOTS would refuse later (pkg/kotsutil, IsKotsVersionCompatibleWithApp).

    `kots` is the version of the admin console that will run; "" if it is not known.

    Raises:
        PolicyError: the release needs a newer admin console, or an install an older one.
    """
    needed, target = release.min_kots_version, release.target_kots_version
    if is_older(kots, needed):
        raise PolicyError(
            f"{slug} {release.version_label} needs KOTS {needed} or newer; "
            f"the admin console is {kots}",
            hint="carry that kotsadm.tar.gz and its kubectl-kots across, and give them as sources",
        )
    if install and is_older(target, kots):
        raise PolicyError(
            f"{slug} {release.version_label} can be installed with KOTS up to {target}; "
            f"the admin console is {kots}",
            hint=f"carry kotsadm.tar.gz and kubectl-kots of KOTS {target} across instead",
        )
