"""The state that a dry run starts from: nothing is asked, everything taken for granted is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mirror.deploy.model import Action, Deployed, Installed, Offered, Order, State
from mirror.deploy.releases import newest_console
from mirror.licence import Licence
from mirror.outcome import Console
from mirror.site import Application, Site

CONSOLE = "kotsadm"
"""How `--from kotsadm=VERSION` names the admin console."""
ANY = ""
"""The key of a version that is stated for every application."""


def assume(
    site: Site,
    offers: Sequence[Offered],
    order: Order,
    stated: Mapping[str, str],
    licences: Mapping[str, Licence | None],
) -> State:
    """What a cluster is taken to run: what was stated, else what the action makes likely.

    `stated` maps a slug, `CONSOLE` or `ANY` to an installed version.
    """
    upgrade = order.action is Action.UPGRADE
    namespaces: dict[str, list[Application]] = {}
    for application in site.applications:
        namespaces.setdefault(application.namespace, []).append(application)
    console = _console(offers, order, stated)
    concerned = {
        application.slug
        for application in site.applications
        if order.only in (None, application.slug)
        and any(offer.release.app_slug == application.slug for offer in offers)
    }
    assumptions = []
    for namespace, members in namespaces.items():
        if any(member.slug in concerned or order.console_only for member in members):
            assumptions.append(_about_console(namespace, console, order))
    found = {}
    for namespace, members in namespaces.items():
        applications = {}
        for slug in (member.slug for member in members if member.slug in concerned):
            version = stated.get(slug, stated.get(ANY, ""))
            if upgrade:
                applications[slug] = Installed(label=version)
            if not order.console_only:
                assumptions.append(_about_application(slug, version, upgrade=upgrade))
        found[namespace] = Deployed(console=console, applications=applications)
    return State(namespaces=found, licences=licences, assumptions=tuple(assumptions))


def _console(offers: Sequence[Offered], order: Order, stated: Mapping[str, str]) -> Console | None:
    offered = newest_console(offers)
    version = stated.get(CONSOLE, "")
    if order.action is Action.INSTALL:
        if not order.skip_console:
            return None
        version = version or (offered.release.version_label if offered else "")
    minio = offered is None or any("minio" in image.name for image in offered.record.images)
    return Console(version=version, minio=minio, registry=None)


def _about_console(namespace: str, console: Console | None, order: Order) -> str:
    if console is None:
        return (
            f"No admin console runs in namespace {namespace} yet (--skip-console assumes that "
            "one does)."
        )
    where = f"The admin console in namespace {namespace}"
    minio = "with Minio" if console.minio else "without Minio"
    if console.version:
        return f"{where} is {console.version}, {minio}, and pulls from the site's registry."
    if order.skip_console:
        return f"{where} is new enough, and pulls from the site's registry."
    return (
        f"{where} is older than that of the sources (--from {CONSOLE}=VERSION states it), "
        f"{minio}, and pulls from the site's registry."
    )


def _about_application(slug: str, version: str, *, upgrade: bool) -> str:
    if not upgrade:
        return f"{slug} is not installed yet."
    if not version:
        return f"{slug} is at an older release than all of the sources (--from states it)."
    return f"{slug} is at {version}."
