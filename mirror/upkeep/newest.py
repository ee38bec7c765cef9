"""The newest version of an application is the deployed one: before a change, and after it."""

from __future__ import annotations

from collections.abc import Iterator

from mirror import duration, kots
from mirror.kots import outcome
from mirror.operation.hands import AskCluster
from mirror.operation.model import Ask, Await, Step
from mirror.operation.wanted import IsNewest
from mirror.site import Application, Site
from transfer.errors import NotFound, PolicyError


def check_newest(site: Site, application: Application, ask: AskCluster) -> bool:
    """See that the newest version is the deployed one; whether it is deployed to its end.

    What is uploaded becomes the newest: a version that waits before it would be passed over.

    Raises:
        NotFound: the console does not know the application.
        PolicyError: a newer version waits.
        ToolError: the plugin cannot be run, or fails.
    """
    slug = application.slug
    command = kots.get_apps(site, application.namespace)
    known = outcome.read_apps(ask(command), command)
    if slug not in known:
        raise NotFound(
            f"{slug}: the admin console in namespace {application.namespace} does not know it; it "
            f"has {', '.join(known) or 'no application'}"
        )
    command = kots.get_versions(site, application)
    versions = outcome.read_versions(ask(command), command)
    if not versions or versions[0].status not in ("deployed", "deploying"):
        newest = f"{versions[0].label} is {versions[0].status}" if versions else "there is none"
        raise PolicyError(
            f"{slug}: the newest version is not the deployed one: {newest}",
            hint="deploy it in the admin console first, then run the same command again",
        )
    return versions[0].status == "deployed"


def reads(site: Site, application: Application) -> Iterator[Step]:
    """The questions of `check_newest`."""
    slug = application.slug
    yield Step(
        name="read-applications",
        why=f"Ask the console whether it has {slug}.",
        action=Ask(command=kots.get_apps(site, application.namespace)),
    )
    yield Step(
        name=f"read-{slug}",
        why=f"Ask whether the newest version of {slug} is the deployed one.",
        action=Ask(command=kots.get_versions(site, application), expected=(IsNewest(slug=slug),)),
    )


def deployed(site: Site, application: Application) -> Step:
    """Wait until it is so again."""
    waits = (site.waits.wait, site.waits.preflights)
    return Step(
        name="deployed",
        why="Ask the console until the new version is deployed; KOTS may end well without it.",
        action=Await(
            command=kots.get_versions(site, application),
            goal=IsNewest(slug=application.slug),
            seconds=sum(duration.seconds(text) or 0 for text in waits),
        ),
    )
