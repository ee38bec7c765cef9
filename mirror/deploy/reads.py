"""The questions that come before every plan, for the plugin and for the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirror import kots
from mirror.deploy.model import State
from mirror.operation.model import Ask, Step
from mirror.site import Application, Site, by_namespace


def reads(
    site: Site, state: State, applications: Iterable[Application], expected: str | None
) -> Iterator[Step]:
    """What a run asks before it decides; `expected` is the plugin's version, where it matters."""
    wanted = f"; it must be {expected}" if expected else ""
    yield Step(
        name="read-plugin",
        why="Ask the plugin for its version, which is the version of the admin console that it "
        f"deploys{wanted}.",
        action=Ask(command=kots.plugin_version(site)),
    )
    for namespace, members in by_namespace(applications).items():
        yield Step(
            name="read-console",
            why="Ask the cluster which admin console runs, and which registry it pulls from.",
            action=Ask(command=kots.get_console(site, namespace)),
        )
        deployed = state.namespaces.get(namespace)
        if deployed is None or deployed.console is None:
            continue
        yield Step(
            name="read-applications",
            why="Ask the console which applications it has.",
            action=Ask(command=kots.get_apps(site, namespace)),
        )
        for application in members:
            if application.slug in deployed.applications:
                yield Step(
                    name=f"read-{application.slug}",
                    why=f"Ask which release of {application.slug} is deployed.",
                    action=Ask(command=kots.get_versions(site, application)),
                )
