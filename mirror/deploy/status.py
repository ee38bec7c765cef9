"""What runs at a site, and what waits there to be deployed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mirror import kots
from mirror.command import Blank
from mirror.kots import outcome
from mirror.kots.outcome import Console, Version
from mirror.operation.hands import AskCluster
from mirror.operation.model import Plan, Step
from mirror.operation.reading import Tell
from mirror.site import Site, by_namespace

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


def plan_status(site: Site) -> Plan:
    """What is asked: each namespace with a console of its own, and what it tells of.

    An application that the site file does not list is asked for its versions, too.
    """
    return Plan(
        title=f"tell what runs at {site.name}",
        steps=tuple(
            Step(
                name=f"status-{namespace}",
                why=f"Ask what runs in namespace {namespace}, and what waits to be deployed there.",
                action=Tell(
                    namespace=namespace,
                    command=kots.get_console(site, namespace),
                    applications=kots.get_apps(site, namespace),
                    versions=kots.get_versions(site, replace(members[0], slug=Blank("SLUG"))),
                ),
            )
            for namespace, members in by_namespace(site.applications).items()
        ),
    )


def read_status(plan: Plan, ask: AskCluster) -> Iterator[Status]:
    """Every namespace of a plan of `plan_status`.

    Raises:
        ToolError: kubectl or the plugin cannot be run, or fails.
    """
    for step in plan.steps:
        if isinstance(step.action, Tell):
            yield _read(step.action, ask)


def _read(action: Tell, ask: AskCluster) -> Status:
    console = outcome.read_console(ask(action.command), action.command)
    if console is None:
        return Status(namespace=action.namespace, console=None)
    finished = ask(action.applications)
    labels = outcome.read_apps(finished, action.applications)
    states = outcome.read_app_states(finished, action.applications)
    running = tuple(
        Running(slug=slug, release=label, state=states[slug], waiting=_waiting(action, slug, ask))
        for slug, label in labels.items()
    )
    return Status(namespace=action.namespace, console=console, applications=running)


def _waiting(action: Tell, slug: str, ask: AskCluster) -> tuple[Version, ...]:
    command = action.versions.filled(slug)
    return waiting(outcome.read_versions(ask(command), command))


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
