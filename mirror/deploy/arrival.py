"""A release that was handed to KOTS is believed once it is deployed, and done once it is ready."""

from __future__ import annotations

from mirror import duration, kots
from mirror.config.takeover import sign_up_address
from mirror.deploy.draft import Draft
from mirror.deploy.model import Task
from mirror.operation.model import Await, Step
from mirror.operation.wanted import IsDeployed, IsNewest, IsReady
from mirror.site import Application
from transfer.kots.values import ConfigValues


def see_arrive(draft: Draft, application: Application, version: str | None) -> None:
    """Wait until a release is deployed, the newest without a label, and then until it is ready.

    Harness guide, "Step 5: Deploy Harness".
    """
    site, slug = draft.site, application.slug
    waits = (site.waits.wait, site.waits.preflights)
    what, name = (f"{slug} {version}", f"{slug}-{version}") if version else (slug, slug)
    draft.mark_installed(application)
    draft.add(
        Step(
            name=f"deployed-{name}",
            why=f"Ask the console until {what} is deployed; KOTS may end well without having "
            "deployed it.",
            action=Await(
                command=kots.get_versions(site, application),
                goal=IsDeployed(slug=slug, version=version) if version else IsNewest(slug=slug),
                seconds=sum(duration.seconds(text) or 0 for text in waits),
            ),
        )
    )
    draft.add(_ready(draft, application, name))


def see_ready(draft: Draft, application: Application) -> None:
    """Wait for what is deployed and not ready yet, as a run that ended early leaves it."""
    if application.slug in draft.deployed(application.namespace).unready:
        draft.add(_ready(draft, application, application.slug))


def _ready(draft: Draft, application: Application, name: str) -> Step:
    slug, site = application.slug, draft.site
    return Step(
        name=f"ready-{name}",
        why=f"Ask the console until everything of {slug} is ready.",
        action=Await(
            command=kots.get_apps(site, application.namespace),
            goal=IsReady(slug=slug, address=_address(draft, slug)),
            seconds=duration.seconds(site.waits.wait) or 0,
        ),
    )


def _address(draft: Draft, slug: str) -> str:
    """Where users sign up to what is installed; "" where nobody can tell."""
    known = draft.state.known
    config = known.configs.get(slug)
    if config is None or draft.order.task is not Task.INSTALL:
        return ""
    answers = known.answers.get(slug), draft.state.running, ConfigValues(file="")
    found = (sign_up_address(one, config) for one in answers if one)
    return next(filter(None, found), "")
