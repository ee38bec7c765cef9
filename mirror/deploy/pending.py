"""A version that the console has, and has not deployed: brought to its end with a person's help.

KOTS has no command that deploys a version of an air gapped application which is there already: its
pages do that.
"""

from __future__ import annotations

from collections.abc import Sequence

from mirror import duration, kots
from mirror.deploy.opened import opened
from mirror.deploy.status import waiting
from mirror.kots.outcome import Version
from mirror.operation.model import Ask, Await, Person, Plan, Step
from mirror.operation.wanted import IsDeployed, IsNewest, IsReady
from mirror.site import Application, Site
from transfer.errors import NotFound, PolicyError

_FIRST = {
    "pending_config": "Config: complete what is marked there, save the configuration.",
    "pending_preflight": "Preflight checks: wait for them, and look at each that warns or fails.",
    "failed": "Deploy logs: see why it failed, and remove the cause.",
}


def plan_deploy(
    site: Site, application: Application, versions: Sequence[Version] | None, label: str | None
) -> Plan:
    """Have a version deployed, the newest that waits unless `label` names one.

    Harness guide, "Step 4: Perform preflight checks" and "Step 5: Deploy Harness".

    Args:
        site: Where.
        application: Which.
        versions: What the console has, newest first; None where nobody asked.
        label: The version.

    Raises:
        NotFound: there is no such version.
        PolicyError: it is older than the deployed one.
    """
    slug = application.slug
    version = _chosen(slug, versions, label)
    reads = _reads(site, application)
    title = f"deploy {slug} at {site.name}"
    if version is None or version.status == "deployed":
        what = f"{slug} {version.label} is deployed already." if version else _nothing(slug)
        return Plan(title=title, steps=reads, notes=(what,))
    assumed = f"{slug} {version.label} waits in the admin console to be deployed."
    pressed = () if version.status == "deploying" else (press(site, application, version),)
    # A changed configuration or licence makes another version of the same label, the newest one.
    alike = [one for one in versions or () if one.label == version.label]
    newest = versions is not None and len(alike) > 1 and versions[0] == version
    steps = (*reads, *pressed, *_arrive(site, application, version, newest=newest))
    return Plan(title=title, steps=steps, assumptions=() if versions is not None else (assumed,))


def _reads(site: Site, application: Application) -> tuple[Step, Step]:
    slug = application.slug
    return (
        Step(
            name="read-applications",
            why=f"Ask the console how it spells {slug}.",
            action=Ask(command=kots.get_apps(site, application.namespace)),
        ),
        Step(
            name=f"read-{slug}",
            why=f"Ask which versions of {slug} the console has.",
            action=Ask(command=kots.get_versions(site, application)),
        ),
    )


def _chosen(slug: str, versions: Sequence[Version] | None, label: str | None) -> Version | None:
    if versions is None:
        return Version(label=label or "RELEASE", status="pending", cursor=0, channel_id="")
    if label is None:
        return next(iter(waiting(versions)), None)
    found = next((one for one in versions if one.label == label), None)
    if found is None:
        known = ", ".join(one.label for one in versions) or "none"
        raise NotFound(
            f"{slug} {label}: the console has no such version; it has: {known}",
            hint="airgap-mirror upgrade brings a release to it",
        )
    if found.status != "deployed" and found not in waiting(versions):
        raise PolicyError(
            f"{slug} {label} is {found.status}: it is older than what is deployed",
            hint="nothing goes back to an older release; the admin console has Rollback where the "
            "vendor allows it",
        )
    return found


def _nothing(slug: str) -> str:
    return f"{slug} has no version that waits to be deployed."


def press(site: Site, application: Application, version: Version) -> Step:
    """Have a person deploy a version that the console has."""
    slug, label = application.slug, version.label
    first = _FIRST.get(version.status, "")
    return Step(
        name=f"deploy-{slug}-{label}",
        why=f"Have {slug} {label} deployed: it is {version.status}.",
        action=Person(
            instructions=f"{opened(site, application.namespace)}\n\nChoose {slug}.\n\n"
            + (f"{first}\n\n" if first else "")
            + f"Version history: Deploy beside {label}, once there is a backup of what runs. To "
            "leave it as it is, do not confirm this step."
        ),
        undo="in the admin console, Version history, Rollback where the vendor allows it",
    )


def _arrive(
    site: Site, application: Application, version: Version, *, newest: bool
) -> tuple[Step, Step]:
    slug = application.slug
    seconds = duration.seconds(site.waits.wait) or 0
    deployed = Await(
        command=kots.get_versions(site, application),
        goal=IsNewest(slug=slug) if newest else IsDeployed(slug=slug, version=version.label),
        seconds=seconds,
    )
    ready = Await(
        command=kots.get_apps(site, application.namespace),
        goal=IsReady(slug=slug),
        seconds=seconds,
    )
    why = f"Ask the console until {slug} {version.label} is deployed."
    return (
        Step(name=f"deployed-{slug}-{version.label}", why=why, action=deployed),
        Step(
            name=f"ready-{slug}-{version.label}",
            why=f"Ask the console until everything of {slug} is ready.",
            action=ready,
        ),
    )
