"""The state that a dry run starts from: nothing is asked, everything taken for granted is said."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from mirror.deploy.model import Deployed, Known, Order, State, Task
from mirror.deploy.releases import applications_of, console_for, looked_at
from mirror.kots.outcome import Console
from mirror.kube.pullsecret import OF_CONSOLE, of_application
from mirror.offer import Offered
from mirror.site import Site, puller_of
from transfer.kots.upgrade import Installed

CONSOLE = "kotsadm"
"""How `--from kotsadm=VERSION` names the admin console."""
ANY = ""
"""The key of a version that is stated for every application."""


def assume(site: Site, offers: Sequence[Offered], known: Known) -> State:
    """What a cluster is taken to run: what was stated, else what the action makes likely."""
    order, stated = known.order, known.stated
    applications = looked_at(site, order, offers)
    there = {one.slug for one in applications} - {
        one.slug for one in applications_of(site, order, offers)
    }
    console = _console(offers, known, there)
    namespaces: dict[str, dict[str, Installed]] = {}
    assumptions = []
    for application in applications:
        slug, namespace = application.slug, application.namespace
        if namespace not in namespaces:
            namespaces[namespace] = {}
            assumptions.append(_about_console(namespace, console, order))
            if site.cluster.openshift and console is None:
                assumptions.append(f"There is no namespace {namespace} yet.")
        version = stated.get(slug, stated.get(ANY, ""))
        upgrade = order.task is Task.UPGRADE
        if upgrade or slug in there:
            namespaces[namespace][slug] = Installed(label=version)
        if slug in there:
            assumptions.append(f"{slug} is installed.")
        elif not order.console_only:
            assumptions.append(_about_application(slug, version, order))
    deployed = {
        namespace: Deployed(
            console=console,
            exists=console is not None,
            outdated=frozenset(_outdated(applications) if known.renew else ()),
            applications=applications,
        )
        for namespace, applications in namespaces.items()
    }
    assumptions += _about_cluster(site, known, console)
    return State(
        namespaces=deployed,
        known=known,
        knows_puller=puller_of(site.registry) is not None and not order.connected,
        is_openshift=site.cluster.openshift,
        assumptions=tuple(assumptions),
    )


def _outdated(slugs: Iterable[str]) -> Iterator[str]:
    """What has the password of before where the registry's was changed: all that is there."""
    yield OF_CONSOLE
    yield from map(of_application, slugs)


def _about_cluster(site: Site, known: Known, console: Console | None) -> Iterator[str]:
    order = known.order
    if order.task is Task.INSTALL and not site.cluster.openshift:
        yield "The cluster is no OpenShift (cluster.openshift: true states that)."
    if order.take_from:
        yield f"The site file has no other scheme or ingress settings than {order.take_from}."
    if console and known.renew:
        yield "The pull secrets of the cluster have another password than the registry now."
    elif console and puller_of(site.registry) and not order.connected:
        yield "The pull secrets of the cluster have the user of the site file."


def _console(offers: Sequence[Offered], known: Known, there: Collection[str]) -> Console | None:
    order = known.order
    offered = console_for(offers, order)
    version = known.stated.get(CONSOLE, "")
    if order.task is Task.INSTALL:
        if not (order.skip_console or there):
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
    if order.connected:
        if order.skip_console or order.task is Task.INSTALL:
            return f"An admin console runs in namespace {namespace}."
        return f"{where} is older than the plugin."
    minio = "with Minio" if console.minio else "without Minio"
    if console.version:
        return f"{where} is {console.version}, {minio}, and pulls from the site's registry."
    if order.skip_console:
        return f"{where} is new enough, and pulls from the site's registry."
    return (
        f"{where} is older than that of the sources (--from {CONSOLE}=VERSION states it), "
        f"{minio}, and pulls from the site's registry."
    )


def _about_application(slug: str, version: str, order: Order) -> str:
    if order.task is Task.INSTALL:
        return f"{slug} is not installed yet."
    if order.connected:
        return f"{slug} is installed."
    if not version:
        return f"{slug} is at an older release than all of the sources (--from states it)."
    return f"{slug} is at {version}."
