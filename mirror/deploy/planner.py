"""`plan`: from what is offered and what runs to the commands in between."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from mirror import kots
from mirror.deploy import undoing
from mirror.deploy.draft import Draft
from mirror.deploy.model import Order, State, Task
from mirror.deploy.releases import (
    applications_of,
    by_application,
    newest_console,
)
from mirror.kots import Engine, Handover
from mirror.offer import Offered
from mirror.operation.model import Await, ConsoleIs, Judge, Plan, Run, Step
from mirror.site import Application, Login, Site, by_namespace
from transfer.contents import ReleaseRecord
from transfer.errors import InvalidInput, PolicyError
from transfer.kots.finding import Rule, refuse
from transfer.kots.gate import version_gate
from transfer.kots.licence import choose_channel
from transfer.kots.upgrade import Installed, check_path, pending
from transfer.kots.version import is_older

ADDS_APPLICATIONS = "v1.108.2"
"""The first KOTS with `install --exclude-admin-console`."""
UPGRADE_FIRST = "upgrade it first: airgap-mirror upgrade … --console-only"


def plan(site: Site, offers: Sequence[Offered], order: Order, state: State) -> Plan:
    """Every step of an order, decided before the first is taken.

    Raises:
        InvalidInput: the sources, the site file and the order do not fit together.
        PolicyError: KOTS would refuse it later, or it would break what runs.
        Conflict: two images have one destination.
    """
    draft = Draft(site, order, state, newest_console(offers))
    applications = applications_of(site, order, offers)
    releases = {
        site.application(slug): found for slug, found in by_application(offers, order).items()
    }
    if order.task is Task.INSTALL:
        _plan_installs(draft, releases)
    else:
        _plan_console_upgrades(draft, applications)
        if not order.console_only:
            _plan_upgrades(draft, releases)
    return draft.finish(_title(draft, applications), applications)


def _title(draft: Draft, applications: Sequence[Application]) -> str:
    slugs = " and ".join(application.slug for application in applications)
    what = "the admin console" if draft.order.console_only else slugs or "nothing"
    return f"{draft.order.task.value} {what} at {draft.site.name}"


def _plan_installs(draft: Draft, releases: Mapping[Application, Sequence[Offered]]) -> None:
    if not releases:
        raise InvalidInput(
            "no application among the sources",
            hint="give a bundle with an application, or the vendor's .airgap file",
        )
    for application, offers in releases.items():
        newest = offers[-1]
        version = newest.release.version_label
        installed = draft.deployed(application.namespace).applications.get(application.slug)
        if installed is None:
            _plan_install(draft, application, newest)
        elif installed.label == version:
            draft.note(f"{application.slug} {version} is deployed already.")
        else:
            raise _is_there(application, installed, version)


def _is_there(application: Application, installed: Installed, version: str) -> PolicyError:
    if not installed.label:
        return PolicyError(
            f"{application.slug} is in the admin console, but no release of it is deployed",
            hint="finish it there (Config, preflight checks, Deploy), or remove it with "
            f"kubectl kots remove {application.slug} --undeploy, then install again",
        )
    message = f"{application.slug} {installed.label} is installed; the sources have {version}"
    if is_older(version, installed.label):
        return PolicyError(message, hint="give a newer release: nothing goes back to an older one")
    return PolicyError(message, hint="use airgap-mirror upgrade; --app SLUG installs another one")


def _plan_install(draft: Draft, application: Application, offer: Offered) -> None:
    namespace, release = application.namespace, offer.release
    with_console = not draft.has_console(namespace)
    if with_console:
        _start_console(draft, application)
    else:
        _check_running_console(draft, namespace)
    _check_gate(draft, application, release, install=True)
    licence = draft.state.licences.get(application.slug)
    channel = application.channel
    if licence:
        channel = choose_channel(licence, application.slug, release, channel)
    handover = draft.hand_over(offer, application, channel)
    minio = draft.minio(namespace)
    command = kots.install(draft.site, application, handover, minio=minio, console=with_console)
    what = f"{application.slug} {release.version_label}"
    why = (
        f"Install the admin console {draft.console_version(namespace)}, and {what} with it."
        if with_console
        else f"Add {what} to the admin console, which is left as it is."
    )
    why = f"{why} {_images_come(draft, handover)}"
    action = Run(command=command, judge=Judge.INSTALL, handed=handover.archive)
    undo = undoing.install(draft.site, application, console=with_console)
    draft.add(Step(name=f"install-{application.slug}", why=why, action=action, undo=undo))
    if handover.push:
        draft.check_pushed(offer)
    draft.confirm(application, release.version_label)
    _install_notes(draft, application, with_console=with_console)


def _images_come(draft: Draft, handover: Handover) -> str:
    if handover.push:
        return "KOTS pushes the application's images from the archive."
    if draft.order.engine is Engine.KOTS:
        return "Its images were pushed in a step of their own."
    return "KOTS pushes nothing: the images are in the registry, proven by digest."


def _start_console(draft: Draft, application: Application) -> None:
    namespace = application.namespace
    if draft.order.skip_console:
        raise PolicyError(
            f"--skip-console: no admin console runs in namespace {namespace}",
            hint="leave --skip-console out to have one installed",
        )
    if draft.console is None:
        raise PolicyError(
            f"no admin console runs in namespace {namespace}, and none is among the sources",
            hint="give kotsadm.tar.gz, or a bundle that has it, as a source too",
        )
    if application.shared_password is None:
        raise InvalidInput(
            f"applications.{application.slug}.sharedPasswordEnv: is missing; the admin console "
            "that comes with this application needs a password",
            hint="name its source in the site file: sharedPasswordEnv or sharedPasswordFile",
        )
    draft.deploy_console(namespace, draft.console)


def _check_running_console(draft: Draft, namespace: str) -> None:
    """A second application must not change the console under the first one."""
    draft.check_registry(namespace)
    running = draft.console_version(namespace)
    carried = draft.console.release.version_label if draft.console else ""
    if is_older(running, carried):
        raise PolicyError(
            f"the admin console in namespace {namespace} is {running}; the sources have {carried}",
            hint=UPGRADE_FIRST,
        )
    if is_older(running, ADDS_APPLICATIONS):
        raise PolicyError(
            f"the admin console in namespace {namespace} is {running}; KOTS adds a second "
            f"application from {ADDS_APPLICATIONS} on",
            hint=UPGRADE_FIRST,
        )


def _install_notes(draft: Draft, application: Application, *, with_console: bool) -> None:
    site, namespace = draft.site, application.namespace
    if draft.state.licences.get(application.slug) is None and not application.channel:
        draft.note(
            f"{application.license_file} was not read: the channel of {application.slug} is "
            "left out here, and KOTS takes `stable` for it. A run takes it from the licence."
        )
    if site.cluster.openshift:
        policies = [
            f"  oc adm policy add-scc-to-user anyuid -z {shlex.quote(account)} -n {namespace}"
            for account in application.service_accounts
        ]
        draft.note("\n".join(("OpenShift, before the install:", *policies)))
    registry = site.registry
    if with_console and (registry.ca_file or registry.plain_http):
        what = "plain HTTP to it" if registry.plain_http else f"the CA in {registry.ca_file}"
        draft.note(
            f"The nodes pull from {registry.endpoint.registry} themselves: their container "
            f"runtime must accept {what}."
        )
    pusher = registry.pull_credentials is None and isinstance(registry.credentials, Login)
    if with_console and pusher:
        draft.note(
            "The user of registry.credentials stays in the cluster, as its pull secret; give "
            "registry.pullCredentials to leave one there that may only read."
        )


def _plan_console_upgrades(draft: Draft, applications: Sequence[Application]) -> None:
    """Consoles first: a newer one serves older releases, the other way round KOTS refuses."""
    for namespace in by_namespace(applications):
        running = draft.deployed(namespace).console
        if running is None:
            raise PolicyError(
                f"no admin console runs in namespace {namespace}",
                hint="use airgap-mirror install",
            )
        if draft.console is None or draft.order.skip_console:
            if draft.order.console_only:
                raise InvalidInput(
                    "--console-only: no admin console among the sources",
                    hint="give kotsadm.tar.gz, or a bundle that has it",
                )
            continue
        offered = draft.console.release.version_label
        if running.version == offered or is_older(offered, running.version):
            draft.note(
                f"The admin console in namespace {namespace} stays at {running.version}; "
                f"the sources have {offered}."
            )
            continue
        _plan_console_upgrade(draft, namespace, draft.console, running.version)


def _plan_console_upgrade(draft: Draft, namespace: str, console: Offered, running: str) -> None:
    version = console.release.version_label
    draft.deploy_console(namespace, console)
    command = kots.upgrade_console(draft.site, namespace, minio=draft.minio(namespace))
    since = f"from {running} " if running else ""
    why = f"Take the admin console {since}to {version}, before the applications that may need it."
    undo = undoing.console(running)
    draft.add(Step(name="upgrade-console", why=why, action=Run(command=command), undo=undo))
    draft.add(
        Step(
            name="console-is-up",
            why=f"See that the admin console runs {version}.",
            action=Await(
                command=kots.get_console(draft.site, namespace),
                goal=ConsoleIs(version=version),
                seconds=0,
            ),
        )
    )
    draft.note(
        "KOTS never changes the cluster's pull secret kotsadm-private-registry: if the password "
        "of the registry has changed since the install, change it there first."
    )


def _plan_upgrades(draft: Draft, releases: Mapping[Application, Sequence[Offered]]) -> None:
    for application, offers in releases.items():
        slug, namespace = application.slug, application.namespace
        installed = draft.deployed(namespace).applications.get(slug)
        if installed is None:
            raise PolicyError(
                f"{slug} is not installed in namespace {namespace}",
                hint=f"use airgap-mirror install --app {slug}, or --app to upgrade another one",
            )
        hops = pending(offers, installed)
        _check_path(draft, slug, installed, offers)
        if not hops:
            draft.note(f"{slug} is at {installed.label}; the sources have nothing newer.")
        for hop in hops:
            if draft.has_to_wait(hop):
                draft.note(_next_visit(slug, hop.release.version_label))
                break
            _plan_hop(draft, application, hop)


def _check_gate(
    draft: Draft, application: Application, release: ReleaseRecord, *, install: bool
) -> None:
    console = draft.console_version(application.namespace)
    finding = version_gate(application.slug, release, console, install=install)
    refuse("", [finding] if finding else [])


def _check_path(draft: Draft, slug: str, installed: Installed, offers: Sequence[Offered]) -> None:
    """The rules that a bundle is built by hold here again, for what really runs.

    A step that is too long for the vendor may be allowed where the bundle is built; a release
    that KOTS will miss may not.
    """
    majors = max((offer.majors for offer in offers), key=len)
    allowed = {rule for offer in offers for rule in offer.allowed} & {Rule.UPGRADE_PATH}
    findings = check_path(slug, installed, offers, majors)
    for finding in findings:
        if finding.is_warning or finding.rule in allowed:
            draft.note(f"{finding.message}.")
    refuse(
        f"{slug} cannot be upgraded with what is among the sources",
        (finding for finding in findings if finding.rule not in allowed),
    )


def _next_visit(slug: str, label: str) -> str:
    return (
        f"{slug} {label} has to wait: its images take names that the release before it is deployed "
        f"with. Push it afterwards (airgap-mirror push … --release {slug}={label} --overwrite), "
        "and run the same command again: it continues."
    )


def _plan_hop(draft: Draft, application: Application, offer: Offered) -> None:
    release = offer.release
    _check_gate(draft, application, release, install=False)
    handover = draft.hand_over(offer, application, None)
    command = kots.upgrade_application(draft.site, application, handover)
    why = f"Take {application.slug} to {release.version_label}. {_images_come(draft, handover)}"
    action = Run(command=command, judge=Judge.ANSWER, handed=handover.archive)
    name = f"upgrade-{application.slug}-{release.version_label}"
    undo = undoing.upgrade(application, release)
    draft.add(Step(name=name, why=why, action=action, undo=undo))
    if handover.push:
        draft.check_pushed(offer)
    draft.confirm(application, release.version_label)
