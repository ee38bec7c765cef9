"""Upgrades of applications: every release on the way, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mirror import kots
from mirror.deploy import undoing
from mirror.deploy.arrival import see_arrive, see_ready
from mirror.deploy.draft import Draft
from mirror.deploy.path import allowed_steps, object_to, with_request
from mirror.deploy.pending import press
from mirror.offer import Offered
from mirror.operation.model import Judge, Run, Step
from mirror.site import Application
from transfer.errors import PolicyError
from transfer.kots.finding import refuse
from transfer.kots.upgrade import Installed, pending
from transfer.kots.version import is_older


def plan_upgrades(draft: Draft, releases: Mapping[Application, Sequence[Offered]]) -> None:
    """Take every application over each release that follows the one it runs.

    Raises:
        PolicyError: an application is not there, or there is no way for it.
    """
    for application, offers in releases.items():
        slug = application.slug
        installed = _check_path(draft, application, offers)
        hops = pending(offers, installed)
        if not hops:
            draft.note(f"{slug} is at {installed.label}; the sources have nothing newer.")
            see_ready(draft, application)
        before = installed.label
        for hop in hops:
            if draft.has_to_wait(hop):
                draft.note(_next_visit(slug, hop.release.version_label))
                break
            _plan_hop(draft, application, hop, before)
            before = hop.release.version_label


def _check_path(draft: Draft, application: Application, offers: Sequence[Offered]) -> Installed:
    slug, namespace = application.slug, application.namespace
    installed = draft.deployed(namespace).applications.get(slug)
    if installed is None:
        raise PolicyError(
            f"{slug} is not installed in namespace {namespace}",
            hint=f"use airgap-mirror install --app {slug}, or --app to upgrade another one",
        )
    for finding in allowed_steps(slug, installed, offers):
        draft.note(f"{finding.message}.")
    findings = list(object_to(slug, installed, offers, draft.console_version(namespace)))
    for finding in findings:
        if finding.is_warning:
            draft.note(f"{finding.message}.")
    summary = f"{slug} cannot be upgraded with what is among the sources"
    refuse(summary, map(with_request, findings))
    return installed


def _next_visit(slug: str, label: str) -> str:
    return (
        f"{slug} {label} has to wait: its images take names that the release before it is deployed "
        f"with. Push it afterwards (airgap-mirror push … --release {slug}={label} --overwrite), "
        "and run the same command again: it continues."
    )


def _note_target(draft: Draft, application: Application, offer: Offered) -> None:
    """A console that is newer than a release names is refused for installs, and for no upgrade.

    docs/decisions/0014-the-newest-console-goes-first.md
    """
    slug, release = application.slug, offer.release
    console = draft.console_version(application.namespace)
    if is_older(release.target_kots_version, console):
        draft.note(
            f"{slug} {release.version_label} names KOTS {release.target_kots_version}, and the "
            f"admin console is {console} by then, which KOTS allows for upgrades. If the vendor "
            "does not, take it under the console of now first: --skip-console, with the plugin of "
            "that version and no later release among the sources."
        )


def _plan_hop(draft: Draft, application: Application, offer: Offered, before: str) -> None:
    release = offer.release
    known = draft.deployed(application.namespace).waiting.get(application.slug, ())
    here = [version for version in known if version.label == release.version_label]
    if here:  # KOTS takes no version twice
        if here[0].status != "deploying":
            draft.add(press(draft.site, application, here[0]))
        see_arrive(draft, application, release.version_label)
        return
    _note_target(draft, application, offer)
    handover = draft.hand_over(offer, application, None)
    command = kots.upgrade_application(draft.site, application, handover)
    why = f"Take {application.slug} to {release.version_label}. {draft.images_come(handover)}"
    action = Run(command=command, judge=Judge.ANSWER, handed=handover.archive)
    name = f"upgrade-{application.slug}-{release.version_label}"
    required = release.is_required
    undo = undoing.upgrade(application, release.version_label, before, required=required)
    draft.add(Step(name=name, why=why, action=action, undo=undo))
    if handover.push:
        draft.check_pushed(offer)
    see_arrive(draft, application, release.version_label)
