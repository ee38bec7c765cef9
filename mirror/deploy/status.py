"""What runs at a site, and what waits there to be deployed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mirror import kots
from mirror.kots import outcome
from mirror.kots.outcome import Console, Version
from mirror.operation.hands import AskCluster
from mirror.site import Application, Site, by_namespace

_DONE = ("deployed", "superseded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One application of a console."""

    slug: str
    release: str
    """The label of what is deployed; "" where nothing is."""
    state: str
    """What the console says of its pods: `ready`, `updating` and so on."""
    waiting: tuple[Version, ...] = ()
    """Newer versions that the console has, the newest first."""

    def to_json(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "slug": self.slug,
            "release": self.release,
            "state": self.state,
            "waiting": [{"release": one.label, "status": one.status} for one in self.waiting],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One namespace with its console."""

    namespace: str
    console: Console | None
    applications: tuple[Running, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "namespace": self.namespace,
            "console": self.console.version if self.console else None,
            "registry": self.console.registry if self.console else None,
            "applications": [one.to_json() for one in self.applications],
        }


def read_status(site: Site, ask: AskCluster) -> Iterator[Status]:
    """Every namespace of the site file; applications that are not in it are told of, too.

    Raises:
        ToolError: kubectl or the plugin cannot be run, or fails.
    """
    for namespace, members in by_namespace(site.applications).items():
        command = kots.get_console(site, namespace)
        console = outcome.read_console(ask(command), command)
        if console is None:
            yield Status(namespace=namespace, console=None)
            continue
        command = kots.get_apps(site, namespace)
        finished = ask(command)
        labels = outcome.read_apps(finished, command)
        states = outcome.read_app_states(finished, command)
        yield Status(
            namespace=namespace,
            console=console,
            applications=tuple(_running(site, members, labels, states, ask)),
        )


def waiting(versions: Sequence[Version]) -> tuple[Version, ...]:
    """The versions that are newer than the deployed one, the newest first."""
    found = []
    for version in versions:
        if version.status in _DONE:
            break
        found.append(version)
    return tuple(found)


def as_lines(statuses: Sequence[Status]) -> Iterator[str]:
    """What a person reads."""
    for status in statuses:
        if status.console is None:
            yield f"namespace {status.namespace}: no admin console"
            continue
        where = f", pulls from {status.console.registry}" if status.console.registry else ""
        yield f"namespace {status.namespace}: admin console {status.console.version}{where}"
        for one in status.applications:
            yield f"  {one.slug}: {one.release or 'nothing deployed'}, {one.state}"
            for version in one.waiting:
                yield f"    {version.label} waits: {version.status}"


def _running(
    site: Site,
    members: Sequence[Application],
    labels: Mapping[str, str],
    states: Mapping[str, str],
    ask: AskCluster,
) -> Iterator[Running]:
    for slug, label in labels.items():
        command = kots.get_versions(site, replace(members[0], slug=slug))
        versions = outcome.read_versions(ask(command), command)
        yield Running(slug=slug, release=label, state=states[slug], waiting=waiting(versions))
